"""The fields and collections of a plan."""

from __future__ import annotations

from partnerships.documents import Collection, Field, Item, Schema, date_in_words
from partnerships.kit.text import counted
from partnerships.plans.content.homes import HOMES, homes_count
from partnerships.plans.content.values import read_area, read_site_postcode
from partnerships.plans.content.visibility import clean_up_milestones
from partnerships.plans.content.vocabulary import CONFIDENCE, MILESTONE_STATUSES, PLANNING_STATUSES, SCALE

#: The most characters in a section, which is about fifteen pages.
MAX_SECTION = 50_000
#: The most characters in any other Markdown field of a plan.
MAX_NOTE = 10_000
MARKDOWN = "You can use headings (##), lists (-) and links."


def _site_details(site: Item) -> str:
    count = homes_count(site)
    return counted(count, "home") if count else "no homes yet"


def _milestone_details(milestone: Item) -> str:
    dates = (code for code in ("actual", "forecast", "baseline") if milestone[code])
    return next((f"{code} {date_in_words(milestone[code])}" for code in dates), "")


def _risk_details(risk: Item) -> str:
    return f"likelihood {risk['likelihood']} × impact {risk['impact']}"


def _restricted(label: str) -> Field:
    return Field("restricted", label, "flag", default=False, hint="Only the owners and partners can see this")


# Signatories agreed to the substantive fields, which are homes, forecast dates, money and who does the work. Actual
# dates are not substantive. They report what happened, and an achieved milestone needs no new signatures.
ABOUT = (
    Field("title", "Title"),
    Field("summary", "Summary", "text", max_length=MAX_NOTE, hint="Say in a paragraph what this plan is for."),
    Field("period_start", "Period from", "date", hint="Enter a year, or a more exact date.", substantive=True),
    Field("period_end", "Period to", "date", substantive=True),
    Field("source", "Source", hint="Enter the document or web address that the plan comes from."),
)
OUTCOMES = Collection(
    code="outcomes",
    singular="outcome",
    label="Outcome",
    title_field="text",
    fields=(
        Field("text", "Outcome", required=True),
        Field(
            "measure",
            "How we will know",
            hint="Enter a figure or fact that will show that you have achieved the outcome.",
        ),
        _restricted("Only for the plan’s partners"),
    ),
    hidden_by="restricted",
)
SECTIONS = Collection(
    code="sections",
    singular="section",
    label="Section",
    title_field="title",
    fields=(
        Field("title", "Title", required=True),
        Field("body", "Text", "text", max_length=MAX_SECTION, hint=MARKDOWN),
        _restricted("Only for the plan’s partners"),
    ),
    hidden_by="restricted",
)
SITES = Collection(
    code="sites",
    singular="site",
    label="Site",
    title_field="name",
    fields=(
        Field("reference", "Reference"),
        Field("name", "Name", required=True),
        Field("address", "Address", hint="Enter the street and town, without the postcode."),
        Field(
            "postcode",
            "Postcode",
            "postcode",
            read=read_site_postcode,
            max_length=10,
            hint="For example PO16 7GZ, or only the district, PO16.",
        ),
        Field("area", "Area", "area", read=read_area, hint="Start to type the name of a district."),
        Field("planning_authority", "Planning authority"),
        Field("lat", "Latitude", "latitude", default=None),
        Field("lng", "Longitude", "longitude", default=None),
        Field("landowner", "Landowner", substantive=True),
        Field("lead", "Lead", substantive=True),
        Field("planning_status", "Planning status", "choice", PLANNING_STATUSES),
        Field(
            "planning_reference",
            "Planning reference",
            hint="Enter the planning authority’s reference, for example 26/01234/FUL.",
        ),
        Field("grant_programme", "Grant programme", substantive=True),
        Field(
            "forecast_start",
            "Forecast start",
            "date",
            hint="Enter a day, a month, a quarter or a year, for example 12 Nov 2026, June 2028 or Q3 2027.",
            substantive=True,
        ),
        Field("actual_start", "Actual start", "date"),
        Field("forecast_completion", "Forecast completion", "date", substantive=True),
        Field("actual_completion", "Actual completion", "date"),
        Field("confidence", "Confidence", "choice", CONFIDENCE),
        Field(
            "confidential",
            "Confidential",
            "flag",
            default=False,
            hint="Confidential: only the owners and partners can see that this site exists",
        ),
        Field(
            "notes",
            "Notes",
            "text",
            restricted=True,
            max_length=MAX_NOTE,
            hint="Only the owners and partners can see these notes.",
        ),
    ),
    hidden_by="confidential",
    counts=HOMES,
    details=_site_details,
    after_removal=clean_up_milestones,
)
MILESTONES = Collection(
    code="milestones",
    singular="milestone",
    label="Milestone",
    title_field="name",
    fields=(
        Field("name", "Name", required=True),
        Field("site", "Site", "item", collection="sites"),
        Field("owner", "Owner", substantive=True),
        Field(
            "baseline",
            "Baseline",
            "date",
            hint="Enter the date first agreed: a day, a month, a quarter or a year.",
            substantive=True,
        ),
        Field("forecast", "Forecast", "date", substantive=True),
        Field("actual", "Actual", "date"),
        Field("status", "Status", "choice", MILESTONE_STATUSES, default="planned"),
        Field("note", "Note", "text", max_length=MAX_NOTE),
        _restricted("Only for the plan’s partners"),
    ),
    hidden_by="restricted",
    details=_milestone_details,
)
RISKS = Collection(
    code="risks",
    singular="risk",
    label="Risk",
    title_field="title",
    fields=(
        Field("title", "Title", required=True),
        Field("likelihood", "Likelihood", "scale", SCALE, default=3),
        Field("impact", "Impact", "scale", SCALE, default=3),
        Field("mitigation", "Mitigation", "text", max_length=MAX_NOTE),
        Field("owner", "Owner"),
        _restricted("Only for the plan’s partners"),
    ),
    hidden_by="restricted",
    details=_risk_details,
)
DOCUMENTS = Collection(
    code="documents",
    singular="document",
    label="Document",
    title_field="title",
    fields=(
        Field("title", "Title", required=True),
        Field("file_name", "File"),
        Field("content_type", "Type of file"),
        Field("size", "Bytes", "number", default=0),
        Field("sha256", "Fingerprint"),
        _restricted("Only for the plan’s partners"),
    ),
    hidden_by="restricted",
)
PLAN = Schema("plan", ABOUT, (OUTCOMES, SECTIONS, SITES, MILESTONES, RISKS, DOCUMENTS))
COLLECTIONS = PLAN.collections
COLLECTION_BY_CODE = PLAN.collection_by_code
