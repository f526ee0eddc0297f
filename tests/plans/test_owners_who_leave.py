"""An organisation that leaves a partnership stops owning its plans.

Larkhaven, which Amina leads, and Westmarch, which Ben leads, are parties of the Estuary Partnership.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.digests.queries.readers import owners_among, reading_classes
from partnerships.digests.services import subscribe
from partnerships.organisations.models import Organisation
from partnerships.organisations.owned import owned_records_by_kind
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import Comment, Plan, PlanOwner, Version, plan_readers
from partnerships.plans.queries import my_plans, owner_acted_for, plan_roles_of, takes_part_condition
from tests.plans.drafts import ask_signatures, publish, published_plan, save
from tests.support.parties import invite_and_accept
from tests.support.signing_in import signed_in
from tests.world import World


def jointly_owned_plan(world: World) -> Plan:
    """Return a published plan that Larkhaven and Westmarch own together."""
    return published_plan(world, owners=[world.larkhaven, world.westmarch])


def leave_with_lead(
    world: World, organisation: Organisation, lead: User, partnership: Partnership | None = None
) -> None:
    """Let an organisation leave the partnership, as one of its leads."""
    party = (partnership or world.partnership).parties.get(organisation=organisation)
    agreements.leave_partnership(party=party, reason="Budget.", author=lead, now=timezone.now())


def remove_with_lead(world: World, organisation: Organisation, lead: User) -> None:
    """Remove an organisation from the partnership as Amina. Has the arguments of `leave_with_lead`."""
    agreements.remove_party(
        party=world.party(organisation), reason="No longer a partner.", author=world.amina, now=timezone.now()
    )


#: Pages that only owners may open.
OWNERS_PAGES = (
    "plans:draft",
    "plans:preview",
    "plans:draft-paper",
    "plans:edit-about",
    "plans:sharing",
    "plans:publish",
    "plans:audience",
    "plans:status",
    "plans:request-signatures",
    "plans:draft-comments",
)


@pytest.mark.parametrize("leave", [leave_with_lead, remove_with_lead])
def test_former_party_can_no_longer_open_the_owners_pages_of_jointly_owned_plans(
    world: World, leave: Callable[[World, Organisation, User], None]
) -> None:
    plan = jointly_owned_plan(world)
    ben = signed_in(world.ben)
    addresses = [reverse(name, kwargs={"pk": plan.pk}) for name in OWNERS_PAGES]
    statuses_before = {ben.get(address).status_code for address in addresses}

    leave(world, world.westmarch, world.ben)

    assert statuses_before == {200}
    assert {ben.get(address).status_code for address in addresses} <= {403, 404}


@pytest.mark.parametrize("leave", [leave_with_lead, remove_with_lead])
def test_former_party_loses_its_rights_over_jointly_owned_plans(
    world: World, leave: Callable[[World, Organisation, User], None]
) -> None:
    plan = jointly_owned_plan(world)

    leave(world, world.westmarch, world.ben)

    roles = plan_roles_of(world.ben, plan)
    assert not roles.may_edit
    assert not roles.may_publish
    assert roles.reader == "outside"


@pytest.mark.parametrize("leave", [leave_with_lead, remove_with_lead])
@pytest.mark.parametrize(
    ("page", "fields", "status_code"),
    [("plans:edit-about", {"title": "Ours"}, 404), ("plans:publish", {"note": "Ours."}, 403)],
)
def test_former_party_cannot_send_the_forms_of_jointly_owned_plans(
    world: World,
    leave: Callable[[World, Organisation, User], None],
    page: str,
    fields: dict[str, str],
    status_code: int,
) -> None:
    plan = jointly_owned_plan(world)
    leave(world, world.westmarch, world.ben)

    response = signed_in(world.ben).post(reverse(page, kwargs={"pk": plan.pk}), fields)

    assert response.status_code == status_code


@pytest.fixture
def plan_without_westmarch(world: World) -> Plan:
    """Return a published plan that Larkhaven and Westmarch owned, after Westmarch has left the partnership."""
    plan = jointly_owned_plan(world)
    ask_signatures(plan, world)
    leave_with_lead(world, world.westmarch, world.ben)
    return plan


def test_querysets_of_plans_leave_out_the_plans_of_a_former_party(world: World, plan_without_westmarch: Plan) -> None:
    plans = Plan.objects.filter(pk=plan_without_westmarch.pk)
    method_names = (
        "editable_by",
        "publishable_by",
        "owned_by_organisations_of",
        "fully_readable_by",
        "with_insider",
        "draft_visible_to",
        "visible_today_to",
    )

    names_that_find_it = [name for name in method_names if getattr(plans, name)(world.ben).exists()]

    assert names_that_find_it == []


def test_former_party_is_not_among_the_owners_of_a_plan(world: World, plan_without_westmarch: Plan) -> None:
    plan, people = plan_without_westmarch, [world.ben.pk, world.amina.pk]

    assert [owner.organisation_id for owner in plan.owners.all()] == [world.larkhaven.pk]
    assert owners_among(people, [plan.pk]) == {(world.amina.pk, plan.pk)}
    assert owner_acted_for(world.ben, plan) is None
    assert not my_plans(world.ben).exists()


def test_former_party_is_not_among_the_signatories_of_a_plan(world: World, plan_without_westmarch: Plan) -> None:
    signatories = plan_without_westmarch.signatories.filter(takes_part_condition())

    assert list(signatories.values_list("organisation", flat=True)) == [world.larkhaven.pk]


@pytest.fixture
def plan_renamed_after_westmarch_left(world: World) -> Plan:
    """Return a plan for owners only, which Larkhaven renamed in version 2 after Westmarch had left."""
    plan = jointly_owned_plan(world)
    services.change_audience(plan=plan, audience="owners", reason="Ours.", author=world.amina, now=timezone.now())
    leave_with_lead(world, world.westmarch, world.ben)
    save(plan, world, "about", title="Quillwort programme")
    publish(plan, world, "Quillwort.")
    return plan


def test_former_owner_still_reads_the_version_published_before_it_left(
    world: World, plan_renamed_after_westmarch_left: Plan
) -> None:
    versions = Version.objects.visible_to(world.ben).filter(plan=plan_renamed_after_westmarch_left)

    assert list(versions.values_list("number", flat=True)) == [1]
    assert world.ben in plan_readers(plan_renamed_after_westmarch_left)


def test_former_owner_does_not_find_a_version_published_after_it_left(
    world: World, plan_renamed_after_westmarch_left: Plan
) -> None:
    second_version = reverse("plans:version", args=[plan_renamed_after_westmarch_left.pk, 2])

    response = signed_in(world.ben).get(second_version)

    assert response.status_code == 404


@pytest.mark.parametrize("page", ["plans:detail", "plans:history"])
def test_former_owner_sees_a_plan_under_its_old_title(
    world: World, plan_renamed_after_westmarch_left: Plan, page: str
) -> None:
    html = signed_in(world.ben).get(reverse(page, args=[plan_renamed_after_westmarch_left.pk])).content.decode()

    assert "Estuary delivery programme" in html
    assert "Quillwort" not in html


@pytest.mark.usefixtures("plan_renamed_after_westmarch_left")
def test_list_of_a_former_owner_does_not_have_the_new_title_of_a_plan(world: World) -> None:
    html = signed_in(world.ben).get(reverse("plans:list")).content.decode()

    assert "Quillwort" not in html


def test_followers_from_a_former_owner_get_no_news_of_the_plan(world: World) -> None:
    plan = jointly_owned_plan(world)
    subscribe(person=world.ben, target=world.westmarch, author=world.ben, now=timezone.now())
    leave_with_lead(world, world.westmarch, world.ben)

    classes = reading_classes([plan.pk], now=timezone.now())

    assert classes == {}


def test_followers_from_an_owner_get_news_of_the_plan(world: World) -> None:
    plan = jointly_owned_plan(world)
    subscribe(person=world.ben, target=world.westmarch, author=world.ben, now=timezone.now())

    classes = reading_classes([plan.pk], now=timezone.now())

    assert list(classes) == [(world.ben.pk, plan.pk)]


def titles_of_followed_plans(world: World) -> list[str]:
    """Return the titles of the plans that Ben follows, as Westmarch's page of what Ben looks after lists them."""
    groups = owned_records_by_kind(world.ben, world.westmarch, timezone.localdate())
    return [record.title for group in groups if group.kind.code == "followed" for record in group.records]


@pytest.fixture
def followed_plan(world: World) -> Plan:
    """Return a published plan of the partnership, which Ben follows."""
    plan = published_plan(world)
    subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    return plan


@pytest.mark.usefixtures("followed_plan")
def test_plan_that_a_person_follows_is_named(world: World) -> None:
    titles = titles_of_followed_plans(world)

    assert titles == ["Estuary delivery programme"]


@pytest.mark.usefixtures("followed_plan")
def test_plan_that_a_person_follows_is_not_named_after_the_organisation_left(world: World) -> None:
    leave_with_lead(world, world.westmarch, world.ben)

    titles = titles_of_followed_plans(world)

    assert titles == []


def test_plan_that_a_person_follows_is_not_named_outside_its_audience(world: World, followed_plan: Plan) -> None:
    services.change_audience(
        plan=followed_plan, audience="owners", reason="Ours.", author=world.amina, now=timezone.now()
    )

    titles = titles_of_followed_plans(world)

    assert titles == []


@pytest.fixture
def plan_of_leaver(world: World) -> Plan:
    """Return a published plan of the Estuary Partnership, which its only owner, Larkhaven, has left."""
    plan = published_plan(world, partnership=world.partnership)
    agreements.change_party_role(
        party=world.party(world.westmarch),
        role="chair",
        reason="Agreed at the meeting.",
        author=world.amina,
        now=timezone.now(),
    )
    leave_with_lead(world, world.larkhaven, world.amina)
    plan.refresh_from_db()
    return plan


def test_plan_leaves_the_partnership_with_its_only_owner(world: World, plan_of_leaver: Plan) -> None:
    assert plan_of_leaver.partnership_id is None
    assert plan_of_leaver.audience == "owners"
    assert plan_roles_of(world.amina, plan_of_leaver).may_publish


def test_parties_read_a_plan_that_left_their_partnership_as_it_was(world: World, plan_of_leaver: Plan) -> None:
    save(plan_of_leaver, world, "about", summary="Quillwort.")
    publish(plan_of_leaver, world, "Quillwort.")

    response = signed_in(world.ben).get(plan_of_leaver.get_absolute_url())

    versions = Version.objects.visible_to(world.ben).filter(plan=plan_of_leaver)
    assert list(versions.values_list("number", flat=True)) == [1]
    assert response.status_code == 200
    assert "Quillwort" not in response.content.decode()


def test_parties_cannot_comment_on_a_plan_that_left_their_partnership(world: World, plan_of_leaver: Plan) -> None:
    response = signed_in(world.ben).post(reverse("plans:comments", args=[plan_of_leaver.pk]), {"text": "Why?"})

    assert response.status_code == 403
    assert plan_roles_of(world.ben, plan_of_leaver).reader == "outside"


@pytest.mark.usefixtures("plan_of_leaver")
def test_history_of_the_partnership_says_that_a_plan_left_with_its_only_owner(world: World) -> None:
    history = signed_in(world.ben).get(reverse("agreements:history", args=[world.partnership.pk])).content.decode()

    assert "plan left the partnership because its only owner left" in history


def test_last_of_two_owners_to_leave_keeps_the_plan(world: World) -> None:
    plan = jointly_owned_plan(world)
    # Larkhaven may leave only if another party is chair.
    invite_and_accept(world, world.harbour, accepted_by=world.hana, role="chair")
    leave_with_lead(world, world.westmarch, world.ben)

    leave_with_lead(world, world.larkhaven, world.amina)

    plan.refresh_from_db()
    ended_ownership = PlanOwner.ever.get(plan=plan, organisation=world.westmarch)
    assert plan.partnership_id is None
    assert [owner.organisation_id for owner in plan.owners.all()] == [world.larkhaven.pk]
    assert ended_ownership.ended_at is not None
    assert ended_ownership.ended_because == "left"


def test_invitation_back_does_not_let_a_former_party_edit_the_plan(world: World) -> None:
    plan = jointly_owned_plan(world)
    leave_with_lead(world, world.westmarch, world.ben)

    agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.westmarch,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )

    assert not plan_roles_of(world.ben, plan).may_edit


def test_former_party_that_returns_does_not_own_the_plan_again(world: World) -> None:
    plan = jointly_owned_plan(world)
    leave_with_lead(world, world.westmarch, world.ben)

    invite_and_accept(world, world.westmarch, accepted_by=world.ben)

    roles = plan_roles_of(world.ben, plan)
    assert not roles.may_edit
    assert roles.reader == "inside"


def test_former_owner_does_not_see_replies_written_after_it_left(world: World) -> None:
    plan = jointly_owned_plan(world)
    comment = services.add_comment(plan=plan, version_number=1, text="Why?", author=world.ben, now=timezone.now())
    leave_with_lead(world, world.westmarch, world.ben)

    services.add_comment(
        plan=plan, version_number=1, text="Quillwort.", author=world.amina, parent=comment, now=timezone.now()
    )

    readable_texts = Comment.objects.visible_to(world.ben).filter(plan=plan).values_list("text", flat=True)
    assert list(readable_texts) == ["Why?"]


def test_plan_cannot_be_created_for_an_organisation_that_has_left(world: World) -> None:
    leave_with_lead(world, world.westmarch, world.ben)

    with pytest.raises(services.UnableToCreatePlan, match="is not a member"):
        published_plan(world, owners=[world.larkhaven, world.westmarch])


def test_only_owner_of_a_plan_cannot_become_an_observer_before_it_offers_the_plan(world: World) -> None:
    plan = jointly_owned_plan(world)
    services.give_up_ownership(
        plan=plan, organisation=world.larkhaven, reason="Theirs.", author=world.amina, now=timezone.now()
    )

    with pytest.raises(agreements.UnableToChangeParty, match="must first offer the plan"):
        agreements.change_party_role(
            party=world.party(world.westmarch),
            role="observer",
            reason="Agreed.",
            author=world.amina,
            now=timezone.now(),
        )

    assert world.party(world.westmarch).role == "member"


def test_restore_that_makes_an_only_owner_an_observer_again_takes_its_plan_out(world: World) -> None:
    plan = jointly_owned_plan(world)
    services.give_up_ownership(
        plan=plan, organisation=world.larkhaven, reason="Theirs.", author=world.amina, now=timezone.now()
    )

    agreements.change_party_role(
        party=world.party(world.westmarch), role="observer", reason="Restored.", author=None, now=timezone.now()
    )

    plan.refresh_from_db()
    assert plan.partnership is None
    assert plan.audience == "owners"
