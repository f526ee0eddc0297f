"""Writes the section of a digest about one subject, with one line for each net change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from partnerships.activity.folding import FoldRule
from partnerships.activity.follower_notices import Group, follower_notice_of, phrase_of
from partnerships.activity.models import Event, Subject
from partnerships.activity.queries import ReportedChange, net_changes
from partnerships.activity.services import SPREADSHEET
from partnerships.activity.subjects import SubjectKind
from partnerships.digests.planning.notices import Act
from partnerships.digests.queries.objects import TitleAndPath, named
from partnerships.kit.text import counted, shorten
from partnerships.organisations.timeline import DigestLine, digest_lines

#: How many changes of one record an email shows; the page of the record shows the others.
MAX_LINES = 12
#: The longest reason that a digest quotes, in characters.
_MAX_REASON = 300


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One net change of a record, such as "Changed the due date: was 1 March, now 1 May"."""

    #: The name of the record; "" if the record is the subject itself.
    about: str
    text: str
    html: SafeString
    #: The sentence without values, for the subject of the email.
    headline: str
    #: The author, with the organisation.
    by: str = ""
    reason: str = ""
    #: The page that lists the records; "" if the line is about a single record.
    path: str = ""

    @property
    def sentence(self) -> str:
        """Return the line in plain text."""
        return f"{self.about}: {self.text[:1].lower()}{self.text[1:]}" if self.about else self.text

    @property
    def html_sentence(self) -> SafeString:
        """Return the line as HTML."""
        if not self.about:
            return self.html
        # Sentences begin with plain words, so this changes no tag and no entity.
        return format_html("{}: {}", self.about, mark_safe(self.html[:1].lower() + self.html[1:]))  # noqa: S308 - it was safe

    @property
    def why(self) -> str:
        """Return who made the change and why, such as "Ben Carter, Westmarch: “Ground works took longer.”"."""
        if self.by and self.reason:
            return f"{self.by}: “{self.reason}”"
        return self.by or (f"“{self.reason}”" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Section:
    """The news of one subject, for people with an account or for stakeholders."""

    subject_id: int
    kind: str
    record_id: int
    title: str
    path: str
    lines: tuple[ChangeLine, ...]
    folded: int
    authors: frozenset[int | None]
    #: The ids of plans with a question that the reader can still answer.
    asking: tuple[int, ...] = ()
    #: The ids of plans that the changes belong to.
    plans: frozenset[int] = frozenset()
    #: The changes that the lines report; the email leaves out notices of the same changes.
    acts: frozenset[Act] = frozenset()

    is_new = False

    @property
    def count(self) -> int:
        """Return the number of net changes, shown or folded."""
        return len(self.lines) + self.folded

    @property
    def partnership(self) -> str:
        """Return the title of the subject if it is a partnership; "" if it is not."""
        return self.title if self.kind == SubjectKind.PARTNERSHIP else ""

    @property
    def partnership_id(self) -> int | None:
        """Return the id of the subject if it is a partnership; None if it is not."""
        return self.record_id if self.kind == SubjectKind.PARTNERSHIP else None

    @property
    def kind_in_words(self) -> str:
        """Return the kind of the subject, for example `partnership` or `ask or offer`."""
        return SubjectKind(self.kind).label.lower()

    @property
    def called(self) -> str:
        """Return the subject's name for the subject line of an email.

        For example, "Estuary" becomes "Estuary partnership", and "Estuary Partnership" remains as it is. The full stop
        at the end of a recommendation is left out.
        """
        if self.kind != SubjectKind.PARTNERSHIP or "partnership" in self.title.lower():
            return self.title.rstrip(".")
        return f"{self.title} partnership"

    @property
    def headline(self) -> str:
        """Return the first change and the number of others, such as "terms amended and 3 more changes"."""
        first_change, further_count = self.lines[0].headline, self.count - 1
        return f"{first_change} and {counted(further_count, 'more change')}" if further_count else first_change

    @property
    def count_in_words(self) -> str:
        """`1 change` or `7 changes`."""
        return counted(self.count, "change")

    @property
    def folded_in_words(self) -> str:
        """`and 12 more changes`; empty if everything is shown."""
        return f"and {counted(self.folded, 'more change')}" if self.folded else ""


def read_section(subject: Subject, events: Sequence[Event], *, stakeholder: bool, now: dt.datetime) -> Section:
    """Return the section with the net changes of these events, for people with an account or for stakeholders."""
    # Net changes and their lines refer to events by index in `events`.
    indexed_events = list(enumerate(events))
    names = named({(subject.kind, subject.record_id), *(key for event in events for key in _record_keys(event))})
    subject_name = names.get((subject.kind, subject.record_id), TitleAndPath("", "/"))
    today = timezone.localdate(now)
    changes = net_changes(indexed_events)
    line_groups = _group_by_sheet(digest_lines(changes, today=today, outside=stakeholder), events)
    # One line more than `MAX_LINES` is shown, because "and 1 more change" would take as much room.
    shown_groups = line_groups[:MAX_LINES] if len(line_groups) > MAX_LINES + 1 else line_groups
    shown_lines: list[ChangeLine] = []
    for sheet, lines in shown_groups:
        if sheet is not None:
            shown_lines.append(_line_of_sheet(sheet, lines, events, subject, is_linked=not stakeholder))
        else:
            shown_lines.append(_line(lines[0], events[lines[0].numbers[-1]], subject, names))
    shown_events = [events[index] for _, lines in shown_groups for line in lines for index in line.numbers]
    return Section(
        subject_id=subject.pk,
        kind=subject.kind,
        record_id=subject.record_id,
        title=subject_name.title,
        path=subject_name.path,
        lines=tuple(shown_lines),
        folded=len(line_groups) - len(shown_groups),
        authors=frozenset(event.actor_id for event in events),
        asking=tuple(dict.fromkeys(_plan_ids_with_open_question(changes, today))),
        plans=frozenset(_plans_of(subject, events)),
        acts=frozenset((event.target_kind, event.target_id, event.at) for event in shown_events),
    )


def _plans_of(subject: Subject, events: Iterable[Event]) -> Iterator[int]:
    """Yield the ids of the plans that the events belong to, and the subject's id if it is a plan."""
    if subject.kind == SubjectKind.PLAN:
        yield subject.record_id
    for event in events:
        if event.within_kind == SubjectKind.PLAN and event.within_id is not None:
            yield event.within_id


def _plan_ids_with_open_question(changes: Iterable[ReportedChange], today: dt.date) -> Iterator[int]:
    """Yield the ids of plans with a question that these changes mention and the reader can still answer."""
    for row in changes:
        last_day = row.change.values.get(row.notice.deadline_key)
        if last_day and row.event.within_id is not None and str(last_day) >= today.isoformat():
            yield row.event.within_id


def _record_keys(event: Event) -> Iterator[tuple[str, int]]:
    """Yield the kind and id of an event's record, and then of its parent.

    For example, the parent of an answer is the ask that it answers.
    """
    yield event.target_kind, event.target_id
    if event.within_id is not None:
        yield event.within_kind, event.within_id


class _Sheet(NamedTuple):
    """A spreadsheet, the kind of records that its lines are about, and whether it added or changed these records."""

    spreadsheet_id: int
    group: Group
    is_new: bool


#: A spreadsheet and its lines about one kind of record. A line that came from no spreadsheet has None instead.
_LineGroup = tuple[_Sheet | None, list[DigestLine]]
#: The list page of each kind of record; it can be limited to a partnership.
_LISTS = {Group.COMMITMENTS: "commitments:list", Group.ASKS_AND_OFFERS: "exchange:list"}


def _group_by_sheet(lines: Iterable[DigestLine], events: Sequence[Event]) -> list[_LineGroup]:
    """Group the lines from one spreadsheet about one kind of record, because nobody reads sixty similar lines.

    Every other line is a group with None. Groups are in the order of their last event.
    """
    groups_by_key: dict[object, _LineGroup] = {}
    for line_index, line in enumerate(lines):
        sheet = _sheet_of(line, events)
        # A line that came from no spreadsheet gets its index as a unique key.
        _, lines_of_group = groups_by_key.setdefault(sheet or line_index, (sheet, []))
        lines_of_group.append(line)

    groups: list[_LineGroup] = []
    for sheet, lines_of_group in groups_by_key.values():
        # Several changes of one record are more useful as separate lines than as a count.
        if sheet is not None and _count_records(lines_of_group, events) > 1:
            groups.append((sheet, lines_of_group))
        else:
            groups += [(None, [line]) for line in lines_of_group]
    return sorted(groups, key=lambda group: group[1][-1].numbers[-1])


def _count_records(lines: Iterable[DigestLine], events: Sequence[Event]) -> int:
    """Count the records that the lines are about."""
    line_events = (events[index] for line in lines for index in line.numbers)
    return len({(event.target_kind, event.target_id) for event in line_events})


def _sheet_of(line: DigestLine, events: Sequence[Event]) -> _Sheet | None:
    """Return the spreadsheet that a line came from, if any.

    A line about a new record belongs to the spreadsheet that added it, even if a person has changed the record since.
    A line about a changed record belongs to a spreadsheet only if all changes in the line came from that spreadsheet.
    """
    first_event, *later_events = (events[index] for index in line.numbers)
    spreadsheet_id, told_kind = first_event.data.get(SPREADSHEET), follower_notice_of(first_event.kind)
    if spreadsheet_id is None:
        return None
    is_new = told_kind is not None and told_kind.fold == FoldRule.CREATED
    if is_new or all(event.data.get(SPREADSHEET) == spreadsheet_id for event in later_events):
        return _Sheet(spreadsheet_id, line.group, is_new)
    return None


def _line_of_sheet(
    sheet: _Sheet, lines: Sequence[DigestLine], events: Sequence[Event], subject: Subject, *, is_linked: bool
) -> ChangeLine:
    """Return one line for all records that a spreadsheet changed, such as "12 commitments added from a spreadsheet"."""
    count_in_words = f"{_count_records(lines, events):,} {sheet.group.label.lower()}"
    sentence = f"{count_in_words} {'added' if sheet.is_new else 'changed'} from a spreadsheet"
    path = reverse(_LISTS[sheet.group]) if is_linked and sheet.group in _LISTS else ""
    if path and subject.kind == SubjectKind.PARTNERSHIP:
        path += f"?partnership={subject.record_id}"
    authors = "; ".join(dict.fromkeys(line.by for line in lines if line.by))
    return ChangeLine(
        about="", text=sentence, html=format_html("{}", sentence), headline=sentence, by=authors, path=path
    )


def _line(
    told_line: DigestLine, event: Event, subject: Subject, names: Mapping[tuple[str, int], TitleAndPath]
) -> ChangeLine:
    """Return the line of one net change.

    The line names the record, unless the record is the subject of the section.
    """
    record_key = next((key for key in _record_keys(event) if key in names), None)
    is_about_subject = record_key is None or record_key == (subject.kind, subject.record_id)
    phrase = phrase_of(event.kind)
    return ChangeLine(
        about="" if record_key is None or is_about_subject else names[record_key].title.rstrip("."),
        text=told_line.sentence.text,
        html=told_line.sentence.html,
        headline=phrase[:1].lower() + phrase[1:],
        by=told_line.by,
        reason=shorten(told_line.reason, _MAX_REASON),
    )
