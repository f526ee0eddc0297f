"""The report of an import: counts, lists and sentences."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from partnerships.kit.dates import long_date

#: In the order of the last line; each word follows its number.
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
_IN_FUTURE = {
    "created": "Would be created",
    "changed": "Would be changed",
    "closed": "Would be closed",
    "joined": "Would be matched to a known organisation",
    "missing": "Not in the list: would be marked to be checked",
    "returned": "In the list again: the mark would be removed",
    "undecided": "Cannot be matched for certain: an administrator would review them",
    "set_aside": "Rows that could not be used",
}
_IN_PAST = {
    "created": "Created",
    "changed": "Changed",
    "closed": "Closed",
    "joined": "Matched to a known organisation",
    "missing": "Not in the list: marked to be checked",
    "returned": "In the list again: the mark was removed",
    "undecided": "Cannot be matched for certain: an administrator reviews them",
    "set_aside": "Rows that could not be used",
}


@dataclass
class Report:
    """Outcome of each body; unchanged bodies are counted, not listed."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    #: No date was found, so today was assumed.
    dated_today: bool = False
    #: Missing and expected bodies, if too many are missing to apply the list without asking.
    too_many_missing: tuple[int, int] | None = None
    #: How long the import took.
    seconds: float = 0

    def count(self, outcome: str, line: str = "") -> None:
        """Count an outcome; the line names the body and what changed."""
        self.counts[outcome] += 1
        if line:
            self.lines.setdefault(outcome, []).append(line)

    def remark(self, line: str) -> None:
        """Add a remark that is not about a single body, once."""
        if line not in self.remarks:
            self.remarks.append(line)

    def as_json(self) -> dict[str, Any]:
        """The report for the run's record."""
        return {
            "lines": self.lines,
            "remarks": self.remarks,
            "dated_today": self.dated_today,
            "too_many_missing": list(self.too_many_missing) if self.too_many_missing else None,
            "seconds": self.seconds,
        }

    @property
    def changes_nothing(self) -> bool:
        """Whether nothing changes."""
        return not any(self.counts[outcome] for outcome in OUTCOMES if outcome not in ("left_alone", "undecided"))


@dataclass(frozen=True, slots=True)
class Section:
    """One outcome with its bodies, for a page or a terminal."""

    title: str
    lines: tuple[str, ...]
    more: int


def sections(report: dict[str, Any], *, applied: bool, limit: int | None = None) -> list[Section]:
    """The outcomes with their titles; `limit` limits the lines of each."""
    titles = _IN_PAST if applied else _IN_FUTURE
    found = []
    for outcome, title in titles.items():
        lines = report.get("lines", {}).get(outcome, [])
        if lines:
            shown = tuple(lines if limit is None else lines[:limit])
            found.append(Section(f"{title} ({len(lines):,})", shown, len(lines) - len(shown)))
    return found


def summary(what: str, as_of: dt.date | None, counts: dict[str, int], *, applied: bool) -> str:
    """The last line of a report.

    For example `Registered providers as of 28 February 2023: 1,391 created, …`.
    """
    when = f" as of {long_date(as_of)}" if as_of else ""
    words = ", ".join(
        f"{counts.get(outcome, 0):,} {word}"
        for outcome, word in OUTCOMES.items()
        if counts.get(outcome) or outcome in ("created", "changed", "closed", "left_alone")
    )
    lead = "" if applied else "Dry run, nothing was changed. "
    return f"{lead}{what}{when}: {words}."
