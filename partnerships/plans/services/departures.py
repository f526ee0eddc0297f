"""Change plans and their offers when an organisation leaves a partnership, or when a partnership ends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from partnerships.activity.services import record
from partnerships.agreements.departures import Consequence, PartnershipEnding, PartyDeparture
from partnerships.agreements.models import Partnership, Party
from partnerships.agreements.services import UnableToChangeParty
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import (
    Audience,
    OwnershipEndReason,
    OwnershipOffer,
    PastPartnership,
    Plan,
    PlanOwner,
    Share,
)
from partnerships.plans.queries import version_of
from partnerships.plans.services.owning import end_ownership, end_shares, withdraw_offers
from partnerships.plans.services.recording import event_target, journal_audience, record_event


@dataclass(frozen=True, slots=True)
class PlanDeparture:
    """An organisation's departure from the plans of a partnership."""

    partnership: Partnership
    organisation: Organisation
    reason: str
    author: User | None
    now: dt.datetime
    #: Whether the organisation remains in the partnership as an observer.
    is_observer: bool = False


def end_part_of_former_party(departure: PartyDeparture) -> None:
    """End a former party's ownerships, shares and offers in the partnership's plans.

    Plans that only the former party owns leave the partnership with it.
    """
    partnership_plans = Plan.objects.filter(partnership=departure.party.partnership_id)
    end_part_in_plans(_plan_departure(departure, is_observer=False), partnership_plans)


def end_ownerships_of_observer(departure: PartyDeparture) -> None:
    """End the ownerships and offers of a party that becomes an observer.

    Raises `UnableToChangeParty` if the party is the only owner of a plan. A restore cannot ask anybody to offer the
    plan first, so in a restore the plan leaves the partnership.
    """
    partnership_plans = Plan.objects.filter(partnership=departure.party.partnership_id)
    # Only a restore makes a party an observer without an author.
    is_restoring = departure.author is None
    if not is_restoring:
        _refuse_only_owner(departure.party, partnership_plans)
    end_part_in_plans(_plan_departure(departure, is_observer=True), partnership_plans)


def _refuse_only_owner(party: Party, plans: QuerySet[Plan]) -> None:
    """Raise `UnableToChangeParty` if the party is the only owner of one of these plans."""
    ownerships = PlanOwner.objects.filter(plan__in=plans, organisation=party.organisation_id)
    other_owners = PlanOwner.objects.filter(plan=OuterRef("plan")).exclude(pk=OuterRef("pk"))
    if ownerships.exclude(Exists(other_owners)).exists():
        raise UnableToChangeParty(
            f"{party.organisation.name} is the only owner of a plan of this partnership. Its leads must first offer "
            "the plan to another member."
        )


def _plan_departure(departure: PartyDeparture, *, is_observer: bool) -> PlanDeparture:
    """Return a party's departure from a partnership as a departure from the plans of the partnership."""
    party = departure.party
    return PlanDeparture(
        partnership=party.partnership,
        organisation=party.organisation,
        reason=party.reason,
        author=departure.author,
        now=departure.now,
        is_observer=is_observer,
    )


def end_part_in_plans(departure: PlanDeparture, plans: QuerySet[Plan]) -> None:
    """End an organisation's ownerships, shares and offers in these plans of a partnership.

    Plans that only this organisation owns remain its plans, but leave the partnership.
    """
    partnership, organisation = departure.partnership, departure.organisation
    author, now = departure.author, departure.now
    locked_plans = {plan.pk: plan for plan in plans.select_for_update(of=("self",), no_key=True).order_by("pk")}

    owners = PlanOwner.objects.filter(plan__in=locked_plans, organisation=organisation).select_related("organisation")
    for owner in owners.order_by("plan"):
        plan = locked_plans[owner.plan_id]
        if plan.owners.count() > 1:
            end_ownership(plan, owner, OwnershipEndReason.LEFT, author=author, now=now, reason=departure.reason)
        else:
            _leave_partnership(plan, departure)

    # Drafts may be shared with observers, so their shares remain.
    if not departure.is_observer:
        shares = Share.objects.filter(plan__in=locked_plans, organisation=organisation, revoked_at=None)
        # Plans that have just left the partnership keep their shares with this organisation, their owner.
        end_shares(shares.filter(plan__partnership=partnership), author=author, now=now)

    offers = OwnershipOffer.objects.acceptable().filter(partnership=partnership, organisation=organisation)
    withdraw_offers(offers, author=author, now=now)
    _withdraw_lapsed([organisation.pk], author=author, now=now)


def withdraw_offers_within_partnership(ending: PartnershipEnding) -> None:
    """Withdraw the offers that nobody can accept any more because a partnership ends.

    For example, two organisations that share no other partnership can no longer offer plans to each other.
    """
    organisation_ids = list(ending.partnership.parties.values_list("organisation_id", flat=True))
    _withdraw_lapsed(organisation_ids, author=ending.author, now=ending.now)


def _withdraw_lapsed(organisation_ids: Sequence[int], *, author: User | None, now: dt.datetime) -> None:
    """Withdraw unanswered offers to or from these organisations that can no longer be accepted."""
    is_to_or_from = Q(organisation__in=organisation_ids) | Q(offered_for__in=organisation_ids)
    unanswered_offers = OwnershipOffer.objects.unanswered().filter(is_to_or_from)
    lapsed_offers = unanswered_offers.exclude(pk__in=OwnershipOffer.objects.acceptable())
    plans = Plan.objects.filter(pk__in=list(lapsed_offers.values_list("plan_id", flat=True)))
    # Lock the plans in the order of their ids, so that two simultaneous departures do not wait for each other.
    list(plans.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    withdraw_offers(lapsed_offers, author=author, now=now)


def _leave_partnership(plan: Plan, departure: PlanDeparture) -> None:
    """Take the plan out of the partnership that its only owner leaves.

    Offers to hand over the plan remain open. If a partner accepts one, the plan returns to the partnership. Offers to
    share the ownership are withdrawn.
    """
    partnership, author, now = departure.partnership, departure.author, departure.now
    audience_before = plan.audience
    # The event for the partnership contains the last title that its parties could read. They could not read a plan for
    # owners only, so that plan gets no event.
    announced_version = version_of(plan, plan.announced_number) if audience_before != Audience.OWNERS else None

    PastPartnership.objects.create(plan=plan, partnership=partnership, audience=audience_before, left_at=now)
    plan.partnership = None
    if plan.audience == Audience.PARTNERSHIP:
        plan.audience = Audience.OWNERS
    plan.save(update_fields=["partnership", "audience"])
    if plan.audience != audience_before:
        journal_audience(plan, now=now)

    other_parties = Party.objects.filter(partnership=partnership).exclude(organisation=departure.organisation)
    partners = other_parties.values("organisation")
    end_shares(plan.shares.filter(organisation__in=partners, revoked_at=None), author=author, now=now)
    withdraw_offers(plan.ownership_offers.acceptable().filter(hands_over=False), author=author, now=now)

    _record_departure(plan, departure, audience_before=audience_before)
    if announced_version is not None:
        _record_lost_plan(announced_version.title, departure)


def _record_departure(plan: Plan, departure: PlanDeparture, *, audience_before: str) -> None:
    """Record an event of the plan that left its partnership."""
    record_event(
        plan,
        EventKind.LEFT_PARTNERSHIP,
        author=departure.author,
        organisation=departure.organisation,
        target=event_target(plan),
        now=departure.now,
        data={
            "title": plan.title,
            "reason": departure.reason,
            "before": {"audience": audience_before, "partnership": departure.partnership.title},
            "after": {"audience": plan.audience},
        },
    )


def _record_lost_plan(plan_title: str, departure: PlanDeparture) -> None:
    """Record an event of the partnership, which its parties see after the plan has left."""
    partnership, author = departure.partnership, departure.author
    record(
        actor_id=author.pk if author else None,
        organisation_id=departure.organisation.pk,
        kind=EventKind.PARTNERSHIP_LOST_PLAN,
        target_kind="partnership",
        target_id=partnership.pk,
        within_kind="partnership",
        within_id=partnership.pk,
        now=departure.now,
        data={"title": partnership.title, "before": {"plan": plan_title}},
    )


def preview_leaving_plans(party: Party, reader: User) -> list[Consequence]:
    """Return what would happen to the partnership's plans if the party left."""
    visible_plans = Plan.objects.visible_to(reader).owned_by(party.organisation_id)
    visible_plans = visible_plans.filter(partnership=party.partnership_id)
    plans = Plan.objects.filter(pk__in=visible_plans.values("pk")).for_listing().order_by("title", "pk")
    name = party.organisation.name
    consequences = []
    for plan in plans:
        # `for_listing` has fetched the owners, so counting them makes no query.
        if len(plan.owners.all()) > 1:
            effect = f"{name} will no longer own “{plan.title}”. {name} can still read what has been published so far."
        else:
            effect = (
                f"{name} is the only owner of “{plan.title}”, so the plan leaves the partnership too. To keep the plan "
                "in the partnership, first offer it to a partner. You do not need to wait for an answer."
            )
        consequences.append(Consequence(effect, reverse("plans:owners", kwargs={"pk": plan.pk})))
    return consequences
