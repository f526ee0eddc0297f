"""Turns events into timeline lines: who did what, before and after."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse

from partnerships.activity.models import Event
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: The page of each kind of record in a timeline. A kind that is not here is shown without a link.
PAGES = {
    "organisation": "organisations:detail",
    "partnership": "agreements:detail",
    "entry": "exchange:detail",
    "plan": "plans:detail",
    "plan_draft": "plans:draft",
    "plan_version": "plans:version-by-id",
    "commitment": "commitments:detail",
    "conversation": "conversations:detail",
    "progress_report": "conversations:report",
    "journal_note": "conversations:journal-note",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field before and after, in words; either may be empty."""

    field: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One event as a reader sees it."""

    title: str
    by: str
    at: dt.datetime
    href: str
    subject: str
    reason: str
    changes: tuple[Change, ...]


#: Data that events keep for programs. Timelines leave it out.
_NOT_SHOWN = frozenset({"succession", "membership", "import_run", "run"})
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _words(value: Any) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    if _DAY.fullmatch(text):
        return long_date(dt.date.fromisoformat(text))
    if text.islower() and text.replace("_", "").isalpha():  # A code, such as a status.
        return text.replace("_", " ").capitalize().replace("sign off", "sign-off")
    return text


def _changes(data: dict[str, Any]) -> tuple[Change, ...]:
    before, after = data.get("before"), data.get("after")
    if isinstance(before, dict) or isinstance(after, dict):
        old = before if isinstance(before, dict) else {}
        new = after if isinstance(after, dict) else {}
        return tuple(
            Change(field.replace("_", " "), _words(old.get(field)), _words(new.get(field)))
            for field in dict.fromkeys((*old, *new))
            if field not in _NOT_SHOWN and _words(old.get(field)) != _words(new.get(field))
        )
    if before == after:
        return ()
    return (Change("status", _words(before), _words(after)),)


def _page(event: Event) -> str:
    route = PAGES.get(event.target_kind)
    if route is None:
        return ""
    try:
        return reverse(route, kwargs={"pk": event.target_id})
    except NoReverseMatch:
        return ""


def _name_of(event: Event, bodies: dict[int, str]) -> str:
    return bodies.get(event.target_id, "") if event.target_kind == "organisation" else ""


def timeline_lines(events: Iterable[Event]) -> list[TimelineLine]:
    """The events as lines, in the same order.

    Names are looked up in two queries.
    """
    rows = list(events)
    people = {
        person.pk: person.display_name
        for person in User.objects.filter(pk__in={row.actor_id for row in rows if row.actor_id})
    }
    about = {row.target_id for row in rows if row.target_kind == "organisation"}
    bodies = dict(
        Organisation.objects.filter(
            pk__in=about | {row.organisation_id for row in rows if row.organisation_id}
        ).values_list("pk", "name")
    )
    lines = []
    for row in rows:
        actor = people.get(row.actor_id or 0, "") or ("Common Ground" if row.actor_id is None else "a former member")
        body = bodies.get(row.organisation_id or 0, "")
        lines.append(
            TimelineLine(
                title=row.label,
                # Records that hide their people replace the actor's name.
                by=str(row.data.get("by", "")) or (f"{actor}, {body}" if body else actor),
                at=row.at,
                href=_page(row),
                subject=str(row.data.get("title", "")) or _name_of(row, bodies),
                reason=str(row.data.get("reason", "")),
                changes=_changes(row.data),
            )
        )
    return lines
