"""Altered copies of real extracts lose no good row and name every bad one."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.organisations.models import AreaServed, Kind, Organisation
from partnerships.plans.models import Plan
from partnerships.transfer.models import ImportRun
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.files import File
from tests.support.kept_rows import build_once

from .altering import ALTERED, Rows, altered
from .lists import extract, import_list, import_plans, rows_of

pytestmark = pytest.mark.django_db

Row = dict[str, str]


@pytest.fixture(autouse=True)
def councils(db: None) -> None:
    """Import the councils of the extract, once for all tests."""
    build_once(_councils)


def _councils() -> None:
    import_list("councils", extract("councils.csv"), as_of=dt.date(2019, 1, 1))


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back everything that was imported inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def table(rows: list[Row]) -> Rows:
    """Return the heading and the cells of the rows."""
    return [list(rows[0]), *(list(row.values()) for row in rows)]


def lines_set_aside(run: ImportRun) -> str:
    return "\n".join(run.report["lines"].get("set_aside", []))


def served() -> set[tuple[str, str]]:
    """Return the names of LEPs and combined authorities, each with the code of an area that it serves."""
    kinds = (Kind.LEP, Kind.STRATEGIC_AUTHORITY)
    areas_served = AreaServed.objects.filter(organisation__kind__in=kinds)
    return set(areas_served.values_list("organisation__name", "area__code"))


@cache
def served_after(register: str, name: str) -> set[tuple[str, str]]:
    """Return the result of `served` after the unaltered list was imported."""
    with rolled_back():
        import_list(register, extract(name), accept_missing=True)
        return served()


LEPS_BAD = [
    {"LACD": "E0700", "LANM": "Short Code", "ERCD": "E37000007", "ERNM": "Cumbria"},
    {"LACD": "E07000999", "LANM": "Wrong LEP", "ERCD": "E99", "ERNM": "Nowhere"},
]
COMBINED_BAD = [
    {"LAD25CD": "E0800", "LAD25NM": "Short Code", "CAUTH25CD": "E47000002", "CAUTH25NM": "South Yorkshire"},
    {"LAD25CD": "E08000001", "LAD25NM": "Bolton", "CAUTH25CD": "E99", "CAUTH25NM": "Nowhere"},
]


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.parametrize(
    ("register", "name", "bad"),
    [("leps", "leps.csv", LEPS_BAD), ("combined-authorities", "combined_authorities.csv", COMBINED_BAD)],
)
def test_altered_look_ups_lose_no_good_row_and_name_every_bad_one(
    register: str, name: str, bad: list[Row], how: str
) -> None:
    good = rows_of(extract(name))
    expected = served_after(register, name)
    rows = table([*good, *({key: row.get(key, "") for key in good[0]} for row in bad)])

    run = import_list(register, altered(rows, how), accept_missing=True)

    assert served() == expected
    assert run.report["rows"]["used"] == len(good)
    assert run.report["rows"]["set_aside"] == len(bad)
    assert all(code in lines_set_aside(run) for code in (bad[0][next(iter(bad[0]))], "E99"))


def features(rows: list[Row], *, encoding: str = "utf-8") -> bytes:
    """Return the rows as GeoJSON."""
    feature_list = [{"type": "Feature", "properties": row, "geometry": None} for row in rows]
    return json.dumps({"type": "FeatureCollection", "features": feature_list}, ensure_ascii=False).encode(encoding)


def _vintage(rows: list[Row]) -> list[Row]:
    return [{"LAD23CD": row["areacd"], "LAD23NM": row["areanm"]} for row in rows]


COPIES: dict[str, Callable[[list[Row]], bytes]] = {
    "headings renamed": lambda rows: features([{"AREA_CD": row["areacd"], "Area NM": row["areanm"]} for row in rows]),
    "another year's headings": lambda rows: features(_vintage(rows)),
    "members reordered": lambda rows: features([{"areanm": row["areanm"], "areacd": row["areacd"]} for row in rows]),
    "rows doubled": lambda rows: features([row for row in rows for _ in range(2)]),
    "UTF-16": lambda rows: features(rows, encoding="utf-16"),
    "byte order mark": lambda rows: features(rows, encoding="utf-8-sig"),
}


@pytest.mark.parametrize("how", COPIES)
def test_altered_geojson_loses_no_good_row_and_names_every_bad_one(how: str) -> None:
    good = [
        {"areacd": feature["properties"]["areacd"], "areanm": feature["properties"]["areanm"]}
        for feature in json.loads(extract("districts.geojson"))["features"]
    ]
    foreign = [{"areacd": "W06000001", "areanm": "Isle of Anglesey"}, {"areacd": "S12000033", "areanm": "Aberdeen"}]
    bad = [{"areacd": "", "areanm": "No Code District"}, {"areacd": "E0700", "areanm": "Short Code"}]

    run = import_list("councils", COPIES[how]([*good, *foreign, *bad]), is_part=True)

    rows = run.report["rows"]
    assert rows["used"] == len(good)
    assert rows["set_aside"] == len(bad)
    assert rows["outside"] == len(foreign)
    assert "E0700" in lines_set_aside(run)
    assert "is blank" in lines_set_aside(run)
    assert run.undecided == 0


def milestones_of_plans() -> dict[str, dict[str, tuple[str, str]]]:
    """Return the dates of every plan's milestones, by the plan's reference and the milestone's key."""
    milestones_by_reference = {}
    for plan in Plan.objects.filter(kind="local_plan"):
        items = plan.versions.get(number=plan.current_number).content["milestones"]
        milestones_by_reference[plan.external_reference] = {
            item["key"]: (item["forecast"], item["actual"]) for item in items
        }
    return milestones_by_reference


@cache
def milestones_of_extract() -> dict[str, dict[str, tuple[str, str]]]:
    """Return the result of `milestones_of_plans` after the unaltered extracts were imported."""
    with rolled_back():
        import_plans(extract("local-plan.csv"), extract("local-plan-timetable.csv"))
        return milestones_of_plans()


@pytest.mark.parametrize("how", ALTERED)
def test_altered_plans_and_timetables_lose_no_good_row_and_name_every_bad_one(how: str) -> None:
    plans = rows_of(extract("local-plan.csv"))
    timetable = rows_of(extract("local-plan-timetable.csv"))
    expected = milestones_of_extract()
    bad_plans = [{**plans[0], "reference": ""}, {**plans[1], "reference": "zz", "period-end-date": "1900"}]
    bad_events = [
        {**timetable[0], "event-date": "2024-02-31", "reference": "z1"},
        {**timetable[1], "local-plan": "no-such-plan", "reference": "z2"},
    ]

    run = import_plans(altered(table([*plans, *bad_plans]), how), altered(table([*timetable, *bad_events]), how))

    assert milestones_of_plans() == expected
    assert run.report["rows"]["set_aside"] == 4
    set_aside = lines_set_aside(run)
    assert all(part in set_aside for part in ("the cell is blank", "1900", "2024-02-31", "no-such-plan"))


def figures_of_promises() -> set[tuple[Any, ...]]:
    """Return every commitment of the register with its figures."""
    return set(
        Commitment.objects.exclude(source="").values_list(
            "source_reference", "receiver__name", "quantity", "unit", "delivered_quantity", "status"
        )
    )


def import_agreement_files(agreements: bytes, contributions: bytes, transactions: bytes) -> ImportRun:
    """Import the three files of developer agreements, and return the run."""
    return import_developer_agreements(
        agreements=File("a", agreements),
        contributions=File("c", contributions),
        transactions=File("t", transactions),
        author=None,
        now=timezone.now(),
    ).run


REGISTER = ("developer-agreement", "developer-agreement-contribution", "developer-agreement-transaction")


@cache
def figures_of_extracts() -> set[tuple[Any, ...]]:
    """Return the result of `figures_of_promises` after the unaltered extracts were imported."""
    with rolled_back():
        import_agreement_files(*(extract(f"{name}.csv") for name in REGISTER))
        return figures_of_promises()


@pytest.mark.parametrize("how", ALTERED)
def test_altered_agreements_lose_no_good_row_and_name_every_bad_one(how: str) -> None:
    agreements, contributions, transactions = (rows_of(extract(f"{name}.csv")) for name in REGISTER)
    expected = figures_of_extracts()
    agreements.append({**agreements[0], "developer-agreement": ""})
    agreements.append({**agreements[1], "developer-agreement": "ZZ/1", "organisation": "local-authority-eng:ZZZ"})
    contributions.append({**contributions[0], "developer-agreement-contribution": ""})
    transactions.append({**transactions[0], "developer-agreement-contribution": "ZZ/2"})

    run = import_agreement_files(*(altered(table(rows), how) for rows in (agreements, contributions, transactions)))

    assert figures_of_promises() == expected
    assert run.set_aside == 4
    set_aside = lines_set_aside(run)
    assert set_aside.count("the row has no reference") == 2
    assert "“local-authority-eng:ZZZ” is not in the directory" in set_aside
    assert "“ZZ/2” is not in the file of contributions" in set_aside
    assert Organisation.objects.filter(developer_agreements__isnull=False).distinct().count() == 2
