"""Keep the objectives of a partnership: add, change, report, close, link."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from partnerships.activity.values import apply_changes
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    Objective,
    ObjectiveLink,
    ObjectiveProgress,
    ObjectiveStatus,
    Partnership,
    PartyRole,
)
from partnerships.agreements.origin import From, UnableToLinkOrigin
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.serving import provider_of
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of
from partnerships.people.models import User

#: Objectives of one partnership, those met and dropped included.
MAX_OBJECTIVES = 100
#: Records linked to one objective.
MAX_LINKS = 50


class UnableToKeepObjective(Exception):
    """The partnership is over, or what was given is incomplete or stale."""


class ObjectiveHasChanged(UnableToKeepObjective):
    """Somebody changed it since the author opened the form."""


class Details(TypedDict, total=False):
    """The fields of an objective; see the model."""

    text: str
    measure: str
    unit: str
    baseline: Decimal
    baseline_on: dt.date
    target: Decimal
    target_on: dt.date
    organisation: Organisation
    owner: User | None


def _open(pk: int, author: User | None, now: dt.datetime) -> Partnership:
    """The partnership, locked; the author may keep its objectives."""
    locked = lock_partnership(pk)
    require(rights_over(locked, author, now).may_keep_objectives)
    if locked.is_over_on(timezone.localdate(now)):
        raise UnableToKeepObjective("This partnership has ended: you can read its objectives, but not change them.")
    return locked


def _fetch(objective: Objective, author: User | None, now: dt.datetime) -> tuple[Partnership, Objective]:
    """The partnership and the objective, locked in this order."""
    partnership = _open(objective.partnership_id, author, now)
    return partnership, Objective.objects.select_for_update(of=("self",)).get(pk=objective.pk)


def _fault(objective: Objective) -> str:
    if not objective.text.strip() or not objective.measure.strip():
        return "Say what the objective is, and what is measured."
    if objective.target_on <= objective.baseline_on:
        return "The target date must be after the date of the starting figure."
    if objective.target == objective.baseline:
        return "The target must differ from the starting figure."
    parties = objective.partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    if not parties.filter(organisation=objective.organisation_id).exists():
        return "Choose an organisation that takes part in the partnership and is not an observer."
    if objective.owner_id and not people_of(objective.organisation).filter(pk=objective.owner_id).exists():
        return f"Choose a person who acts for {objective.organisation.name}."
    return ""


def _record(
    partnership: Partnership,
    objective: Objective,
    kind: EventKind,
    *,
    author: User | None,
    now: dt.datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Record an event of the partnership that names the objective."""
    data = {
        "title": f"{partnership.title}: {objective.text}",
        "objective": objective.pk,
        "before": dict(before or {}),
        "after": dict(after or {}),
        "reason": reason,
    }
    record_event(partnership, kind, author=author, now=now, data=data)


@transaction.atomic
def add_objective(
    *,
    partnership: Partnership,
    author: User | None,
    now: dt.datetime,
    came_from: From | None = None,
    **details: Unpack[Details],
) -> Objective:
    """Add an objective at the end. `came_from` links it to a record of another room. Raises `UnableToKeepObjective`."""
    locked = _open(partnership.pk, author, now)
    if locked.objectives.count() >= MAX_OBJECTIVES:
        raise UnableToKeepObjective(f"A partnership can have at most {MAX_OBJECTIVES} objectives.")
    last = locked.objectives.aggregate(last=Max("position"))["last"] or 0
    objective = Objective(partnership=locked, position=last + 1, created_by=author, created_at=now, **details)
    if fault := _fault(objective):
        raise UnableToKeepObjective(fault)
    objective.save(force_insert=True)
    after = {"target": objective.in_words(objective.target), "by": objective.target_on.isoformat()}
    _record(locked, objective, EventKind.OBJECTIVE_ADDED, author=author, now=now, after=after)
    if came_from is not None and author is not None:
        try:
            came_from.origin.link(objective, came_from.record, author, now)
        except UnableToLinkOrigin as error:
            raise UnableToKeepObjective(str(error)) from error
    return objective


@transaction.atomic
def edit_objective(
    *,
    objective: Objective,
    revision: int,
    reason: str,
    author: User | None,
    now: dt.datetime,
    **details: Unpack[Details],
) -> tuple[str, ...]:
    """Change an objective, with a reason; the names of the changed fields.

    `revision` is the one the author saw. Raises `UnableToKeepObjective`.
    """
    partnership, locked = _fetch(objective, author, now)
    if locked.revision != revision:
        raise ObjectiveHasChanged(
            "Somebody else changed this objective while you were writing. Compare your text with theirs."
        )
    before, after = apply_changes(locked, dict(details))
    if not before:
        return ()
    if not reason.strip():
        raise UnableToKeepObjective("Give a reason.")
    locked.partnership = partnership
    if fault := _fault(locked):
        raise UnableToKeepObjective(fault)
    locked.revision += 1
    locked.save(update_fields=[*before, "revision"])
    _record(
        partnership,
        locked,
        EventKind.OBJECTIVE_CHANGED,
        author=author,
        now=now,
        before=before,
        after=after,
        reason=reason.strip(),
    )
    return tuple(before)


@transaction.atomic
def report_progress(
    *,
    objective: Objective,
    on: dt.date,
    figure: Decimal,
    note: str = "",
    blocked_by: str = "",
    author: User | None,
    organisation: Organisation | None = None,
    now: dt.datetime,
) -> ObjectiveProgress:
    """Report a figure on a day.

    `blocked_by` is what blocks the objective, or "". Raises `UnableToKeepObjective`.
    """
    partnership, locked = _fetch(objective, author, now)
    if not locked.is_open:
        raise UnableToKeepObjective("This objective is closed. Reopen it first.")
    if on > timezone.localdate(now) or on < locked.baseline_on:
        raise UnableToKeepObjective("The date must be between the date of the starting figure and today.")
    last = locked.progress.order_by("on", "pk").last()
    progress = ObjectiveProgress.objects.create(
        objective=locked,
        on=on,
        figure=figure,
        note=note.strip(),
        blocked_by=" ".join(blocked_by.split()),
        by=author,
        organisation=organisation,
        at=now,
    )
    before = {
        "figure": locked.in_words(last.figure if last else locked.baseline),
        "blocked by": last.blocked_by if last else "",
    }
    after = {"figure": locked.in_words(figure), "blocked by": progress.blocked_by}
    kind = EventKind.OBJECTIVE_PROGRESS
    _record(partnership, locked, kind, author=author, now=now, before=before, after=after)
    return progress


@transaction.atomic
def change_objective_status(
    *, objective: Objective, status: str, reason: str, author: User | None, now: dt.datetime
) -> None:
    """Mark it as met, drop it or open it again, with a reason. Raises `UnableToKeepObjective`."""
    partnership, locked = _fetch(objective, author, now)
    if status not in ObjectiveStatus.values or status == locked.status:
        raise UnableToKeepObjective("Choose another status.")
    if not reason.strip():
        raise UnableToKeepObjective("Give a reason.")
    was = locked.status
    locked.status, locked.status_reason = status, "" if status == ObjectiveStatus.OPEN else reason.strip()
    locked.revision += 1
    locked.save(update_fields=["status", "status_reason", "revision"])
    _record(
        partnership,
        locked,
        EventKind.OBJECTIVE_STATUS,
        author=author,
        now=now,
        before={"status": was},
        after={"status": status},
        reason=reason.strip(),
    )


@transaction.atomic
def move_objective(*, objective: Objective, up: bool, author: User | None, now: dt.datetime) -> None:
    """Move an objective one place up or down; at the end nothing changes."""
    partnership, locked = _fetch(objective, author, now)
    rows = list(partnership.objectives.select_for_update().order_by("position", "pk"))
    at = next(place for place, row in enumerate(rows) if row.pk == locked.pk)
    other = at - 1 if up else at + 1
    if not 0 <= other < len(rows):
        return
    rows[at], rows[other] = rows[other], rows[at]
    for place, row in enumerate(rows, start=1):
        if row.position != place:
            row.position = place
            row.save(update_fields=["position"])


@transaction.atomic
def link_record(*, objective: Objective, provider: str, key: str, author: User, now: dt.datetime) -> ObjectiveLink:
    """Link a record that serves the objective, such as a commitment. Raises `UnableToKeepObjective`."""
    partnership, locked = _fetch(objective, author, now)
    offered = provider_of(provider)
    titles = dict(offered.choices(author, partnership)) if offered else {}
    if key not in titles:
        raise UnableToKeepObjective("Choose something from the list.")
    if locked.links.filter(provider=provider, key=key).exists():
        raise UnableToKeepObjective("This is already linked.")
    if locked.links.count() >= MAX_LINKS:
        raise UnableToKeepObjective(f"Link at most {MAX_LINKS} records.")
    link = ObjectiveLink.objects.create(objective=locked, provider=provider, key=key, linked_by=author, linked_at=now)
    _record(partnership, locked, EventKind.OBJECTIVE_LINKED, author=author, now=now)
    return link


@transaction.atomic
def unlink_record(*, link: ObjectiveLink, author: User | None, now: dt.datetime) -> None:
    """Remove a link; the record itself stays."""
    partnership, locked = _fetch(link.objective, author, now)
    if not locked.links.filter(pk=link.pk).exists():
        raise UnableToKeepObjective("This link has already been removed.")
    locked.links.filter(pk=link.pk).delete()
    _record(partnership, locked, EventKind.OBJECTIVE_UNLINKED, author=author, now=now)
