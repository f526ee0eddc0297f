"""Lock a plan's row and record events.

The first and last step of every service.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.activity.models import Event
from partnerships.activity.services import record
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import Plan, Version


def lock_plan(plan: Plan) -> Plan:
    """The plan as it is now, with its row locked until the transaction ends."""
    return Plan.objects.select_for_update(of=("self",), no_key=True).select_related("partnership").get(pk=plan.pk)


def acting_organisation(plan: Plan, author: User | None) -> Organisation | None:
    """The owner that the author acts for.

    The first owner for the system and other authors.
    """
    owners = Organisation.objects.filter(pk__in=plan.owners.values("organisation")).order_by("name", "pk")
    if author is not None:
        mine = owners.of_person(author).first()
        if mine is not None:
            return mine
    return owners.first()


def record_event(
    plan: Plan,
    event: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    kind: str = "plan",
    version: Version | None = None,
    target_id: int | None = None,
    organisation: Organisation | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Record an event.

    `kind` says who may see it: readers of the "plan", or editors ("plan_draft"). With a `version`, or with a comment as
    `target_id`, readers of that version or comment see it.
    """
    return record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="plan_version" if version else kind,
        target_id=version.pk if version else target_id or plan.pk,
        within_kind="partnership" if plan.partnership_id and kind == "plan" else "plan",
        within_id=plan.partnership_id if plan.partnership_id and kind == "plan" else plan.pk,
        now=now,
        data={"plan": plan.pk, **(data or {})},
    )
