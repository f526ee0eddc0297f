"""Turn events into the lines of a timeline, which say who did what, with the values before and after."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from partnerships.activity.follower_notices import FollowerNotice, Group, Sentence, sentence_of
from partnerships.activity.models import Event
from partnerships.activity.queries import (
    ReportedChange,
    events_of_visible_records,
    is_about_record,
    values_before_and_after,
)
from partnerships.kit.dates import NotADate, PartialDate
from partnerships.organisations.holdings import for_a_few_records, id_is_among
from partnerships.organisations.models import SuccessionKind, SuccessionStatus
from partnerships.organisations.naming import NameHistory, names_lookup, names_of
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.organisations.stored_statements import Argument
from partnerships.people.models import User

#: The page of each kind of record in a timeline. Other kinds are shown without a link.
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
    "recommendation": "recommendations:detail",
    "recommendation_source": "recommendations:source",
    "recommendation_response": "recommendations:response",
    "recommendation_response_inside": "recommendations:response",
    "recommendation_adoption": "recommendations:adoption",
    "frozen_report": "reports:frozen",
    "report_schedule": "reports:schedule",
}


@dataclass(frozen=True, slots=True)
class FieldChange:
    """The value of one field before and after an event, in words; "" for no value."""

    field: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of a timeline, which shows an event as a reader sees it."""

    title: str
    by: str
    at: dt.datetime
    href: str
    subject: str
    reason: str
    changes: tuple[FieldChange, ...]


#: Fields in the data of events that only programs need. Timelines do not show these fields.
_NOT_SHOWN = frozenset({"succession", "membership", "import_run", "run"})
_DATE = re.compile(r"\d{4}-\d{2}(-\d{2})?")


#: The labels of codes in events about successions.
_OF_SUCCESSIONS: dict[str, dict[str, str]] = {
    "kind": dict(SuccessionKind.choices),
    "status": dict(SuccessionStatus.choices),
}


def _in_words(field: str, value: Any, data: dict[str, Any]) -> str:
    """Return the value of a field in words; codes of a succession are replaced by their labels."""
    after = data.get("after")
    labels = _OF_SUCCESSIONS.get(field, {}) if isinstance(after, dict) and "succession" in after else {}
    return labels[value] if isinstance(value, str) and value in labels else _words(value)


def _words(value: Any) -> str:
    """Return a value in words, for example “1 April 2027” for a date and “Order made” for a code."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    if isinstance(value, int):
        return f"{value:,}"
    text = str(value)
    if _DATE.fullmatch(text):
        return _date_in_words(text)
    if text.islower() and text.replace("_", "").isalpha():  # A code, such as a status.
        return text.replace("_", " ").capitalize().replace("sign off", "sign-off")
    return text


def _date_in_words(text: str) -> str:
    try:
        return PartialDate.parse(text).words
    except NotADate:
        return text


def _changes(data: dict[str, Any]) -> tuple[FieldChange, ...]:
    """Return the changed fields of an event in words, without those that differ only for programs."""
    old, new = values_before_and_after(data)
    return tuple(
        FieldChange(
            field.replace("_", " "),
            _in_words(field, old.get(field), data),
            _in_words(field, new.get(field), data),
        )
        for field in dict.fromkeys((*old, *new))
        if field not in _NOT_SHOWN and _words(old.get(field)) != _words(new.get(field))
    )


def _page(event: Event) -> str:
    route = PAGES.get(event.target_kind)
    if route is None:
        return ""
    try:
        return reverse(route, kwargs={"pk": event.target_id})
    except NoReverseMatch:
        return ""


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of the people and organisations that events refer to by id."""

    people: dict[int, str]
    bodies: Mapping[int, NameHistory]

    @classmethod
    def of(cls, events: Iterable[Event]) -> _Names:
        """Query the names that these events need."""
        people, organisation_ids = _named_in(events)
        read_ahead(_lookups_of_names(people, organisation_ids))
        names = {person.pk: person.display_name for person in rows_for(_people_among, people)}
        return cls(names, names_of(organisation_ids))

    def by(self, row: Event) -> str:
        """Return who caused an event, with their organisation on that day.

        Events of records that hide their people contain the text to show instead.
        """
        if row.data.get("by"):
            return str(row.data["by"])
        actor = self.people.get(row.actor_id or 0, "") or (
            "Common Ground" if row.actor_id is None else "a former member"
        )
        body = self._body(row.organisation_id, row.at)
        return f"{actor}, {body}" if body else actor

    def subject(self, row: Event) -> str:
        """Return the title of the record that an event is about."""
        organisation_name = self._body(row.target_id, row.at) if row.target_kind == "organisation" else ""
        return str(row.data.get("title", "")) or organisation_name

    def _body(self, organisation_id: int | None, at: dt.datetime) -> str:
        """Return the name of an organisation on the day of an event."""
        body = self.bodies.get(organisation_id or 0)
        return body.on(timezone.localdate(at)) if body else ""


def _named_in(events: Iterable[Event]) -> tuple[list[int], list[int]]:
    """Return the ids of the people and of the organisations that a timeline of these events names."""
    rows = list(events)
    people = {row.actor_id for row in rows if row.actor_id}
    target_ids = {row.target_id for row in rows if row.target_kind == "organisation"}
    organisation_ids = target_ids | {row.organisation_id for row in rows if row.organisation_id}
    return sorted(people), sorted(organisation_ids)


def timeline_lookups(events: Iterable[Event]) -> list[Lookup]:
    """Return the lookups of a later `timeline_lines`, for `read_ahead`."""
    return _lookups_of_names(*_named_in(events))


def _lookups_of_names(person_ids: list[int], organisation_ids: list[int]) -> list[Lookup]:
    return [lookup(_people_among, person_ids), names_lookup(organisation_ids)]


def _people_among(ids: list[int]) -> QuerySet[User]:
    return User.objects.filter(pk__in=ids)


def newest_events(user: User, *, kind: str, record_id: int, count: int) -> list[Event]:
    """Return the newest events of a record, and of other records within it, that the reader may see."""
    return newest_visible(_events_about, user, record_id, kind, count=count)


def newest_events_lookup(user: User, *, kind: str, record_id: int, count: int) -> Lookup:
    """Return the first lookup that a later `newest_events` needs, for `read_ahead`."""
    return newest_lookup(_events_about, user, record_id, kind, count=count)


def _events_about(user: User, record_id: int, kind: str) -> QuerySet[Event]:
    return Event.objects.filter(is_about_record(kind, record_id))


#: The number of candidates in the first batch for each event that is needed.
_FIRST_BATCH = 4


def newest_visible(
    candidates: Callable[..., QuerySet[Event]], user: User, *arguments: Argument, count: int
) -> list[Event]:
    """Return the newest `count` events from `candidates(user, *arguments)` that the person may see.

    The newest candidates are checked first, then four times as many, and so on. Most people may see many new events, so
    only other people's queries take long. `candidates` must be a function at module level (see `statements`).
    """
    visible_events: list[Event] = []
    start, size = 0, _FIRST_BATCH * count
    while len(visible_events) < count:
        batch = rows_for(_batch, user, *arguments, candidates=candidates, start=start, size=size)
        record_ids_by_kind: defaultdict[str, set[int]] = defaultdict(set)
        for _, kind, record_id in batch:
            record_ids_by_kind[kind].add(record_id)
        kinds = tuple(sorted(record_ids_by_kind))
        ids = [list(record_ids_by_kind[kind]) for kind in kinds]
        visible_events += rows_for(
            _visible_among, user, [pk for pk, _, _ in batch], *ids, kinds=kinds, count=count - len(visible_events)
        )
        if len(batch) < size:
            break
        start, size = start + size, size * 4
    return visible_events


def newest_lookup(candidates: Callable[..., QuerySet[Event]], user: User, *arguments: Argument, count: int) -> Lookup:
    """Return the first lookup that a later `newest_visible` needs, for `read_ahead`."""
    return lookup(_batch, user, *arguments, candidates=candidates, start=0, size=_FIRST_BATCH * count)


def _batch(
    user: User, *arguments: Any, candidates: Callable[..., QuerySet[Event]], start: int, size: int
) -> QuerySet[Event, tuple[int, str, int]]:
    newest = candidates(user, *arguments).order_by("-at", "-id")
    return newest.values_list("pk", "target_kind", "target_id")[start : start + size]


def _visible_among(
    user: User, event_ids: list[int], *records: list[int], kinds: tuple[str, ...], count: int
) -> QuerySet[Event]:
    """Return the newest of these events that the person may see. `records` are the ids of their records by kind."""
    candidates = Event.objects.filter(id_is_among("pk", event_ids))
    with for_a_few_records():
        visible_events = events_of_visible_records(user, candidates, dict(zip(kinds, records, strict=True)))
    return visible_events.order_by("-at", "-id")[:count]


def timeline_lines(events: Iterable[Event]) -> list[TimelineLine]:
    """Return the events as timeline lines, in the same order."""
    rows = list(events)
    names = _Names.of(rows)
    return [
        TimelineLine(
            title=row.label,
            by=names.by(row),
            at=row.at,
            href=_page(row),
            subject=names.subject(row),
            reason=str(row.data.get("reason", "")),
            changes=_changes(row.data),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One net change as the recipient of a digest reads it.

    `path` is the page of the record, "" if the record has no page. `numbers` are the changes that the line combines.
    """

    group: Group
    subject: str
    path: str
    sentence: Sentence
    by: str
    at: dt.datetime
    reason: str
    numbers: tuple[int, ...]


#: The values of these fields come first in a sentence. The database does not store the order of fields.
_NAMING = frozenset({"organisation", "owner", "document", "file", "name", "area", "identifier", "question"})
#: Stakeholders without an account may read only the values of these fields (docs/rights.md).
_OUTSIDE = frozenset({"organisation", "status", "due", "date", "in_force_from", "question", "closes"})


#: Fields that sentences leave out. A value of "how" means nothing without the heading that a timeline gives it.
_NOT_TOLD = _NOT_SHOWN | {"how"}


def _words_before(told_event: FollowerNotice, name: str, value: object, today: dt.date) -> str:
    """Return the words that a date needs before it, for example “in force from ”; "" for other values."""
    if name == "in_force_from":
        return "in force from "
    if name != told_event.deadline_key:
        return ""
    return "answers by " if str(value) >= today.isoformat() else "answers were due by "


def digest_lines(lines: Iterable[ReportedChange], *, today: dt.date, outside: bool = False) -> list[DigestLine]:
    """Return net changes in words, in the same order.

    `today` (local time) decides whether an answer is late. With `outside`, the lines are for a stakeholder without an
    account. They then contain no people or reasons, and only values of the fields in `_OUTSIDE`.
    """
    rows = list(lines)
    names = _Names.of(event for row in rows for event in row.events)
    return [
        DigestLine(
            group=row.notice.group,
            subject=names.subject(row.event),
            path=_page(row.event),
            sentence=_sentence(row, today, outside=outside),
            by="" if outside else "; ".join(dict.fromkeys(names.by(event) for event in row.events)),
            at=row.event.at,
            reason="" if outside else str(row.event.data.get("reason", "")),
            numbers=row.change.numbers,
        )
        for row in rows
        if not (outside and row.change.field and row.change.field not in _OUTSIDE)
    ]


def _sentence(row: ReportedChange, today: dt.date, *, outside: bool) -> Sentence:
    """Return one net change as a sentence, with the values that the reader may see."""
    change, data = row.change, row.event.data
    shown_fields = [name for name in change.values if name not in _NOT_TOLD and (not outside or name in _OUTSIDE)]
    values = [
        _words_before(row.notice, name, change.values[name], today) + _in_words(name, change.values[name], data)
        for name in sorted(shown_fields, key=lambda name: name not in _NAMING)
    ]
    return sentence_of(
        row.notice,
        field=change.field.replace("_", " "),
        was=_in_words(change.field, change.before, data),
        now=_in_words(change.field, change.after, data),
        moves=change.moves if change.field else 1,
        names=values,
    )
