"""Who owns a plan: offering it, taking it over, giving it up, and what ends when an owner leaves the partnership."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from partnerships.activity.services import record
from partnerships.agreements.departures import Consequence, PartyDeparture
from partnerships.agreements.models import Partnership, Party
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import (
    Audience,
    EndedBecause,
    OwnershipOffer,
    PastPartnership,
    Plan,
    PlanOwner,
    Share,
)
from partnerships.plans.queries import may_be_offered, present_members, version_of
from partnerships.plans.rights import rights_over
from partnerships.plans.services.ledger import lock_plan, note
from partnerships.plans.services.sharing import end_showing


class UnableToChangeOwners(Exception):
    """The plan cannot have that owner, would have none, or the offer waits no longer."""


def _kind(plan: Plan) -> str:
    """Who may read the line in the history: readers of the plan, or those of its draft alone."""
    return "plan" if plan.is_published else "plan_draft"


def _owner(plan: Plan, organisation: Organisation | int) -> PlanOwner:
    """The standing ownership of the organisation. Raises `UnableToChangeOwners`."""
    found = plan.owners.filter(organisation=organisation).select_related("organisation").first()
    if found is None:
        raise UnableToChangeOwners("This organisation does not own the plan any more.")
    return found


def _lock_with_partnership(plan: Plan, partnership_id: int | None) -> Plan:
    """The plan, locked after the partnership: a leaving locks both in the same order."""
    if partnership_id is not None:
        Partnership.objects.select_for_update(no_key=True).get(pk=partnership_id)
    return lock_plan(plan)


@transaction.atomic
def offer_ownership(
    *,
    plan: Plan,
    organisation: Organisation,
    offered_for: Organisation,
    hands_over: bool,
    author: User,
    now: dt.datetime,
    message: str = "",
) -> OwnershipOffer:
    """Offer a plan to another organisation on behalf of an owner: to own it too, or to take the owner's place.

    Nothing changes until a lead of the organisation accepts; its leads get an email. Raises `UnableToChangeOwners`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_offer_for(offered_for.pk))
    if plan.owners.filter(organisation=organisation).exists():
        raise UnableToChangeOwners(f"{organisation.name} owns this plan already.")
    if not may_be_offered(plan, offered_for).filter(pk=organisation.pk).exists():
        raise UnableToChangeOwners(f"{organisation.name} takes no part in a partnership with {offered_for.name}.")
    if plan.ownership_offers.waiting().filter(organisation=organisation).exists():
        raise UnableToChangeOwners(f"{organisation.name} has not answered the last offer yet.")
    offer = OwnershipOffer.objects.create(
        plan=plan,
        organisation=organisation,
        hands_over=hands_over,
        partnership=plan.partnership,
        offered_for=offered_for,
        offered_by=author,
        offered_at=now,
        message=message.strip(),
    )
    note(
        plan,
        EventKind.OWNERSHIP_TRANSFER_OFFERED if hands_over else EventKind.OWNERSHIP_SHARE_OFFERED,
        author=author,
        organisation=offered_for,
        kind="plan_draft",
        now=now,
        data={"title": plan.title, "after": {"organisation": organisation.name}},
    )
    record_emails(
        kind="plans.ownership_offer",
        people=leads_of(organisation).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"offer": offer.pk},
        sender_id=offered_for.pk,
        now=now,
    )
    return offer


@transaction.atomic
def withdraw_offer(*, offer: OwnershipOffer, author: User, now: dt.datetime) -> None:
    """Take an offer back, for any owner. Raises `UnableToChangeOwners`."""
    plan = lock_plan(offer.plan)
    require(rights_over(plan, author, now).leads_owner)
    waiting = plan.ownership_offers.waiting().filter(pk=offer.pk).select_related("organisation").first()
    if waiting is None:
        raise UnableToChangeOwners("This offer has been answered or withdrawn.")
    _withdraw(waiting, author=author, now=now)


def _withdraw(offer: OwnershipOffer, *, author: User | None, now: dt.datetime) -> None:
    offer.withdrawn_at = now
    offer.save(update_fields=["withdrawn_at"])
    note(
        offer.plan,
        EventKind.OWNERSHIP_OFFER_WITHDRAWN,
        author=author,
        kind="plan_draft",
        now=now,
        data={"title": offer.plan.title, "before": {"organisation": offer.organisation.name}},
    )


def _withdraw_all(offers: QuerySet[OwnershipOffer], *, author: User | None, now: dt.datetime) -> None:
    for offer in offers.select_related("plan", "organisation").order_by("pk"):
        _withdraw(offer, author=author, now=now)


@transaction.atomic
def answer_offer(
    *, offer: OwnershipOffer, accept: bool, author: User, now: dt.datetime, reason: str = ""
) -> OwnershipOffer:
    """Accept the plan for the organisation it is offered to, or decline with a reason. Who offered it gets an email.

    After a handover the organisation that offered owns it no longer. A plan that had left its partnership with that
    organisation comes back into it. Raises `UnableToChangeOwners`.
    """
    plan = _lock_with_partnership(offer.plan, offer.partnership_id)
    require(roles_of(author, now).lead(offer.organisation_id))
    waiting = plan.ownership_offers.waiting().select_related("organisation", "offered_for", "partnership")
    current = waiting.filter(pk=offer.pk).first()
    if current is None:
        raise UnableToChangeOwners("This offer has been answered or withdrawn.")
    if not accept and not reason.strip():
        raise UnableToChangeOwners("Say why your organisation declines.")
    current.answered_by, current.answered_at, current.accepted = author, now, accept
    current.reason = "" if accept else reason.strip()
    if accept:
        _take(plan, current, author=author, now=now)
    current.save(update_fields=["answered_by", "answered_at", "accepted", "reason"])
    if not accept:
        note(
            plan,
            EventKind.OWNERSHIP_DECLINED,
            author=author,
            organisation=current.organisation,
            kind="plan_draft",
            now=now,
            data={"title": plan.title, "reason": current.reason},
        )
    _tell_of_answer(current, author=author, now=now)
    return current


def _tell_of_answer(offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Tell who offered the plan or, if they no longer lead that organisation, its leads."""
    leads = leads_of(offer.offered_for)
    told = leads.filter(pk=offer.offered_by_id or 0)
    record_emails(
        kind="plans.ownership_answer",
        people=(told if told.exists() else leads).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"offer": offer.pk},
        sender_id=offer.organisation_id,
        now=now,
    )


def _take(plan: Plan, offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    organisation = offer.organisation
    comes_back = plan.partnership_id is None and offer.partnership is not None
    partnership = offer.partnership if comes_back else plan.partnership
    if organisation.is_ended:
        raise UnableToChangeOwners(f"{organisation.name} has ended.")
    if partnership is not None and not present_members(partnership).filter(pk=organisation.pk).exists():
        raise UnableToChangeOwners(f"{organisation.name} is no member of {partnership.title}.")
    if comes_back and partnership is not None and not partnership.is_over:
        last = plan.past_partnerships.filter(partnership=partnership).order_by("-left_at", "-pk").first()
        plan.partnership = partnership
        if last is not None and plan.audience == Audience.OWNERS:
            plan.audience = last.audience
        plan.save(update_fields=["partnership", "audience"])
    PlanOwner.objects.create(plan=plan, organisation=organisation, began_at=now)
    note(
        plan,
        EventKind.OWNERSHIP_STARTED,
        author=author,
        organisation=organisation,
        kind=_kind(plan),
        now=now,
        data={"title": plan.title, "after": {"owner": organisation.name}},
    )
    if offer.hands_over:
        held = _owner(plan, offer.offered_for_id)
        _end(plan, held, EndedBecause.HANDED_OVER, author=author, now=now, but=offer)


@transaction.atomic
def give_up_ownership(*, plan: Plan, organisation: Organisation, reason: str, author: User, now: dt.datetime) -> None:
    """An organisation owns the plan no longer; another owner must remain. Raises `UnableToChangeOwners`."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_offer_for(organisation.pk))
    owner = _owner(plan, organisation)
    if not reason.strip():
        raise UnableToChangeOwners("Say why.")
    if plan.owners.count() == 1:
        raise UnableToChangeOwners("A plan needs an owner: hand it over to another organisation instead.")
    _end(plan, owner, EndedBecause.GIVEN_UP, author=author, now=now, reason=reason.strip())


def _end(
    plan: Plan,
    owner: PlanOwner,
    because: str,
    *,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    but: OwnershipOffer | None = None,
) -> None:
    """End an ownership at once, with what the owner gave: showings of the draft, and offers but the one given."""
    owner.ended_at, owner.ended_because = max(now, owner.began_at or now), because
    owner.save(update_fields=["ended_at", "ended_because"])
    _end_showings(plan.shares.filter(revoked_at=None, shown_for=owner.organisation), author=author, now=now)
    offers = plan.ownership_offers.filter(answered_at=None, withdrawn_at=None, offered_for=owner.organisation)
    _withdraw_all(offers.exclude(pk=but.pk) if but is not None else offers, author=author, now=now)
    note(
        plan,
        EventKind.OWNERSHIP_ENDED,
        author=author,
        organisation=owner.organisation,
        kind=_kind(plan),
        now=now,
        data={"title": plan.title, "reason": reason, "before": {"owner": owner.organisation.name}},
    )


def _end_showings(shares: QuerySet[Share], *, author: User | None, now: dt.datetime) -> None:
    for share in shares.select_related("plan", "person").order_by("pk"):
        end_showing(share, author=author, now=now)


# ---- When an organisation leaves a partnership


def leave_with_party(departure: PartyDeparture) -> None:
    """End what a former party held in the partnership's plans; a plan of which it is the only owner goes with it."""
    party = departure.party
    within = Plan.objects.filter(partnership=party.partnership_id)
    plans = {plan.pk: plan for plan in within.select_for_update(of=("self",), no_key=True).order_by("pk")}
    owners = PlanOwner.objects.filter(plan__in=plans, organisation=party.organisation_id).select_related("organisation")
    for owner in owners.order_by("plan"):
        plan = plans[owner.plan_id]
        if plan.owners.count() > 1:
            _end(plan, owner, EndedBecause.LEFT, author=departure.author, now=departure.now, reason=party.reason)
        else:
            _leave_along(plan, departure)
    shown = Share.objects.filter(plan__in=plans, organisation=party.organisation_id, revoked_at=None)
    _end_showings(shown.filter(plan__partnership=party.partnership_id), author=departure.author, now=departure.now)
    offers = OwnershipOffer.objects.waiting().filter(partnership=party.partnership_id, organisation=party.organisation)
    _withdraw_all(offers, author=departure.author, now=departure.now)


def _leave_along(plan: Plan, departure: PartyDeparture) -> None:
    """Take the plan out of the partnership with its only owner; what waits for an answer there is a handover alone."""
    party, author, now = departure.party, departure.author, departure.now
    before = plan.audience
    told = version_of(plan, plan.announced_number) if before != Audience.OWNERS else None
    PastPartnership.objects.create(plan=plan, partnership=party.partnership, audience=before, left_at=now)
    plan.partnership = None
    if plan.audience == Audience.PARTNERSHIP:
        plan.audience = Audience.OWNERS
    plan.save(update_fields=["partnership", "audience"])
    partners = Party.objects.filter(partnership=party.partnership).exclude(pk=party.pk).values("organisation")
    _end_showings(plan.shares.filter(organisation__in=partners, revoked_at=None), author=author, now=now)
    _withdraw_all(plan.ownership_offers.waiting().filter(hands_over=False), author=author, now=now)
    note(
        plan,
        EventKind.LEFT_PARTNERSHIP,
        author=author,
        organisation=party.organisation,
        kind=_kind(plan),
        now=now,
        data={
            "title": plan.title,
            "reason": party.reason,
            "before": {"audience": before, "partnership": party.partnership.title},
            "after": {"audience": plan.audience},
        },
    )
    if told is not None:
        record(
            actor_id=author.pk if author else None,
            organisation_id=party.organisation_id,
            kind=EventKind.PARTNERSHIP_LOST_PLAN,
            target_kind="partnership",
            target_id=party.partnership_id,
            within_kind="partnership",
            within_id=party.partnership_id,
            now=now,
            data={"title": party.partnership.title, "before": {"plan": told.title}},
        )


def foretell_leaving(party: Party, reader: User) -> list[Consequence]:
    """What of the partnership's plans will end or go if the party leaves, as far as the reader may see them."""
    owned = Plan.objects.visible_to(reader).owned_by(party.organisation_id).filter(partnership=party.partnership_id)
    plans = Plan.objects.filter(pk__in=owned.values("pk")).for_listing().order_by("title", "pk")
    name = party.organisation.name
    found = []
    for plan in plans:
        if len(plan.owners.all()) > 1:
            words = f"{name} will no longer own “{plan.title}”. It keeps reading what is published up to now."
        else:
            words = (
                f"“{plan.title}” leaves the partnership with {name}, its only owner. To leave it here, first offer it "
                "to a partner; you need not wait for their answer."
            )
        found.append(Consequence(words, reverse("plans:owners", kwargs={"pk": plan.pk})))
    return found
