"""What row history says of one record: each change before and after, who made it, from where, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Model

#: What the trigger that wrote a row is called, as people say it.
LABELS = {"insert": "Added", "update": "Changed", "delete": "Deleted"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column before and after; a record that was added has no before."""

    name: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """One change of the row."""

    what: str
    at: dt.datetime
    by: str
    where: str
    why: str
    fields: tuple[FieldChange, ...]


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def row_history(record: Model, *, restricted: Collection[str] = ()) -> list[RowChange]:
    """Every change of this row, newest first; empty where its table has no history.

    Of `restricted` columns it says that they changed, never from what to what.
    """
    events = getattr(type(record), "pgh_event_model", None)
    if events is None:
        return []
    rows = list(events.objects.filter(pgh_obj_id=record.pk).select_related("pgh_context").order_by("pgh_id"))
    fields = [field for field in events._meta.concrete_fields if not field.name.startswith("pgh_")]
    return _changes(rows, fields, restricted)


def _changes(rows: list[Any], fields: Iterable[Any], restricted: Collection[str]) -> list[RowChange]:
    actors = {row.pgh_context.metadata.get("user") for row in rows if row.pgh_context}
    names = {person.pk: str(person) for person in get_user_model().objects.filter(pk__in=[pk for pk in actors if pk])}
    changes: list[RowChange] = []
    before: Any = None
    for row in rows:
        context = row.pgh_context.metadata if row.pgh_context else {}
        differing = tuple(
            FieldChange(str(field.verbose_name), "", "changed (restricted)")
            if field.name in restricted
            else FieldChange(
                str(field.verbose_name),
                _shown(getattr(before, field.attname)) if before is not None else "",
                _shown(getattr(row, field.attname)),
            )
            for field in fields
            if before is None or getattr(before, field.attname) != getattr(row, field.attname)
        )
        deleted = row.pgh_label == "delete"
        changes.append(
            RowChange(
                what=LABELS.get(row.pgh_label, row.pgh_label),
                at=row.pgh_created_at,
                by=names.get(context.get("user") or 0, "")
                or ("the system" if not context.get("user") else "a former member"),
                where=context.get("url", "") or context.get("command", ""),
                why=context.get("reason", ""),
                fields=() if deleted else tuple(change for change in differing if change.was or change.now),
            )
        )
        before = row
    changes.reverse()
    return changes
