"""Milestones of a plan, one a row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from partnerships.people.models import User
from partnerships.plans.content import MILESTONE_STATUSES, Item
from partnerships.plans.content import MILESTONES as COLLECTION
from partnerships.spreadsheets.reading.cells import long_text, one_of, partial, yes_no
from partnerships.spreadsheets.reading.columns import SheetColumn, column, yes_or_no
from partnerships.spreadsheets.services.kinds.base import Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.plan_items import (
    Draftsman,
    Known,
    Reader,
    content_to_export,
    may_import,
    new_key,
    remembered_for,
    revision_of,
    valid_key,
)
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.values import text

_DATE = "A day, a month or a year: 11/04/2027, April 2027 or 2027."
COLUMNS = (
    column("name", "Milestone", "milestone name", "title", required=True, example="Start on site"),
    column(
        "site",
        "Site",
        "site reference",
        "site name",
        example="NQ1",
        hint="The reference, the ID or the name of a site in the draft. Blank for the whole plan.",
    ),
    column("owner", "Owner", "responsible", "lead", example="Larkhaven Homes"),
    column("baseline", "Baseline", "planned", "original date", example="2027-04", hint=_DATE),
    column("forecast", "Forecast", "expected", "target date", "due", "due date", example="2027-06", hint=_DATE),
    column("actual", "Actual", "achieved", "actual date", "completed", example="", hint=_DATE),
    column("status", "Status", choices=MILESTONE_STATUSES, example="On track"),
    column("note", "Note", "notes", "comment"),
    yes_or_no("restricted", "Only for the plan's partners"),
    column("key", "ID", "milestone id", hint="From a download of this plan. Leave it blank for a new milestone."),
)
_READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "baseline": partial,
        "forecast": partial,
        "actual": partial,
        "status": one_of(MILESTONE_STATUSES),
        "note": long_text,
        "restricted": yes_no,
    }
)


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    return COLUMNS


def _apply(run: Run) -> None:
    draft = Draftsman(run, COLLECTION)
    sites = Known(draft.content["sites"], reference="reference")
    known = Known(draft.present.values())
    taken = set(draft.present)
    seen: dict[str, Line] = {}
    for line in run.lines():
        given = _given(run, line, sites)
        if given is None:
            continue
        key = _key_of(run, line, known, given.get("site", ""), taken)
        if key is None:
            continue
        if key in seen:
            run.refuse(line, "", f"it is the same milestone as row {seen[key].number}.", "Keep one of the two rows.")
            continue
        seen[key] = line
        draft.put(line, key, {**draft.present.get(key, {}), **given})
        if key in draft.changed and key not in taken:
            taken.add(key)
            known.add(draft.changed[key])
    draft.save(lambda milestone: str(milestone["name"]))


def _given(run: Run, line: Line, sites: Known) -> Item | None:
    """What the row says, without blank cells; None with problems."""
    values: Item = {}
    before = len(run.rows.problems)
    for one in COLUMNS:
        if one.code == "key" or not text(line[one.code]):
            continue
        value = run.rows.read(line, one.code, _READERS.get(one.code, text))
        if one.code == "site":
            value = _site(run, line, sites)
        if value not in (None, ""):
            values[one.code] = value
    if not line.text("name"):
        run.refuse(line, "name", "the cell is blank.", "Every milestone needs a name.")
    return values if len(run.rows.problems) == before else None


def _site(run: Run, line: Line, sites: Known) -> str | None:
    said = line.text("site")
    found = sites.named(said)
    if len(found) == 1:
        return str(found[0]["key"])
    problem = f"several sites are called “{said}”." if found else f"“{said}” is no site of this plan."
    run.refuse(
        line, "site", problem, "Write its reference or ID." if found else "Correct it, or import the site first."
    )
    return None


def _key_of(run: Run, line: Line, known: Known, site: str, taken: set[str]) -> str | None:
    """The key of the milestone of a row: by its id, else by its name at its site; None with a problem."""
    said = line.text("key")
    if said:
        if not valid_key(said):
            run.refuse(line, "key", f"“{said}” is not an id.", "Leave it blank for a new milestone.")
            return None
        return said
    found = [one for one in known.by("name", line.text("name")) if one["site"] == site]
    if len(found) > 1:
        run.refuse(line, "name", "several milestones of this site have that name.", "Give the ID from a download.")
        return None
    return str(found[0]["key"]) if found else new_key(line.text("name"), taken)


def _rows(target: Target, person: User) -> list[Exported]:
    content = content_to_export(target, person)
    if content is None:
        return []
    sites = Known(content["sites"], reference="reference")
    names = {site["key"]: sites.id_of(site) for site in content["sites"]}
    return [
        {
            **{one.code: milestone[one.code] for one in COLUMNS},
            "site": names.get(milestone["site"], ""),
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
    lead="One row for each milestone.",
)
