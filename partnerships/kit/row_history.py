"""The row history of a record, with the author, the page and the reason of each change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Model

#: Functions that describe what people did, by the ids of pghistory's contexts.
_descriptions: list[Callable[[Collection[UUID]], Mapping[UUID, list[str]]]] = []

#: Routes of administrators' pages. The history shows reasons that were given there. Only partners may read others.
_ADMINISTRATORS_ROUTES = ("admin:", "people:")

#: Labels of changes by the trigger that recorded them.
LABELS = {"insert": "Added", "update": "Changed", "delete": "Deleted"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The values of a column before and after a change. `old` is "" for an added row."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of the row, with its kind, its time, its author, the page or job, and the reason."""

    kind: str
    at: dt.datetime
    author: str
    source: str
    reason: str
    fields: tuple[FieldChange, ...]


def explain_by(describe: Callable[[Collection[UUID]], Mapping[UUID, list[str]]]) -> None:
    """Register a function that describes what people did, by the ids of pghistory's contexts."""
    _descriptions.append(describe)


def _to_text(value: Any) -> str:
    return "" if value is None else str(value)


def row_history(record: Model, *, restricted: Collection[str] = ()) -> list[RowChange]:
    """Return the changes of a row, newest first, or an empty list if its table has no history.

    For `restricted` columns, a change says that the column changed, without its values.
    """
    event_model = getattr(type(record), "pgh_event_model", None)
    if event_model is None:
        return []
    events = list(event_model.objects.filter(pgh_obj_id=record.pk).select_related("pgh_context").order_by("pgh_id"))
    fields = [field for field in event_model._meta.concrete_fields if not field.name.startswith("pgh_")]
    return _changes(events, fields, restricted)


def _author(context: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """Return the author, which is a person, a database role for SQL by hand, or the system."""
    if context.get("user"):
        return names.get(context["user"], "a former member")
    return f"the database role {context['role']}" if context.get("role") else "the system"


def _source(context: Mapping[str, Any]) -> str:
    """Return the page, command, job or program that made a change."""
    return next((context[key] for key in ("url", "command", "job", "program") if context.get(key)), "")


def _reason(context: Mapping[str, Any], descriptions: Iterable[str]) -> str:
    """Return what the author did, and the reason if it was given on an administrator's page."""
    url = context.get("url", "")
    reason = context.get("reason", "") if not url or url.startswith(_ADMINISTRATORS_ROUTES) else ""
    return ": ".join(part for part in ("; ".join(descriptions), reason) if part)


def _changes(events: list[Any], fields: Sequence[Any], restricted: Collection[str]) -> list[RowChange]:
    """Return a change for each event of pghistory. The events are oldest first, and the changes newest first."""
    author_ids = {event.pgh_context.metadata.get("user") for event in events if event.pgh_context}
    authors = get_user_model().objects.filter(pk__in=[pk for pk in author_ids if pk])
    names = {person.pk: str(person) for person in authors}
    context_ids = {event.pgh_context_id for event in events if event.pgh_context_id}
    descriptions: dict[UUID, list[str]] = {}
    for describe in _descriptions:
        descriptions |= describe(context_ids)

    changes: list[RowChange] = []
    earlier_event: Any = None
    for event in events:
        context = event.pgh_context.metadata if event.pgh_context else {}
        is_deletion = event.pgh_label == "delete"  # the event of a deletion repeats the last values
        changes.append(
            RowChange(
                kind=LABELS.get(event.pgh_label, event.pgh_label),
                at=event.pgh_created_at,
                author=_author(context, names),
                source=_source(context),
                reason=_reason(context, descriptions.get(event.pgh_context_id, [])),
                fields=() if is_deletion else _field_changes(earlier_event, event, fields, restricted),
            )
        )
        earlier_event = event
    changes.reverse()
    return changes


def _field_changes(
    earlier_event: Any | None, event: Any, fields: Iterable[Any], restricted: Collection[str]
) -> tuple[FieldChange, ...]:
    """Return the columns that differ between two events. For the first event, return all columns with a value."""
    changes: list[FieldChange] = []
    for field in fields:
        value = getattr(event, field.attname)
        earlier_value = None if earlier_event is None else getattr(earlier_event, field.attname)
        if earlier_event is not None and value == earlier_value:
            continue
        label = str(field.verbose_name)
        if field.name in restricted:
            changes.append(FieldChange(label, old="", new="changed (restricted)"))
        elif _to_text(earlier_value) or _to_text(value):
            changes.append(FieldChange(label, old=_to_text(earlier_value), new=_to_text(value)))
    return tuple(changes)
