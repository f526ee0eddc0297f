"""The row history of a record: changes, author, place and reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Model

#: Functions that describe contexts.
_EXPLAINED_BY: list[Callable[[Collection[UUID]], Mapping[UUID, list[str]]]] = []

#: Addresses of administrators: reasons given there are their own, all others belong to the partners.
_OWN_PAGES = ("admin:", "people:")

#: Words for the trigger that wrote a row.
LABELS = {"insert": "Added", "update": "Changed", "delete": "Deleted"}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A column before and after; an added record has no value before."""

    name: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """A change of the row."""

    what: str
    at: dt.datetime
    by: str
    where: str
    why: str
    fields: tuple[FieldChange, ...]


def explain_by(find: Callable[[Collection[UUID]], Mapping[UUID, list[str]]]) -> None:
    """Register `find`, which describes contexts by their ids."""
    _EXPLAINED_BY.append(find)


def _shown(value: Any) -> str:
    return "" if value is None else str(value)


def row_history(record: Model, *, restricted: Collection[str] = ()) -> list[RowChange]:
    """The changes of a row, newest first; empty if its table has no history.

    Of `restricted` columns it says that they changed, without values.
    """
    events = getattr(type(record), "pgh_event_model", None)
    if events is None:
        return []
    rows = list(events.objects.filter(pgh_obj_id=record.pk).select_related("pgh_context").order_by("pgh_id"))
    fields = [field for field in events._meta.concrete_fields if not field.name.startswith("pgh_")]
    return _changes(rows, fields, restricted)


def _who(context: Mapping[str, Any], names: Mapping[int, str]) -> str:
    """The author: a person, a database role for SQL by hand, or the system."""
    if context.get("user"):
        return names.get(context["user"], "a former member")
    return f"the database role {context['role']}" if context.get("role") else "the system"


def _why(context: Mapping[str, Any], acts: Iterable[str]) -> str:
    """What the author was doing, and the reason if it is an administrator's."""
    url = context.get("url", "")
    reason = context.get("reason", "") if not url or url.startswith(_OWN_PAGES) else ""
    return ": ".join(part for part in ("; ".join(acts), reason) if part)


def _changes(rows: list[Any], fields: Iterable[Any], restricted: Collection[str]) -> list[RowChange]:
    """The rows of a history as changes, newest first, with who made each and why."""
    actors = {row.pgh_context.metadata.get("user") for row in rows if row.pgh_context}
    acts: dict[UUID, list[str]] = {}
    for find in _EXPLAINED_BY:
        acts |= find({row.pgh_context_id for row in rows if row.pgh_context_id})
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
                by=_who(context, names),
                where=next((context[key] for key in ("url", "command", "job", "program") if context.get(key)), ""),
                why=_why(context, acts.get(row.pgh_context_id, [])),
                fields=() if deleted else tuple(change for change in differing if change.was or change.now),
            )
        )
        before = row
    changes.reverse()
    return changes
