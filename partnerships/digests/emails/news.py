"""Writes the net changes between two versions of a plan as lines of a digest, important changes first.

These functions read nothing from the database. They compare contents as one class of readers may read them. Emails,
pages and previews show the same `News`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from partnerships.kit.text import DiffTime, Fragment, Kind, counted, excerpt, shorten, word_differences
from partnerships.plans.changes import Change, TotalRow, changes_between, homes_totals
from partnerships.plans.content import Content, homes_count

#: How many lines a digest shows of a plan; important lines are always shown.
MAX_LINES = 12
#: Words of unchanged text that a digest shows before and after a changed passage.
_WORDS_AROUND = 8
_MARKS: dict[Kind, str] = {"delete": "[removed: {}]", "insert": "[added: {}]"}
#: The longest value, changed text and version's note that a digest quotes, in characters.
_MAX_VALUE, _MAX_TEXT, _MAX_NOTE = 160, 400, 400


@dataclass(frozen=True, slots=True)
class Edition:
    """One published version that a digest covers, with its date, author, organisation and note."""

    number: int
    published_on: dt.date
    author: str
    organisation: str
    note: str

    @property
    def by(self) -> str:
        """Return the author and organisation, such as "Ben Carter, Westmarch Borough Council"."""
        return ", ".join(part for part in (self.author, self.organisation) if part) or "The published register"


@dataclass(frozen=True, slots=True)
class Line:
    """One change of a plan, such as "Homes, social rent at North Quay: was 120, now 96 (24 fewer)"."""

    what: str
    was: str = ""
    now: str = ""
    #: By how much the value changed, in words.
    tail: str = ""
    #: The removed and added words of a long text, which has no `was` and `now`.
    fragments: tuple[Fragment, ...] = ()
    important: bool = False

    @property
    def sentence(self) -> str:
        """Return the line in plain text."""
        if self.fragments:
            return f"{self.what}: {fragments_in_words(self.fragments)}"
        if self.was and self.now:
            words = f"was {self.was}, now {self.now}"
        elif self.was or self.now:
            words = f"was {self.was}, now not given" if self.was else f"now {self.now}"
        else:
            words = ""
        tail = f" ({self.tail})" if self.tail else ""
        return f"{self.what}: {words}{tail}" if words else f"{self.what}{tail}"


@dataclass(frozen=True, slots=True)
class News:
    """The news of one plan, for one class of readers."""

    plan_id: int
    title: str
    partnership: str
    from_number: int
    to_number: int
    count: int
    lines: tuple[Line, ...]
    folded: int
    homes: tuple[TotalRow, ...]
    editions: tuple[Edition, ...]

    @property
    def is_new(self) -> bool:
        """Return True if the plan is new to the reader, so that it cannot be compared with an earlier version."""
        return self.from_number == 0

    @property
    def count_in_words(self) -> str:
        """Return "New plan", or the number of changes such as "7 changes"."""
        if self.is_new:
            return "New plan"
        return counted(self.count, "change")

    @property
    def folded_in_words(self) -> str:
        """Return for example "and 12 more changes"; "" if everything is shown."""
        return f"and {counted(self.folded, 'more change')}" if self.folded else ""


def fragments_in_words(fragments: Sequence[Fragment]) -> str:
    """Return a changed text as plain text, with removed and added words marked."""
    return " ".join("".join(_MARKS.get(kind, "{}").format(text) for kind, text in fragments).split())


def news_of(
    *,
    plan_id: int,
    title: str,
    partnership: str,
    old_content: Content | None,
    new_content: Content,
    from_number: int,
    to_number: int,
    editions: Sequence[Edition],
    areas: Mapping[str, str] = MappingProxyType({}),
) -> News:
    """Return the news between two normalised contents of the same reading class.

    `old_content` is None for a plan that is new to the reader. `areas` maps GSS codes to names.
    """
    homes: tuple[TotalRow, ...] = ()
    if old_content is None:
        lines = _lines_of_new_plan(new_content)
        count = 1
    else:
        time = DiffTime()
        lines = tuple(_line(change, time) for change in changes_between(old_content, new_content, areas))
        count = len(lines)
        totals = homes_totals(old_content, new_content)
        changed_totals = tuple(row for row in totals.by_tenure if row.difference)
        if changed_totals:
            homes = (*changed_totals, totals.total)
    shown_lines, folded = fold(lines)
    return News(
        plan_id=plan_id,
        title=title,
        partnership=partnership,
        from_number=from_number,
        to_number=to_number,
        count=count,
        lines=shown_lines,
        folded=folded,
        homes=homes,
        editions=tuple(editions),
    )


def fold(lines: Sequence[Line]) -> tuple[tuple[Line, ...], int]:
    """Return the lines to show, and the number of lines left out.

    Important lines come first and are all shown, then other lines up to `MAX_LINES` in total.
    """
    important = [line for line in lines if line.important]
    other_lines = [line for line in lines if not line.important]
    room = max(MAX_LINES - len(important), 0)
    if len(other_lines) - room == 1:
        room += 1  # "and 1 more change" takes as much room as the change
    return (*important, *other_lines[:room]), len(other_lines) - len(other_lines[:room])


def _lines_of_new_plan(content: Content) -> tuple[Line, ...]:
    """Return the lines that present a new plan to a reader: its summary and its main figures."""
    homes = sum(homes_count(site) for site in content["sites"])
    figures = [
        ("Homes", f"{homes:,}" if homes else ""),
        ("Sites", f"{len(content['sites']):,}" if content["sites"] else ""),
        ("Milestones", f"{len(content['milestones']):,}" if content["milestones"] else ""),
    ]
    lines = [Line(label, now=now, important=True) for label, now in figures if now]
    summary = shorten(str(content["about"].get("summary") or ""), _MAX_TEXT)
    return (Line(summary), *lines) if summary else tuple(lines)


def _line(change: Change, time: DiffTime) -> Line:
    """Return one change as a line of a digest."""
    if change.what == "homes":
        return Line(
            f"Homes, {change.line_words} at {change.label}",
            was=change.was_words,
            now=change.now_words,
            tail=change.difference_words,
            important=True,
        )
    if change.kind in ("added", "removed"):
        words = change.now_words if change.kind == "added" else change.was_words
        return Line(
            f"{change.what_label} {change.kind}: {shorten(words, _MAX_VALUE)}",
            important=change.what in ("site", "milestone"),
        )
    if change.kind == "moved":
        return Line(f"{change.what_label} {change.label}", was=change.was_words, now=change.now_words)

    subject = change.field_label if change.what == "about" else f"{change.label}, {change.field_label.lower()}"
    if change.is_text:
        differences = word_differences(change.was_words, change.now_words, time)
        return Line(subject, fragments=_space_out(_cut(excerpt(differences, _WORDS_AROUND))))
    return Line(
        subject,
        was=shorten(change.was_words, _MAX_VALUE) or "not given",
        now=shorten(change.now_words, _MAX_VALUE) or "not given",
        tail=change.slippage_words,
        important=change.slippage is not None or change.what == "milestone" or change.field == "planning_status",
    )


def _cut(fragments: Sequence[Fragment]) -> tuple[Fragment, ...]:
    """Return as many fragments as fit into `_MAX_TEXT` characters, the last one shortened."""
    fragments_kept: list[Fragment] = []
    room = _MAX_TEXT
    for fragment in fragments:
        if room <= 0:
            fragments_kept.append(Fragment("gap", "…"))
            break
        text = fragment.text if len(fragment.text) <= room else shorten(fragment.text, max(room, 20))
        fragments_kept.append(Fragment(fragment.kind, text))
        room -= len(text)
    return tuple(fragments_kept)


def _space_out(fragments: Sequence[Fragment]) -> tuple[Fragment, ...]:
    """Return the fragments with spaces around removed and added words, and no spaces at the ends of these words."""
    spaced_fragments: list[Fragment] = []
    for kind, text in fragments:
        if kind not in _MARKS or not text.strip():
            spaced_fragments.append(Fragment(kind if text.strip() else "equal", text))
            continue
        if spaced_fragments and not spaced_fragments[-1].text[-1:].isspace():
            spaced_fragments.append(Fragment("equal", " "))
        spaced_fragments.append(Fragment(kind, text.strip()))
        if text[-1].isspace():
            spaced_fragments.append(Fragment("equal", " "))
    return tuple(spaced_fragments)


def shorten_note(note: str) -> str:
    """Return a version's note, shortened to the length that emails show."""
    return shorten(note, _MAX_NOTE)
