"""Add, change, move and close objectives, report their progress, and link records that serve them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
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
from partnerships.agreements.origin import OriginRecord, UnableToLinkOrigin
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.serving import provider_of
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.queries import people_of
from partnerships.people.models import User

#: How many objectives a partnership may have, including those that were met or dropped.
MAX_OBJECTIVES = 100
#: How many linked records one objective may have.
MAX_LINKS = 50


class UnableToChangeObjective(Exception):
    """The partnership is over, or the input is incomplete, invalid or out of date."""


class ObjectiveHasChanged(UnableToChangeObjective):
    """Another person has changed the objective since the author opened the form."""


class ObjectiveDetails(TypedDict, total=False):
    """The fields of an objective that people fill in (see the model)."""

    text: str
    measure: str
    unit: str
    baseline: Decimal
    baseline_on: dt.date
    target: Decimal
    target_on: dt.date
    organisation: Organisation
    owner: User | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressReport:
    """The figure of an objective on a day, and the obstacle that blocks it ("" if there is none)."""

    on: dt.date
    figure: Decimal
    note: str = ""
    blocked_by: str = ""


def _lock_editable(partnership_id: int, author: User | None, now: dt.datetime) -> Partnership:
    """Lock a partnership, check that the author may change its objectives, and return the locked partnership.

    Raises `UnableToChangeObjective` if the partnership is over.
    """
    locked_partnership = lock_partnership(partnership_id)
    require(rights_over(locked_partnership, author, now).may_edit_objectives)
    if locked_partnership.is_over_on(timezone.localdate(now)):
        raise UnableToChangeObjective("This partnership has ended, so you can read its objectives but not change them.")
    return locked_partnership


def _lock_objective(objective: Objective, author: User | None, now: dt.datetime) -> tuple[Partnership, Objective]:
    """Lock the partnership, then the objective, and return both."""
    partnership = _lock_editable(objective.partnership_id, author, now)
    locked_objective = Objective.objects.select_for_update(of=("self",)).get(pk=objective.pk)
    locked_objective.partnership = partnership
    return partnership, locked_objective


def _error_in(objective: Objective) -> str:
    """Return an error message about the fields of an objective, or ""."""
    if not objective.text.strip() or not objective.measure.strip():
        return "Enter the objective and what you measure."
    if objective.target_on <= objective.baseline_on:
        return "The target date must be after the date of the starting figure."
    if objective.target == objective.baseline:
        return "The target must be different from the starting figure."
    parties = objective.partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    if not parties.filter(organisation=objective.organisation_id).exists():
        return "Choose an organisation that takes part in the partnership and is not an observer."
    if objective.owner_id and not people_of(objective.organisation).filter(pk=objective.owner_id).exists():
        return f"Choose a person who acts for {objective.organisation.name}."
    return ""


def _record_event(
    objective: Objective, kind: EventKind, *, author: User | None, now: dt.datetime, **data: Mapping[str, Any] | str
) -> None:
    """Record an event about an objective. `data` may contain `before`, `after` and `reason`."""
    partnership = objective.partnership
    event_data: dict[str, Any] = {
        "title": f"{partnership.title}: {objective.text}",
        "objective": objective.pk,
        "before": {},
        "after": {},
        "reason": "",
    }
    record_event(partnership, kind, author=author, now=now, data=event_data | data)


@transaction.atomic
def add_objective(
    *,
    partnership: Partnership,
    author: User | None,
    now: dt.datetime,
    came_from: OriginRecord | None = None,
    **details: Unpack[ObjectiveDetails],
) -> Objective:
    """Add an objective at the end of the list. Raises `UnableToChangeObjective`.

    `came_from` is the record that led to the objective, such as a recommendation. Its room stores the link to the
    objective.
    """
    locked_partnership = _lock_editable(partnership.pk, author, now)
    objectives = locked_partnership.objectives
    if objectives.count() >= MAX_OBJECTIVES:
        raise UnableToChangeObjective(
            f"This partnership has {MAX_OBJECTIVES} objectives and cannot have more. Change one of them instead."
        )
    last_position = objectives.aggregate(position=Max("position"))["position"] or 0
    objective = Objective(
        partnership=locked_partnership, position=last_position + 1, created_by=author, created_at=now, **details
    )
    if error_text := _error_in(objective):
        raise UnableToChangeObjective(error_text)

    objective.save(force_insert=True)
    after = {"target": objective.in_words(objective.target), "by": objective.target_on.isoformat()}
    _record_event(objective, EventKind.OBJECTIVE_ADDED, author=author, now=now, after=after)

    if came_from is not None and author is not None:
        try:
            came_from.origin.link(objective, came_from.record, author, now)
        except UnableToLinkOrigin as error:
            raise UnableToChangeObjective(str(error)) from error
    return objective


@transaction.atomic
def edit_objective(
    *,
    objective: Objective,
    revision: int,
    reason: str,
    author: User | None,
    now: dt.datetime,
    **details: Unpack[ObjectiveDetails],
) -> tuple[str, ...]:
    """Change an objective, with a reason, and return the names of the changed fields.

    `revision` is the revision that the author saw. Raises `UnableToChangeObjective`, and `ObjectiveHasChanged` if a
    colleague has changed the objective since then.
    """
    _partnership, locked_objective = _lock_objective(objective, author, now)
    if locked_objective.revision != revision:
        raise ObjectiveHasChanged(
            "Another person changed this objective while you were editing it. Compare your text with theirs."
        )
    before, after = apply_changes(locked_objective, dict(details))
    if not before:
        return ()
    reason = reason.strip()
    if not reason:
        raise UnableToChangeObjective("Enter a reason.")
    if error_text := _error_in(locked_objective):
        raise UnableToChangeObjective(error_text)

    locked_objective.revision += 1
    locked_objective.save(update_fields=[*before, "revision"])
    _record_event(
        locked_objective,
        EventKind.OBJECTIVE_CHANGED,
        author=author,
        now=now,
        before=before,
        after=after,
        reason=reason,
    )
    return tuple(before)


@transaction.atomic
def report_progress(
    *,
    objective: Objective,
    report: ProgressReport,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> ObjectiveProgress:
    """Report the figure of an open objective on a day. Raises `UnableToChangeObjective`."""
    _partnership, locked_objective = _lock_objective(objective, author, now)
    if not locked_objective.is_open:
        raise UnableToChangeObjective("This objective is closed. Reopen it first.")
    if not locked_objective.baseline_on <= report.on <= timezone.localdate(now):
        raise UnableToChangeObjective("Enter a date between the date of the starting figure and today.")

    previous_report = locked_objective.progress.order_by("on", "pk").last()
    previous_figure = previous_report.figure if previous_report else locked_objective.baseline
    previous_obstacle = previous_report.blocked_by if previous_report else ""
    progress = ObjectiveProgress.objects.create(
        objective=locked_objective,
        on=report.on,
        figure=report.figure,
        note=report.note.strip(),
        blocked_by=" ".join(report.blocked_by.split()),
        by=author,
        organisation=organisation,
        at=now,
    )

    before = {"figure": locked_objective.in_words(previous_figure), "blocked by": previous_obstacle}
    after = {"figure": locked_objective.in_words(report.figure), "blocked by": progress.blocked_by}
    _record_event(locked_objective, EventKind.OBJECTIVE_PROGRESS, author=author, now=now, before=before, after=after)
    return progress


@transaction.atomic
def change_objective_status(
    *, objective: Objective, status: str, reason: str, author: User | None, now: dt.datetime
) -> None:
    """Mark an objective as met, drop it or open it again, with a reason.

    Raises `UnableToChangeObjective`.
    """
    _partnership, locked_objective = _lock_objective(objective, author, now)
    reason = reason.strip()
    if status not in ObjectiveStatus.values or status == locked_objective.status:
        raise UnableToChangeObjective("Choose another status.")
    if not reason:
        raise UnableToChangeObjective("Enter a reason.")

    previous_status = locked_objective.status
    locked_objective.status = status
    locked_objective.status_reason = "" if status == ObjectiveStatus.OPEN else reason
    locked_objective.revision += 1
    locked_objective.save(update_fields=["status", "status_reason", "revision"])
    _record_event(
        locked_objective,
        EventKind.OBJECTIVE_STATUS,
        author=author,
        now=now,
        before={"status": previous_status},
        after={"status": status},
        reason=reason,
    )


@transaction.atomic
def move_objective(*, objective: Objective, up: bool, author: User | None, now: dt.datetime) -> None:
    """Move an objective one place up or down. At either end of the list, nothing changes."""
    partnership, locked_objective = _lock_objective(objective, author, now)
    objectives = list(partnership.objectives.select_for_update().order_by("position", "pk"))
    index = objectives.index(locked_objective)
    new_index = index - 1 if up else index + 1
    if not 0 <= new_index < len(objectives):
        return

    objectives[index], objectives[new_index] = objectives[new_index], objectives[index]
    # The database allows gaps and repeats in positions, so number the whole list.
    for position, moved_objective in enumerate(objectives, start=1):
        if moved_objective.position != position:
            moved_objective.position = position
            moved_objective.save(update_fields=["position"])


@transaction.atomic
def link_record(*, objective: Objective, provider: str, key: str, author: User, now: dt.datetime) -> ObjectiveLink:
    """Link a record that serves the objective, such as a commitment.

    `provider` is the code of the kind of record, and `key` identifies the record within that kind. Raises
    `UnableToChangeObjective`.
    """
    partnership, locked_objective = _lock_objective(objective, author, now)
    chosen_provider = provider_of(provider)
    title_by_key = dict(chosen_provider.choices(author, partnership)) if chosen_provider else {}
    if key not in title_by_key:
        raise UnableToChangeObjective("Choose a record from the list.")
    if locked_objective.links.filter(provider=provider, key=key).exists():
        raise UnableToChangeObjective("This record is already linked to the objective. Choose another record.")
    if locked_objective.links.count() >= MAX_LINKS:
        raise UnableToChangeObjective(f"You can link at most {MAX_LINKS} records to an objective. Remove a link first.")

    link = ObjectiveLink.objects.create(
        objective=locked_objective, provider=provider, key=key, linked_by=author, linked_at=now
    )
    _record_event(locked_objective, EventKind.OBJECTIVE_LINKED, author=author, now=now)
    return link


@transaction.atomic
def unlink_record(*, link: ObjectiveLink, author: User | None, now: dt.datetime) -> None:
    """Remove the link to a record.

    Raises `UnableToChangeObjective` if the link was removed already.
    """
    _partnership, locked_objective = _lock_objective(link.objective, author, now)
    if not locked_objective.links.filter(pk=link.pk).exists():
        raise UnableToChangeObjective("This link has already been removed, so you do not need to remove it.")
    locked_objective.links.filter(pk=link.pk).delete()
    _record_event(locked_objective, EventKind.OBJECTIVE_UNLINKED, author=author, now=now)
