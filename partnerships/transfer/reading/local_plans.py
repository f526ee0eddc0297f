"""Read local plans and timetables of the planning data platform, or in the standard that followed its format."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from partnerships.kit.dates import PartialDate
from partnerships.kit.names import fold_name
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import NONE_KNOWN, Line
from partnerships.transfer.reading.plan_events import EVENTS
from partnerships.transfer.reading.plan_rows import PLANS, TIMETABLE, LocalPlan, LocalPlans, Milestone
from partnerships.transfer.reading.several_files import Part, find_tables, list_file_with_name
from partnerships.transfer.reading.standard_cells import cells_by_field
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.reading.values import amount


def read_local_plans(
    plan_sheets: Sequence[Sheet],
    timetable_sheets: Sequence[Sheet],
    *,
    plans_name: str,
    timetable_name: str,
    known_headings: tuple[Mapping[str, str], Mapping[str, str]] = (NONE_KNOWN, NONE_KNOWN),
    earlier_references: Collection[str] = (),
) -> LocalPlans:
    """Return the plans of one file with the milestones of the other. Rows with problems are set aside.

    `known_headings` has the headings of each file that a person confirmed. `earlier_references` are the references of
    plans from earlier imports. Corrected milestones may name such a plan, because they can be uploaded without the file
    of plans. Raises `UnableToRead` if one of the files is not the expected one.
    """
    tables = find_tables(
        (
            Part(plan_sheets, plans_name, PLANS, "the list of local plans", known_headings[0]),
            Part(timetable_sheets, timetable_name, TIMETABLE, "the timetable", known_headings[1]),
        )
    )
    plan_table, timetable = tables
    plan_collector, event_collector = Collector(plan_table), Collector(timetable)
    entry_dates: list[dt.date] = []
    plans = _read_plans(plan_collector, entry_dates)

    row_references = {line.text("reference") for line in plan_table}
    # References of plans that only earlier imports have. Corrected milestones may name them.
    earlier_only = set(earlier_references) - row_references if timetable.list_file.is_corrected else set()
    references = {plan.reference for plan in plans} | earlier_only
    events = _read_events(event_collector, references, row_references, plans_name or "the file of plans", entry_dates)
    # Without a timetable, any milestone may be missing only because its row was not uploaded.
    gaps = _events_set_aside(event_collector, row_references) if timetable_sheets else {"": frozenset({""})}
    plans = [replace(plan, gaps=gaps.get(plan.reference, frozenset()) | gaps.get("", frozenset())) for plan in plans]

    plans_by_reference: dict[str, list[LocalPlan]] = defaultdict(list)
    for plan in plans:
        plans_by_reference[plan.reference].append(plan)
    milestones_by_reference: dict[str, list[Milestone]] = defaultdict(list)
    for reference, milestone in events:
        milestones_by_reference[reference].append(milestone)
    plans_with_milestones: list[LocalPlan] = []
    for reference, plans_of_reference in plans_by_reference.items():
        plans_with_milestones += _with_divided_milestones(plans_of_reference, milestones_by_reference[reference])

    remarks = [remark for table in tables for remark in table.remarks]
    remarks += [_shared_remark(reference, rows) for reference, rows in plans_by_reference.items() if len(rows) > 1]
    return LocalPlans(
        plans=tuple(sorted(plans_with_milestones, key=lambda plan: plan.row)),
        remarks=tuple(remarks),
        written_on=max(entry_dates, default=None),
        list_files=(
            list_file_with_name(plan_collector.list_file(), plans_name, 0),
            list_file_with_name(event_collector.list_file(), timetable_name, 1),
        ),
        corrected={key: tuple(rows) for key, rows in milestones_by_reference.items() if key in earlier_only},
    )


def _shared_remark(reference: str, rows: Sequence[LocalPlan]) -> str:
    """Return the remark about a reference that several plans have."""
    return (
        f"The reference “{reference}” is in rows {_in_words(row.row for row in rows)}. We read these as "
        f"{len(rows)} plans, because their names differ ({_in_words(f'“{row.name}”' for row in rows)})."
    )


def _in_words(parts: Iterable[object]) -> str:
    """Return the parts as one text, with commas and “and” before the last."""
    texts = [str(part) for part in parts]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _read_plans(collector: Collector, entry_dates: list[dt.date]) -> list[LocalPlan]:
    """Return the plans in the rows without problems, and add their entry dates to `entry_dates`."""
    row_by_key: dict[str, int] = {}
    plans = [_read_plan(line, collector, row_by_key) for line in collector.table]
    usable_plans = [plan for plan in plans if plan.row not in collector.bad_rows]
    entry_dates += [plan.entry for plan in usable_plans if plan.entry]
    return usable_plans


def _read_plan(line: Line, collector: Collector, row_by_key: dict[str, int]) -> LocalPlan:
    """Return the plan in a row. The collector gets the problems of the row.

    `row_by_key` has the rows of earlier plans. This plan is added to it.
    """
    reference = collector.required(line, "reference")
    name = collector.required(line, "name")
    key = f"{reference}#{fold_name(name)}"
    first_row = row_by_key.setdefault(key, line.number)
    if first_row != line.number:
        fault = f"“{reference}” with this name is already in row {first_row}."
        collector.add_problem(line, "reference", fault, "Remove one of the two rows.")
    start, end = collector.partial(line, "start"), collector.partial(line, "end")
    if start and end and end < start:
        fault = f"the period ends in {end}, before it starts in {start}."
        collector.add_problem(line, "end", fault, "Correct one of the two.")
    return LocalPlan(
        row=line.number,
        reference=reference,
        key=key,
        name=name,
        organisations=_organisations(line, collector),
        organisation_name=line.text("organisation_name"),
        description=line.text("description"),
        period_start=start,
        period_end=end,
        url=line.text("url"),
        adopted=collector.partial(line, "adopted"),
        boundary=line.text("boundary"),
        entry=collector.day(line, "entry"),
        ended=collector.day(line, "ended"),
        kinds=line.text("datasets").replace("-", " ").replace(";", ", "),
        document_url=line.text("document"),
        required_homes=_whole_number(line, "homes", collector),
        document_count=_whole_number(line, "documents", collector),
        notes=line.text("notes"),
        cells=cells_by_field(line, "plan", PLANS),
    )


def _whole_number(line: Line, column: str, collector: Collector) -> int | None:
    """Return a whole number that is not negative, or None if the cell is blank or has a problem."""
    number = collector.read(line, column, amount)
    if number is not None and (number != int(number) or number < 0):
        fault = f"“{line.text(column)}” is not a whole number."
        collector.add_problem(line, column, fault, "Enter a whole number, for example 12400.")
        return None
    return int(number) if number is not None else None


def _organisations(line: Line, collector: Collector) -> tuple[str, ...]:
    """Return the distinct CURIEs of the plan's authorities, in the order of the file.

    The older prefix `local-authority-eng` becomes `local-authority`. The GSS code of a planning authority's area, which
    the standard requires, becomes a CURIE such as `gss:E60000281`.
    """
    curies: dict[str, None] = {}  # a dict, because a set would lose the order
    for part in re.split(r"[;,|]", f"{line.text('organisations')};{line.text('minerals')}"):
        authority = part.strip()
        if not authority:
            continue
        if re.fullmatch(r"E\d{8}", authority):
            curies[f"gss:{authority}"] = None
            continue
        prefix, _colon, key = authority.partition(":")
        if not (prefix and key):
            collector.add_problem(
                line,
                "organisations",
                f"“{authority}” is not an authority.",
                "Enter each authority as local-authority:KEY, with semicolons between them.",
            )
            continue
        if prefix == "local-authority-eng":
            prefix = "local-authority"
        curies[f"{prefix}:{key.strip()}"] = None
    if not curies and line.text("organisations") == line.text("minerals") == "":
        remedy = "Enter local-authority:KEY, or the code of the authority’s area."
        collector.add_problem(line, "organisations", "the cell is blank.", remedy)
    return tuple(curies)


def _read_events(
    collector: Collector, references: set[str], row_references: set[str], plans_name: str, entry_dates: list[dt.date]
) -> list[tuple[str, Milestone]]:
    """Return each milestone with the reference of its plan. Rows with problems are left out.

    `references` has the references of usable plans, and `row_references` those of all rows of plans.
    """
    events: list[tuple[str, Milestone]] = []
    for line in collector.table:
        plan = collector.required(line, "plan")
        if plan in row_references - references:
            collector.add_problem(
                line, "plan", f"the row of “{plan}” in {plans_name} was set aside.", "Correct that row first."
            )
        elif plan and plan not in references:
            collector.add_problem(
                line,
                "plan",
                f"“{plan}” is not the reference of a plan.",
                f"Correct the reference, or add the plan to {plans_name}.",
            )
        event = collector.required(line, "event")
        date, actual = collector.partial(line, "date"), collector.partial(line, "actual")
        if date is None:
            if not line.text("date"):
                collector.add_problem(
                    line, "date", "the cell is blank.", "Enter a year, a month or a day: 2027, 2027-04 or 2027-04-11."
                )
            continue
        entry = collector.day(line, "entry")
        if entry:
            entry_dates.append(entry)
        milestone = _milestone(line, event, date, entry, collector.day(line, "ended"))
        if collector.table.has("actual"):
            milestone = replace(milestone, is_forecast=True, actual=actual)
        events.append((plan, milestone))
    return [(plan, milestone) for plan, milestone in events if milestone.row not in collector.bad_rows]


def _events_set_aside(collector: Collector, row_references: set[str]) -> dict[str, frozenset[str]]:
    """Return the events of the rows that were set aside, by the reference of their plan.

    A row that names no plan of the file may belong to any plan, so its event is under "".
    """
    events_by_reference: dict[str, frozenset[str]] = {}
    for line in collector.table:
        if line.number in collector.bad_rows:
            reference = line.text("plan") if line.text("plan") in row_references else ""
            events_by_reference[reference] = events_by_reference.get(reference, frozenset()) | {line.text("event")}
    return events_by_reference


def _milestone(line: Line, event: str, date: PartialDate, entry: dt.date | None, ended: dt.date | None) -> Milestone:
    """Return the milestone of an event. It is a forecast if it is an estimate, or later than the entry date."""
    name = EVENTS.get(event, event.replace("-", " ").strip().capitalize())
    is_forecast = event.startswith("estimated-") or (entry is not None and date.earliest > entry)
    note = ". ".join(part for part in (line.text("notes"), line.text("description")) if part)
    cells = cells_by_field(line, "plan-timetable", TIMETABLE)
    return Milestone(
        row=line.number, event=event, name=name, date=date, is_forecast=is_forecast, note=note, ended=ended, cells=cells
    )


def _with_divided_milestones(plans: list[LocalPlan], milestones: list[Milestone]) -> list[LocalPlan]:
    """Return the plans that share a reference, each with its part of the milestones of that reference.

    If an event occurs as often as there are plans, each plan gets one milestone, in the order of the file. An adoption
    belongs to the plan that was adopted on that date. Any other milestone belongs to the plan that was entered last.
    """
    if len(plans) == 1:
        return [replace(plans[0], milestones=tuple(milestones))]
    own_milestones: dict[str, list[Milestone]] = {plan.key: [] for plan in plans}
    newest = max(plans, key=lambda plan: (plan.entry or dt.date.min, plan.row))
    milestones_by_event: dict[str, list[Milestone]] = {}
    for milestone in milestones:
        milestones_by_event.setdefault(milestone.event, []).append(milestone)
    for event, milestones_of_event in milestones_by_event.items():
        if len(milestones_of_event) == len(plans):
            for plan, milestone in zip(plans, milestones_of_event, strict=True):
                own_milestones[plan.key].append(milestone)
            continue
        for milestone in milestones_of_event:
            plans_adopted_then = [plan for plan in plans if event == "plan-adopted" and plan.adopted == milestone.date]
            plan = plans_adopted_then[0] if plans_adopted_then else newest
            own_milestones[plan.key].append(milestone)
    return [replace(plan, milestones=tuple(own_milestones[plan.key])) for plan in plans]
