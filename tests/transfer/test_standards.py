"""Files of the planning data standards in force are read."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pytest

from partnerships.plans.models import Plan
from partnerships.transfer.reading import developer_agreements, plan_rows
from partnerships.transfer.reading.headings import Column, find_columns
from partnerships.transfer.reading.tables import Row

from .lists import COUNCILS, extract, import_list, import_plans

#: The columns of each dataset of a specification in force that is read.
READ: dict[str, tuple[Column, ...]] = {
    "plan": plan_rows.PLANS,
    "plan-timetable": plan_rows.TIMETABLE,
    "developer-agreement": developer_agreements.AGREEMENTS,
    "developer-agreement-contribution": developer_agreements.CONTRIBUTIONS,
    "developer-agreement-transaction": developer_agreements.TRANSACTIONS,
}

PLANS = (
    "reference,name,description,datasets,period-start-date,period-end-date,local-planning-authorities,"
    "minerals-and-waste-planning-authorities,documentation-url,document-url,required-housing,document-count,"
    "entry-date,notes\n"
    "westmarch-2040,Westmarch Local Plan 2040,A plan for homes,local-plan,2025,2040,E60900001,,"
    "https://plans.example/w,https://plans.example/w.pdf,12400,,2026-04-01,First of the new kind\n"
    "march-minerals,Marchshire Minerals Plan,Sand and gravel,minerals-plan;waste-plan,2025,2045,,E10900001,"
    "https://plans.example/m,https://plans.example/m.pdf,,3,2026-04-01,\n"
)
TIMETABLE = (
    "reference,plan,plan-event,event-date,actual-date,entry-date,notes\n"
    "a,westmarch-2040,scoping-consultation-start,2026-05-01,2026-06-15,2026-07-01,Later than planned\n"
    "b,westmarch-2040,adopted,2029-03,,2026-07-01,\n"
    "c,march-minerals,examination-submitted,2028,,2026-07-01,\n"
)


def rows_about(plan: str, csv_text: str) -> str:
    """Return the heading of a CSV, and its rows about a plan."""
    heading, *rows = csv_text.splitlines()
    return "\n".join([heading, *(row for row in rows if plan in row)])


#: The files of one council each.
WESTMARCH_PLANS, WESTMARCH_TIMETABLE = rows_about("westmarch-2040", PLANS), rows_about("westmarch-2040", TIMETABLE)
COUNTY_PLANS, COUNTY_TIMETABLE = rows_about("march-minerals", PLANS), rows_about("march-minerals", TIMETABLE)


def import_councils_with_planning_area() -> None:
    """Import the councils, one of them with the code of its area as a planning authority."""
    heading, *rows = COUNCILS.splitlines()
    lines = [f"{row},{'E60900001' if row.startswith('XWM') else ''}" for row in rows]
    import_list("councils", "\n".join([f"{heading},local-planning-authority", *lines]))


def milestones(title: str) -> dict[str, tuple[str, str, str]]:
    """Return the forecast, the actual date and the status of each milestone in the newest version."""
    plan = Plan.objects.get(title=title)
    items = plan.versions.get(number=plan.current_number).content["milestones"]
    return {item["key"]: (item["forecast"], item["actual"], item["status"]) for item in items}


def test_columns_of_timetables_are_those_of_the_specification() -> None:
    heading = Row(1, ("reference", "plan", "plan-event", "event-date", "actual-date", "entry-date", "notes"))

    index_by_code = find_columns(heading, [], READ["plan-timetable"])

    assert index_by_code == {
        "reference": 0,
        "plan": 1,
        "event": 2,
        "date": 3,
        "actual": 4,
        "entry": 5,
        "notes": 6,
    }


@pytest.mark.parametrize("dataset", READ)
def test_headings_match_in_any_case_and_punctuation(dataset: str) -> None:
    facts = csv.DictReader(io.StringIO(extract("planning_fields.csv").decode()))
    fields = [row["field"] for row in facts if row["dataset"] == dataset]

    columns_as_specified = find_columns(Row(1, tuple(fields)), [], READ[dataset])
    columns_in_capitals = find_columns(
        Row(1, tuple(field.upper().replace("-", "_") for field in fields)), [], READ[dataset]
    )

    assert columns_in_capitals
    assert columns_in_capitals == columns_as_specified


@pytest.mark.django_db
def test_plans_of_the_standard_have_planned_and_actual_dates() -> None:
    import_councils_with_planning_area()

    run = import_plans(PLANS.encode(), TIMETABLE.encode())

    assert run.created == 2
    assert milestones("Westmarch Local Plan 2040") == {
        "scoping-consultation-start": ("2026-05-01", "2026-06-15", "achieved"),
        "adopted": ("2029-03", "", "planned"),
    }
    plan = Plan.objects.get(title="Westmarch Local Plan 2040")
    assert plan.owners.get().organisation.name == "Westmarch Borough Council"
    content = plan.versions.get().content
    assert content["outcomes"][0]["measure"] == "12,400"
    assert "https://plans.example/w.pdf" in content["about"]["summary"]
    minerals = Plan.objects.get(title="Marchshire Minerals Plan")
    assert minerals.owners.get().organisation.name == "Marchshire County Council"


@pytest.mark.django_db
def test_moved_date_of_the_standard_makes_one_new_version() -> None:
    import_councils_with_planning_area()
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2026, 7, 1))
    later_timetable = TIMETABLE.replace("2029-03,,", "2029-09,,").replace(
        "2028,,2026-07-01", "2028,2026-09-11,2026-10-01"
    )

    run = import_plans(PLANS.encode(), later_timetable.encode(), as_of=dt.date(2026, 10, 1))

    assert run.changed == 2
    assert run.missing == 0
    assert milestones("Westmarch Local Plan 2040")["adopted"] == ("2029-09", "", "planned")
    assert milestones("Marchshire Minerals Plan")["examination-submitted"] == ("2028", "2026-09-11", "achieved")


@pytest.mark.django_db
def test_file_of_one_council_marks_no_other_councils_plan_as_missing() -> None:
    import_councils_with_planning_area()
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2026, 7, 1))

    run = import_plans(WESTMARCH_PLANS.encode(), WESTMARCH_TIMETABLE.encode(), as_of=dt.date(2026, 8, 1))

    assert run.left_alone == 1
    assert run.missing == 0


@pytest.mark.django_db
def test_first_file_of_a_council_creates_its_plan_after_the_file_of_another() -> None:
    import_councils_with_planning_area()
    import_plans(COUNTY_PLANS.encode(), COUNTY_TIMETABLE.encode())

    run = import_plans(WESTMARCH_PLANS.encode(), WESTMARCH_TIMETABLE.encode())

    assert run.created == 1


@pytest.mark.django_db
def test_older_file_of_a_council_is_compared_with_its_own_last_file_only() -> None:
    import_councils_with_planning_area()
    september_timetable = COUNTY_TIMETABLE.replace("2026-07-01", "2026-09-01")
    import_plans(COUNTY_PLANS.encode(), september_timetable.encode())
    import_plans(WESTMARCH_PLANS.encode(), WESTMARCH_TIMETABLE.encode())
    july_timetable = COUNTY_TIMETABLE.replace("2028", "2027")

    run = import_plans(COUNTY_PLANS.encode(), july_timetable.encode())

    assert "1 of 1 plans have changed since" in " ".join(run.report["remarks"])
    assert milestones("Marchshire Minerals Plan")["examination-submitted"] == ("2028", "", "planned")
