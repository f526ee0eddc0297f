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
from partnerships.kit.text import counted, listed
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
#: The words after the number 1, where these differ from `OUTCOMES`.
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
    "missing": "Not in the list, so would be marked for checking",
    "returned": "In the list again, so the mark would be removed",
    "undecided": "Cannot be matched for certain, so an administrator would review them",
    "set_aside": "Rows set aside, with what to do",
}
#: The titles of the sections of an import that was applied.
_TITLES = {
    "created": "Created",
    "changed": "Changed",
    "closed": "Closed",
    "joined": "Matched to a known organisation",
    "missing": "Not in the list, so marked for checking",
    "returned": "In the list again, so the mark was removed",
    "undecided": "Cannot be matched for certain, so an administrator reviews them",
    "set_aside": "Rows set aside, with what to do",
}


@dataclass
class Report:
    """The outcomes of an import. What did not change is counted but not listed."""

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
    #: The numbers of rows that were read, used, set aside, repeated, outside England and totals.
    rows: dict[str, int] = field(default_factory=dict)

    def count(self, outcome: str, line: str = "") -> None:
        """Count an outcome. The line names the organisation or plan and what changed."""
        self.counts[outcome] += 1
        if line:
            self.lines.setdefault(outcome, []).append(line)

    def remark(self, line: str) -> None:
        """Add a remark about the whole list, unless the report already has it."""
        if line not in self.remarks:
            self.remarks.append(line)

    def set_row_aside(self, row: SetAside) -> None:
        """Count a row that was set aside, and list its problems and remedies."""
        self.rows_set_aside.append(row)
        self.count("set_aside", " ".join(str(problem) for problem in row.problems))

    def account_for(self, *files: ListFile) -> None:
        """Count how many rows of all files were used, and how many were not and why."""
        set_aside_count = sum(not row.is_used for row in self.rows_set_aside)
        read, outside = sum(len(file.rows) for file in files), sum(file.outside for file in files)
        repeated, totals = sum(len(file.repeated_row_numbers) for file in files), sum(file.totals for file in files)
        self.headings = tuple(file.heading for file in files)
        self.rows = {
            "read": read + repeated,
            "used": read - set_aside_count - outside - totals,
            "set_aside": set_aside_count,
            "repeated": repeated,
            "outside": outside,
            "totals": totals,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON values, for the record of the import."""
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
        """Measure how many seconds the import takes."""
        started = time.monotonic()
        yield
        self.seconds = round(time.monotonic() - started, 1)

    @property
    def changes_nothing(self) -> bool:
        """Return whether no organisation or plan changed, and no row was set aside."""
        return not any(self.counts[outcome] for outcome in OUTCOMES if outcome not in ("left_alone", "undecided"))


@dataclass(frozen=True, slots=True)
class Section:
    """The lines of one outcome below a title, for a page or a terminal."""

    title: str
    lines: tuple[str, ...]
    #: The number of lines that are left out.
    more: int


def sections(report: dict[str, Any], *, applied: bool, limit: int | None = None) -> list[Section]:
    """Return a section for each outcome that has lines. `limit` is the maximum number of lines in a section."""
    titles = _TITLES if applied else _TITLES_OF_PREVIEW
    sections_shown = []
    for outcome, title in titles.items():
        lines = report.get("lines", {}).get(outcome, [])
        if lines:
            shown_lines = tuple(lines if limit is None else lines[:limit])
            sections_shown.append(Section(f"{title} ({len(lines):,})", shown_lines, len(lines) - len(shown_lines)))
    return sections_shown


def files_to_correct(report: dict[str, Any]) -> list[int]:
    """Return the indexes of the files that have rows set aside, and headings for them."""
    headings = _headings(report)
    indexes = {_file_index(saved_row) for saved_row in report.get("set_aside", [])}
    return sorted(index for index in indexes if index < len(headings) and headings[index])


def _headings(report: dict[str, Any]) -> list[list[str]]:
    """Return the headings of each file. The report of an older import has only the headings of a single file."""
    headings: list[list[str]] = report.get("headings") or [report.get("heading", [])]
    return headings


def _file_index(saved_row: list[Any]) -> int:
    """Return the index of the file of a saved row. Reports of older imports have no indexes, so it is 0 there."""
    return int(saved_row[4]) if len(saved_row) > 4 else 0


def rows_to_correct(report: dict[str, Any], file: int = 0) -> tuple[tuple[str, ...], list[list[str]]]:
    """Return the headings and the rows of a file that were set aside, as a file to correct.

    Two more columns have the reason and the remedy of each row. When the corrected file is uploaded, it is recognised
    by these columns.
    """
    all_headings = _headings(report)[file]
    # A file of corrected rows already has these two columns, so their old values are dropped.
    indexes = [index for index, heading in enumerate(all_headings) if heading not in (REASON, REMEDY)]
    headings = [all_headings[index] for index in indexes]
    rows = []
    for saved_row in report.get("set_aside", []):
        if _file_index(saved_row) == file:
            _row_number, cells, reason, remedy = saved_row[:4]
            original_cells = [cells[index] if index < len(cells) else "" for index in indexes]
            rows.append([*original_cells, reason, remedy])
    return (*headings, REASON, REMEDY), rows


def accounting(report: dict[str, Any], *, is_done: bool = True) -> str:
    """Return a sentence with the number of rows that were used, set aside, and so on, or "" if the report has none.

    In a preview (`is_done` is False), the sentence has the number of rows that can be used.
    """
    rows = report.get("rows") or {}
    if not rows:
        return ""
    # The end of the sentence after the number of rows, in the singular and in the plural.
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
    return f"Of {counted(rows['read'], 'row')}, {listed(parts)}."


def summary(list_name: str, as_of: dt.date | None, counts: dict[str, int], *, applied: bool) -> str:
    """Return the last line of a report.

    For example `Registered providers as of 28 February 2023: 1,391 created, …`.
    """
    as_of_text = f" as of {long_date(as_of)}" if as_of else ""
    counts_text = ", ".join(
        f"{counts.get(outcome, 0):,} {_SINGULAR.get(outcome, word) if counts.get(outcome) == 1 else word}"
        for outcome, word in OUTCOMES.items()
        if counts.get(outcome) or outcome in ("created", "changed", "closed", "left_alone")
    )
    introduction = "" if applied else "Dry run, nothing was changed. "
    return f"{introduction}{list_name}{as_of_text}: {counts_text}."
