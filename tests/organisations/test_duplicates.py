"""Duplicates are found, merged into one record, and separated again."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Partnership, Party
from partnerships.agreements.queries import terms as agreements
from partnerships.agreements.services import leave_partnership
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services
from partnerships.organisations.duplicates import organisations_with_similar_name, possible_duplicates
from partnerships.organisations.models import Membership, Merge, Organisation, OrganisationName
from partnerships.organisations.obligations import all_columns, obligation
from partnerships.organisations.services import UnableToMerge
from partnerships.organisations.services.moving import count_sorted_rows, sort_rows
from partnerships.plans.queries import signing_states
from partnerships.transfer.models import Doubt, ImportRun
from tests.commitments.promises import agree
from tests.organisations.test_obligations import naming_columns
from tests.plans.test_signing import plan_awaiting_signatures, sign
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.support.terms import agree_terms
from tests.world import World, join, make_partnership


def merge(world: World, merged: Organisation, kept: Organisation, **fields: Any) -> Merge:
    """Merge a record into another one, by default as Dee."""
    arguments = {"reason": "Recorded twice.", "author": world.dee, "now": timezone.now()} | fields
    return services.merge_organisations(kept=kept, merged=merged, **arguments)


def undo(world: World, merge_record: Merge, **fields: Any) -> int:
    """Undo a merge, by default as Dee, and return the number of rows that could not be returned."""
    arguments = {"reason": "They are two.", "author": world.dee, "now": timezone.now()} | fields
    return services.undo_merge(merge=merge_record, **arguments)


def duplicate(world: World, name: str = "Larkhaven Homes Ltd") -> Organisation:
    """Return a new provider, by default a second record of Larkhaven."""
    return services.create_organisation(name=name, kind="registered_provider", author=None, now=world.now)


def rows_by_table() -> dict[str, dict[int, dict[str, Any]]]:
    """Return every row of every table that refers to an organisation, by table and id."""
    models = {model for model, _ in naming_columns() if model._meta.model_name not in {"merge", "notsame"}}
    return {model._meta.label: {row["id"]: row for row in model._base_manager.values()} for model in models}


class CopyWithPartnerships(NamedTuple):
    """A second record of Larkhaven, which Vera leads and which chairs two partnerships."""

    organisation: Organisation
    with_westmarch: Partnership
    with_larkhaven: Partnership


@pytest.fixture
def copy_with_partnerships(world: World) -> CopyWithPartnerships:
    """Return a second record of Larkhaven that chairs partnerships with Westmarch and with Larkhaven itself."""
    copy = duplicate(world)
    join(world.vera, copy, "lead", world.now)

    with_westmarch = make_partnership(
        "Second Partnership",
        chair=copy,
        chair_lead=world.vera,
        other=world.westmarch,
        other_lead=world.ben,
        now=world.now,
    )
    with_larkhaven = make_partnership(
        "Third Partnership",
        chair=copy,
        chair_lead=world.vera,
        other=world.larkhaven,
        other_lead=world.amina,
        now=world.now,
    )
    return CopyWithPartnerships(copy, with_westmarch, with_larkhaven)


def test_a_member_of_both_records_has_the_stronger_role(
    world: World, copy_with_partnerships: CopyWithPartnerships
) -> None:
    merge(world, copy_with_partnerships.organisation, world.larkhaven)

    assert Membership.objects.current().get(person=world.vera).role == "lead"


def test_parties_of_both_records_are_combined_in_the_stronger_role(
    world: World, copy_with_partnerships: CopyWithPartnerships
) -> None:
    copy = copy_with_partnerships.organisation

    merge(world, copy, world.larkhaven)

    parties_beside_westmarch = copy_with_partnerships.with_westmarch.parties
    parties_of_both_records = copy_with_partnerships.with_larkhaven.parties
    assert parties_beside_westmarch.get(organisation=world.larkhaven).role == "chair"
    assert parties_of_both_records.get(organisation=world.larkhaven).role == "chair"
    assert parties_of_both_records.get(organisation=copy).status == "left"


def test_combined_parties_are_separated_when_the_merge_is_undone(
    world: World, copy_with_partnerships: CopyWithPartnerships
) -> None:
    merge_record = merge(world, copy_with_partnerships.organisation, world.larkhaven)

    undo(world, merge_record)

    parties = copy_with_partnerships.with_larkhaven.parties
    roles = dict(parties.values_list("organisation__name", "role"))
    assert roles == {"Larkhaven Homes Ltd": "chair", "Larkhaven Homes": "member"}
    assert not Party.objects.filter(status="left").exists()


def test_a_preview_counts_the_rows_that_a_merge_moves(
    world: World, copy_with_partnerships: CopyWithPartnerships
) -> None:
    copy = copy_with_partnerships.organisation
    previews = services.preview_merge(kept=world.larkhaven, merged=copy)

    merge_record = merge(world, copy, world.larkhaven)

    partnerships = obligation("partnerships")
    [preview] = [preview for preview in previews if preview.label == partnerships.label]
    moved_count = 0
    for column in partnerships.columns:
        rows = merge_record.rows.filter(table=column.model._meta.label)
        moved_count += rows.filter(before={column.name: copy.pk}, after={column.name: world.larkhaven.pk}).count()
    assert preview.moves == moved_count > 0
    assert preview.held_by_both >= 1


@pytest.mark.parametrize(("kept", "merged"), [("larkhaven", "westmarch"), ("westmarch", "larkhaven")])
def test_a_preview_counts_as_a_merge_sorts(world: World, kept: str, merged: str) -> None:
    source, target = getattr(world, merged).pk, getattr(world, kept).pk
    columns = all_columns()

    counts = count_sorted_rows(columns, source, target)

    sorted_columns = [sort_rows(column, source, target) for column in columns]
    assert counts == [(len(rows.movable_ids), len(rows.conflicts)) for rows in sorted_columns]


def test_a_preview_needs_one_query(world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        services.preview_merge(kept=world.larkhaven, merged=world.westmarch)


def test_a_merge_keeps_signatures_beside_the_parties_that_had_to_sign(world: World) -> None:
    version = agree_terms(world.partnership, world.amina)
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.ben)
    sign(plan, world, world.amina)

    merge(world, world.westmarch, duplicate(world, "Westmarch Council"))

    states_of_plan = signing_states(plan)
    states_of_terms = agreements.signing_states(version)
    assert [state.sign_off is not None for state in states_of_plan] == [True, True]
    assert [state.sign_off is not None for state in states_of_terms] == [True, True]


def test_a_party_that_left_long_ago_does_not_change(world: World) -> None:
    copy = duplicate(world)
    join(world.vera, copy, "lead", world.now)
    partnership = make_partnership(
        "Third Partnership",
        chair=world.larkhaven,
        chair_lead=world.amina,
        other=copy,
        other_lead=world.vera,
        now=world.now,
    )
    left_at = timezone.now() - dt.timedelta(days=20)
    leave_partnership(
        party=partnership.parties.get(organisation=copy), reason="Too far away.", author=world.vera, now=left_at
    )

    merge(world, copy, world.larkhaven)

    party = partnership.parties.get(organisation=copy)
    assert party.status == "left"
    assert party.reason == "Too far away."
    assert party.left_at == left_at


def test_commitment_between_both_records_stays_as_it_is(world: World) -> None:
    commitment = agree(world)

    merge(world, world.westmarch, world.larkhaven)

    commitment.refresh_from_db()
    assert commitment.giver == world.larkhaven
    assert commitment.receiver == world.westmarch


def test_commitment_passes_to_the_kept_record(world: World) -> None:
    commitment = agree(world)
    copy = duplicate(world)

    merge(world, world.larkhaven, copy)

    commitment.refresh_from_db()
    assert commitment.giver == copy
    assert commitment.owner_organisation == copy
    assert commitment.proposed_for == copy


def test_commitment_passes_as_a_numbered_change(world: World) -> None:
    commitment = agree(world)
    copy = duplicate(world)

    merge(world, world.larkhaven, copy)

    event = Event.objects.get(kind="organisation.passed_on", target_kind="commitment")
    assert event.data["before"] == {"organisation": "Larkhaven Homes"}
    assert event.data["after"] == {"organisation": "Larkhaven Homes Ltd"}
    assert f"commitment:{commitment.pk}" in event.subjects


def test_commitment_comes_back_when_the_merge_is_undone(world: World) -> None:
    commitment = agree(world)
    merge_record = merge(world, world.larkhaven, duplicate(world))

    undo(world, merge_record)

    commitment.refresh_from_db()
    assert commitment.giver == world.larkhaven
    assert commitment.receiver == world.westmarch


@pytest.fixture
def merged_copy(world: World) -> Merge:
    """Return the merge of a second record of Larkhaven, with a number of its own, into Larkhaven."""
    copy = duplicate(world)
    services.add_identifier(organisation=copy, scheme="rsh", value="L9999", author=None, now=world.now)
    return merge(world, copy, world.larkhaven)


def test_old_address_leads_to_the_kept_record(world: World, merged_copy: Merge) -> None:
    response = signed_in(world.ben).get(merged_copy.merged.get_absolute_url())

    assert response.headers["Location"] == world.larkhaven.get_absolute_url()


@pytest.mark.usefixtures("merged_copy")
@pytest.mark.parametrize("text", ["Larkhaven Homes Ltd", "L9999"], ids=["old name", "old number"])
def test_old_name_and_number_lead_to_the_kept_record(world: World, text: str) -> None:
    response = signed_in(world.ben).get(reverse("organisations:suggest"), {"q": text})

    assert [result["id"] for result in response.json()["results"]] == [world.larkhaven.pk]


@pytest.mark.usefixtures("merged_copy")
def test_old_name_becomes_an_alternative_name_of_the_kept_record(world: World) -> None:
    old_name = OrganisationName.objects.get(name="Larkhaven Homes Ltd")

    assert old_name.organisation == world.larkhaven
    assert old_name.kind == "alternative"


def test_old_name_is_official_again_once_the_merge_is_undone(world: World, merged_copy: Merge) -> None:
    undo(world, merged_copy)

    old_name = OrganisationName.objects.get(name="Larkhaven Homes Ltd")
    assert old_name.organisation == merged_copy.merged
    assert old_name.kind == "official"


def test_old_address_has_a_page_again_once_the_merge_is_undone(world: World, merged_copy: Merge) -> None:
    undo(world, merged_copy)

    response = signed_in(world.ben).get(merged_copy.merged.get_absolute_url())

    assert response.status_code == 200


def test_candidates_for_a_row_of_an_import_are_restored_when_a_merge_is_undone(world: World) -> None:
    copy = duplicate(world)
    run = ImportRun.objects.create(register="providers", file_name="list.csv", sha256="0" * 64, started_at=world.now)
    doubt = Doubt.objects.create(register="providers", key="L1", name="Larkhaven", row={}, why="Two names.", run=run)
    doubt.candidates.set([world.larkhaven, copy])
    merge_record = merge(world, copy, world.larkhaven)

    undo(world, merge_record)

    assert set(doubt.candidates.all()) == {world.larkhaven, copy}


def test_what_changed_since_the_merge_stays_when_it_is_undone(world: World) -> None:
    copy = duplicate(world)
    membership = join(world.lena, copy, "editor", world.now)
    merge_record = merge(world, copy, world.larkhaven)
    Membership.objects.filter(pk=membership.pk).update(organisation=world.westmarch)

    unreturned_count = undo(world, merge_record)

    membership.refresh_from_db()
    assert unreturned_count == 1
    assert membership.organisation == world.westmarch


def test_a_merge_cannot_be_undone_before_a_later_one(world: World) -> None:
    first_merge = merge(world, duplicate(world), world.larkhaven)
    merge(world, world.larkhaven, duplicate(world, "Larkhaven Housing"))

    with pytest.raises(UnableToMerge, match="Undo that merge first"):
        undo(world, first_merge)


def test_merges_are_undone_in_reverse_order(world: World) -> None:
    copy = duplicate(world)
    membership = join(world.lena, copy, "editor", world.now)
    first_merge = merge(world, copy, world.larkhaven)
    second_merge = merge(world, world.larkhaven, duplicate(world, "Larkhaven Housing"))
    undo(world, second_merge)

    unreturned_count = undo(world, first_merge)

    membership.refresh_from_db()
    assert unreturned_count == 0
    assert membership.organisation == copy


def test_only_an_administrator_merges(world: World) -> None:
    copy = duplicate(world)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        merge(world, copy, world.larkhaven, author=world.amina)


def test_merging_needs_a_reason(world: World) -> None:
    copy = duplicate(world)

    with pytest.raises(UnableToMerge, match="reason"):
        merge(world, copy, world.larkhaven, reason=" ")


def test_a_record_is_not_merged_into_itself(world: World) -> None:
    copy = duplicate(world)

    with pytest.raises(UnableToMerge, match="two different"):
        merge(world, copy, copy)


def test_a_record_is_not_merged_twice(world: World) -> None:
    copy = duplicate(world)
    merge(world, copy, world.larkhaven)

    with pytest.raises(UnableToMerge, match="already been merged"):
        merge(world, copy, world.westmarch)


def test_undoing_a_merge_needs_a_reason(world: World) -> None:
    merge_record = merge(world, duplicate(world), world.larkhaven)

    with pytest.raises(UnableToMerge, match="reason"):
        undo(world, merge_record, reason="")


def test_a_merge_is_not_undone_twice(world: World) -> None:
    merge_record = merge(world, duplicate(world), world.larkhaven)
    undo(world, merge_record)

    with pytest.raises(UnableToMerge, match="already been undone"):
        undo(world, merge_record)


def test_organisations_with_similar_names_are_possible_duplicates(world: World) -> None:
    copy = duplicate(world)

    [pair] = possible_duplicates()

    assert pair.one == world.larkhaven
    assert pair.other == copy
    assert pair.why == "Nearly the same name"


def test_both_records_have_a_name_similar_to_a_third_name(world: World) -> None:
    copy = duplicate(world)

    organisations = organisations_with_similar_name("Larkhaven homes limited")

    assert organisations == [world.larkhaven, copy]


def test_organisations_with_the_same_number_are_possible_duplicates(world: World) -> None:
    northgate = services.create_organisation(name="Northgate Trust", kind="charity", author=None, now=world.now)
    services.add_identifier(organisation=northgate, scheme="company", value="00123456", author=None, now=world.now)
    services.add_identifier(organisation=world.harbour, scheme="company", value="123456", author=None, now=world.now)

    [pair] = possible_duplicates()

    assert pair.one == world.harbour
    assert pair.other == northgate
    assert pair.why == "The same number, 123456"


def test_organisations_that_an_administrator_keeps_apart_are_no_possible_duplicates(world: World) -> None:
    copy = duplicate(world)

    services.keep_apart(one=copy, other=world.larkhaven, reason="A subsidiary.", author=world.dee, now=world.now)

    assert possible_duplicates() == []


def test_bodies_with_different_numbers_in_one_register_are_not_duplicates(world: World) -> None:
    copy = duplicate(world)
    services.add_identifier(organisation=copy, scheme="rsh", value="L1", author=None, now=world.now)
    services.add_identifier(organisation=world.larkhaven, scheme="rsh", value="L2", author=None, now=world.now)

    pairs = possible_duplicates()

    assert pairs == []


def test_bodies_of_different_kinds_may_be_duplicates(world: World) -> None:
    services.create_organisation(name="Surrey Enterprise", kind="lep", author=None, now=world.now)
    services.create_organisation(name="Surrey Enterprises", kind="council", author=None, now=world.now)

    pairs = possible_duplicates()

    assert len(pairs) == 1


def test_bodies_of_different_kinds_in_their_registers_are_not_duplicates(world: World) -> None:
    lep = services.create_organisation(name="Surrey Enterprise", kind="lep", author=None, now=world.now)
    council = services.create_organisation(name="Surrey Enterprises", kind="council", author=None, now=world.now)
    services.add_identifier(organisation=lep, scheme="lep", value="E37000099", author=None, now=world.now)
    services.add_identifier(organisation=council, scheme="gss", value="E10000099", author=None, now=world.now)

    pairs = possible_duplicates()

    assert pairs == []


def test_predecessor_and_successor_are_not_duplicates(world: World) -> None:
    follow([world.larkhaven], [duplicate(world)])

    pairs = possible_duplicates()

    assert pairs == []


def test_predecessor_and_successor_cannot_be_merged(world: World) -> None:
    copy = duplicate(world)
    follow([world.larkhaven], [copy])

    with pytest.raises(UnableToMerge, match="successor of the other"):
        merge(world, copy, world.larkhaven)


def test_an_administrator_sees_possible_duplicates(world: World) -> None:
    duplicate(world)

    page = signed_in(world.dee).get(reverse("organisations:duplicates")).content.decode()

    assert "Larkhaven Homes Ltd" in page


def test_an_administrator_sees_what_a_merge_would_move(world: World) -> None:
    copy = duplicate(world)

    page = signed_in(world.dee).get(reverse("organisations:merge", args=[world.larkhaven.pk, copy.pk]))

    assert "Records that move to Larkhaven Homes" in page.content.decode()


def test_an_administrator_merges_two_records_on_a_page(world: World) -> None:
    copy = duplicate(world)
    dee = signed_in(world.dee)

    dee.post(reverse("organisations:merge", args=[world.larkhaven.pk, copy.pk]), {"reason": "Recorded twice."})

    merge_record = Merge.objects.get()
    assert merge_record.kept == world.larkhaven
    assert merge_record.merged == copy
    assert merge_record.merged_by == world.dee
    assert "Merged records" in dee.get(reverse("organisations:duplicates")).content.decode()


def test_an_administrator_undoes_a_merge_on_a_page(world: World) -> None:
    copy = duplicate(world)
    join(world.lena, copy, "editor", world.now)
    merge_record = merge(world, copy, world.larkhaven)
    undo_url = reverse("organisations:undo-merge", args=[merge_record.pk])

    signed_in(world.dee).post(undo_url, {"reason": "They are two."})

    assert Membership.objects.get(person=world.lena, ends_on=None).organisation == copy


def test_an_administrator_keeps_two_records_apart_on_a_page(world: World) -> None:
    copy = duplicate(world)
    dee = signed_in(world.dee)
    keep_apart_url = reverse("organisations:not-the-same", args=[copy.pk, world.larkhaven.pk])

    dee.post(keep_apart_url, {"reason": "A subsidiary."})

    assert "No possible duplicates" in dee.get(reverse("organisations:duplicates")).content.decode()


#: The form of a new organisation whose name is nearly that of Larkhaven.
SIMILAR_ORGANISATION = {
    "name": "Larkhaven Homes Limited",
    "kind": "registered_provider",
    "status": "active",
    "identifiers-TOTAL_FORMS": "0",
    "identifiers-INITIAL_FORMS": "0",
    "names-TOTAL_FORMS": "0",
    "names-INITIAL_FORMS": "0",
    "areas_served-TOTAL_FORMS": "0",
    "areas_served-INITIAL_FORMS": "0",
}


def test_adding_an_organisation_warns_of_nearly_the_same_name(world: World) -> None:
    response = signed_in(world.dee).post(reverse("admin:organisations_organisation_add"), SIMILAR_ORGANISATION)

    assert "If this is a different organisation, tick the box." in response.content.decode()
    assert not Organisation.objects.filter(name="Larkhaven Homes Limited").exists()


def test_an_organisation_of_nearly_the_same_name_is_added_if_it_is_another(world: World) -> None:
    confirmed_form = SIMILAR_ORGANISATION | {"is_another": "on"}

    signed_in(world.dee).post(reverse("admin:organisations_organisation_add"), confirmed_form)

    assert Organisation.objects.filter(name="Larkhaven Homes Limited").exists()
