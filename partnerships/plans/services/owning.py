"""Offer a plan to another owner, answer an offer, and give up ownership."""

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
    OwnershipEndReason,
    OwnershipOffer,
    Plan,
    PlanOwner,
    Share,
)
from partnerships.plans.queries import possible_new_owners, possible_owners
from partnerships.plans.rights import rights_over
from partnerships.plans.services.recording import (
    event_target,
    journal_audience,
    journal_offer_end,
    journal_ownership_end,
    lock_plan,
    record_event,
)
from partnerships.plans.services.sharing import end_share


class UnableToChangeOwners(Exception):
    """The organisation may not own the plan, the plan would lose its last owner, or the offer is closed."""


def present_owner(plan: Plan, organisation: Organisation | int) -> PlanOwner:
    """Return the organisation's present ownership. Raises `UnableToChangeOwners`."""
    owner = plan.owners.filter(organisation=organisation).select_related("organisation").first()
    if owner is None:
        raise UnableToChangeOwners(
            "This organisation no longer owns the plan. Open the plan to see its present owners."
        )
    return owner


def lock_with_partnership(plan: Plan, partnership_id: int | None) -> Plan:
    """Lock the partnership and then the plan, and return the plan.

    Services that remove a party use the same order, so that two services do not wait for each other.
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
    """Offer a plan to the receiver `organisation`, on behalf of its owner `offered_for`, the giver.

    The receiver will own the plan too or, if the giver `hands_over`, instead of the giver. Nothing changes until a
    lead of the receiver accepts. All leads of the receiver get an email. Raises `UnableToChangeOwners`.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_offer_for(offered_for.pk))
    _check_receiver(plan, receiver=organisation, giver=offered_for)
    earlier_offers = plan.ownership_offers.unanswered().filter(organisation=organisation)
    if earlier_offers.acceptable().exists():
        raise UnableToChangeOwners(
            f"{organisation.name} has not yet answered the last offer of this plan. Wait for its answer, or withdraw "
            "that offer."
        )

    # The remaining unanswered offers can no longer be accepted, for example because their partnership has ended.
    withdraw_offers(earlier_offers, author=None, now=now)
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
        target=EventTarget.DRAFT,
        now=now,
        data={"title": plan.title, "after": {"organisation": organisation.name}},
    )
    _email_offer(offer, author=author, now=now)
    return offer


def _check_receiver(plan: Plan, *, receiver: Organisation, giver: Organisation) -> None:
    """Raise `UnableToChangeOwners` unless the giver may offer the plan to the receiver."""
    if plan.owners.filter(organisation=receiver).exists():
        raise UnableToChangeOwners(f"{receiver.name} already owns this plan. Choose another organisation.")
    if not possible_new_owners(plan, giver).filter(pk=receiver.pk).exists():
        raise UnableToChangeOwners(
            f"{receiver.name} is not in a partnership with {giver.name}. Choose another organisation."
        )


def _email_offer(offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Email the leads of the receiver, except the author."""
    record_emails(
        kind="plans.ownership_offer",
        people=leads_of(offer.organisation).exclude(pk=author.pk).values_list("pk", flat=True),
        params={"offer": offer.pk},
        sender_id=offer.offered_for_id,
        now=now,
    )


@transaction.atomic
def withdraw_offer(*, offer: OwnershipOffer, author: User, now: dt.datetime) -> None:
    """Withdraw an offer, as a lead of any owner. Raises `UnableToChangeOwners`."""
    plan = lock_plan(offer.plan)
    require(rights_over(plan, author, now).leads_owner)
    # Fetch the offer again under the lock. A colleague may have withdrawn it since the page was shown, or the receiver
    # may have answered it.
    open_offer = plan.ownership_offers.acceptable().filter(pk=offer.pk).select_related("organisation").first()
    if open_offer is None:
        raise UnableToChangeOwners("This offer is no longer open, so you do not need to withdraw it.")
    withdraw_locked_offer(open_offer, author=author, now=now)


def withdraw_locked_offer(offer: OwnershipOffer, *, author: User | None, now: dt.datetime) -> None:
    """Withdraw an offer. Lock the plan's row first."""
    offer.withdrawn_at = now
    offer.save(update_fields=["withdrawn_at"])
    journal_offer_end(offer, now=now)
    record_event(
        offer.plan,
        EventKind.OWNERSHIP_OFFER_WITHDRAWN,
        author=author,
        target=EventTarget.DRAFT,
        now=now,
        data={"title": offer.plan.title, "before": {"organisation": offer.organisation.name}},
    )


def withdraw_offers(offers: QuerySet[OwnershipOffer], *, author: User | None, now: dt.datetime) -> None:
    """Withdraw these offers. Lock the rows of their plans first."""
    for offer in offers.select_related("plan", "organisation").order_by("pk"):
        withdraw_locked_offer(offer, author=author, now=now)


@transaction.atomic
def answer_offer(
    *, offer: OwnershipOffer, accept: bool, author: User, now: dt.datetime, reason: str = ""
) -> OwnershipOffer:
    """Accept or decline an offer, as a lead of the receiver, and email the person who made it.

    After a handover, the giver no longer owns the plan. If the plan had left its partnership with the giver, it may
    return to the partnership. Raises `UnableToChangeOwners`.
    """
    plan = lock_with_partnership(offer.plan, offer.partnership_id)
    require(roles_of(author, now).leads(offer.organisation_id))
    # Fetch the offer again under the lock. A colleague may have answered it since the page was shown.
    open_offers = plan.ownership_offers.acceptable().select_related("organisation", "offered_for", "partnership")
    open_offer = open_offers.filter(pk=offer.pk).first()
    if open_offer is None:
        raise UnableToChangeOwners(
            f"This offer is no longer open, so you cannot answer it. {offer.offered_for.name} can offer the plan again."
        )
    if not accept and not reason.strip():
        raise UnableToChangeOwners("Enter why your organisation is declining.")

    open_offer.answered_by = author
    open_offer.answered_at = now
    open_offer.accepted = accept
    open_offer.reason = "" if accept else reason.strip()
    if accept:
        _apply_accepted_offer(plan, open_offer, author=author, now=now)
    open_offer.save(update_fields=["answered_by", "answered_at", "accepted", "reason"])
    if not accept:
        _record_decline(plan, open_offer, author=author, now=now)

    _email_answer(open_offer, author=author, now=now)
    return open_offer


def _record_decline(plan: Plan, offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Record in the journal and the history that the receiver declined an offer."""
    journal_offer_end(offer, now=now)
    record_event(
        plan,
        EventKind.OWNERSHIP_DECLINED,
        author=author,
        organisation=offer.organisation,
        target=EventTarget.DRAFT,
        now=now,
        data={"title": plan.title, "reason": offer.reason},
    )


def _email_answer(offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Email the answer to the person who made the offer, or to all leads of the giver.

    The email is sent to all leads if the person who made the offer no longer leads the giver.
    """
    leads = leads_of(offer.offered_for)
    offerer = leads.filter(pk=offer.offered_by_id or 0)
    recipients = offerer if offerer.exists() else leads
    record_emails(
        kind="plans.ownership_answer",
        people=recipients.exclude(pk=author.pk).values_list("pk", flat=True),
        params={"offer": offer.pk},
        sender_id=offer.organisation_id,
        now=now,
    )


def _apply_accepted_offer(plan: Plan, offer: OwnershipOffer, *, author: User, now: dt.datetime) -> None:
    """Make the receiver an owner and, after a handover, end the giver's ownership.

    A plan that left its partnership returns if the partnership is not over and all owners take part there. Raises
    `UnableToChangeOwners`.
    """
    receiver = offer.organisation
    is_returning = plan.partnership_id is None and _may_return(plan, offer)
    partnership = offer.partnership if is_returning else plan.partnership
    if receiver.is_ended:
        raise UnableToChangeOwners(f"{receiver.name} has ended, so it cannot own the plan.")
    if partnership is not None and not possible_owners(partnership).filter(pk=receiver.pk).exists():
        raise UnableToChangeOwners(
            f"{receiver.name} is not a member of {partnership.title}, so it cannot own one of its plans."
        )

    if is_returning and partnership is not None and not partnership.is_over_on(timezone.localdate(now)):
        _return_to_partnership(plan, partnership, now=now)
    # Begin the new ownership before the old one ends, so that the plan always has an owner.
    begin_ownership(plan, receiver, author=author, now=now)
    if offer.hands_over:
        giver = present_owner(plan, offer.offered_for_id)
        end_ownership(plan, giver, OwnershipEndReason.HANDED_OVER, author=author, now=now, accepted_offer=offer)


def _return_to_partnership(plan: Plan, partnership: Partnership, *, now: dt.datetime) -> None:
    """Return the plan to a partnership that it left, with the audience that it had in that partnership."""
    last_stay = plan.past_partnerships.filter(partnership=partnership).order_by("-left_at", "-pk").first()
    plan.partnership = partnership
    if last_stay is not None and plan.audience == Audience.OWNERS:
        plan.audience = last_stay.audience
    plan.save(update_fields=["partnership", "audience"])
    journal_audience(plan, now=now)


def _may_return(plan: Plan, offer: OwnershipOffer) -> bool:
    """Return whether a plan that left its partnership may return to the partnership in which it was offered.

    All owners that remain after the offer must be allowed to own plans of the partnership.
    """
    # `_apply_accepted_offer` checks the receiver.
    if offer.partnership is None:
        return False
    remaining_owners = plan.owners.all()
    if offer.hands_over:
        remaining_owners = remaining_owners.exclude(organisation=offer.offered_for_id)
    return not remaining_owners.exclude(organisation__in=possible_owners(offer.partnership)).exists()


def begin_ownership(plan: Plan, organisation: Organisation, *, author: User | None, now: dt.datetime) -> None:
    """Make an organisation an owner. Lock the plan's row first."""
    PlanOwner.objects.create(plan=plan, organisation=organisation, began_at=now)
    record_event(
        plan,
        EventKind.OWNERSHIP_STARTED,
        author=author,
        organisation=organisation,
        target=event_target(plan),
        now=now,
        data={"title": plan.title, "owner": organisation.pk, "after": {"owner": organisation.name}},
    )


@transaction.atomic
def give_up_ownership(*, plan: Plan, organisation: Organisation, reason: str, author: User, now: dt.datetime) -> None:
    """Give up an organisation's ownership of a plan that has other owners. Raises `UnableToChangeOwners`."""
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_offer_for(organisation.pk))
    owner = present_owner(plan, organisation)
    if not reason.strip():
        raise UnableToChangeOwners("Enter a reason.")
    if plan.owners.count() == 1:
        raise UnableToChangeOwners("A plan needs an owner. Offer the plan to another organisation instead.")
    end_ownership(plan, owner, OwnershipEndReason.GIVEN_UP, author=author, now=now, reason=reason.strip())


def end_ownership(
    plan: Plan,
    owner: PlanOwner,
    because: str,
    *,
    author: User | None,
    now: dt.datetime,
    reason: str = "",
    accepted_offer: OwnershipOffer | None = None,
) -> None:
    """End an ownership, and with it the owner's shares of the draft and open offers of the plan.

    `accepted_offer` is the offer by which the owner handed over the plan. It is not withdrawn, because it is being
    accepted.
    """
    # A change that began earlier may be applied later, but a constraint forbids an end before the beginning.
    owner.ended_at = max(now, owner.began_at or now)
    owner.ended_because = because
    owner.save(update_fields=["ended_at", "ended_because"])
    successor = accepted_offer.organisation if accepted_offer is not None else None
    journal_ownership_end(plan, owner, successor=successor, now=now)

    end_shares(plan.shares.filter(revoked_at=None, shown_for=owner.organisation), author=author, now=now)
    open_offers = plan.ownership_offers.unanswered().filter(offered_for=owner.organisation)
    if accepted_offer is not None:
        open_offers = open_offers.exclude(pk=accepted_offer.pk)
    withdraw_offers(open_offers, author=author, now=now)

    record_event(
        plan,
        EventKind.OWNERSHIP_ENDED,
        author=author,
        organisation=owner.organisation,
        target=event_target(plan),
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
