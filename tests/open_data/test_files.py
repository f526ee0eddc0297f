"""Files of the standards in force go in and come out the same, byte for byte."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import given, settings

from partnerships.commitments.models import Commitment
from partnerships.commitments.services import end_commitment, record_progress
from partnerships.open_data.queries import file_of
from partnerships.open_data.standards import DATASETS, EVENTS
from partnerships.organisations.models import Membership, Organisation
from partnerships.plans.models import Plan
from partnerships.plans.services import lift_embargoes, publish_version
from partnerships.transfer.models import ImportRun
from partnerships.transfer.services.brownfield_land import import_brownfield_land
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.files import File
from tests.transfer.lists import extract, import_plans, rows_of
from tests.transfer.test_standards import import_councils_with_planning_area
from tests.world import person

from .files import Files, brownfield_files, contribution_files, plan_files, write_csv

pytestmark = pytest.mark.django_db

generated = settings(max_examples=6)
#: An example value of each field whose values have a fixed form.
VALUES = {
    "datasets": "local-plan;minerals-plan",
    "local-planning-authorities": "E60900001",
    "minerals-and-waste-planning-authorities": "E10900001",
    "required-housing": "12,400",
    "document-count": "3",
    "plan": "reference of plan",
    "plan-event": "adopted",
    "organisation": "local-authority:XWM",
    "amount": "£1,250.00",
    "units": "17",
    "developer-agreement": "reference of developer-agreement",
    "developer-agreement-type": "section-106",
    "developer-agreement-contribution": "reference of developer-agreement-contribution",
    "contribution-purpose": "open-space-and-leisure",
    "contribution-funding-status": "received",
    "OrganisationURI": "https://www.planning.data.gov.uk/curie/local-authority:XWM",
    "GeoX": "-1.180",
    "GeoY": "50.850",
    "Hectares": "1.20",
    "PlanningStatus": "permissioned",
    "PermissionType": "outline planning permission",
    "Deliverable": "yes",
    "NetDwellingsRangeFrom": "12",
    "NetDwellingsRangeTo": "40",
    "HazardousSubstances": "yes",
}


@pytest.fixture(autouse=True)
def councils(db: None) -> None:
    """Import the councils, Westmarch with its planning area."""
    import_councils_with_planning_area()


def westmarch() -> Organisation:
    """Return the council that publishes the files."""
    return Organisation.objects.get(name="Westmarch Borough Council")


def import_plan_files(files: Files) -> ImportRun:
    """Import plans with their timetable."""
    return import_plans(files["plan"], files["plan-timetable"])


def import_plan_and_event(plan: dict[str, str], event: dict[str, str]) -> ImportRun:
    """Import one plan with one event of its timetable."""
    return import_plan_files(
        {"plan": write_csv("plan", [plan]), "plan-timetable": write_csv("plan-timetable", [event])}
    )


def import_brownfield_files(files: Files) -> ImportRun:
    """Import a register of brownfield land."""
    file = File("brownfield-land.csv", files["brownfield-land"])
    return import_brownfield_land(file=file, author=None, now=timezone.now()).run


def import_contribution_files(files: Files) -> ImportRun:
    """Import developer agreements with their contributions and transactions."""
    return import_developer_agreements(
        agreements=File("developer-agreement.csv", files["developer-agreement"]),
        contributions=File("developer-agreement-contribution.csv", files["developer-agreement-contribution"]),
        transactions=File("developer-agreement-transaction.csv", files["developer-agreement-transaction"]),
        author=None,
        now=timezone.now(),
    ).run


def exported_files(*datasets: str) -> Files:
    """Return the files of Westmarch."""
    return {dataset: file_of(westmarch(), dataset).data for dataset in datasets}


def check_round_trip(import_files: Callable[[Files], ImportRun], files: Files) -> None:
    """Check that an export equals the files that were imported, and that importing the export changes nothing.

    The imports are rolled back, because one test calls this function with many examples.
    """
    with transaction.atomic():
        run = import_files(files)
        first_export = exported_files(*files)
        repeated_run = import_files(first_export)
        second_export = exported_files(*files)
        transaction.set_rollback(True)

    assert first_export == files
    assert second_export == files
    assert run.set_aside == 0
    assert repeated_run.set_aside == 0
    assert repeated_run.created == 0
    assert repeated_run.changed == 0


@generated
@given(files=plan_files())
def test_generated_plans_and_timetables_go_in_and_out_byte_for_byte(files: Files) -> None:
    check_round_trip(import_plan_files, files)


@generated
@given(files=contribution_files())
def test_generated_developer_contributions_go_in_and_out_byte_for_byte(files: Files) -> None:
    check_round_trip(import_contribution_files, files)


@generated
@given(files=brownfield_files())
def test_generated_brownfield_land_goes_in_and_out_byte_for_byte(files: Files) -> None:
    check_round_trip(import_brownfield_files, files)


def fields_in_force() -> list[tuple[str, str]]:
    """Return the dataset and the name of each field of the specifications in force."""
    return [
        (row["dataset"], row["field"])
        for row in rows_of(extract("planning_fields.csv"))
        if row["status"] == "open-standard"
    ]


def value_of(dataset: str, field: str) -> str:
    """Return an example value of a field, which differs from those of the other fields where its form permits it."""
    if field.endswith(("-date", "Date")):
        return {"period-end-date": "2041-03-31", "EndDate": "2041-01-01"}.get(field, "2026-04-01")
    if field.endswith(("-url", "URL")):
        return f"https://plans.example/{field}"
    return VALUES.get(field, f"{field} of {dataset}")


def test_every_field_in_force_is_read_and_written() -> None:
    rows: dict[str, dict[str, str]] = {}
    for dataset, field in fields_in_force():
        rows.setdefault(dataset, {})[field] = value_of(dataset, field)
    assert rows.keys() == DATASETS.keys()
    assert {dataset: set(row) for dataset, row in rows.items()} == {
        code: set(dataset.headings) for code, dataset in DATASETS.items()
    }
    files = {dataset: write_csv(dataset, [row]) for dataset, row in rows.items()}

    import_plan_files(files)
    import_contribution_files(files)
    import_brownfield_files(files)

    for dataset, row in rows.items():
        assert rows_of(exported_files(dataset)[dataset]) == [row]


def test_levels_of_fields_are_those_of_the_specification() -> None:
    levels = {
        (row["dataset"], row["field"]): row["requirement_level"]
        for row in rows_of(extract("planning_fields.csv"))
        if row["status"] == "open-standard"
    }

    assert {(code, field.name): field.level for code, dataset in DATASETS.items() for field in dataset.fields} == levels


def test_every_event_in_force_is_read_and_written() -> None:
    events = [row["plan_event"] for row in rows_of(extract("plan_events.csv"))]
    assert set(events) == set(EVENTS)
    plan = {"reference": "w", "name": "Plan", "local-planning-authorities": "E60900001", "entry-date": "2026-05-17"}
    timetable = [
        {"reference": str(number), "plan": "w", "plan-event": event, "event-date": "2027-01-02", "actual-date": ""}
        for number, event in enumerate(events)
    ]
    files = {"plan": write_csv("plan", [plan]), "plan-timetable": write_csv("plan-timetable", timetable)}

    import_plan_files(files)

    assert exported_files(*files) == files


def test_council_with_nothing_publishes_headings_alone() -> None:
    assert exported_files("plan") == {"plan": (",".join(DATASETS["plan"].headings) + "\r\n").encode()}


PLAN = {
    "reference": "westmarch-2040",
    "name": "Westmarch Local Plan",
    "description": "Homes",
    "datasets": "local-plan",
    "period-start-date": "2025",
    "period-end-date": "2040",
    "local-planning-authorities": "E60900001",
    "required-housing": "12,400",
    "entry-date": "2026-05-17",
}
EVENT = {
    "reference": "a",
    "plan": "westmarch-2040",
    "plan-event": "adopted",
    "event-date": "2029-03",
    "entry-date": "2026-05-17",
}


def change(alter: Callable[[dict[str, Any]], object], **more: Any) -> None:
    """Publish the plan again with a change that its owner made by hand."""
    plan = Plan.objects.get(external_reference="westmarch-2040")
    content = plan.versions.get(number=plan.current_number).content
    alter(content)
    publish_version(plan=plan, author=None, note="By hand.", now=timezone.now(), content=content, **more)


def row_of(dataset: str) -> dict[str, str]:
    """Return the only row of an exported file."""
    (row,) = rows_of(exported_files(dataset)[dataset])
    return row


def test_what_owners_change_here_is_in_the_file_and_the_rest_keeps_its_text() -> None:
    import_plan_and_event(PLAN, EVENT)

    change(lambda content: content["milestones"][0].update(forecast="2029-09", actual="2029-10-02"))
    change(lambda content: content["about"].update(title="Westmarch Plan"))

    today = timezone.localdate().isoformat()
    assert row_of("plan-timetable") == {
        **dict.fromkeys(DATASETS["plan-timetable"].headings, ""),
        **EVENT,
        "event-date": "2029-09",
        "actual-date": "2029-10-02",
        "entry-date": today,
    }
    plan = row_of("plan")
    assert plan["name"] == "Westmarch Plan"
    assert plan["required-housing"] == "12,400"
    assert plan["entry-date"] == today
    assert plan["description"] == "Homes"


def test_versions_under_embargo_and_restricted_milestones_are_not_in_the_file() -> None:
    import_plan_and_event(PLAN, EVENT)
    before = exported_files("plan", "plan-timetable")

    tomorrow = timezone.now() + dt.timedelta(days=1)
    change(lambda content: content["about"].update(title="Secret name"), embargo_until=tomorrow)

    assert exported_files("plan", "plan-timetable") == before


class Embargo(NamedTuple):
    """The files that were exported before an embargo, the files that are imported during it, and its end."""

    exported_before: Files
    files: Files
    ends_at: dt.datetime


@pytest.fixture
def embargo() -> Embargo:
    """Publish a version of the plan under an embargo until tomorrow, and provide newer files of the council."""
    import_plan_and_event(PLAN, EVENT)
    exported_before = exported_files("plan", "plan-timetable")
    ends_at = timezone.now() + dt.timedelta(days=1)
    change(lambda content: content["about"].update(title="Secret name"), embargo_until=ends_at)
    secret = {"notes": "Secret note", "document-url": "https://plans.example/secret", "entry-date": "2026-06-01"}
    files = {
        "plan": write_csv("plan", [{**PLAN, **secret}]),
        "plan-timetable": write_csv("plan-timetable", [{**EVENT, "event-date": "2031-03"}]),
    }
    return Embargo(exported_before, files, ends_at)


def test_rows_imported_under_an_embargo_do_not_change_the_exported_files(embargo: Embargo) -> None:
    run = import_plan_files(embargo.files)

    assert exported_files("plan", "plan-timetable") == embargo.exported_before
    assert "Westmarch Local Plan is under embargo" in " ".join(run.report["remarks"])


def test_rows_imported_again_after_an_embargo_are_in_the_exported_files(embargo: Embargo) -> None:
    import_plan_files(embargo.files)

    with time_machine.travel(embargo.ends_at + dt.timedelta(hours=1), tick=False):
        lift_embargoes(now=timezone.now())
        import_plan_files(embargo.files)
        plan = row_of("plan")
        event = row_of("plan-timetable")

    assert plan["name"] == "Secret name"
    assert plan["notes"] == "Secret note"
    assert event["event-date"] == "2031-03"


def test_file_last_changed_when_an_embargo_ended_not_when_the_version_was_made() -> None:
    import_plan_and_event(PLAN, EVENT)
    opens = timezone.now() + dt.timedelta(days=1)
    change(lambda content: content["about"].update(title="Secret name"), embargo_until=opens)

    with time_machine.travel(opens + dt.timedelta(hours=1), tick=False):
        lift_embargoes(now=timezone.now())
        plan_file = file_of(westmarch(), "plan")

    assert plan_file.rows[0]["name"] == "Secret name"
    assert plan_file.changed_at == opens


def test_restricted_milestones_are_not_in_the_file() -> None:
    import_plan_and_event(PLAN, EVENT)

    change(lambda content: content["milestones"][0].update(restricted=True))

    assert not rows_of(exported_files("plan-timetable")["plan-timetable"])


def test_milestone_added_here_gets_a_reference_and_an_unknown_one_is_left_out() -> None:
    import_plan_and_event(PLAN, EVENT)
    item = {"baseline": "", "forecast": "2028-02", "actual": "", "status": "planned", "note": ""}
    added = [
        {"key": "m1", "name": "Submitted for examination", **item},
        {"key": "m2", "name": "Housewarming", **item},
    ]

    change(lambda content: content["milestones"].extend(added))

    timetable_file = file_of(westmarch(), "plan-timetable")
    assert [(row["reference"], row["plan-event"]) for row in timetable_file.rows] == [
        ("a", "adopted"),
        ("westmarch-2040-m1", "examination-submitted"),
    ]
    assert timetable_file.left_out == ("Housewarming (Westmarch Local Plan): the standard has no such event.",)


def test_row_set_aside_later_keeps_its_texts_in_the_file() -> None:
    files = {"plan": write_csv("plan", [PLAN]), "plan-timetable": write_csv("plan-timetable", [EVENT])}
    import_plan_files(files)
    wrong = {**EVENT, "event-date": "2029-02-31"}
    other = {**EVENT, "reference": "b", "plan-event": "examination-submitted", "event-date": "2028"}

    import_plan_files({**files, "plan-timetable": write_csv("plan-timetable", [wrong, other])})

    rows = rows_of(exported_files("plan-timetable")["plan-timetable"])
    assert {row["reference"]: row["event-date"] for row in rows} == {"a": "2029-03", "b": "2028"}


AGREEMENT = {
    "reference": "W/1",
    "developer-agreement-type": "section-106",
    "organisation": "local-authority:XWM",
    "entry-date": "2026-05-17",
}
CONTRIBUTIONS = [
    {"reference": "W/1-school", "contribution-purpose": "education", "amount": "£9,000.50"},
    {"reference": "W/1-homes", "contribution-purpose": "affordable-housing", "units": "12"},
]
PAID = {
    "reference": "t1",
    "developer-agreement-contribution": "W/1-school",
    "contribution-funding-status": "received",
    "amount": "1000",
    "organisation": "local-authority:XWM",
    "start-date": "2026-05-01",
    "entry-date": "2026-05-17",
}


@pytest.fixture
def council_records() -> Files:
    """Import contributions of Westmarch, record three payments and the end of one; return the imported files."""
    common = {"developer-agreement": "W/1", "organisation": "local-authority:XWM", "entry-date": "2026-05-17"}
    files = {
        "developer-agreement": write_csv("developer-agreement", [AGREEMENT]),
        "developer-agreement-contribution": write_csv(
            "developer-agreement-contribution", [{**contribution, **common} for contribution in CONTRIBUTIONS]
        ),
        "developer-agreement-transaction": write_csv("developer-agreement-transaction", [PAID]),
    }
    import_contribution_files(files)
    eve = person("Eve", "eve@westmarch.example")
    Membership.objects.create(
        person=eve, organisation=westmarch(), role="lead", starts_on=timezone.localdate(), accepted_at=timezone.now()
    )
    for delivered, note in (("3500.50", "Private words"), ("3500.50", ""), ("3000", "Paid back")):
        record_progress(
            commitment=Commitment.objects.get(source_reference="W/1-school"),
            status="in_progress",
            delivered=Decimal(delivered),
            note_text=note,
            author=eve,
            now=timezone.now(),
        )
    homes = Commitment.objects.get(source_reference="W/1-homes")
    end_commitment(commitment=homes, reason="Not built.", author=eve, now=timezone.now())
    return files


def exported_rows(dataset: str) -> list[dict[str, str]]:
    """Return the rows of an exported file of Westmarch."""
    return rows_of(exported_files(dataset)[dataset])


@pytest.mark.usefixtures("council_records")
def test_payments_that_the_council_records_are_transactions_without_their_notes() -> None:
    progress = Commitment.objects.get(source_reference="W/1-school").progress.order_by("pk")[1]
    today = timezone.localdate().isoformat()

    imported_row, recorded_row = exported_rows("developer-agreement-transaction")

    assert imported_row["reference"] == "t1"
    assert recorded_row == {
        **dict.fromkeys(DATASETS["developer-agreement-transaction"].headings, ""),
        **PAID,
        "reference": f"common-ground-{progress.pk}",
        "amount": "2500.50",
        "start-date": today,
        "entry-date": today,
    }


@pytest.mark.usefixtures("council_records")
def test_payments_that_were_returned_are_left_out_with_the_reason() -> None:
    [reason] = file_of(westmarch(), "developer-agreement-transaction").left_out

    assert "The total for W/1-school in the report" in reason


@pytest.mark.usefixtures("council_records")
def test_a_contribution_that_the_council_ended_has_its_last_day() -> None:
    today = timezone.localdate().isoformat()

    school_row, homes_row = exported_rows("developer-agreement-contribution")

    assert school_row["amount"] == "£9,000.50"
    assert school_row["end-date"] == ""
    assert school_row["entry-date"] == "2026-05-17"
    assert homes_row["reference"] == "W/1-homes"
    assert homes_row["end-date"] == today
    assert homes_row["entry-date"] == today


def test_what_the_council_records_outlasts_another_import(council_records: Files) -> None:
    files_before = exported_files(*council_records)

    import_contribution_files(council_records)

    assert exported_files(*council_records) == files_before


def test_importing_what_the_council_exported_changes_nothing(council_records: Files) -> None:
    exported_before = exported_files(*council_records)

    import_contribution_files(exported_before)

    assert exported_files(*council_records) == exported_before


def test_cells_that_would_run_as_formulas_are_written_with_an_apostrophe() -> None:
    import_plan_and_event({**PLAN, "notes": "=HYPERLINK(1)"}, EVENT)

    assert row_of("plan")["notes"] == "'=HYPERLINK(1)"


def test_importing_an_apostrophe_before_a_formula_adds_no_second_one() -> None:
    import_plan_and_event({**PLAN, "notes": "=HYPERLINK(1)"}, EVENT)
    exported_once = exported_files("plan", "plan-timetable")

    import_plan_files(exported_once)

    assert exported_files("plan", "plan-timetable") == exported_once


def test_files_are_csv_with_line_ends_of_rfc_4180() -> None:
    import_plan_and_event(PLAN, EVENT)

    data = exported_files("plan")["plan"]

    assert data.count(b"\r\n") == 2
    assert len(next(csv.reader(io.StringIO(data.decode())))) == len(DATASETS["plan"].headings)
