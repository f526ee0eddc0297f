"""What a digest says of a subject: the net change of its events, who made them and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from partnerships.activity.event_kinds import label_of
from partnerships.activity.folding import NetChange, Step, fold
from partnerships.activity.models import Event, Subject
from partnerships.activity.subjects import SubjectKind
from partnerships.activity.telling import Told, told_of
from partnerships.digests.queries.objects import Named, named
from partnerships.kit.dates import long_date
from partnerships.kit.text import shorten
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: Lines shown; the page has the rest.
MAX_LINES = 12
_LONGEST_VALUE, _LONGEST_REASON = 160, 300
#: What a stakeholder without an account may read of a change besides that it happened: title, dates and status.
_OUTSIDE_FIELDS = frozenset({"", "status", "title", "due_on", "day", "starts_at", "held_on", "ends_on", "signed_on"})


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One net change: what, was, now, how often it moved, who and why."""

    what: str
    headline: str
    was: str = ""
    now: str = ""
    tail: str = ""
    by: str = ""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """The line in plain text."""
        said = self.what
        if self.was and self.now:
            said += f": was {self.was}, now {self.now}"
        elif self.now:
            said += f": {self.now}"
        elif self.was:
            said += f": was {self.was}, now not given"
        return f"{said} ({self.tail})" if self.tail else said

    @property
    def why(self) -> str:
        """Who did it and the reason: "Ben Carter, Westmarch Borough Council: “Ground works took longer.”"."""
        if self.by and self.reason:
            return f"{self.by}: “{self.reason}”"
        return self.by or (f"“{self.reason}”" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Section:
    """What is new in one subject for one class of readers."""

    subject_id: int
    kind: str
    record_id: int
    title: str
    path: str
    lines: tuple[ChangeLine, ...]
    folded: int
    authors: frozenset[int | None]

    is_new = False

    @property
    def count(self) -> int:
        """How many net changes there are."""
        return len(self.lines) + self.folded

    @property
    def partnership(self) -> str:
        """The partnership's title, where it is one."""
        return self.title if self.kind == SubjectKind.PARTNERSHIP else ""

    @property
    def partnership_id(self) -> int | None:
        """The partnership's id, where it is one."""
        return self.record_id if self.kind == SubjectKind.PARTNERSHIP else None

    @property
    def kind_in_words(self) -> str:
        """`partnership`, `ask or offer` and so on."""
        return SubjectKind(self.kind).label.lower()

    @property
    def called(self) -> str:
        """Its name for a subject line, with its kind unless the name says it: "Westmarch homes partnership"."""
        if self.kind != SubjectKind.PARTNERSHIP or "partnership" in self.title.lower():
            return self.title
        return f"{self.title} partnership"

    @property
    def headline(self) -> str:
        """The first change and how many more: "terms amended and 3 more changes"."""
        first, more = self.lines[0].headline, self.count - 1
        return f"{first} and {more:,} more change{'' if more == 1 else 's'}" if more else first

    @property
    def count_in_words(self) -> str:
        """`1 change` or `7 changes`."""
        return f"{self.count:,} change{'' if self.count == 1 else 's'}"

    @property
    def folded_in_words(self) -> str:
        """`and 12 more changes`; empty if everything is shown."""
        return f"and {self.folded:,} more change{'' if self.folded == 1 else 's'}" if self.folded else ""


def read_section(subject: Subject, events: Sequence[Event], *, stakeholder: bool) -> Section:
    """The net change of these events of a subject, for people with or without an account."""
    known = [(event, told) for event in events if (told := told_of(event.kind)) is not None]
    steps = [_step(number, event, told) for number, (event, told) in enumerate(known)]
    net = [line for line in fold(steps) if not stakeholder or line.field in _OUTSIDE_FIELDS]
    names = named({(subject.kind, subject.record_id), *((event.target_kind, event.target_id) for event in events)})
    own = names.get((subject.kind, subject.record_id), Named("", "/"))
    people, organisations = _names([known[line.numbers[-1]][0] for line in net]) if not stakeholder else ({}, {})
    lines = []
    for line in net:
        event, told = known[line.numbers[-1]]
        about = names.get((event.target_kind, event.target_id))
        is_own = (event.target_kind, event.target_id) == (subject.kind, subject.record_id)
        by = [people.get(event.actor_id or 0, ""), organisations.get(event.organisation_id or 0, "")]
        lines.append(
            _line(
                line,
                told,
                about="" if about is None or is_own else about.title,
                by=", ".join(part for part in by if part),
                reason="" if stakeholder else shorten(str(event.data.get("reason") or ""), _LONGEST_REASON),
            )
        )
    shown = tuple(lines[:MAX_LINES] if len(lines) > MAX_LINES + 1 else lines)
    return Section(
        subject_id=subject.pk,
        kind=subject.kind,
        record_id=subject.record_id,
        title=own.title,
        path=own.path,
        lines=shown,
        folded=len(lines) - len(shown),
        authors=frozenset(event.actor_id for event in events),
    )


def _step(number: int, event: Event, told: Told) -> Step:
    about = str(event.data.get(told.about, "")) if told.about else ""
    return Step(
        number=number,
        kind=event.kind,
        thing=(event.target_kind, event.target_id, about),
        fold=told.fold,
        before=_values(event.data.get("before")),
        after=_values(event.data.get("after")),
    )


def _values(value: Any) -> Mapping[str, Any]:
    """Values by field; one value alone has no field's name."""
    if isinstance(value, Mapping):
        return value
    return {} if value is None else {"": value}


def _names(events: Sequence[Event]) -> tuple[dict[int, str], dict[int, str]]:
    """The names of who acted, and for which organisations."""
    actors = {event.actor_id for event in events if event.actor_id}
    people = {one.pk: one.display_name for one in User.objects.filter(pk__in=actors)}
    ids = {event.organisation_id for event in events if event.organisation_id}
    organisations = {one.pk: one.name for one in Organisation.objects.filter(pk__in=ids)}
    return people, organisations


def _line(net: NetChange, told: Told, *, about: str, by: str, reason: str) -> ChangeLine:
    said = told.phrase or label_of(told.kind)
    headline = said[:1].lower() + said[1:]
    what = f"{about}: {headline}" if about else said
    was, now = (_words(net.before), _words(net.after)) if net.field or net.before or net.after else ("", "")
    tail = f"{net.moves} moves" if net.moves > 1 and (was or now) else ""
    return ChangeLine(what=what, headline=headline, was=was, now=now, tail=tail, by=by, reason=reason)


def _words(value: Any) -> str:
    """A value as emails show it: dates in full, codes with spaces."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_words(one) for one in value)
    text = str(value)
    try:
        return long_date(dt.date.fromisoformat(text[:10])) if text[4:5] == "-" and text[7:8] == "-" else _spaced(text)
    except ValueError:
        return _spaced(text)


def _spaced(text: str) -> str:
    is_code = text.islower() and "_" in text
    return shorten(text.replace("_", " ") if is_code else text, _LONGEST_VALUE)
