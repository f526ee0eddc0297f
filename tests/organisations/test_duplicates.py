"""Duplicates are found, merged into one record, and separated again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Party
from partnerships.agreements.queries import terms as agreements
from partnerships.agreements.services import leave_partnership
from partnerships.commitments.models import Commitment
from partnerships.kit.rights import UnableToAct
from partnerships.organisations import services
from partnerships.organisations.duplicates import possible_duplicates, similar_to
from partnerships.organisations.models import Membership, Merge, Organisation, OrganisationName
from partnerships.organisations.services import UnableToMerge
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
    arguments = {"reason": "Recorded twice.", "author": world.dee, "now": timezone.now()} | fields
    return services.merge_organisations(kept=kept, merged=merged, **arguments)


def undo(world: World, merge_record: Merge, **fields: Any) -> int:
    arguments = {"reason": "They are two.", "author": world.dee, "now": timezone.now()} | fields
    return services.undo_merge(merge=merge_record, **arguments)


def duplicate(world: World, name: str = "Larkhaven Homes Ltd") -> Organisation:
    return services.create_organisation(name=name, kind="registered_provider", author=None, now=world.now)


def rows_by_table() -> dict[str, dict[int, dict[str, Any]]]:
    """Return every row of every table that refers to an organisation, by table and id."""
    models = {model for model, _ in naming_columns() if model._meta.model_name not in {"merge", "notsame"}}
    return {model._meta.label: {row["id"]: row for row in model._base_manager.values()} for model in models}


def test_memberships_and_parties_of_both_records_are_combined_in_the_stronger_role(world: World) -> None:
    copy = duplicate(world)
    join(world.vera, copy, "lead", world.now)
    second_partnership = make_partnership(
        "Second Partnership",
        chair=copy,
        chair_lead=world.vera,
        other=world.westmarch,
        other_lead=world.ben,
        now=world.now,
    )
    third_partnership = make_partnership(
        "Third Partnership",
        chair=copy,
        chair_lead=world.vera,
        other=world.larkhaven,
        other_lead=world.amina,
        now=world.now,
    )

    merge_record = merge(world, copy, world.larkhaven)

    assert Membership.objects.current().get(person=world.vera).role == "lead"
    assert second_partnership.parties.get(organisation=world.larkhaven).role == "chair"
    assert third_partnership.parties.get(organisation=world.larkhaven).role == "chair"
    assert third_partnership.parties.get(organisation=copy).status == "left"

    undo(world, merge_record)

    roles = dict(third_partnership.parties.values_list("organisation__name", "role"))
    assert roles == {copy.name: "chair", world.larkhaven.name: "member"}
    assert not Party.objects.filter(status="left").exists()


def test_a_merge_keeps_signatures_beside_the_parties_that_had_to_sign(world: World) -> None:
    version = agree_terms(world.partnership, world.amina)
    plan = plan_awaiting_signatures(world)
    sign(plan, world, world.ben)
    sign(plan, world, world.amina)

    merge(world, world.westmarch, duplicate(world, "Westmarch Council"))

    assert [state.sign_off is not None for state in signing_states(plan)] == [True, True]
    terms = agreements.signing_states(version)
    assert [term.sign_off is not None for term in terms] == [True, True]


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
    assert {commitment.giver, commitment.receiver} == {world.larkhaven, world.westmarch}


def test_commitment_passes_as_a_numbered_change(world: World) -> None:
    commitment = agree(world)
    copy = duplicate(world)

    merge_record = merge(world, world.larkhaven, copy)

    assert Commitment.objects.filter(Q(giver=copy) | Q(receiver=copy)).get() == commitment
    commitment.refresh_from_db()
    assert commitment.giver == copy
    assert commitment.owner_organisation == copy
    assert commitment.proposed_for == copy
    event = Event.objects.get(kind="organisation.passed_on", target_kind="commitment")
    assert event.data["before"] == {"organisation": world.larkhaven.name}
    assert event.data["after"] == {"organisation": copy.name}
    assert f"commitment:{commitment.pk}" in event.subjects
    undo(world, merge_record)
    commitment.refresh_from_db()
    assert world.larkhaven in {commitment.giver, commitment.receiver}


def test_old_address_name_and_number_lead_to_the_kept_record(world: World) -> None:
    copy = duplicate(world)
    services.add_identifier(organisation=copy, scheme="rsh", value="L9999", author=None, now=world.now)
    merge_record = merge(world, copy, world.larkhaven)
    client = signed_in(world.ben)

    assert client.get(copy.get_absolute_url()).headers["Location"] == world.larkhaven.get_absolute_url()
    for text in ("Larkhaven Homes Ltd", "L9999"):
        results = client.get(reverse("organisations:suggest"), {"q": text}).json()["results"]
        assert [result["id"] for result in results] == [world.larkhaven.pk]
    assert OrganisationName.objects.get(name=copy.name).kind == "alternative"

    undo(world, merge_record)

    assert client.get(copy.get_absolute_url()).status_code == 200
    assert OrganisationName.objects.get(name=copy.name).kind == "official"


def test_both_records_may_be_candidates_for_one_row_of_an_import(world: World) -> None:
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

    assert undo(world, merge_record) == 1

    membership.refresh_from_db()
    assert membership.organisation == world.westmarch


def test_merges_are_undone_in_reverse_order(world: World) -> None:
    copy = duplicate(world)
    third_record = duplicate(world, "Larkhaven Housing")
    membership = join(world.lena, copy, "editor", world.now)
    first_merge = merge(world, copy, world.larkhaven)
    second_merge = merge(world, world.larkhaven, third_record)

    with pytest.raises(UnableToMerge, match="Undo that merge first"):
        undo(world, first_merge)
    undo(world, second_merge)
    assert undo(world, first_merge) == 0

    membership.refresh_from_db()
    assert membership.organisation == copy


def test_merging_needs_an_administrator_a_reason_and_two_records(world: World) -> None:
    copy = duplicate(world)
    with pytest.raises(UnableToAct):
        merge(world, copy, world.larkhaven, author=world.amina)
    with pytest.raises(UnableToMerge, match="reason"):
        merge(world, copy, world.larkhaven, reason=" ")
    with pytest.raises(UnableToMerge, match="two different"):
        merge(world, copy, copy)
    merge_record = merge(world, copy, world.larkhaven)
    with pytest.raises(UnableToMerge, match="already been merged"):
        merge(world, copy, world.westmarch)
    with pytest.raises(UnableToMerge, match="reason"):
        undo(world, merge_record, reason="")
    undo(world, merge_record)
    with pytest.raises(UnableToMerge, match="already been undone"):
        undo(world, merge_record)


def test_similar_names_and_numbers_are_listed_until_an_administrator_keeps_them_apart(world: World) -> None:
    copy = duplicate(world)
    northgate = services.create_organisation(name="Northgate Trust", kind="charity", author=None, now=world.now)
    services.add_identifier(organisation=northgate, scheme="company", value="00123456", author=None, now=world.now)
    services.add_identifier(organisation=world.harbour, scheme="company", value="123456", author=None, now=world.now)

    reasons = {(pair.one, pair.other): pair.why for pair in possible_duplicates()}

    assert reasons[world.larkhaven, copy] == "Nearly the same name"
    assert reasons[world.harbour, northgate] == "The same number, 123456"
    assert similar_to("Larkhaven homes limited") == [world.larkhaven, copy]

    services.keep_apart(one=copy, other=world.larkhaven, reason="A subsidiary.", author=world.dee, now=world.now)

    assert (world.larkhaven, copy) not in {(pair.one, pair.other) for pair in possible_duplicates()}


def test_bodies_with_different_numbers_in_one_register_are_not_duplicates(world: World) -> None:
    copy = duplicate(world)
    for body, number in ((copy, "L1"), (world.larkhaven, "L2")):
        services.add_identifier(organisation=body, scheme="rsh", value=number, author=None, now=world.now)

    assert possible_duplicates() == []


def test_bodies_of_different_kinds_in_their_registers_are_not_duplicates(world: World) -> None:
    surrey = services.create_organisation(name="Surrey Enterprise", kind="lep", author=None, now=world.now)
    council = services.create_organisation(name="Surrey Enterprises", kind="council", author=None, now=world.now)
    assert len(possible_duplicates()) == 1

    services.add_identifier(organisation=surrey, scheme="lep", value="E37000099", author=None, now=world.now)
    services.add_identifier(organisation=council, scheme="gss", value="E10000099", author=None, now=world.now)

    assert possible_duplicates() == []


def test_predecessor_and_successor_are_not_duplicates(world: World) -> None:
    copy = duplicate(world)
    follow([world.larkhaven], [copy])

    assert possible_duplicates() == []
    with pytest.raises(UnableToMerge, match="followed"):
        merge(world, copy, world.larkhaven)


def test_administrator_merges_and_undoes_on_pages(world: World) -> None:
    copy = duplicate(world)
    join(world.lena, copy, "editor", world.now)
    client = signed_in(world.dee)

    assert copy.name in client.get(reverse("organisations:duplicates")).content.decode()
    address = reverse("organisations:merge", args=[world.larkhaven.pk, copy.pk])
    assert "What passes to Larkhaven Homes" in client.get(address).content.decode()
    client.post(address, {"reason": "Recorded twice."})
    merge_record = Merge.objects.get()
    assert merge_record.kept == world.larkhaven
    assert merge_record.merged == copy
    assert merge_record.merged_by == world.dee
    assert "Merged records" in client.get(reverse("organisations:duplicates")).content.decode()

    client.post(reverse("organisations:undo-merge", args=[merge_record.pk]), {"reason": "They are two."})
    client.post(reverse("organisations:not-the-same", args=[copy.pk, world.larkhaven.pk]), {"reason": "A subsidiary."})

    assert Membership.objects.get(person=world.lena, ends_on=None).organisation == copy
    assert "No possible duplicates" in client.get(reverse("organisations:duplicates")).content.decode()


def test_adding_an_organisation_warns_of_nearly_the_same_name(world: World) -> None:
    client = signed_in(world.dee)
    address = reverse("admin:organisations_organisation_add")
    post_fields = {
        "name": "Larkhaven Homes Limited",
        "kind": "registered_provider",
        "status": "active",
        **{
            f"{inline}-{count}": "0"
            for inline in ("identifiers", "names", "areas_served")
            for count in ("TOTAL_FORMS", "INITIAL_FORMS")
        },
    }

    refused_response = client.post(address, post_fields)

    assert "If this is a different organisation, tick the box." in refused_response.content.decode()
    assert not Organisation.objects.filter(name="Larkhaven Homes Limited").exists()
    client.post(address, {**post_fields, "is_another": "on"})
    assert Organisation.objects.filter(name="Larkhaven Homes Limited").exists()
