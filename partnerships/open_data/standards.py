"""The planning data standards in force: their files, fields and events.

The facts are those of the specification (digital-land/specification, 21 August 2026, Open Government Licence).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a file, whether the standard requires it, and a description of its values."""

    name: str
    level: str
    words: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file of a standard. `code` is the file's name in addresses."""

    code: str
    title: str
    words: str
    fields: tuple[Field, ...]

    @property
    def headings(self) -> tuple[str, ...]:
        """Return the names of the file's fields, in the order of the standard."""
        return tuple(field.name for field in self.fields)


@dataclass(frozen=True, slots=True)
class Standard:
    """A standard and its files, which a council publishes together or not at all."""

    code: str
    title: str
    since: str
    datasets: tuple[Dataset, ...]


_REFERENCE = "the reference, which is unique and never changes"
_ENTRY = Field("entry-date", "MUST", "the day on which the row last changed")
_NOTES = Field("notes", "MAY", "notes")
PLAN = Dataset(
    "plan",
    "Local plans",
    "One row for each local, minerals, waste or supplementary plan.",
    (
        Field("reference", "MUST", _REFERENCE),
        Field("name", "MUST", "the plan’s title"),
        Field("description", "MUST", "the plan’s summary"),
        Field("datasets", "MUST", "the kinds of plan, separated by semicolons"),
        Field("period-start-date", "MUST", "when the plan’s period begins"),
        Field("period-end-date", "MUST", "when the plan’s period ends"),
        Field("local-planning-authorities", "CONDITIONAL", "codes of the planning areas of the plan’s owners"),
        Field("minerals-and-waste-planning-authorities", "CONDITIONAL", "the same codes, for a minerals or waste plan"),
        Field("documentation-url", "MUST", "the plan’s web page"),
        Field("document-url", "MUST", "the plan’s document"),
        Field("required-housing", "CONDITIONAL", "the homes required in the plan’s period"),
        Field("document-count", "CONDITIONAL", "how many documents a minerals or waste plan has"),
        _ENTRY,
        _NOTES,
    ),
)
TIMETABLE = Dataset(
    "plan-timetable",
    "Timetable of local plans",
    "One row for each event of a plan, with when it is planned and when it happened.",
    (
        Field("reference", "MUST", _REFERENCE),
        Field("plan", "MUST", "the reference of the plan"),
        Field("plan-event", "MUST", "the code of the event"),
        Field("event-date", "MUST", "the planned day"),
        Field("actual-date", "CONDITIONAL", "the day on which it happened, blank until then"),
        _ENTRY,
        _NOTES,
    ),
)
#: The names of the types of developer agreement, by the codes of the standard.
AGREEMENT_TYPES = {
    "section-106": "section 106",
    "section-278": "section 278",
    "community-infrastructure-levy": "community infrastructure levy",
}
#: The names of the purposes of contributions, by the codes of the standard that have not ended.
PURPOSES = {
    "affordable-housing": "Affordable housing",
    "bonds": "Bonds",
    "cil-administration-costs": "CIL administration costs",
    "community-facilities": "Community facilities",
    "community-infrastructure-levy": "Community infrastructure levy",
    "digital-infrastructure": "Digital infrastructure",
    "economic-development": "Economic development",
    "education": "Education",
    "flood-and-water-management": "Flood and water management",
    "green-infrastructure": "Green infrastructure",
    "health": "Health",
    "highways": "Highways",
    "land": "Land",
    "mayoral-community-infrastructure-levy": "Mayoral community infrastructure levy",
    "monitoring-fees": "Monitoring fees",
    "neighbourhood-community-infrastructure-levy": "Neighbourhood community infrastructure levy",
    "open-space-and-leisure": "Open space and leisure",
    "transport-and-travel": "Transport and travel",
    "other": "Other",
}
#: The last fields of each file of developer contributions.
_COMMON_FIELDS = (
    Field("notes", "", "notes"),
    Field("organisation", "", "the authority"),
    Field("entry-date", "", "the day on which the row last changed"),
    Field("start-date", "", "when it came into force"),
    Field("end-date", "", "when it ended"),
)
_AMOUNT = Field("amount", "", "pounds")
_UNITS = Field("units", "", "homes or other units")
AGREEMENT = Dataset(
    "developer-agreement",
    "Developer agreements",
    "One row for each agreement with a developer, for example under section 106.",
    (
        Field("reference", "", _REFERENCE),
        Field("name", "", "the agreement’s name"),
        Field("developer-agreement-type", "", "section 106, section 278 or community infrastructure levy"),
        Field("planning-application", "", "the reference of the planning application"),
        Field("document-url", "", "the agreement’s document"),
        *_COMMON_FIELDS,
    ),
)
CONTRIBUTION = Dataset(
    "developer-agreement-contribution",
    "Developer contributions",
    "One row for each contribution that a developer agreed to.",
    (
        Field("reference", "", _REFERENCE),
        Field("developer-agreement", "", "the reference of the agreement"),
        Field("contribution-purpose", "", "what the contribution is for"),
        _AMOUNT,
        _UNITS,
        *_COMMON_FIELDS,
    ),
)
TRANSACTION = Dataset(
    "developer-agreement-transaction",
    "Transactions of developer contributions",
    "One row each time that a contribution was received, allocated, spent, transferred or returned.",
    (
        Field("reference", "", _REFERENCE),
        Field("developer-agreement-contribution", "", "the reference of the contribution"),
        Field("contribution-funding-status", "", "what happened to the contribution"),
        _AMOUNT,
        _UNITS,
        *_COMMON_FIELDS,
    ),
)
BROWNFIELD_LAND = Dataset(
    "brownfield-land",
    "Brownfield land register",
    "One row for each site of brownfield land that is suitable for homes.",
    (
        Field("OrganisationURI", "SHOULD", "the authority"),
        Field("SiteReference", "MUST", _REFERENCE),
        Field("SiteNameAddress", "MUST", "the site’s name and address"),
        Field("GeoX", "MUST", "longitude"),
        Field("GeoY", "MUST", "latitude"),
        Field("SiteplanURL", "MUST", "a web page with a plan of the site"),
        Field("Hectares", "MUST", "the site’s area in hectares"),
        Field("OwnershipStatus", "MUST", "who owns the site"),
        Field("PlanningStatus", "MUST", "whether the site has planning permission"),
        Field("PermissionType", "SHOULD", "the kind of permission"),
        Field("PermissionDate", "SHOULD", "when permission was granted"),
        Field("PlanningHistory", "SHOULD", "web pages of applications"),
        Field("Deliverable", "MUST", "yes if homes can be built within five years"),
        Field("NetDwellingsRangeFrom", "MUST", "the lowest number of homes"),
        Field("NetDwellingsRangeTo", "MUST", "the highest number of homes"),
        Field("HazardousSubstances", "SHOULD", "yes if the law on hazardous substances applies"),
        Field("Notes", "MAY", "notes"),
        Field("FirstAddedDate", "MUST", "when the site came into the register"),
        Field("LastUpdatedDate", "MUST", "when the row last changed"),
        Field("EndDate", "MAY", "when the site left the register"),
    ),
)
PLANS = Standard("plan", "Local plans and timetables", "2026-03-25", (PLAN, TIMETABLE))
CONTRIBUTIONS = Standard(
    "developer-contributions", "Developer contributions", "2019-09-01", (AGREEMENT, CONTRIBUTION, TRANSACTION)
)
BROWNFIELD = Standard("brownfield-land", "Brownfield land", "2017-04-16", (BROWNFIELD_LAND,))
STANDARDS: Mapping[str, Standard] = {standard.code: standard for standard in (PLANS, CONTRIBUTIONS, BROWNFIELD)}
DATASETS: Mapping[str, Dataset] = {
    dataset.code: dataset for standard in STANDARDS.values() for dataset in standard.datasets
}
#: The standard of each dataset, by the code of the dataset.
STANDARD_OF: Mapping[str, Standard] = {
    dataset.code: standard for standard in STANDARDS.values() for dataset in standard.datasets
}
#: The events of a plan's timetable (guidance of the specification, 14 August 2026).
EVENTS: Mapping[str, str] = {
    "publish-notice-intention-commence": "Notice of intention to commence published",
    "scoping-consultation-start": "Scoping consultation start",
    "scoping-consultation-end": "Scoping consultation end",
    "gateway-1-self-assessment": "Gateway 1 self-assessment",
    "plan-content-evidence-consultation-start": "Consultation on content and evidence start",
    "plan-content-evidence-consultation-end": "Consultation on content and evidence end",
    "gateway-2-advice-sought": "Gateway 2 advice sought",
    "gateway-2-advice-published": "Gateway 2 advice published",
    "proposed-plan-consultation-start": "Consultation on the proposed plan start",
    "proposed-plan-consultation-end": "Consultation on the proposed plan end",
    "gateway-3-advice-sought": "Gateway 3 advice sought",
    "gateway-3-advice-published": "Gateway 3 advice published",
    "gateway-3-further-advice-sought": "Gateway 3 further advice sought",
    "gateway-3-further-advice-published": "Gateway 3 further advice published",
    "examination-submitted": "Submitted for examination",
    "examination-pause-start": "Examination paused",
    "examination-pause-end": "Examination resumed",
    "examination-recommendations-published": "Examiner's recommendations published",
    "main-modification-consultation-start": "Consultation on main modifications start",
    "main-modification-consultation-end": "Consultation on main modifications end",
    "additional-consultation-start": "Additional consultation start",
    "additional-consultation-end": "Additional consultation end",
    "adopted": "Plan adopted",
    "withdrawn": "Plan withdrawn",
    "revoked": "Plan revoked",
}


def event_of(key: str, name: str) -> str:
    """Return the code of a milestone's event, found by its key or its name, or "" if the standard has no such event."""
    without_number = re.sub(r"-\d+$", "", key)
    for code in (key, without_number):
        if code in EVENTS:
            return code
    folded_name = name.strip().casefold()
    return next((code for code, label in EVENTS.items() if label.casefold() == folded_name), "")
