"""Spreadsheets of a plan's milestones, in which each row is one milestone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from partnerships.documents import key_for
from partnerships.people.models import User
from partnerships.plans.content import MILESTONE_STATUSES, Item
from partnerships.plans.content import MILESTONES as COLLECTION
from partnerships.spreadsheets.reading.cells import choice_reader, long_text, partial_date_text, yes_no
from partnerships.spreadsheets.reading.columns import SheetColumn, column, yes_or_no
from partnerships.spreadsheets.services.kinds.base import Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.plan_items import (
    DraftEditor,
    ItemFinder,
    Reader,
    content_to_export,
    key_in_row,
    may_import,
    remembered_for,
    revision_of,
    row_values,
    site_key_in_row,
)
from partnerships.transfer.reading.headings import Line

_DATE = "Enter a day, a month or a year: 11/04/2027, April 2027 or 2027."
COLUMNS = (
    column("name", "Milestone", "milestone name", "title", required=True, example="Start on site"),
    column(
        "site",
        "Site",
        "site reference",
        "site name",
        example="NQ1",
        hint="Enter the reference, ID or name of a site in the draft. Leave this blank for the whole plan.",
    ),
    column("owner", "Owner", "responsible", "lead", example="Larkhaven Homes"),
    column("baseline", "Baseline", "planned", "original date", example="2027-04", hint=_DATE),
    column("forecast", "Forecast", "expected", "target date", "due", "due date", example="2027-06", hint=_DATE),
    column("actual", "Actual", "achieved", "actual date", "completed", example="", hint=_DATE),
    column("status", "Status", choices=MILESTONE_STATUSES, example="On track"),
    column("note", "Note", "notes", "comment"),
    yes_or_no("restricted", "Only for the plan's partners"),
    column(
        "key",
        "ID",
        "milestone id",
        hint="Enter the ID from a download of this plan. Leave this blank for a new milestone.",
    ),
)
_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "baseline": partial_date_text,
        "forecast": partial_date_text,
        "actual": partial_date_text,
        "status": choice_reader(MILESTONE_STATUSES),
        "note": long_text,
        "restricted": yes_no,
    }
)


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns, which are the same for every plan."""
    return COLUMNS


def _apply(run: ImportedRows) -> None:
    """Add or change a milestone of the draft for each row."""
    draft = DraftEditor(run, COLLECTION)
    sites = ItemFinder(draft.content["sites"], reference="reference")
    for line in run.lines():
        values = _values(run, line, sites)
        if values is None:
            continue
        key = _key(run, line, draft, site_key=values.get("site", ""))
        if key is not None:
            draft.put_once(line, key, values)
    draft.save(lambda milestone: str(milestone["name"]))


def _values(run: ImportedRows, line: Line, sites: ItemFinder) -> Item | None:
    """Return the values of the row by column, or None if the row is refused."""
    readers = {**_READERS, "site": lambda _cell: site_key_in_row(run, line, sites)}
    return row_values(run, line, COLLECTION, COLUMNS, readers)


def _key(run: ImportedRows, line: Line, draft: DraftEditor, *, site_key: str) -> str | None:
    """Return the key of the milestone with the row's ID or, without an ID, with its name at the same site.

    If there is no such milestone, return a new key. Returns None if the row is refused.
    """
    if line.text("key"):
        return key_in_row(run, line, COLLECTION.singular)
    name = line.text("name")
    milestones = [milestone for milestone in draft.items.by("name", name) if milestone["site"] == site_key]
    if len(milestones) > 1:
        run.refuse(line, "name", "several milestones of this site have that name.", "Enter the ID from a download.")
        return None
    return str(milestones[0]["key"]) if milestones else key_for(name, draft.keys)


def _rows(target: Target, person: User) -> list[Exported]:
    """Return the milestones of the plan that the person may read, each with the reference of its site."""
    content = content_to_export(target, person)
    if content is None:
        return []
    sites = ItemFinder(content["sites"], reference="reference")
    site_ids = {site["key"]: sites.id_of(site) for site in content["sites"]}
    return [
        {
            **{column.code: milestone[column.code] for column in COLUMNS},
            "site": site_ids.get(milestone["site"], ""),
            "status": MILESTONE_STATUSES[milestone["status"]],
        }
        for milestone in content["milestones"]
    ]


MILESTONES = SheetKind(
    code="milestones",
    many="milestones",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=may_import,
    remembered_for=remembered_for,
    revision=revision_of,
    lead="Use one row for each milestone.",
)
