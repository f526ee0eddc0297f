"""The report of an import, and the file of rows to correct."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from partnerships.kit.dates import long_date
from partnerships.kit.text import counted
from partnerships.transfer.reading.list_file import REASON, REMEDY, ListFile
from partnerships.transfer.reading.problems import SetAside

#: The outcomes in the order of the last line of a report, each with the words after its number.
OUTCOMES = {
    "created": "created",
    "changed": "changed",
    "closed": "closed",
    "left_alone": "left as they were",
    "joined": "matched to known organisations",
    "missing": "not in the list (to be checked)",
    "returned": "in the list again",
    "undecided": "rows to review",
    "set_aside": "rows set aside",
}
#: The words after the number 1, where they differ.
_SINGULAR = {
    "left_alone": "left as it was",
    "joined": "matched to a known organisation",
    "undecided": "row to review",
    "set_aside": "row set aside",
}
#: The titles of a preview's sections.
_TITLES_OF_PREVIEW = {
    "created": "Would be created",
    "changed": "Would be changed",
    "closed": "Would be closed",
    "joined": "Would be matched to a known organisation",
    "missing": "Not in the list: would be marked to be checked",
    "returned": "In the list again: the mark would be removed",
    "undecided": "Cannot be matched for certain: an administrator would review them",
    "set_aside": "Rows set aside, with what to do",
}
#: The titles of the sections of an import that was applied.
_TITLES = {
    "created": "Created",
    "changed": "Changed",
    "closed": "Closed",
    "joined": "Matched to a known organisation",
    "missing": "Not in the list: marked to be checked",
    "returned": "In the list again: the mark was removed",
    "undecided": "Cannot be matched for certain: an administrator reviews them",
    "set_aside": "Rows set aside, with what to do",
}


@dataclass
class Report:
    """The outcomes of an import. Organisations, plans and agreements that did not change are counted, not listed."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    #: Whether no date was found, so that today was assumed.
    dated_today: bool = False
    #: The numbers of missing and of expected organisations, if too many are missing to import the list unasked.
    too_many_missing: tuple[int, int] | None = None
    #: How many seconds the import took.
    seconds: float = 0
    #: The headings of each file, and the rows that a person should correct.
    headings: tuple[tuple[str, ...], ...] = ()
    rows_set_aside: list[SetAside] = field(default_factory=list)
    #: How many rows were read, used, set aside, repeated and outside England.
    rows: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: str, line: str = "") -> None:
        """Count an outcome; the line names the body and what changed."""
        self.counts[outcome] += 1
        if line:
            self.lines.setdefault(outcome, []).append(line)

    def remark(self, line: str) -> None:
        """Add a remark that is not about a single body, once."""
        if line not in self.remarks:
            self.remarks.append(line)

    def set_row_aside(self, row: SetAside) -> None:
        """Count a row that was set aside, with its problems and remedies."""
        self.rows_set_aside.append(row)
        self.count("set_aside", " ".join(str(problem) for problem in row.problems))

    def account_for(self, *files: ListFile) -> None:
        """Account for every row of the list, or of the files of one import."""
        aside = sum(not row.is_used for row in self.rows_set_aside)
        read, outside = sum(len(file.rows) for file in files), sum(file.outside for file in files)
        repeated, totals = sum(len(file.repeated) for file in files), sum(file.totals for file in files)
        self.headings = tuple(file.heading for file in files)
        self.rows = {
            "read": read + repeated,
            "used": read - aside - outside - totals,
            "set_aside": aside,
            "repeated": repeated,
            "outside": outside,
            "totals": totals,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the report for the run's record."""
        return {
            "lines": self.lines,
            "remarks": self.remarks,
            "dated_today": self.dated_today,
            "too_many_missing": list(self.too_many_missing) if self.too_many_missing else None,
            "seconds": self.seconds,
            "rows": self.rows,
            "headings": [list(heading) for heading in self.headings],
            "set_aside": [[row.row, list(row.cells), row.reason, row.remedy, row.file] for row in self.rows_set_aside],
        }

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Measure how long the import takes."""
        started = time.monotonic()
        yield
        self.seconds = round(time.monotonic() - started, 1)

    @property
    def changes_nothing(self) -> bool:
        """Whether the import changes nothing."""
        return not any(self.counts[outcome] for outcome in OUTCOMES if outcome not in ("left_alone", "undecided"))


@dataclass(frozen=True, slots=True)
class Section:
    """One outcome with its lines, for a page or a terminal."""

    title: str
    lines: tuple[str, ...]
    #: The number of lines that are left out.
    more: int


def sections(report: dict[str, Any], *, applied: bool, limit: int | None = None) -> list[Section]:
    """Return the outcomes with their titles; `limit` limits the lines of each."""
    titles = _TITLES if applied else _TITLES_OF_PREVIEW
    sections_shown = []
    for outcome, title in titles.items():
        lines = report.get("lines", {}).get(outcome, [])
        if lines:
            shown = tuple(lines if limit is None else lines[:limit])
            sections_shown.append(Section(f"{title} ({len(lines):,})", shown, len(lines) - len(shown)))
    return sections_shown


def files_to_correct(report: dict[str, Any]) -> list[int]:
    """Return the indexes of the files that have rows set aside."""
    headings = _headings(report)
    indexes = {_file_index(saved_row) for saved_row in report.get("set_aside", [])}
    return sorted(index for index in indexes if index < len(headings) and headings[index])


def _headings(report: dict[str, Any]) -> list[list[str]]:
    """Return the headings of each file. Reports of older runs have the headings of one file."""
    headings: list[list[str]] = report.get("headings") or [report.get("heading", [])]
    return headings


def _file_index(saved_row: list[Any]) -> int:
    """Return the index of the file of a row in the report. Rows in reports of older runs have no index."""
    return int(saved_row[4]) if len(saved_row) > 4 else 0


def rows_to_correct(report: dict[str, Any], file: int = 0) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return the headings and the rows of a file that were set aside, as a file to correct.

    Each row has its reason and its remedy in two more columns. When the file is uploaded again, these columns show that
    its rows were corrected.
    """
    all_headings = _headings(report)[file]
    # A file that was corrected before has the two columns already.
    indexes = [index for index, heading in enumerate(all_headings) if heading not in (REASON, REMEDY)]
    headings = [all_headings[index] for index in indexes]
    rows = []
    for saved_row in report.get("set_aside", []):
        if _file_index(saved_row) == file:
            _row_number, cells, reason, remedy = saved_row[:4]
            kept_cells = [cells[index] if index < len(cells) else "" for index in indexes]
            rows.append([*kept_cells, reason, remedy])
    return (*headings, REASON, REMEDY), rows


def accounting(report: dict[str, Any], *, is_done: bool = True) -> str:
    """Return a sentence that counts the rows of the file by what became of them; "" if unknown.

    In a preview (`is_done` is False), it counts the rows that can be used.
    """
    rows = report.get("rows") or {}
    if not rows:
        return ""
    # What became of rows, in the singular and in the plural.
    verbs = {
        "used": ("was used", "were used") if is_done else ("can be used", "can be used"),
        "repeated": ("repeats another", "repeat others"),
        "outside": ("is outside England", "are outside England"),
        "totals": ("is a total", "are totals"),
        "set_aside": ("was set aside", "were set aside"),
    }
    parts = [
        f"{rows[outcome]:,} {singular if rows[outcome] == 1 else plural}"
        for outcome, (singular, plural) in verbs.items()
        if rows.get(outcome)
    ]
    sentence = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"Of {counted(rows['read'], 'row')}, {sentence}."


def summary(what: str, as_of: dt.date | None, counts: dict[str, int], *, applied: bool) -> str:
    """Return the last line of a report.

    For example `Registered providers as of 28 February 2023: 1,391 created, …`.
    """
    when = f" as of {long_date(as_of)}" if as_of else ""
    words = ", ".join(
        f"{counts.get(outcome, 0):,} {_SINGULAR.get(outcome, word) if counts.get(outcome) == 1 else word}"
        for outcome, word in OUTCOMES.items()
        if counts.get(outcome) or outcome in ("created", "changed", "closed", "left_alone")
    )
    lead = "" if applied else "Dry run, nothing was changed. "
    return f"{lead}{what}{when}: {words}."
