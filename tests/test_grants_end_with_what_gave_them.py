"""Every grant ends with the partnership, membership or share behind it.

A case creates a grant and a probe that says whether it still works. The probe runs before and after each event that
must end the grant.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.links import terms_token
from partnerships.agreements.models import Partnership
from partnerships.calendars import services as calendars
from partnerships.conversations import services as conversations
from partnerships.conversations.queries.facilitating import partnerships_watched_by
from partnerships.digests.queries.readers import reading_classes
from partnerships.digests.services import add_confirmed_subscription, subscribe
from partnerships.exchange.models import Audience
from partnerships.kit.calendars import CalendarKind
from partnerships.lists import services as lists
from partnerships.lists.models import Follow
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.waiting import tasks_from
from partnerships.outbox.models import Email
from partnerships.people.models import Invitation
from partnerships.plans import services as plans
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import OwnershipOffer, Plan, Share
from partnerships.plans.queries import TASK_SOURCES, plan_roles_of, signing_states
from partnerships.reports import services as reports
from partnerships.surveys.models import Joining
from tests.exchange.conftest import shared_entry
from tests.plans.drafts import ask_signatures, begin, published_plan
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.support.successions import pass_on
from tests.support.terms import draft, first_proposal, put_up
from tests.surveys.asking import prepared_round
from tests.world import World

Probe = Callable[[], bool]


# ---- What ends a grant


def westmarch_leaves(world: World) -> None:
    leave_partnership_as_westmarch(world)


def westmarch_is_removed(world: World) -> None:
    agreements.remove_party(
        party=world.party(world.westmarch), reason="No partner.", author=world.amina, now=timezone.now()
    )


def westmarch_passes_its_part_on(world: World) -> None:
    """To Harbour, with a function; no line names anything else."""
    succession = pass_on(world, "partnerships", world.partnership.pk)
    assert succession.handovers.get().state == "applied"
    assert not world.westmarch.is_ended


def westmarch_becomes_an_observer(world: World) -> None:
    agreements.change_party_role(
        party=world.party(world.westmarch), role="observer", reason="Agreed.", author=world.amina, now=timezone.now()
    )


def ben_stops_acting_for_westmarch(world: World) -> None:
    membership = Membership.objects.get(person=world.ben, organisation=world.westmarch)
    organisations.end_membership(membership=membership, author=world.dee, now=timezone.now(), even_last_lead=True)


def the_showing_is_taken_back(world: World) -> None:
    plans.revoke_share(share=Share.objects.get(person=world.ben), author=world.amina, now=timezone.now())


def its_last_day_passes(world: World) -> None:
    Share.objects.filter(person=world.ben).update(ends_on=timezone.localdate() - dt.timedelta(days=1))


def larkhaven_gives_the_plan_up(world: World) -> None:
    """Harbour owns it too, and still owns it afterwards."""
    plan: Plan = world.things["plan"]
    plan.owners.create(organisation=world.harbour, began_at=timezone.now())
    plans.give_up_ownership(
        plan=plan, organisation=world.larkhaven, reason="Not ours.", author=world.amina, now=timezone.now()
    )


def larkhaven_leaves_with_the_plan(world: World) -> None:
    agreements.change_party_role(
        party=world.party(world.westmarch),
        role="chair",
        reason="Agreed at the meeting.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.leave_partnership(
        party=world.party(world.larkhaven), reason="Budget.", author=world.amina, now=timezone.now()
    )


def the_signature_is_no_longer_asked_for(world: World) -> None:
    signatory = world.things["plan"].signatories.get(organisation=world.westmarch)
    plans.remove_signatory(signatory=signatory, author=world.amina, reason="Not needed.", now=timezone.now())


def the_invitation_is_withdrawn(world: World) -> None:
    if "party" in world.things:
        agreements.remove_party(party=world.things["party"], reason="No.", author=world.amina, now=timezone.now())
    else:
        organisations.end_membership(membership=world.things["membership"], author=world.amina, now=timezone.now())


def the_partnership_ends(world: World) -> None:
    agreements.change_status(
        partnership=world.partnership, status="ended", reason="All is built.", author=world.amina, now=timezone.now()
    )


def the_facilitation_is_ended(world: World) -> None:
    conversations.end_facilitation(
        facilitator=world.things["facilitator"], reason="Done.", author=world.amina, now=timezone.now()
    )


# ---- The grants with their probes


def _plan(world: World, owners: list[Organisation] | None = None, *, is_published: bool = True) -> Plan:
    world.things["plan"] = (published_plan if is_published else begin)(world, owners=owners)
    plan: Plan = world.things["plan"]
    return plan


def owner(world: World) -> Probe:
    plan = _plan(world, [world.larkhaven, world.westmarch])
    return lambda: plan_roles_of(world.ben, plan).may_publish


def signatory(world: World) -> Probe:
    plan = ask_signatures(_plan(world), world)

    def may_sign() -> bool:
        states = [state for state in signing_states(plan) if state.signatory.organisation_id == world.westmarch.pk]
        leads = Organisation.objects.of_person(world.ben, "lead").filter(pk=world.westmarch.pk).exists()
        return leads and any(state.may_decide_on(1) for state in states)

    return may_sign


def link_to_sign(world: World) -> Probe:
    plan = ask_signatures(_plan(world), world)
    token = sign_off_token(plan.signatories.get(organisation=world.westmarch), world.ben, 1)
    return lambda: Client().get(reverse("plans:sign-by-link", args=[token])).status_code == 200


def link_to_sign_the_terms(world: World) -> Probe:
    agreements.change_status(
        partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now()
    )
    review_on = (timezone.localdate() + dt.timedelta(days=365)).isoformat()
    proposal = draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=review_on)
    token = terms_token(put_up(proposal, world.amina).signatories.get(organisation=world.westmarch), world.ben)
    return lambda: Client().get(reverse("agreements:sign-by-link", args=[token])).status_code == 200


def _shown(world: World) -> Plan:
    plan = _plan(world, is_published=False)
    plans.share_draft(
        plan=plan,
        email=world.ben.email,
        may_comment=True,
        message="",
        ends_on=None,
        author=world.amina,
        now=timezone.now(),
    )
    return plan


def share_by_name(world: World) -> Probe:
    plan = _shown(world)
    return lambda: signed_in(world.ben).get(reverse("plans:draft", args=[plan.pk])).status_code == 200


def comment_on_a_draft(world: World) -> Probe:
    plan = _shown(world)
    address = reverse("plans:draft-comments", args=[plan.pk])
    return lambda: signed_in(world.ben).post(address, {"text": "Why?"}).status_code == 302


def comment_on_a_version(world: World) -> Probe:
    plan = _plan(world)
    address = reverse("plans:comments", args=[plan.pk])
    return lambda: signed_in(world.ben).post(address, {"text": "Why?"}).status_code == 302


def mention(world: World) -> Probe:
    plan = _plan(world)
    plans.add_comment(plan=plan, version_number=1, text="Is it so, @Ben West?", author=world.amina, now=timezone.now())
    return lambda: bool(tasks_from(TASK_SOURCES, world.ben, timezone.now()))


def _follows(world: World, target: Plan | Partnership | Organisation, plan: Plan) -> Probe:
    subscribe(person=world.ben, target=target, author=world.ben, now=timezone.now())
    return lambda: (world.ben.pk, plan.pk) in reading_classes([plan.pk], now=timezone.now())


def follower_of_the_plan(world: World) -> Probe:
    plan = _plan(world)
    return _follows(world, plan, plan)


def follower_of_the_partnership(world: World) -> Probe:
    return _follows(world, world.partnership, _plan(world))


def follower_of_an_owner(world: World) -> Probe:
    return _follows(world, world.larkhaven, _plan(world))


def follower_of_a_joint_owner(world: World) -> Probe:
    return _follows(world, world.westmarch, _plan(world, [world.larkhaven, world.westmarch]))


def stakeholder_of_westmarch(world: World) -> Probe:
    plan = _plan(world)
    add_confirmed_subscription(
        person=world.sol, target=plan, author=world.ben, organisation=world.westmarch, now=timezone.now()
    )
    return lambda: (world.sol.pk, plan.pk) in reading_classes([plan.pk], now=timezone.now())


def saved_view(world: World) -> Probe:
    party = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    agreements.answer_invitation(party=party, accept=True, reason="", author=world.hana, now=timezone.now())
    view = lists.save_view(person=world.ben, kind="asks", name="Land", state={}, now=timezone.now())
    lists.follow_view(view=view, person=world.ben, now=timezone.now())
    readings = count(1)

    def tells() -> bool:
        entry = shared_entry(
            world.larkhaven,
            world.amina,
            timezone.now(),
            audience=Audience.PARTNERSHIP,
            partnership=world.partnership,
        )
        # Each reading is more than an hour after the last email.
        now = timezone.now() + 2 * next(readings) * lists.BETWEEN_EMAILS
        lists.check_followed_views(now=now)
        follow = Follow.objects.filter(person=world.ben).first()
        assert follow is None or follow.checked_at == now
        return follow is not None and entry.pk in (follow.members or [])

    return tells


def scheduled_report(world: World) -> Probe:
    reports.schedule_report(
        details=reports.ScheduleDetails(
            report="partnership-register",
            query_string="",
            name="Every week",
            every="week",
            first_on=timezone.localdate(),
            people=[world.ben, world.vera],
            audience=world.partnership,
        ),
        author=world.amina,
        now=timezone.now(),
    )
    weeks = count()
    told = Email.objects.filter(kind="reports.scheduled", person_id=world.ben.pk)

    def is_sent() -> bool:
        before = told.count()
        assert reports.send_due_reports(now=timezone.now() + dt.timedelta(weeks=next(weeks))) == 1
        return told.count() > before

    return is_sent


def calendar_of_the_partnership(world: World) -> Probe:
    made = calendars.make_address(
        person=world.ben,
        partnership=world.partnership,
        kinds=CalendarKind.values,
        author=world.ben,
        now=timezone.now(),
    )
    address = reverse("calendars:feed", args=[made.secret])
    return lambda: Client().get(address).status_code == 200


def survey_that_a_partnership_joined(world: World) -> Probe:
    """Prepare a survey of the Harbour Partnership, which Ben reads as somebody of a partnership that joined."""
    draft = prepared_round(world, partnership=world.other_partnership, author=world.chidi, asked={})
    Joining.objects.create(
        round=draft, partnership=world.partnership, asked_at=timezone.now(), accepted_at=timezone.now()
    )
    return lambda: signed_in(world.ben).get(draft.get_absolute_url()).status_code == 200


def invitation_to_act(world: World) -> Probe:
    made = organisations.invite_member(
        organisation=world.larkhaven, email="new@larkhaven.example", role="editor", author=world.amina, now=world.now
    )
    world.things["membership"] = made
    return lambda: Invitation.objects.open_at(world.now).filter(memberships=made).exists()


def invitation_to_take_part(world: World) -> Probe:
    made = agreements.invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    world.things["party"] = made
    return lambda: Partnership.objects.readable_today_by(world.hana).filter(pk=world.partnership.pk).exists()


def offer_of_a_plan(world: World) -> Probe:
    plan = _plan(world)
    made = plans.offer_ownership(
        plan=plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        author=world.amina,
        now=timezone.now(),
    )
    acceptable_offers = OwnershipOffer.objects.acceptable().filter(pk=made.pk)
    return lambda: acceptable_offers.filter(pk__in=OwnershipOffer.objects.visible_to(world.ben)).exists()


def offer_of_a_plan_in_no_partnership(world: World) -> Probe:
    plan = begin(world, audience="owners", partnership=None)
    world.things["plan"] = plan
    made = plans.offer_ownership(
        plan=plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=True,
        author=world.amina,
        now=timezone.now(),
    )
    return lambda: any(str(made.pk) in item.path for item in tasks_from(TASK_SOURCES, world.ben, timezone.now()))


def facilitator(world: World) -> Probe:
    made = conversations.name_facilitator(
        partnership=world.partnership,
        organisation=world.westmarch,
        person=world.ben,
        author=world.amina,
        now=timezone.now(),
    )
    conversations.accept_facilitation(facilitator=made, author=world.ben, now=timezone.now())
    world.things["facilitator"] = made
    return lambda: world.partnership in partnerships_watched_by(world.ben)


def facilitator_from_outside(world: World) -> Probe:
    made = conversations.name_facilitator(
        partnership=world.partnership,
        organisation=world.tidewater,
        person=world.chidi,
        author=world.amina,
        now=timezone.now(),
    )
    conversations.accept_facilitation(facilitator=made, author=world.chidi, now=timezone.now())
    world.things["facilitator"] = made
    return lambda: Partnership.objects.readable_today_by(world.chidi).filter(pk=world.partnership.pk).exists()


@dataclass(frozen=True)
class Grant:
    """A grant to Ben of Westmarch (or to those named), and what ends it."""

    make: Callable[[World], Probe]
    ends: tuple[Callable[[World], None], ...]


_PARTY = (westmarch_leaves, westmarch_is_removed, westmarch_passes_its_part_on)
_ACTS = (*_PARTY, ben_stops_acting_for_westmarch)
_SHOWN = (
    *_ACTS,
    the_showing_is_taken_back,
    its_last_day_passes,
    larkhaven_gives_the_plan_up,
    larkhaven_leaves_with_the_plan,
)

GRANTS = (
    Grant(owner, (*_ACTS, westmarch_becomes_an_observer)),
    Grant(
        signatory,
        (westmarch_becomes_an_observer, *_ACTS, larkhaven_leaves_with_the_plan, the_signature_is_no_longer_asked_for),
    ),
    Grant(
        link_to_sign,
        (westmarch_becomes_an_observer, *_ACTS, larkhaven_leaves_with_the_plan, the_signature_is_no_longer_asked_for),
    ),
    Grant(link_to_sign_the_terms, (*_ACTS, westmarch_becomes_an_observer)),
    Grant(share_by_name, _SHOWN),
    Grant(comment_on_a_draft, _SHOWN),
    Grant(comment_on_a_version, (*_ACTS, larkhaven_leaves_with_the_plan)),
    Grant(mention, (*_ACTS, larkhaven_leaves_with_the_plan)),
    Grant(follower_of_the_plan, (*_ACTS, larkhaven_leaves_with_the_plan)),
    Grant(follower_of_the_partnership, (*_ACTS, larkhaven_leaves_with_the_plan)),
    Grant(follower_of_an_owner, (*_ACTS, larkhaven_leaves_with_the_plan)),
    Grant(follower_of_a_joint_owner, (*_ACTS, westmarch_becomes_an_observer)),
    Grant(stakeholder_of_westmarch, (*_PARTY, larkhaven_leaves_with_the_plan)),
    Grant(saved_view, _ACTS),
    Grant(scheduled_report, _ACTS),
    Grant(calendar_of_the_partnership, _ACTS),
    Grant(survey_that_a_partnership_joined, _ACTS),
    Grant(facilitator, (*_ACTS, the_facilitation_is_ended)),
    Grant(facilitator_from_outside, (the_facilitation_is_ended,)),
    Grant(invitation_to_act, (the_invitation_is_withdrawn,)),
    Grant(invitation_to_take_part, (the_invitation_is_withdrawn, the_partnership_ends)),
    Grant(
        offer_of_a_plan,
        (westmarch_becomes_an_observer, *_ACTS, larkhaven_gives_the_plan_up, larkhaven_leaves_with_the_plan),
    ),
    Grant(
        offer_of_a_plan_in_no_partnership,
        (westmarch_becomes_an_observer, westmarch_leaves, larkhaven_leaves_with_the_plan, the_partnership_ends),
    ),
)


@pytest.mark.parametrize(
    ("grant", "ends"),
    [
        pytest.param(grant.make, ends, id=f"{grant.make.__name__}-{ends.__name__}")
        for grant in GRANTS
        for ends in grant.ends
    ],
)
def test_grant_ends_with_what_gave_it(
    world: World, grant: Callable[[World], Probe], ends: Callable[[World], None]
) -> None:
    works = grant(world)
    assert works()

    ends(world)

    assert not works()
