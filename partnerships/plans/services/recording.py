"""Lock a plan's row, record events, and note what ends in the journal.

Every service begins and ends with these.
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
from partnerships.plans.models import EndedBecause, OwnershipOffer, Plan, PlanOwner, Version


def lock_plan(plan: Plan) -> Plan:
    """The plan as it is now, with its row locked until the transaction ends."""
    return Plan.objects.select_for_update(of=("self",), no_key=True).select_related("partnership").get(pk=plan.pk)


def acting_organisation(plan: Plan, author: User | None) -> Organisation | None:
    """The owner that the author acts for.

    For the system and other authors it is the first owner by name: events name one organisation, and a plan's events
    should not name now one owner and now another.
    """
    owners = Organisation.objects.filter(pk__in=plan.owners.values("organisation")).order_by("name", "pk")
    if author is not None:
        owner = owners.of_person(author).first()
        if owner is not None:
            return owner
    return owners.first()


#: The journal's names for who may read a plan, for an ended ownership, and for an offer that was withdrawn or declined.
AUDIENCE, OWNER, OFFER = "plan audience", "plan owner", "ownership offer"


def plan_identity(plan: Plan) -> str:
    """A hash that identifies a plan in the journal."""
    return journal.identity(plan.pk, plan.created_at)


def journal_audience(plan: Plan, *, now: dt.datetime) -> None:
    """Note in the journal who may read the plan from now on."""
    journal.note(AUDIENCE, now=now, plan=plan.pk, same=plan_identity(plan), audience=plan.audience)


def owner_identity(plan: Plan, organisation: Organisation) -> str:
    """A hash that identifies one ownership in the journal."""
    return journal.identity(plan.pk, plan.created_at, organisation.pk, organisation.created_at)


def offer_identity(offer: OwnershipOffer) -> str:
    """A hash that identifies an offer in the journal: by its plan and organisation."""
    return owner_identity(offer.plan, offer.organisation)


def journal_ownership_end(plan: Plan, owner: PlanOwner, *, successor: Organisation | None, now: dt.datetime) -> None:
    """Note in the journal that an ownership ended.

    Writes nothing if the owner left the partnership: the party's own line covers it.
    """
    if owner.ended_because == EndedBecause.LEFT:
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
    """Note in the journal that an offer was withdrawn or declined; `undone`: it is open again."""
    journal.note(OFFER, now=now, offer=offer.pk, same=offer_identity(offer), undone=undone)


def record_event(
    plan: Plan,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    kind: EventTarget = EventTarget.PLAN,
    version: Version | None = None,
    target_id: int | None = None,
    organisation: Organisation | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record an event of a plan.

    `kind` says who may see it. For a comment, `target_id` is its id. An event of a `version` is seen by the readers of
    that version, whatever `kind` says.
    """
    target_kind, target_id = (EventTarget.VERSION, version.pk) if version else (kind, target_id or plan.pk)
    within_kind, within_id = "plan", plan.pk
    if plan.partnership_id is not None and kind == EventTarget.PLAN:
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
