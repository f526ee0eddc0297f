"""What a digest says about one subject: its net change, who made it and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from partnerships.activity.folding import Fold
from partnerships.activity.models import Event, Subject
from partnerships.activity.queries import NetLine, net_changes
from partnerships.activity.services import SPREADSHEET
from partnerships.activity.subjects import SubjectKind
from partnerships.activity.telling import Group, phrase_of, told_of
from partnerships.digests.planning.notices import Act
from partnerships.digests.queries.objects import Named, named
from partnerships.kit.text import counted, shorten
from partnerships.organisations.timeline import ToldLine, told_lines

#: Lines shown; the page has the rest.
MAX_LINES = 12
#: Characters of a reason that a digest quotes.
_LONGEST_REASON = 300


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One net change of a record: the sentence as text and HTML, who made the change and why.

    `about` names the record if it is not the subject itself. `headline` is the sentence without values. `path` is that
    of the list of the records, if the line is about several.
    """

    about: str
    text: str
    html: SafeString
    headline: str
    by: str = ""
    reason: str = ""
    path: str = ""

    @property
    def sentence(self) -> str:
        """The line in plain text."""
        return f"{self.about}: {self.text[:1].lower()}{self.text[1:]}" if self.about else self.text

    @property
    def html_sentence(self) -> SafeString:
        """The same line as HTML."""
        if not self.about:
            return self.html
        # Sentences begin with plain words, so this changes no tag and no entity.
        return format_html("{}: {}", self.about, mark_safe(self.html[:1].lower() + self.html[1:]))  # noqa: S308 - it was safe

    @property
    def why(self) -> str:
        """Who did it and why: "Ben Carter, Westmarch: “Ground works took longer.”"."""
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
    #: Plans with a question that can still be answered.
    asking: tuple[int, ...] = ()
    #: Plans that its changes belong to.
    plans: frozenset[int] = frozenset()
    #: What its lines say: notices of the same acts need not say it again.
    acts: frozenset[Act] = frozenset()

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
        """Its name for a subject line, with its kind unless the name has it."""
        if self.kind != SubjectKind.PARTNERSHIP or "partnership" in self.title.lower():
            return self.title
        return f"{self.title} partnership"

    @property
    def headline(self) -> str:
        """The first change and how many more: "terms amended and 3 more changes"."""
        first, more = self.lines[0].headline, self.count - 1
        return f"{first} and {counted(more, 'more change')}" if more else first

    @property
    def count_in_words(self) -> str:
        """`1 change` or `7 changes`."""
        return counted(self.count, "change")

    @property
    def folded_in_words(self) -> str:
        """`and 12 more changes`; empty if everything is shown."""
        return f"and {counted(self.folded, 'more change')}" if self.folded else ""


def read_section(subject: Subject, events: Sequence[Event], *, stakeholder: bool, now: dt.datetime) -> Section:
    """The net change of these events, for people with or without an account."""
    numbered = list(enumerate(events))
    names = named({(subject.kind, subject.record_id), *(thing for event in events for thing in _things(event))})
    own = names.get((subject.kind, subject.record_id), Named("", "/"))
    today = timezone.localdate(now)
    changes = net_changes(numbered)
    together = _together(told_lines(changes, today=today, outside=stakeholder), events)
    shown = together[:MAX_LINES] if len(together) > MAX_LINES + 1 else together
    events_shown = [events[number] for _, lines in shown for line in lines for number in line.numbers]
    return Section(
        subject_id=subject.pk,
        kind=subject.kind,
        record_id=subject.record_id,
        title=own.title,
        path=own.path,
        lines=tuple(
            _line_of_sheet(sheet, lines, events, subject, is_linked=not stakeholder)
            if sheet is not None
            else _line(lines[0], events[lines[0].numbers[-1]], subject, names)
            for sheet, lines in shown
        ),
        folded=len(together) - len(shown),
        authors=frozenset(event.actor_id for event in events),
        asking=tuple(dict.fromkeys(_asking(changes, today))),
        plans=frozenset(_plans_of(subject, events)),
        acts=frozenset((event.target_kind, event.target_id, event.at) for event in events_shown),
    )


def _plans_of(subject: Subject, events: Iterable[Event]) -> Iterator[int]:
    """The plan that is the subject, and those that the events are within."""
    if subject.kind == SubjectKind.PLAN:
        yield subject.record_id
    for event in events:
        if event.within_kind == SubjectKind.PLAN and event.within_id is not None:
            yield event.within_id


def _asking(changes: Iterable[NetLine], today: dt.date) -> Iterator[int]:
    """The plans whose questions these changes tell, while they can be answered."""
    for row in changes:
        last_day = row.change.values.get(row.told.asks_until)
        if last_day and row.event.within_id is not None and str(last_day) >= today.isoformat():
            yield row.event.within_id


def _things(event: Event) -> Iterator[tuple[str, int]]:
    """The record an event is about, then the one that it belongs to.

    An answer, then its ask.
    """
    yield event.target_kind, event.target_id
    if event.within_id is not None:
        yield event.within_kind, event.within_id


class _Sheet(NamedTuple):
    """What the lines of one spreadsheet have in common."""

    number: int
    group: Group
    is_new: bool


#: Lines of one spreadsheet, or one other line without it.
_Alike = tuple[_Sheet | None, list[ToldLine]]
#: The list page of each kind of record; it can be limited to a partnership.
_LISTS = {Group.COMMITMENTS: "commitments:list", Group.ASKS_AND_OFFERS: "exchange:list"}


def _together(lines: Iterable[ToldLine], events: Sequence[Event]) -> list[_Alike]:
    """The lines, with those of one spreadsheet about one kind of record together: nobody reads sixty alike."""
    groups: dict[object, _Alike] = {}
    for place, line in enumerate(lines):
        sheet = _sheet_of(line, events)
        groups.setdefault(sheet or place, (sheet, []))[1].append(line)
    alike: list[_Alike] = []
    for sheet, group in groups.values():
        # Several changes of one record say more in lines of their own.
        is_one = sheet is not None and _count_things(group, events) > 1
        alike += [(sheet, group)] if is_one else [(None, [line]) for line in group]
    return sorted(alike, key=lambda group: group[1][-1].numbers[-1])


def _count_things(lines: Iterable[ToldLine], events: Sequence[Event]) -> int:
    """How many records the lines are about."""
    changed = (events[number] for line in lines for number in line.numbers)
    return len({(event.target_kind, event.target_id) for event in changed})


def _sheet_of(line: ToldLine, events: Sequence[Event]) -> _Sheet | None:
    """The spreadsheet that a line came from.

    What was added there and changed by hand since counts too.
    """
    first, *later = (events[number] for number in line.numbers)
    number, told_kind = first.data.get(SPREADSHEET), told_of(first.kind)
    is_new = told_kind is not None and told_kind.fold == Fold.CREATED
    if number is None or not (is_new or all(event.data.get(SPREADSHEET) == number for event in later)):
        return None
    return _Sheet(number, line.group, is_new)


def _line_of_sheet(
    sheet: _Sheet, lines: Sequence[ToldLine], events: Sequence[Event], subject: Subject, *, is_linked: bool
) -> ChangeLine:
    """One line for all that a spreadsheet added or changed.

    "12 commitments added from a spreadsheet".
    """
    things = f"{_count_things(lines, events):,} {sheet.group.label.lower()}"
    words = f"{things} {'added' if sheet.is_new else 'changed'} from a spreadsheet"
    path = reverse(_LISTS[sheet.group]) if is_linked and sheet.group in _LISTS else ""
    if path and subject.kind == SubjectKind.PARTNERSHIP:
        path += f"?partnership={subject.record_id}"
    by = "; ".join(dict.fromkeys(line.by for line in lines if line.by))
    return ChangeLine(about="", text=words, html=format_html("{}", words), headline=words, by=by, path=path)


def _line(told_line: ToldLine, event: Event, subject: Subject, names: Mapping[tuple[str, int], Named]) -> ChangeLine:
    known_thing = next((thing for thing in _things(event) if thing in names), None)
    phrase = phrase_of(event.kind)
    return ChangeLine(
        about=""
        if known_thing is None or known_thing == (subject.kind, subject.record_id)
        else names[known_thing].title.rstrip("."),
        text=told_line.sentence.text,
        html=told_line.sentence.html,
        headline=phrase[:1].lower() + phrase[1:],
        by=told_line.by,
        reason=shorten(told_line.reason, _LONGEST_REASON),
    )
