"""Change the owners of a plan: offers, answers and giving up."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import leads_of
from partnerships.organisations.rights import roles_of
from partnerships.outbox.services import record_emails
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import (
    Audience,
    EndedBecause,
    OwnershipOffer,
    Plan,
    PlanOwner,
    Share,
)
from partnerships.plans.queries import possible_new_owners, possible_owners
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import (
    journal_audience,
    journal_offer_end,
    journal_ownership_end,
    lock_plan,
    record_event,
)
from partnerships.plans.services.sharing import end_share


class UnableToChangeOwners(Exception):
    """The owner is not allowed or the last one, or the offer is closed."""


def readers_kind(plan: Plan) -> EventTarget:
    """What an event is about: the plan, or the draft of one that is not published."""
    return EventTarget.PLAN if plan.is_published else EventTarget.DRAFT


def present_owner(plan: Plan, organisation: Organisation | int) -> PlanOwner:
    """The organisation's present ownership. Raises `UnableToChangeOwners`."""
    owner = plan.owners.filter(organisation=organisation).select_related("organisation").first()
    if owner is None:
        raise UnableToChangeOwners("This organisation no longer owns the plan.")
    return owner


def lock_with_partnership(plan: Plan, partnership_id: int | None) -> Plan:
    """The plan, locked after its partnership.

    A party that leaves locks them in the same order.
    """
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
    """Offer a plan to another organisation for an owner.

    To own it too, or to replace that owner. Nothing changes until a lead of the organisation accepts; its leads get an
    email. Raises `UnableToChangeOwners`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_offer_for(offered_for.pk))
    if plan.owners.filter(organisation=organisation).exists():
        raise UnableToChangeOwners(f"{organisation.name} already owns this plan.")
    if not possible_new_owners(plan, offered_for).filter(pk=organisation.pk).exists():
        raise UnableToChangeOwners(f"{organisation.name} is not in a partnership with {offered_for.name}.")
    before = plan.ownership_offers.unanswered().filter(organisation=organisation)
    if before.waiting().exists():
        raise UnableToChangeOwners(f"{organisation.name} has not yet answered the last offer.")
    withdraw_all(before, author=None, now=now)  # what gave it has ended, as a date came
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
    record_event(
        plan,
        EventKind.OWNERSHIP_TRANSFER_OFFERED if hands_over else EventKind.OWNERSHIP_SHARE_OFFERED,
        author=author,
        organisation=offered_for,
        kind=EventTarget.DRAFT,
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
    """Withdraw an offer, as a lead of any owner. Raises `UnableToChangeOwners`."""
    plan = lock_plan(offer.plan)
    require(rights_over(plan, author, now).leads_owner)
    waiting = plan.ownership_offers.waiting().filter(pk=offer.pk).select_related("organisation").first()
    if waiting is None:
        raise UnableToChangeOwners("This offer is no longer open.")
    withdraw(waiting, author=author, now=now)


def withdraw(offer: OwnershipOffer, *, author: User | None, now: dt.datetime) -> None:
    """Withdraw an offer. Lock the plan's row first."""
    offer.withdrawn_at = now
    offer.save(update_fields=["withdrawn_at"])
    journal_offer_end(offer, now=now)
    record_event(
        offer.plan,
        EventKind.OWNERSHIP_OFFER_WITHDRAWN,
        author=author,
        kind=EventTarget.DRAFT,
        now=now,
        data={"title": offer.plan.title, "before": {"organisation": offer.organisation.name}},
    )


def withdraw_all(offers: QuerySet[OwnershipOffer], *, author: User | None, now: dt.datetime) -> None:
    """Withdraw these offers. Lock the rows of their plans first."""
    for offer in offers.select_related("plan", "organisation").order_by("pk"):
        withdraw(offer, author=author, now=now)


@transaction.atomic
def answer_offer(
    *, offer: OwnershipOffer, accept: bool, author: User, now: dt.datetime, reason: str = ""
) -> OwnershipOffer:
    """Accept or decline an offer, for the organisation it was made to.

    The person who made it gets an email. After a handover the organisation that offered no longer owns the plan. A plan
    that had left its partnership with that organisation returns to it. Raises `UnableToChangeOwners`.
    """
    plan = lock_with_partnership(offer.plan, offer.partnership_id)
    require(roles_of(author, now).lead(offer.organisation_id))
    waiting = plan.ownership_offers.waiting().select_related("organisation", "offered_for", "partnership")
    current = waiting.filter(pk=offer.pk).first()
    if current is None:
        raise UnableToChangeOwners("This offer is no longer open.")
    if not accept and not reason.strip():
        raise UnableToChangeOwners("Enter why your organisation is declining.")
    current.answered_by, current.answered_at, current.accepted = author, now, accept
    current.reason = "" if accept else reason.strip()
    if accept:
        _accept(plan, current, author=author, now=now)
    current.save(update_fields=["answered_by", "answered_at", "accepted", "reason"])
    if not accept:
        journal_offer_end(current, now=now)
        record_event(
            plan,
            EventKind.OWNERSHIP_DECLINED,
            author=author,
            organisation=current.organisation,
            kind=EventTarget.DRAFT,
            now=now,
            data={"title": plan.title, "reason": current.reason},
        )
    _email_answer(current, author=author, now=now)
    return current


def _email_answer(offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Email the person who made the offer or, failing that, the leads."""
    leads = leads_of(offer.offered_for)
    offerer = leads.filter(pk=offer.offered_by_id or 0)
    record_emails(
        kind="plans.ownership_answer",
        people=(offerer if offerer.exists() else leads).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"offer": offer.pk},
        sender_id=offer.organisation_id,
        now=now,
    )


def _accept(plan: Plan, offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Make the organisation an owner.

    A plan that left its partnership may return with it, unless another owner does not take part there.
    """
    organisation = offer.organisation
    comes_back = plan.partnership_id is None and _may_return(plan, offer)
    partnership = offer.partnership if comes_back else plan.partnership
    if organisation.is_ended:
        raise UnableToChangeOwners(f"{organisation.name} has ended.")
    if partnership is not None and not possible_owners(partnership).filter(pk=organisation.pk).exists():
        raise UnableToChangeOwners(f"{organisation.name} is not a member of {partnership.title}.")
    if comes_back and partnership is not None and not partnership.is_over_on(timezone.localdate(now)):
        last = plan.past_partnerships.filter(partnership=partnership).order_by("-left_at", "-pk").first()
        plan.partnership = partnership
        if last is not None and plan.audience == Audience.OWNERS:
            plan.audience = last.audience
        plan.save(update_fields=["partnership", "audience"])
        journal_audience(plan, now=now)
    begin_ownership(plan, organisation, author=author, now=now)
    if offer.hands_over:
        owner_found = present_owner(plan, offer.offered_for_id)
        end_ownership(plan, owner_found, EndedBecause.HANDED_OVER, author=author, now=now, but=offer)


def _may_return(plan: Plan, offer: OwnershipOffer) -> bool:
    """Whether all who will own the plan once the offer is accepted take part in the partnership that it had."""
    if offer.partnership is None:
        return False
    remaining = plan.owners.exclude(organisation=offer.offered_for_id) if offer.hands_over else plan.owners.all()
    return not remaining.exclude(organisation__in=possible_owners(offer.partnership)).exists()


def begin_ownership(plan: Plan, organisation: Organisation, *, author: User | None, now: dt.datetime) -> None:
    """Make an organisation an owner. Lock the plan's row first."""
    PlanOwner.objects.create(plan=plan, organisation=organisation, began_at=now)
    record_event(
        plan,
        EventKind.OWNERSHIP_STARTED,
        author=author,
        organisation=organisation,
        kind=readers_kind(plan),
        now=now,
        data={"title": plan.title, "owner": organisation.pk, "after": {"owner": organisation.name}},
    )


@transaction.atomic
def give_up_ownership(*, plan: Plan, organisation: Organisation, reason: str, author: User, now: dt.datetime) -> None:
    """Give up an organisation's ownership; another owner must remain. Raises `UnableToChangeOwners`."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_offer_for(organisation.pk))
    owner = present_owner(plan, organisation)
    if not reason.strip():
        raise UnableToChangeOwners("Enter a reason.")
    if plan.owners.count() == 1:
        raise UnableToChangeOwners("A plan needs an owner. Offer it to another organisation instead.")
    end_ownership(plan, owner, EndedBecause.GIVEN_UP, author=author, now=now, reason=reason.strip())


def end_ownership(
    plan: Plan,
    owner: PlanOwner,
    because: str,
    *,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    but: OwnershipOffer | None = None,
) -> None:
    """End an ownership, its shares of the draft, and its offers except `but`."""
    owner.ended_at, owner.ended_because = max(now, owner.began_at or now), because
    owner.save(update_fields=["ended_at", "ended_because"])
    journal_ownership_end(plan, owner, successor=but.organisation if but is not None else None, now=now)
    end_shares(plan.shares.filter(revoked_at=None, shown_for=owner.organisation), author=author, now=now)
    offers = plan.ownership_offers.unanswered().filter(offered_for=owner.organisation)
    withdraw_all(offers.exclude(pk=but.pk) if but is not None else offers, author=author, now=now)
    record_event(
        plan,
        EventKind.OWNERSHIP_ENDED,
        author=author,
        organisation=owner.organisation,
        kind=readers_kind(plan),
        now=now,
        data={
            "title": plan.title,
            "owner": owner.organisation_id,
            "reason": reason,
            "before": {"owner": owner.organisation.name},
        },
    )


def end_shares(shares: QuerySet[Share], *, author: User | None, now: dt.datetime) -> None:
    """End these shares. Lock the rows of their plans first."""
    for share in shares.select_related("plan", "person").order_by("pk"):
        end_share(share, author=author, now=now)
