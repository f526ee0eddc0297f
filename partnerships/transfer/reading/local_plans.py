"""Reading local plans and timetables of the planning data platform."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from partnerships.kit.dates import PartialDate
from partnerships.kit.names import fold_name
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Line, find_table
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.reading.tables import Sheet

PLANS = (
    Column("reference", ("reference", "localplan", "planreference"), "reference", required=True),
    Column("name", ("name", "plantitle", "title"), "name", required=True),
    Column("organisations", ("organisations", "organisation", "planningauthority"), "organisations", required=True),
    Column("organisation_name", ("organisationname", "authorityname", "councilname"), "organisation-name"),
    Column("description", ("description",), "description"),
    Column("start", ("periodstartdate", "periodstart", "startyear"), "period-start-date"),
    Column("end", ("periodenddate", "periodend", "endyear"), "period-end-date"),
    Column("url", ("documentationurl", "url", "website"), "documentation-url"),
    Column("adopted", ("adopteddate", "adopted", "dateadopted"), "adopted-date"),
    Column("boundary", ("localplanboundary", "boundary"), "local-plan-boundary"),
    Column("entry", ("entrydate",), "entry-date"),
    Column("ended", ("enddate",), "end-date"),
)
TIMETABLE = (
    Column("plan", ("localplan", "plan", "localplanreference"), "local-plan", required=True),
    Column("event", ("localplanevent", "event", "milestone"), "local-plan-event", required=True),
    Column("date", ("eventdate", "date"), "event-date", required=True),
    Column("reference", ("reference",), "reference"),
    Column("notes", ("notes", "note"), "notes"),
    Column("description", ("description",), "description"),
    Column("entry", ("entrydate",), "entry-date"),
    Column("ended", ("enddate",), "end-date"),
)
#: The platform's kinds of milestone (local-plan-event.csv).
EVENTS: Mapping[str, str] = {
    "timetable-published": "Local development scheme published",
    "reg-18-draft-local-plan-published": "Regulation 18 draft local plan published",
    "reg-18-public-consultation-start": "Regulation 18 public consultation start",
    "reg-18-public-consultation-end": "Regulation 18 public consultation end",
    "reg-19-publication-local-plan-published": "Regulation 19 publication local plan published",
    "reg-19-public-consultation-start": "Regulation 19 public consultation start",
    "reg-19-public-consultation-end": "Regulation 19 public consultation end",
    "submit-plan-for-examination": "Submit plan for examination",
    "planning-inspectorate-examination-start": "Planning inspectorate examination start",
    "planning-inspectorate-examination-end": "Planning inspectorate examination end",
    "planning-inspectorate-found-sound": "Planning inspectorate found sound",
    "inspector-report-published": "Planning inspectorate report published",
    "plan-adopted": "Plan adopted",
    "plan-withdrawn": "Plan withdrawn",
    "estimated-reg-18-draft-local-plan-published": "Estimated date regulation 18 draft local plan published",
    "estimated-reg-18-public-consultation-start": "Estimated regulation 18 public consultation start",
    "estimated-reg-18-public-consultation-end": "Estimated regulation 18 public consultation end",
    "estimated-reg-19-publication-local-plan-published": (
        "Estimated date regulation 19 publication local plan published"
    ),
    "estimated-reg-19-public-consultation-start": "Estimated regulation 19 public consultation start",
    "estimated-reg-19-public-consultation-end": "Estimated regulation 19 public consultation end",
    "estimated-submit-plan-for-examination": "Estimated submit plan for examination",
    "estimated-plan-adoption-date": "Estimated plan adoption date",
}


@dataclass(frozen=True, slots=True)
class Milestone:
    """One dated event of a plan's timetable."""

    row: int
    event: str
    name: str
    date: PartialDate
    is_forecast: bool
    note: str
    #: The date on which the platform withdrew it.
    ended: dt.date | None = None


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """One row of the plans file with its events.

    `reference` is the platform's and may occur twice; `key` tells such rows apart by name.
    """

    row: int
    reference: str
    key: str
    name: str
    organisations: tuple[str, ...]
    organisation_name: str
    description: str
    period_start: PartialDate | None
    period_end: PartialDate | None
    url: str
    adopted: PartialDate | None
    boundary: str
    entry: dt.date | None
    #: The date on which the platform withdrew it.
    ended: dt.date | None = None
    milestones: tuple[Milestone, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class LocalPlans:
    """Plans with their milestones, and remarks for the report."""

    plans: tuple[LocalPlan, ...]
    remarks: tuple[str, ...]
    #: The latest entry date of any row.
    written_on: dt.date | None = None

    @property
    def milestone_count(self) -> int:
        """The number of milestones of all plans."""
        return sum(len(plan.milestones) for plan in self.plans)


def read_local_plans(
    plan_sheets: Sequence[Sheet], timetable_sheets: Sequence[Sheet], *, plans_name: str, timetable_name: str
) -> LocalPlans:
    """The plans of one file with the milestones of the other.

    Raises `UnableToRead` with every problem in both files.
    """
    problems: list[Problem] = []
    plans: list[LocalPlan] = []
    events: list[tuple[str, Milestone]] = []
    remarks: list[str] = []
    written: list[dt.date] = []
    try:
        plans = _read_plans(plan_sheets, remarks, written)
    except UnableToRead as error:
        problems += _in_file(error, plans_name)
    try:
        references = {plan.reference for plan in plans}
        events = _read_events(timetable_sheets, references, plans_name, remarks, written)
    except UnableToRead as error:
        problems += _in_file(error, timetable_name)
    if problems:
        raise UnableToRead(problems)
    by_reference: dict[str, list[LocalPlan]] = {}
    for plan in plans:
        by_reference.setdefault(plan.reference, []).append(plan)
    of_reference: dict[str, list[Milestone]] = {}
    for reference, milestone in events:
        of_reference.setdefault(reference, []).append(milestone)
    settled: list[LocalPlan] = []
    for reference, rows in by_reference.items():
        settled += _shared_out(rows, of_reference.get(reference, []))
        if len(rows) > 1:
            remarks.append(
                f"The reference “{reference}” is in rows {_listed(row.row for row in rows)}: read as "
                f"{len(rows)} plans, told apart by their names ({_listed(f'“{row.name}”' for row in rows)})."
            )
    return LocalPlans(tuple(sorted(settled, key=lambda plan: plan.row)), tuple(remarks), max(written, default=None))


def _in_file(error: UnableToRead, name: str) -> list[Problem]:
    return [
        replace(problem, sheet=f"{name}{', ' + problem.sheet if problem.sheet else ''}") for problem in error.problems
    ]


def _listed(parts: Iterable[object]) -> str:
    words = [str(part) for part in parts]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _read_plans(sheets: Sequence[Sheet], remarks: list[str], written: list[dt.date]) -> list[LocalPlan]:
    table = find_table(sheets, PLANS, "the list of local plans")
    remarks += table.remarks
    faults = Collector(table)
    plans: list[LocalPlan] = []
    seen: dict[str, int] = {}
    for line in table:
        reference = faults.required(line, "reference")
        name = faults.required(line, "name")
        key = f"{reference}#{fold_name(name)}"
        if key in seen:
            faults.add_problem(
                line,
                "reference",
                f"“{reference}” with this name is already in row {seen[key]}.",
                "Remove one of the two rows.",
            )
        seen.setdefault(key, line.number)
        start, end = faults.partial(line, "start"), faults.partial(line, "end")
        if start and end and end < start:
            faults.add_problem(
                line, "end", f"the period ends in {end}, before it starts in {start}.", "Correct one of the two."
            )
        plans.append(
            LocalPlan(
                row=line.number,
                reference=reference,
                key=key,
                name=name,
                organisations=_organisations(line, faults),
                organisation_name=line.text("organisation_name"),
                description=line.text("description"),
                period_start=start,
                period_end=end,
                url=line.text("url"),
                adopted=faults.partial(line, "adopted"),
                boundary=line.text("boundary"),
                entry=faults.day(line, "entry"),
                ended=faults.day(line, "ended"),
            )
        )
    faults.finish()
    written += [plan.entry for plan in plans if plan.entry]
    return plans


def _organisations(line: Line, faults: Collector) -> tuple[str, ...]:
    """The distinct CURIEs of the plan's authorities.

    The older prefix `local-authority-eng` is read as the newer one.
    """
    curies: dict[str, None] = {}
    for part in re.split(r"[;,|]", line.text("organisations")):
        prefix, colon, key = part.strip().partition(":")
        if not part.strip():
            continue
        if not (colon and prefix and key):
            faults.add_problem(
                line,
                "organisations",
                f"“{part.strip()}” names no authority.",
                "Write each as local-authority:KEY, several with semicolons between.",
            )
            continue
        if prefix == "local-authority-eng":
            prefix = "local-authority"
        curies[f"{prefix}:{key.strip()}"] = None
    if not curies and line.text("organisations") == "":
        faults.add_problem(
            line, "organisations", "the cell is blank.", "Name the plan's authority as local-authority:KEY."
        )
    return tuple(curies)


def _read_events(
    sheets: Sequence[Sheet], references: set[str], plans_name: str, remarks: list[str], written: list[dt.date]
) -> list[tuple[str, Milestone]]:
    table = find_table(sheets, TIMETABLE, "the timetable")
    remarks += table.remarks
    faults = Collector(table)
    events: list[tuple[str, Milestone]] = []
    for line in table:
        plan = faults.required(line, "plan")
        if references and plan and plan not in references:
            faults.add_problem(
                line,
                "plan",
                f"“{plan}” is not the reference of a plan.",
                f"Correct it, or add the plan to {plans_name}.",
            )
        event = faults.required(line, "event")
        date = faults.partial(line, "date")
        if date is None:
            if not line.text("date"):
                faults.add_problem(
                    line, "date", "the cell is blank.", "Write a year, a month or a day: 2027, 2027-04 or 2027-04-11."
                )
            continue
        entry = faults.day(line, "entry")
        if entry:
            written.append(entry)
        events.append((plan, _milestone(line, event, date, entry, faults.day(line, "ended"))))
    faults.finish()
    return events


def _milestone(line: Line, event: str, date: PartialDate, entry: dt.date | None, ended: dt.date | None) -> Milestone:
    """The milestone of an event.

    It is actual if it is not an estimate and is earlier than its row's entry date; otherwise it is a forecast.
    """
    name = EVENTS.get(event, event.replace("-", " ").strip().capitalize())
    is_forecast = event.startswith("estimated-") or (entry is not None and date.earliest > entry)
    note = ". ".join(part for part in (line.text("notes"), line.text("description")) if part)
    return Milestone(line.number, event, name, date, is_forecast, note, ended)


def _shared_out(plans: list[LocalPlan], milestones: list[Milestone]) -> list[LocalPlan]:
    """The plans that share a reference, with its milestones divided.

    If several plans share a reference, an event that occurs once for each goes to each in turn, an adoption goes to the
    plan adopted on that date, and anything else to the plan entered last.
    """
    if len(plans) == 1:
        return [replace(plans[0], milestones=tuple(milestones))]
    mine: dict[str, list[Milestone]] = {plan.key: [] for plan in plans}
    newest = max(plans, key=lambda plan: (plan.entry or dt.date.min, plan.row))
    events: dict[str, list[Milestone]] = {}
    for milestone in milestones:
        events.setdefault(milestone.event, []).append(milestone)
    for event, rows in events.items():
        if len(rows) == len(plans):
            for plan, milestone in zip(plans, rows, strict=True):
                mine[plan.key].append(milestone)
            continue
        for milestone in rows:
            adopted = [plan for plan in plans if event == "plan-adopted" and plan.adopted == milestone.date]
            mine[(adopted[0] if adopted else newest).key].append(milestone)
    return [replace(plan, milestones=tuple(mine[plan.key])) for plan in plans]


def milestone_keys(milestones: Sequence[Milestone], before: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """Keys for milestones that stay the same in later files.

    An event that occurs once in a plan is known by its kind. If a kind occurs several times, a row keeps the key of the
    milestone with its date in `before` (the previous version's); others take the unused keys in order, then new ones.
    """
    keys: dict[int, str] = {}
    events: dict[str, list[int]] = {}
    for place, milestone in enumerate(milestones):
        events.setdefault(_slug(milestone.event), []).append(place)
    for event, places in events.items():
        known = {
            item["key"]: item.get("actual") or item.get("forecast") or ""
            for item in before
            if re.fullmatch(re.escape(event) + r"(-[2-9]|-\d\d+)?", item["key"])
        }
        waiting = []
        for place in places:
            same = next((key for key, date in known.items() if date == str(milestones[place].date)), None)
            if same is None:
                waiting.append(place)
            else:
                keys[place] = same
                del known[same]
        left = sorted(known, key=lambda key: (len(key), key))
        taken = set(keys.values()) | set(left)
        for place in waiting:
            if left:
                keys[place] = left.pop(0)
                continue
            count, key = 1, event
            while key in taken:
                count += 1
                key = f"{event}-{count}"
            taken.add(key)
            keys[place] = key
    return tuple(keys[place] for place in range(len(milestones)))


def _slug(event: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", event.casefold()).strip("-")[:80].strip("-") or "event"


def period_in_words(start: PartialDate | None, end: PartialDate | None) -> str:
    """`2013 to 2031`, `from 2013`, `to 2031`, or nothing."""
    if start and end:
        return f"{start.words} to {end.words}"
    return f"from {start.words}" if start else f"to {end.words}" if end else ""
