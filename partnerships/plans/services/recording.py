"""Lock a plan's row, and record what happens to the plan.

Events are the history that people read. The journal is a file outside the database. After a restore, it says which
rights had ended since the backup and must not return.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.kit import journal
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind, EventTarget
from partnerships.plans.models import Comment, OwnershipEndReason, OwnershipOffer, Plan, PlanOwner, Version

#: The journal's name for the audience of a plan.
AUDIENCE = "plan audience"
#: The journal's name for an ownership that ended.
OWNER = "plan owner"
#: The journal's name for an offer of ownership that was withdrawn or declined.
OFFER = "ownership offer"


def lock_plan(plan: Plan) -> Plan:
    """Return the plan fetched again, with its row locked until the transaction ends."""
    return Plan.objects.select_for_update(of=("self",), no_key=True).select_related("partnership").get(pk=plan.pk)


def acting_organisation(plan: Plan, author: User | None) -> Organisation | None:
    """Return the owner for which the author acts, or else the first owner by name.

    An event belongs to one organisation, although a plan may have several owners. For example, every event of the
    system belongs to the first owner.
    """
    owners = Organisation.objects.filter(pk__in=plan.owners.values("organisation")).order_by("name", "pk")
    if author is not None:
        owner = owners.of_person(author).first()
        if owner is not None:
            return owner
    return owners.first()


def plan_identity(plan: Plan) -> str:
    """Return a hash that identifies a plan in the journal."""
    return journal.identity(plan.pk, plan.created_at)


def journal_audience(plan: Plan, *, now: dt.datetime) -> None:
    """Record in the journal who may read the plan from now on."""
    journal.note(AUDIENCE, now=now, plan=plan.pk, same=plan_identity(plan), audience=plan.audience)


def owner_identity(plan: Plan, organisation: Organisation) -> str:
    """Return a hash that identifies one ownership in the journal."""
    return journal.identity(plan.pk, plan.created_at, organisation.pk, organisation.created_at)


def offer_identity(offer: OwnershipOffer) -> str:
    """Return a hash that identifies an offer in the journal, made from its plan and organisation."""
    return owner_identity(offer.plan, offer.organisation)


def journal_ownership_end(plan: Plan, owner: PlanOwner, *, successor: Organisation | None, now: dt.datetime) -> None:
    """Record in the journal that an ownership ended, and which successor took over the plan."""
    # The journal has a line for the party that left the partnership. Its ownerships end with the party.
    if owner.ended_because == OwnershipEndReason.LEFT:
        return
    journal.note(
        OWNER,
        now=now,
        owner=owner.pk,
        same=owner_identity(plan, owner.organisation),
        because=owner.ended_because,
        successor=successor.pk if successor else None,
        successor_same=owner_identity(plan, successor) if successor else None,
    )


def journal_offer_end(offer: OwnershipOffer, *, now: dt.datetime, undone: bool = False) -> None:
    """Record in the journal that an offer was withdrawn or declined.

    With `undone`, record that the offer is open again.
    """
    journal.note(OFFER, now=now, offer=offer.pk, same=offer_identity(offer), undone=undone)


def event_target(plan: Plan) -> EventTarget:
    """Return the target of an event about the plan itself, which is the draft until the plan is published."""
    return EventTarget.PLAN if plan.is_published else EventTarget.DRAFT


def record_event(
    plan: Plan,
    event: EventKind,
    *,
    target: EventTarget | Version | Comment = EventTarget.PLAN,
    author: User | None,
    organisation: Organisation | None = None,
    now: dt.datetime,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record an event of a plan.

    `target` decides who may see the event. The event of a version or a comment is visible to its readers. For the
    other targets, see `EventTarget`.
    """
    match target:
        case Version():
            target_kind, target_id = EventTarget.VERSION, target.pk
        case Comment():
            target_kind, target_id = EventTarget.COMMENT, target.pk
        case _:
            target_kind, target_id = target, plan.pk

    within_kind, within_id = "plan", plan.pk
    if plan.partnership_id is not None and target_kind in (EventTarget.PLAN, EventTarget.VERSION):
        within_kind, within_id = "partnership", plan.partnership_id

    return record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind=target_kind,
        target_id=target_id,
        within_kind=within_kind,
        within_id=within_id,
        now=now,
        data={"plan": plan.pk, **(data or {})},
    )
