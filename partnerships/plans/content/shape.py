"""The shape of a plan: its lists, their fields, and the words that fields may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

Content: TypeAlias = dict[str, Any]
Item: TypeAlias = dict[str, Any]
Choices: TypeAlias = Mapping[str, str]

#: Characters of a section (about fifteen pages) and of every other Markdown field.
MAX_SECTION, MAX_NOTE = 50_000, 10_000

# Tenures as MHCLG and the GLA name them (docs/glossary.md), in the order of the tables.
TENURES: Choices = MappingProxyType(
    {
        "social_rent": "Social Rent",
        "affordable_rent": "Affordable Rent",
        "london_affordable_rent": "London Affordable Rent",
        "rent_to_buy": "Rent to Buy",
        "london_living_rent": "London Living Rent",
        "other_intermediate": "other intermediate",
        "specified_accommodation": "specified accommodation",
        "shared_ownership": "Shared Ownership",
        "first_homes": "First Homes",
        "discounted_market_sale": "discounted market sale",
        "market_sale": "market sale",
        "market_rent": "market or build to rent",
        "unknown": "tenure not known",
    }
)
NEEDS: Choices = MappingProxyType({"general": "general needs", "supported": "supported", "older": "older people"})
PLANNING_STATUSES: Choices = MappingProxyType(
    {
        "allocated": "Allocated",
        "pre_application": "Pre-application",
        "submitted": "Application submitted",
        "outline": "Outline permission",
        "permission_in_principle": "Permission in principle",
        "permission": "Full or reserved matters permission",
        "refused": "Refused",
        "appeal": "At appeal",
        "none": "No application yet",
    }
)
CONFIDENCE: Choices = MappingProxyType({"high": "High", "medium": "Medium", "low": "Low"})
MILESTONE_STATUSES: Choices = MappingProxyType(
    {
        "planned": "Planned",
        "on_track": "On track",
        "at_risk": "At risk",
        "late": "Late",
        "achieved": "Achieved",
        "cancelled": "Cancelled",
    }
)
SCALE: Choices = MappingProxyType(
    {"1": "1, very low", "2": "2, low", "3": "3, medium", "4": "4, high", "5": "5, very high"}
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an item: its code, its label, and the shape of its value."""

    code: str
    label: str
    # line, text (Markdown), date, flag, choice, scale, number, latitude, longitude, site (a key), area (GSS)
    shape: str = "line"
    choices: Choices = field(default_factory=dict)
    default: Any = ""
    required: bool = False
    restricted: bool = False  # never part of what outsiders read
    max_length: int = 500  # characters of a line or a text


@dataclass(frozen=True, slots=True)
class Collection:
    """One list of a plan: what its items are called and which fields they have."""

    code: str
    one: str
    label: str
    title: str  # the field that names an item
    fields: tuple[Field, ...]
    hidden_by: str  # the flag that keeps a whole item from outsiders

    @property
    def field_by_code(self) -> dict[str, Field]:
        return _FIELD_BY_CODE[self.code]


def _restricted(label: str) -> Field:
    return Field("restricted", label, "flag", default=False)


ABOUT = (
    Field("title", "Title"),
    Field("summary", "Summary", "text", max_length=MAX_NOTE),
    Field("period_start", "Period from", "date"),
    Field("period_end", "Period to", "date"),
    Field("source", "Source"),
)
OUTCOMES = Collection(
    "outcomes",
    "outcome",
    "Outcome",
    "text",
    (
        Field("text", "Outcome", required=True),
        Field("measure", "How we will know"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
SECTIONS = Collection(
    "sections",
    "section",
    "Section",
    "title",
    (
        Field("title", "Title", required=True),
        Field("body", "Text", "text", max_length=MAX_SECTION),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
SITES = Collection(
    "sites",
    "site",
    "Site",
    "name",
    (
        Field("reference", "Reference"),
        Field("name", "Name", required=True),
        Field("area", "Area", "area"),
        Field("planning_authority", "Planning authority"),
        Field("lat", "Latitude", "latitude", default=None),
        Field("lng", "Longitude", "longitude", default=None),
        Field("landowner", "Landowner"),
        Field("lead", "Lead"),
        Field("planning_status", "Planning status", "choice", PLANNING_STATUSES),
        Field("planning_reference", "Planning reference"),
        Field("grant_programme", "Grant programme"),
        Field("forecast_start", "Forecast start", "date"),
        Field("actual_start", "Actual start", "date"),
        Field("forecast_completion", "Forecast completion", "date"),
        Field("actual_completion", "Actual completion", "date"),
        Field("confidence", "Confidence", "choice", CONFIDENCE),
        Field("confidential", "Confidential", "flag", default=False),
        Field("notes", "Notes", "text", restricted=True, max_length=MAX_NOTE),
    ),
    "confidential",
)
MILESTONES = Collection(
    "milestones",
    "milestone",
    "Milestone",
    "name",
    (
        Field("name", "Name", required=True),
        Field("site", "Site", "site"),
        Field("owner", "Owner"),
        Field("baseline", "Baseline", "date"),
        Field("forecast", "Forecast", "date"),
        Field("actual", "Actual", "date"),
        Field("status", "Status", "choice", MILESTONE_STATUSES, default="planned"),
        Field("note", "Note", "text", max_length=MAX_NOTE),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
RISKS = Collection(
    "risks",
    "risk",
    "Risk",
    "title",
    (
        Field("title", "Title", required=True),
        Field("likelihood", "Likelihood", "scale", SCALE, default=3),
        Field("impact", "Impact", "scale", SCALE, default=3),
        Field("mitigation", "Mitigation", "text", max_length=MAX_NOTE),
        Field("owner", "Owner"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
DOCUMENTS = Collection(
    "documents",
    "document",
    "Document",
    "title",
    (
        Field("title", "Title", required=True),
        Field("file_name", "File"),
        Field("content_type", "Type of file"),
        Field("size", "Bytes", "number", default=0),
        Field("sha256", "Fingerprint"),
        _restricted("Only for the plan's partners"),
    ),
    "restricted",
)
COLLECTIONS = (OUTCOMES, SECTIONS, SITES, MILESTONES, RISKS, DOCUMENTS)
COLLECTION_BY_CODE = MappingProxyType({collection.code: collection for collection in COLLECTIONS})
_FIELD_BY_CODE = {collection.code: {field.code: field for field in collection.fields} for collection in COLLECTIONS}
ABOUT_BY_CODE = MappingProxyType({field.code: field for field in ABOUT})
