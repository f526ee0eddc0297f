"""The columns of local plans and their timetables, and what is read from their rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from partnerships.kit.dates import PartialDate
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.list_file import ListFile

PLANS = (
    Column("reference", ("reference", "localplan", "planreference"), "reference", required=True),
    Column("name", ("name", "plantitle", "title"), "name", required=True),
    Column(
        "organisations",
        ("organisations", "organisation", "planningauthority", "localplanningauthorities"),
        "organisations or local-planning-authorities",
        required=True,
    ),
    Column("minerals", ("mineralsandwasteplanningauthorities",), "minerals-and-waste-planning-authorities"),
    Column("datasets", ("datasets",), "datasets"),
    Column("document", ("documenturl",), "document-url"),
    Column("homes", ("requiredhousing",), "required-housing"),
    Column("documents", ("documentcount",), "document-count"),
    Column("notes", ("notes", "note"), "notes"),
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
    Column("event", ("localplanevent", "planevent", "event", "milestone"), "plan-event", required=True),
    Column("date", ("eventdate", "date"), "event-date", required=True),
    Column("actual", ("actualdate",), "actual-date"),
    Column("reference", ("reference",), "reference"),
    Column("notes", ("notes", "note"), "notes"),
    Column("description", ("description",), "description"),
    Column("entry", ("entrydate",), "entry-date"),
    Column("ended", ("enddate",), "end-date"),
)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A dated event of a plan, from a row of the timetable."""

    row: int
    event: str
    name: str
    date: PartialDate
    is_forecast: bool
    note: str
    #: The date on which the platform withdrew the row.
    ended: dt.date | None = None
    #: When the event happened, in files of the standard, where `date` is the intended day.
    actual: PartialDate | None = None
    #: The texts of the row's cells by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> PartialDate:
        """The day on which the event happened or, before that, the expected day."""
        return self.actual or self.date


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """A row of the file of plans. Two may have the same `reference`. `key` is unique, because it includes the name."""

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
    #: The date on which the platform withdrew the row.
    ended: dt.date | None = None
    milestones: tuple[Milestone, ...] = field(default=())
    #: The events in rows of the timetable that were set aside; "" stands for any event. Such a milestone may be missing
    #: only because of its row, so the plan in the directory does not lose it.
    gaps: frozenset[str] = frozenset()
    #: The following fields are only in files of the standard of 25 March 2026.
    kinds: str = ""
    document_url: str = ""
    required_homes: int | None = None
    document_count: int | None = None
    notes: str = ""
    #: The texts of the row's cells by field of the standard.
    cells: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LocalPlans:
    """The plans of the two files with their milestones, and remarks for the report."""

    plans: tuple[LocalPlan, ...]
    remarks: tuple[str, ...]
    #: The latest entry date of any row.
    written_on: dt.date | None = None
    #: The file of plans and the timetable, each with its rows set aside.
    list_files: tuple[ListFile, ...] = ()
    #: The milestones of corrected rows whose plan is from an earlier import, by the reference of the plan.
    corrected: Mapping[str, tuple[Milestone, ...]] = field(default_factory=dict)

    @property
    def is_standard(self) -> bool:
        """Whether the files follow the standard in force. Such files have only the plans of a few authorities."""
        has_areas = any(curie.startswith("gss:") for plan in self.plans for curie in plan.organisations)
        return has_areas or any("actual-date" in row.cells for rows in self.corrected.values() for row in rows)

    @property
    def is_corrected(self) -> bool:
        """Whether a file has corrected rows that were set aside earlier, so that plans not in it are not missing."""
        return any(list_file.is_corrected for list_file in self.list_files)

    @property
    def milestone_count(self) -> int:
        """The number of milestones of all plans."""
        count_of_plans = sum(len(plan.milestones) for plan in self.plans)
        return count_of_plans + sum(len(milestones) for milestones in self.corrected.values())


def period_in_words(start: PartialDate | None, end: PartialDate | None) -> str:
    """Return “2013 to 2031”, “from 2013” or “to 2031”, or "" without dates."""
    if start and end:
        return f"{start.words} to {end.words}"
    return f"from {start.words}" if start else f"to {end.words}" if end else ""
