"""Comparisons of two contents, for pages, print, CSV and emails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from partnerships.documents.comparisons import NOBODY, ChangedItem, ChangeRow, compare
from partnerships.documents.comparisons import Comparison as Compared
from partnerships.plans.changes import HomesTotals, homes_totals
from partnerships.plans.content import PLAN, Content

__all__ = ["ChangeRow", "ChangedItem", "Comparison", "compare_plan_contents", "csv_rows"]


@dataclass(frozen=True, slots=True)
class Comparison(Compared):
    """Two contents of a plan compared, in words and in figures."""

    totals: HomesTotals

    @property
    def homes_changed(self) -> bool:
        """Return whether any number of homes differs."""
        return any(row.difference for _heading, rows in self.totals.tables for row in rows)


_PARTS = (
    ("About the plan", ("about",)),
    ("Outcomes", ("outcome",)),
    ("Text", ("section",)),
    ("Sites and homes", ("site", "homes")),
    ("Milestones", ("milestone",)),
    ("Risks", ("risk",)),
    ("Documents", ("document",)),
)
#: Fields that comparisons leave out, because readers can do nothing with their values.
LEFT_OUT = frozenset({"content_type", "sha256", "lat", "lng"})


def compare_plan_contents(
    before: Content,
    after: Content,
    *,
    changed_by: Mapping[str, str] = NOBODY,
    areas: Mapping[str, str] | None = None,
) -> Comparison:
    """Return the differences between two contents of a plan, and the totals of their homes.

    `changed_by` is the name of the person who last changed each piece, by piece ("sites/north-quay"). `areas` are the
    names of areas by GSS code.
    """
    areas = areas or {}
    compared = compare(
        PLAN,
        before,
        after,
        changed_by=changed_by,
        registers={"area": areas},
        parts=_PARTS,
        left_out=LEFT_OUT,
    )
    return Comparison(
        changes=compared.changes,
        summary=compared.summary,
        parts=compared.parts,
        totals=homes_totals(before, after, areas),
    )


HEADINGS = ("Part", "Item", "Key", "Change", "Field", "Was", "Now", "Difference", "By")


def csv_rows(
    compared: Comparison, *, was: str, now: str, notes: Iterable[tuple[str, str]] = (), warning: str = ""
) -> Iterable[tuple[str, ...]]:
    """Yield the rows of a comparison for a spreadsheet, starting with the headings.

    `was` and `now` name the two versions or drafts. `notes` are the versions in between, each with its note. `warning`
    says that one of the two is a draft; it is "" if neither is.
    """
    yield HEADINGS
    yield ("Comparison", "", "", "", "", was, now, "", "")
    if warning:
        yield ("Draft", "", "", "", "", "", warning, "", "")
    for label, note in notes:
        yield ("Why", label, "", "", "", "", note, "", "")
    yield ("Summary", "", "", "", "", "", compared.summary, "", "")
    if compared.homes_changed:
        for heading, totals in (("", (compared.totals.total,)), *compared.totals.tables):
            for total in totals:
                homes = (str(total.was), str(total.now), total.difference_words)
                yield ("Homes before and now", total.label, "", "", heading, *homes, "")
    for heading, items in compared.parts:
        for item in items:
            key = item.anchor.partition("/")[2]
            for row in item.rows:
                was_and_now = (row.was or row.nothing_before, row.now or row.nothing_now)
                yield (heading, item.label, key, row.kind, row.field, *was_and_now, row.difference, item.by)
