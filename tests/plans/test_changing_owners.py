"""Ownership of plans is offered, accepted, declined and given up."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership, Party, PartyStatus
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Organisation
from partnerships.organisations.waiting import tasks_from
from partnerships.people.models import User
from partnerships.plans import services
from partnerships.plans.models import OwnershipOffer, Plan, PlanOwner, Share
from partnerships.plans.queries import TASK_SOURCES, plan_roles_of
from tests.plans.drafts import begin, published_plan
from tests.plans.test_owners_who_leave import jointly_owned_plan, leave_with_lead
from tests.support.outbox import deliver, drop_emails
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World, make_partnership


def offer_plan(world: World, plan: Plan, *, hands_over: bool = True, to: Organisation | None = None) -> OwnershipOffer:
    """Offer Larkhaven's plan to Westmarch as Amina."""
    return services.offer_ownership(
        plan=plan,
        organisation=to or world.westmarch,
        offered_for=world.larkhaven,
        hands_over=hands_over,
        author=world.amina,
        now=timezone.now(),
    )


def accept_offer(offer: OwnershipOffer, author: User) -> None:
    """Accept an offer as a lead of the receiver."""
    services.answer_offer(offer=offer, accept=True, author=author, now=timezone.now())


def owner_ids(plan: Plan) -> set[int]:
    """Return the ids of the organisations that own the plan now."""
    return set(plan.owners.values_list("organisation", flat=True))


def make_westmarch_chair(world: World) -> None:
    """Make Westmarch chair, so that Larkhaven may leave."""
    agreements.change_party_role(
        party=world.party(world.westmarch),
        role="chair",
        reason="Agreed at the meeting.",
        author=world.amina,
        now=timezone.now(),
    )


def test_offer_alone_does_not_change_the_owners(world: World) -> None:
    plan = published_plan(world)

    offer_plan(world, plan, hands_over=False)

    assert owner_ids(plan) == {world.larkhaven.pk}


def test_accepted_offer_makes_the_new_organisation_a_second_owner(world: World) -> None:
    plan = published_plan(world)
    offer = offer_plan(world, plan, hands_over=False)

    accept_offer(offer, world.ben)

    assert owner_ids(plan) == {world.larkhaven.pk, world.westmarch.pk}
    assert plan_roles_of(world.ben, plan).may_publish


def test_accepted_handover_makes_the_new_organisation_the_only_owner(world: World) -> None:
    plan = published_plan(world)

    accept_offer(offer_plan(world, plan), world.ben)

    assert owner_ids(plan) == {world.westmarch.pk}
    assert not plan_roles_of(world.amina, plan).may_edit
    assert PlanOwner.ever.get(plan=plan, organisation=world.larkhaven).ended_because == "handed_over"


def test_an_editor_cannot_offer_a_plan(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.offer_ownership(
            plan=plan,
            organisation=world.westmarch,
            offered_for=world.larkhaven,
            hands_over=True,
            author=world.eddie,
            now=timezone.now(),
        )


@pytest.mark.parametrize("name", ["amina", "vera", "chidi"])
def test_only_leads_of_the_receiver_answer_an_offer(world: World, name: str) -> None:
    plan = published_plan(world)
    offer = offer_plan(world, plan)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        accept_offer(offer, getattr(world, name))

    assert owner_ids(plan) == {world.larkhaven.pk}


def test_plan_cannot_be_offered_to_an_organisation_outside_the_partnership(world: World) -> None:
    with pytest.raises(services.UnableToChangeOwners, match="is not in a partnership"):
        offer_plan(world, published_plan(world), to=world.tidewater)


def test_plan_stays_with_an_owner_that_leaves_until_its_handover_is_answered(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    offer_plan(world, plan)

    leave_with_lead(world, world.larkhaven, world.amina)

    plan.refresh_from_db()
    assert plan.partnership_id is None
    assert owner_ids(plan) == {world.larkhaven.pk}


def test_plan_returns_to_its_partnership_when_a_handover_is_accepted_after_leaving(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.larkhaven, world.amina)

    accept_offer(offer, world.ben)

    plan.refresh_from_db()
    assert plan.partnership_id == world.partnership.pk
    assert plan.audience == "partnership"
    assert owner_ids(plan) == {world.westmarch.pk}
    assert not Plan.objects.draft_visible_to(world.amina).filter(pk=plan.pk).exists()


def test_plan_does_not_return_with_an_owner_that_is_no_longer_a_member(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.larkhaven, world.amina)
    plan.refresh_from_db()
    PlanOwner.objects.create(plan=plan, organisation=world.tidewater, began_at=timezone.now())

    accept_offer(offer, world.ben)

    plan.refresh_from_db()
    assert plan.partnership_id is None
    assert owner_ids(plan) == {world.westmarch.pk, world.tidewater.pk}


def test_plan_stays_with_its_owner_when_a_handover_is_declined_after_leaving(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.larkhaven, world.amina)

    services.answer_offer(offer=offer, accept=False, reason="Not ours.", author=world.ben, now=timezone.now())

    plan.refresh_from_db()
    assert plan.partnership_id is None
    assert owner_ids(plan) == {world.larkhaven.pk}


def test_offer_of_a_plan_without_a_partnership_ends_with_the_last_shared_partnership(world: World) -> None:
    plan = begin(world, audience="owners", partnership=None)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.westmarch, world.ben)

    with pytest.raises(services.UnableToChangeOwners, match="no longer open"):
        accept_offer(offer, world.ben)

    offer.refresh_from_db()
    assert owner_ids(plan) == {world.larkhaven.pk}
    assert offer.withdrawn_at is not None


def end_partnership_on(world: World, day: dt.date) -> None:
    """Make the Estuary Partnership active until this day."""
    Partnership.objects.filter(pk=world.partnership.pk).update(status="active", ends_on=day)


def test_offer_lapses_on_the_day_after_its_partnership_ends(world: World) -> None:
    plan = begin(world, audience="owners", partnership=None)
    offer = offer_plan(world, plan)
    end_partnership_on(world, timezone.localdate() - dt.timedelta(days=1))

    with pytest.raises(services.UnableToChangeOwners, match="no longer open"):
        accept_offer(offer, world.ben)

    assert owner_ids(plan) == {world.larkhaven.pk}


def test_offer_is_open_on_the_last_day_of_its_partnership(world: World) -> None:
    plan = begin(world, audience="owners", partnership=None)
    offer = offer_plan(world, plan)
    end_partnership_on(world, timezone.localdate())

    accept_offer(offer, world.ben)

    assert owner_ids(plan) == {world.westmarch.pk}


def test_plan_can_be_offered_again_after_an_offer_lapsed(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    lapsed_offer = offer_plan(world, plan)
    leave_with_lead(world, world.larkhaven, world.amina)
    yesterday = timezone.localdate() - dt.timedelta(days=1)
    Partnership.objects.filter(pk=world.partnership.pk).update(status="active", ends_on=yesterday)
    make_partnership(
        "Quay Partnership",
        chair=world.larkhaven,
        chair_lead=world.amina,
        other=world.westmarch,
        other_lead=world.ben,
        now=timezone.now(),
    )

    offer = offer_plan(world, plan)

    lapsed_offer.refresh_from_db()
    assert lapsed_offer.withdrawn_at is not None
    assert offer.withdrawn_at is None


def test_handover_of_a_plan_that_left_ends_with_the_partnership_it_left(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.larkhaven, world.amina)

    agreements.change_status(
        partnership=world.partnership, status="ended", reason="All is built.", author=world.ben, now=timezone.now()
    )

    with pytest.raises(services.UnableToChangeOwners, match="no longer open"):
        accept_offer(offer, world.ben)


def test_offer_ends_when_the_organisation_it_was_made_to_leaves(world: World) -> None:
    plan = published_plan(world)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.westmarch, world.ben)

    with pytest.raises(services.UnableToChangeOwners, match="no longer open"):
        accept_offer(offer, world.ben)


def test_owner_gives_up_ownership_while_another_owner_remains(world: World) -> None:
    plan = jointly_owned_plan(world)

    services.give_up_ownership(
        plan=plan, organisation=world.westmarch, reason="Not ours.", author=world.ben, now=timezone.now()
    )

    assert owner_ids(plan) == {world.larkhaven.pk}


def test_the_only_owner_cannot_give_up_ownership(world: World) -> None:
    plan = published_plan(world)

    with pytest.raises(services.UnableToChangeOwners, match="needs an owner"):
        services.give_up_ownership(
            plan=plan, organisation=world.larkhaven, reason="Not ours.", author=world.amina, now=timezone.now()
        )


def test_page_of_owners_links_to_the_form_to_offer_the_plan(world: World) -> None:
    plan = published_plan(world)

    owners_page = signed_in(world.amina).get(reverse("plans:owners", args=[plan.pk])).content.decode()

    assert reverse("plans:offer", args=[plan.pk, plan.owners.get().pk]) in owners_page


def test_lead_offers_a_plan_on_its_page(world: World) -> None:
    plan = published_plan(world)
    address = reverse("plans:offer", args=[plan.pk, plan.owners.get().pk])

    signed_in(world.amina).post(
        address, {"organisation": world.westmarch.pk, "hands_over": "no", "message": "Join us."}
    )

    offer = OwnershipOffer.objects.get()
    assert offer.organisation == world.westmarch
    assert not offer.hands_over
    assert offer.message == "Join us."


def test_lead_finds_an_offer_in_their_tasks(world: World) -> None:
    offer = offer_plan(world, published_plan(world), hands_over=False)

    tasks = tasks_from(TASK_SOURCES, world.ben, timezone.now())

    assert reverse("plans:answer-ownership", args=[offer.pk]) in [task.path for task in tasks]


def test_lead_finds_an_offer_on_the_page_of_offers(world: World) -> None:
    offer = offer_plan(world, published_plan(world), hands_over=False)

    page_of_offers = signed_in(world.ben).get(reverse("plans:ownership")).content.decode()

    assert reverse("plans:answer-ownership", args=[offer.pk]) in page_of_offers


def test_lead_accepts_an_offer_on_its_page(world: World) -> None:
    plan = published_plan(world)
    offer = offer_plan(world, plan, hands_over=False)
    ben = signed_in(world.ben)

    ben.post(reverse("plans:answer-ownership", args=[offer.pk]), {"answer": "accept"})

    owners_page = ben.get(reverse("plans:owners", args=[plan.pk])).content.decode()
    assert owner_ids(plan) == {world.larkhaven.pk, world.westmarch.pk}
    assert "Westmarch" in owners_page


def test_lead_gives_up_ownership_on_the_plans_page(world: World) -> None:
    plan = jointly_owned_plan(world)
    ownership = plan.owners.get(organisation=world.westmarch)
    ben = signed_in(world.ben)

    ben.post(reverse("plans:give-up", args=[plan.pk, ownership.pk]), {"reason": "Too much."})

    ownership_page = ben.get(reverse("plans:ownership")).content.decode()
    assert owner_ids(plan) == {world.larkhaven.pk}
    assert "The owner gave up its ownership" in ownership_page


def test_leads_of_the_receiver_are_emailed_about_an_offer(world: World) -> None:
    plan = published_plan(world)
    drop_emails()

    offer = offer_plan(world, plan)

    [email] = deliver()
    assert email.to == [world.ben.email]
    assert email.subject == f"Larkhaven Homes has offered ownership of {plan.title} to Westmarch Borough Council"
    assert "will own the plan instead of Larkhaven Homes" in collapse(str(email.body))
    assert reverse("plans:answer-ownership", args=[offer.pk]) in email.body


def test_person_who_offered_a_plan_is_emailed_when_the_offer_is_declined(world: World) -> None:
    plan = published_plan(world)
    offer = offer_plan(world, plan)
    drop_emails()

    services.answer_offer(offer=offer, accept=False, reason="Too large.", author=world.ben, now=timezone.now())

    [email] = deliver()
    assert email.to == [world.amina.email]
    assert email.subject == f"Westmarch Borough Council has declined ownership of the plan {plan.title}"
    assert "Too large." in email.body


def test_former_owner_is_emailed_when_its_handover_is_accepted(world: World) -> None:
    plan = published_plan(world)
    make_westmarch_chair(world)
    offer = offer_plan(world, plan)
    leave_with_lead(world, world.larkhaven, world.amina)
    drop_emails()

    accept_offer(offer, world.ben)

    [email] = deliver()
    assert email.to == [world.amina.email]
    assert email.subject == f"Westmarch Borough Council has accepted ownership of the plan {plan.title}"
    assert "Larkhaven Homes no longer owns the plan." in email.body


def test_page_to_leave_says_what_happens_to_the_plans(world: World) -> None:
    jointly_owned_plan(world)
    begin(world, title="Island homes")
    make_westmarch_chair(world)

    response = signed_in(world.amina).get(
        reverse("agreements:leave", args=[world.partnership.pk, world.party(world.larkhaven).pk])
    )

    html = response.content.decode()
    assert "will no longer own “Estuary delivery programme”" in html
    assert "the only owner of “Island homes”, so the plan leaves the partnership too" in html


MIGRATION = import_module("partnerships.plans.migrations.0010_end_ownership_of_former_parties")
CODES = import_module("partnerships.activity.migrations.0003_code_events").CODES


def leave_as_older_code_did(world: World, organisation: Organisation) -> None:
    """Set a party to left without ending its ownerships, as older code did."""
    party = Party.objects.get(partnership=world.partnership, organisation=organisation)
    party.status = PartyStatus.LEFT
    party.left_at = timezone.now()
    party.left_on = timezone.localdate()
    party.save()


class _EventsBefore:
    """The manager of events at the time of the migration, when an event had a sentence instead of a code."""

    @property
    def objects(self) -> _EventsBefore:
        return self

    def create(self, *, verb: str, **fields: Any) -> Event:
        return Event.objects.create(kind=CODES[verb], **fields)


class _AppsBefore:
    """The models at the time of the migration."""

    @staticmethod
    def get_model(app: str, name: str) -> Any:
        return _EventsBefore() if (app, name) == ("activity", "Event") else apps.get_model(app, name)


@pytest.fixture
def plan_of_former_party(world: World) -> Plan:
    """Return a plan of Larkhaven and Westmarch, which left under older code and then lost its ownership."""
    plan = jointly_owned_plan(world)
    leave_as_older_code_did(world, world.westmarch)
    MIGRATION.end_ownerships(_AppsBefore, None)
    return plan


def test_upgrade_ends_the_ownership_of_a_former_party_on_the_day_it_left(
    world: World, plan_of_former_party: Plan
) -> None:
    ended_ownership = PlanOwner.ever.get(plan=plan_of_former_party, organisation=world.westmarch)
    left_at = Party.objects.get(organisation=world.westmarch, partnership=world.partnership).left_at

    assert ended_ownership.ended_at == left_at
    assert ended_ownership.ended_because == "left"
    assert owner_ids(plan_of_former_party) == {world.larkhaven.pk}


def test_upgrade_leaves_plans_of_present_parties_in_the_partnership(world: World) -> None:
    plan = begin(world, title="Island homes")
    leave_as_older_code_did(world, world.westmarch)

    MIGRATION.end_ownerships(_AppsBefore, None)

    plan.refresh_from_db()
    assert plan.partnership_id == world.partnership.pk


@pytest.mark.parametrize("name", ["amina", "ben"])
def test_leads_of_both_owners_see_until_when_a_former_party_owned_the_plan(
    world: World, plan_of_former_party: Plan, name: str
) -> None:
    html = signed_in(getattr(world, name)).get(reverse("plans:ownership")).content.decode()

    assert "Westmarch Borough Council, until" in html
    assert plan_of_former_party.title in html


@pytest.mark.usefixtures("plan_of_former_party")
def test_leads_of_other_organisations_do_not_see_former_owners(world: World) -> None:
    html = signed_in(world.chidi).get(reverse("plans:ownership")).content.decode()

    assert "Westmarch" not in html


def test_history_of_a_plan_says_that_a_former_party_no_longer_owns_it(world: World, plan_of_former_party: Plan) -> None:
    history = signed_in(world.amina).get(reverse("plans:history", args=[plan_of_former_party.pk])).content.decode()

    assert "o longer owns the plan" in history


def test_upgrade_ends_ownership_of_a_former_party_invited_again(world: World) -> None:
    plan = jointly_owned_plan(world)
    leave_as_older_code_did(world, world.westmarch)
    agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.westmarch,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )

    MIGRATION.end_ownerships(_AppsBefore, None)

    assert owner_ids(plan) == {world.larkhaven.pk}


def test_upgrade_removes_a_plan_from_the_partnership_its_only_owner_left(world: World) -> None:
    plan = published_plan(world)
    leave_as_older_code_did(world, world.larkhaven)

    MIGRATION.end_ownerships(_AppsBefore, None)

    plan.refresh_from_db()
    assert plan.partnership_id is None
    assert plan.audience == "owners"
    assert owner_ids(plan) == {world.larkhaven.pk}
    assert Plan.objects.visible_to(world.ben).filter(pk=plan.pk).exists()


@pytest.fixture
def share_of_older_code(world: World) -> Share:
    """Return a share of Larkhaven's draft with Nadia, without the organisations that older code did not store."""
    share = services.share_draft(
        plan=begin(world),
        email=world.nadia.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    Share.objects.filter(pk=share.pk).update(organisation=None, shown_for=None)
    return share


def test_upgrade_fills_in_the_organisations_of_shares(world: World, share_of_older_code: Share) -> None:
    MIGRATION.fill_in(apps, None)
    MIGRATION.end_showings(apps, None)

    share_of_older_code.refresh_from_db()
    assert share_of_older_code.organisation == world.riverside
    assert share_of_older_code.shown_for == world.larkhaven
    assert share_of_older_code.revoked_at is None


def test_upgrade_keeps_openings_that_older_code_cleared(share_of_older_code: Share) -> None:
    opened_at = timezone.now()
    older_shares = Share.objects.filter(pk=share_of_older_code.pk)
    older_shares.update(opened_at=opened_at)
    older_shares.update(opened_at=None)  # the history of changes still has the time of the opening

    MIGRATION.fill_in(apps, None)
    MIGRATION.end_showings(apps, None)

    assert [opening.at for opening in share_of_older_code.openings.all()] == [opened_at]
