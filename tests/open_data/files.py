"""Hypothesis strategies for files of the standards in force, laid out as our own writer does it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from partnerships.open_data.standards import DATASETS, EVENTS

Rows = list[dict[str, str]]
Files = dict[str, bytes]

#: Words with punctuation, accents and line breaks; neither blanks around them nor what begins a formula.
_WORDS = st.text("abcdeXYZ é’“”ŵ£,\"'.:/()&\n0159", max_size=40).map(lambda words: f"P{words}Q")
_MAYBE = st.just("") | _WORDS
_DAY = st.dates(dt.date(2020, 1, 1), dt.date(2040, 1, 1)).map(str)
_PARTIAL = _DAY | _DAY.map(lambda day: day[:7]) | _DAY.map(lambda day: day[:4])
#: Days that are past: no row is entered in the future.
_ENTRY = st.sampled_from(["2026-03-25", "2026-04-01", "2026-05-17"])
_AMOUNT = st.sampled_from(["", "1250", "1250.50", "£1,250.50", "19242.00"])
_URL = st.just("") | st.integers(1, 99).map(lambda number: f"https://plans.example/{number}?a=1&b=é")


def write_csv(dataset: str, rows: Sequence[Mapping[str, str]]) -> bytes:
    """Return the rows as CSV, in the order of the standard's fields."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, DATASETS[dataset].headings, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _rows(
    fields: Mapping[str, st.SearchStrategy[str]], limit: int, reference: str = "reference"
) -> st.SearchStrategy[Rows]:
    """Generate one to `limit` rows, in any order, with references that are unique."""
    row = st.fixed_dictionaries({reference: st.integers(1, 10_000).map(lambda number: f"W/{number}"), **fields})
    return st.lists(row, min_size=1, max_size=limit, unique_by=lambda values: values[reference])


def _references(rows: Rows) -> st.SearchStrategy[str]:
    """Choose one of the references of these rows."""
    return st.sampled_from([row["reference"] for row in rows])


@st.composite
def plan_files(draw: Any) -> Files:
    """Generate plans of the authority with planning area E60900001, and their timetable."""
    plan_fields = {
        "name": _WORDS,
        "description": _WORDS,
        "datasets": st.sampled_from(["local-plan", "local-plan;supplementary-plan"]),
        "period-start-date": st.sampled_from(["2025", "2025-04", "2025-04-01"]),
        "period-end-date": st.sampled_from(["2040", "2041-03", "2041-03-31"]),
        "local-planning-authorities": st.just("E60900001"),
        "documentation-url": _URL,
        "document-url": _URL,
        "required-housing": st.just("") | st.integers(1, 90_000).map(str) | st.just("12,400"),
        "entry-date": _ENTRY,
        "notes": _MAYBE,
    }
    plans: Rows = draw(_rows(plan_fields, limit=3))
    event_fields = {
        "plan": _references(plans),
        "plan-event": st.sampled_from(sorted(EVENTS)),
        "event-date": _PARTIAL,
        "actual-date": st.just("") | _PARTIAL,
        "entry-date": _ENTRY,
        "notes": _MAYBE,
    }
    events: Rows = draw(_rows(event_fields, limit=12))
    return {"plan": write_csv("plan", plans), "plan-timetable": write_csv("plan-timetable", events)}


#: The fields that agreements, contributions and transactions have in common.
_CONTRIBUTION_FIELDS = {
    "notes": _MAYBE,
    "organisation": st.just("local-authority:XWM"),
    "entry-date": _ENTRY,
    "start-date": st.just("") | _DAY,
    "end-date": st.sampled_from(["", "2026-02-01", "2039-01-01"]),
}
#: The fields for pounds and homes, which contributions and transactions have.
_QUANTITY_FIELDS = {"amount": _AMOUNT, "units": st.sampled_from(["", "2", "17"])}


@st.composite
def contribution_files(draw: Any) -> Files:
    """Generate agreements of Westmarch with contributions and transactions."""
    agreement_fields = {
        "name": _MAYBE,
        "developer-agreement-type": st.sampled_from(["section-106", "S.278", "community-infrastructure-levy"]),
        "planning-application": _MAYBE,
        "document-url": _URL,
    }
    agreements: Rows = draw(_rows(agreement_fields | _CONTRIBUTION_FIELDS, limit=4))
    contribution_fields = {
        "developer-agreement": _references(agreements),
        "contribution-purpose": st.sampled_from(["education", "affordable-housing", "open-space-and-leisure"]),
    }
    contributions: Rows = draw(_rows(contribution_fields | _QUANTITY_FIELDS | _CONTRIBUTION_FIELDS, limit=5))
    transaction_fields = {
        "developer-agreement-contribution": _references(contributions),
        "contribution-funding-status": st.sampled_from(["secured", "received", "spent", "returned"]),
    }
    transactions: Rows = draw(_rows(transaction_fields | _QUANTITY_FIELDS | _CONTRIBUTION_FIELDS, limit=8))

    rows_by_dataset = {
        "developer-agreement": agreements,
        "developer-agreement-contribution": contributions,
        "developer-agreement-transaction": transactions,
    }
    return {dataset: write_csv(dataset, rows) for dataset, rows in rows_by_dataset.items()}


def brownfield_files() -> st.SearchStrategy[Files]:
    """Generate a register of Westmarch's brownfield land."""
    yes = st.sampled_from(["", "yes"])
    rows = _rows(
        {
            "OrganisationURI": st.sampled_from(
                [
                    "http://opendatacommunities.org/id/district-council/westmarch",
                    "https://www.planning.data.gov.uk/curie/local-authority:XWM",
                ]
            ),
            "SiteNameAddress": _WORDS,
            "GeoX": st.sampled_from(["-1.1812", "-0.50", "0.1", "-2.70012345"]),
            "GeoY": st.sampled_from(["50.85", "51.4100", "52.123456789"]),
            "SiteplanURL": _URL,
            "Hectares": st.sampled_from(["", "0.25", "1.20", "12"]),
            "OwnershipStatus": st.sampled_from(["", "owned by a public authority", "not owned by a public authority"]),
            "PlanningStatus": st.sampled_from(["permissioned", "not permissioned", "pending decision"]),
            "PermissionType": st.sampled_from(["", "full planning permission", "outline planning permission", "other"]),
            "PermissionDate": st.just("") | _DAY,
            "PlanningHistory": st.just("") | st.just("https://plans.example/1|https://plans.example/2"),
            "Deliverable": yes,
            "NetDwellingsRangeFrom": st.sampled_from(["", "1", "12", "012"]),
            "NetDwellingsRangeTo": st.sampled_from(["", "12", "40"]),
            "HazardousSubstances": yes,
            "Notes": _MAYBE,
            "FirstAddedDate": _ENTRY,
            "LastUpdatedDate": _ENTRY,
            "EndDate": st.sampled_from(["", "2026-02-01", "2039-01-01"]),
        },
        limit=6,
        reference="SiteReference",
    )
    return rows.map(lambda generated_rows: {"brownfield-land": write_csv("brownfield-land", generated_rows)})
