"""Published housing figures become dated datasets, whatever the year and the kind of file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from html import escape
from typing import Any

import pytest

from partnerships.activity.models import Event
from partnerships.housing_figures.models import Dataset, Figure
from partnerships.housing_figures.queries import (
    current_districts,
    figures_of,
    lineages,
    newest_datasets,
    newest_years,
    requirements_of,
)
from partnerships.organisations.models import Area
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import FIGURE_REGISTERS, ImportRun
from partnerships.transfer.reading.housing_figures import READERS
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import accounting, rows_to_correct
from partnerships.transfer.services.files import File
from partnerships.transfer.services.registers import apply_preview, preview_register
from tests.support.kept_rows import build_once
from tests.world import World

from .lists import EXTRACTS, as_workbook, extract, import_list
from .test_reading_tables import CELL, open_document

pytestmark = pytest.mark.django_db

FILES: dict[str, Any] = json.loads((EXTRACTS / "housing_figures.json").read_text(encoding="utf-8"))
#: The day after which the councils of Cumbria are two.
TODAY = dt.date(2026, 8, 1)


def sheets_of(series: str) -> dict[str, list[list[Any]]]:
    sheets: dict[str, list[list[Any]]] = FILES[series]["sheets"]
    return sheets


def workbook_of(series: str) -> bytes:
    return as_workbook(sheets_of(series))


def as_csv_file(rows: list[list[Any]]) -> bytes:
    csv_text = io.StringIO(newline="")
    csv.writer(csv_text).writerows(rows)
    return csv_text.getvalue().encode()


def import_figures(series: str, data: bytes | None = None, *, name: str = "figures.xlsx", **options: Any) -> ImportRun:
    return import_list(series, workbook_of(series) if data is None else data, name=name, **options)


@pytest.fixture
def councils(db: None) -> None:
    """Import current and earlier councils, with their areas and successions, once for all tests."""
    build_once(_councils)


def _councils() -> None:
    import_list("councils", extract("councils.csv"), as_of=dt.date(2025, 7, 10))


def value(measure: str, code: str, last_year: int) -> Decimal | None:
    return Figure.objects.get(measure=measure, code=code, last_year=last_year).value


def test_every_row_of_each_file_is_accounted_for(councils: None) -> None:
    sentence_by_series = {series: accounting(import_figures(series).report) for series in FIGURE_REGISTERS}

    assert sentence_by_series == {
        "net-additions": "Of 15 rows, 11 were used, 3 are totals and 1 was set aside.",
        "delivery-test": "Of 16 rows, 9 were used and 7 were set aside.",
        "affordable-supply": "Of 69 rows, 27 were used, 36 are totals and 6 were set aside.",
        "waiting-lists": "Of 29 rows, 29 were used.",
        "requirements": "Of 17 rows, 12 were used and 5 were set aside.",
    }
    assert Event.objects.filter(kind=EventKind.HOUSING_FIGURES_IMPORTED).count() == 5


def test_dataset_names_its_release_publisher_and_licence(councils: None) -> None:
    run = import_figures("net-additions")

    dataset = Dataset.objects.get()
    assert dataset.released_on == dt.date(2025, 11, 20)
    assert run.as_of == dt.date(2025, 11, 20)
    assert dataset.publisher == "Ministry of Housing, Communities and Local Government"
    assert dataset.licence == "Open Government Licence v3.0"


def test_dataset_of_a_file_without_a_date_has_the_date_that_was_entered(councils: None) -> None:
    import_figures("delivery-test", as_of=dt.date(2024, 12, 12))

    assert Dataset.objects.get().released_on == dt.date(2024, 12, 12)


@pytest.fixture
def all_figures(councils: None) -> None:
    """Import the published figures of every series."""
    for series in FIGURE_REGISTERS:
        import_figures(series, as_of=dt.date(2025, 12, 1))


@pytest.mark.usefixtures("all_figures")
@pytest.mark.parametrize(
    ("measure", "code", "last_year", "expected_value"),
    [
        ("net_additions", "E07000223", 2025, Decimal(315)),
        ("required", "E07000223", 2021, Decimal("117.8716")),
        ("measurement", "E06000045", 2023, Decimal("0.5")),
        ("social_rent_completions", "E08000016", 2020, Decimal(80)),
        ("affordable_starts", "E07000223", 2020, Decimal(225)),
        ("waiting_list", "E07000223", 2025, Decimal(1033)),
    ],
)
def test_values_are_those_of_the_cells(measure: str, code: str, last_year: int, expected_value: Decimal) -> None:
    assert value(measure, code, last_year) == expected_value


@pytest.mark.usefixtures("all_figures")
@pytest.mark.parametrize(
    ("measure", "code", "last_year", "status"),
    [
        ("net_additions", "E07000223", 2025, "provisional"),
        ("net_additions", "E06000063", 2023, "not_published"),
        ("measurement", "E07000027", 2023, "not_applicable"),
        ("waiting_list", "E07000106", 2024, "not_published"),
    ],
)
def test_marks_are_those_of_the_cells(measure: str, code: str, last_year: int, status: str) -> None:
    assert Figure.objects.get(measure=measure, code=code, last_year=last_year).status == status


@pytest.mark.usefixtures("all_figures")
def test_consequence_has_the_words_of_its_cell() -> None:
    assert Figure.objects.get(measure="consequence", code="E06000045").words == "Presumption"


@pytest.mark.usefixtures("all_figures")
def test_requirements_are_those_of_local_plans() -> None:
    requirement = Figure.objects.get(plan="Allerdale Local Plan (Part 1)")

    assert requirement.measure == "requirement_a_year"
    assert requirement.value == 304
    assert requirement.first_year == 2011
    assert requirement.last_year == 2029
    assert Figure.objects.get(plan="Adur Local Plan").status == "not_published"


def row_to_correct(run: ImportRun, area_name: str) -> list[str]:
    """Return the row of an area that an import of live tables set aside, as a person downloads it."""
    _heading, rows = rows_to_correct(run.report)
    return next(row for row in rows if row[2] == area_name)


def test_row_without_the_code_of_an_area_is_set_aside(councils: None) -> None:
    run = import_figures("affordable-supply")

    live_table, code, _area_name, *_figures, reason, _remedy = row_to_correct(run, "Beverley")
    assert live_table == "1006C"
    assert code == "E07AHS568"
    assert "is not the code of an area" in reason


def test_row_of_an_area_outside_the_directory_is_set_aside(councils: None) -> None:
    run = import_figures("affordable-supply")

    *_cells, reason, _remedy = row_to_correct(run, "Alnwick")
    assert reason == "no area or organisation in the directory has the code E07000157."
    assert "Sheet “Live_Table_1006C”, row 4" in " ".join(run.report["lines"]["set_aside"])


def test_row_that_was_set_aside_is_imported_into_its_dataset_once_its_area_is_known(councils: None) -> None:
    first_run = import_figures("affordable-supply")
    heading, _rows = rows_to_correct(first_run.report)
    corrected_file = as_csv_file([[*heading], row_to_correct(first_run, "Alnwick")])
    Area.objects.create(code="E07000157", name="Alnwick", kind="district")

    run = import_figures("affordable-supply", corrected_file, name="corrected.csv")

    assert run.created == 1
    assert run.set_aside == 0
    alnwick_figures = Figure.objects.filter(code="E07000157", measure="social_rent_completions")
    assert {figure.dataset.released_on for figure in alnwick_figures} == {dt.date(2021, 11, 18)}
    assert Dataset.objects.filter(series="affordable-supply").count() == 1


def test_file_that_is_imported_again_leaves_every_figure_as_it_was(councils: None) -> None:
    data = workbook_of("delivery-test")
    import_figures("delivery-test", data, now=dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC))
    figures_before = set(Figure.objects.values_list("pk", "value"))

    repeated_run = import_figures("delivery-test", data, now=dt.datetime(2026, 2, 5, 12, tzinfo=dt.UTC))

    assert repeated_run.created == 0
    assert repeated_run.changed == 0
    assert repeated_run.left_alone == 9
    assert set(Figure.objects.values_list("pk", "value")) == figures_before
    assert Dataset.objects.get().released_on == dt.date(2026, 1, 5)


def other_net_additions() -> bytes:
    """Return the table of net additions as a CSV without its titles, with 99 for Adur in 2023-24 instead of 120."""
    rows = [list(row) for row in sheets_of("net-additions")["LT_122"]]
    year = "2023-24 [r] [note 17]"
    heading_index = next(index for index, row in enumerate(rows) if year in row)
    adur = next(row for row in rows if "Adur" in row)
    adur[rows[heading_index].index(year)] = 99
    return as_csv_file(rows[heading_index:])


@pytest.fixture
def run_of_older_release(councils: None) -> ImportRun:
    """Import the release of November 2025, then one of November 2024, and return the latter run."""
    import_figures("net-additions")
    return import_figures("net-additions", other_net_additions(), name="table-122_2024-11.csv")


def test_older_release_has_the_date_in_the_name_of_its_file(run_of_older_release: ImportRun) -> None:
    assert run_of_older_release.as_of == dt.date(2024, 11, 30)


def test_older_release_does_not_replace_the_newer_one(run_of_older_release: ImportRun) -> None:
    remarks = " ".join(run_of_older_release.report["remarks"])
    assert "Pages show the newer release of 20 November 2025" in remarks
    assert newest_datasets()["net-additions"].released_on == dt.date(2025, 11, 20)


@pytest.mark.usefixtures("run_of_older_release")
def test_figures_of_both_releases_are_kept() -> None:
    figures = Figure.objects.filter(code="E07000223", last_year=2024)

    oldest_first = figures.order_by("dataset__released_on")
    assert list(oldest_first.values_list("dataset__released_on", "value")) == [
        (dt.date(2024, 11, 30), 99),
        (dt.date(2025, 11, 20), 120),
    ]


def test_report_of_a_newer_release_has_the_number_of_changed_figures(councils: None) -> None:
    import_figures("net-additions", other_net_additions(), name="table-122_2024-11.csv")

    run = import_figures("net-additions")

    assert any(line.startswith("1 of 99 figures differ from those") for line in run.report["remarks"])


def test_figures_do_not_change_in_the_database(councils: None) -> None:
    import_figures("net-additions")

    with pytest.raises(Exception, match="Cannot update or delete rows"):
        Figure.objects.update(value=1)


CUMBERLAND, FURNESS, BARNSLEY = "E06000063", "E06000064", "E08000016"


def figures_of_area(code: str) -> Any:
    """Return the newest figures of a council's area, with those of its predecessors."""
    areas = {area.code: area for area in current_districts(TODAY)}
    measures = ("net_additions", "required_total", "consequence", "waiting_list", "affordable_completions")
    figures_by_area = figures_of(lineages(areas.values(), TODAY), newest_datasets().values(), measures)
    return figures_by_area[areas[code].pk]


@pytest.mark.usefixtures("all_figures")
def test_figures_of_predecessors_are_summed() -> None:
    """These sums were made by hand, from the rows of Allerdale, Carlisle and Copeland in the extract."""
    cumberland = figures_of_area(CUMBERLAND)

    net_additions = cumberland.of("net_additions", 2022, 2023)
    assert net_additions.value == 247 + 398 + 143
    assert net_additions.note == "the sum of Allerdale, Carlisle and Copeland"
    required_homes = Decimal("260.5699") + Decimal("499.4904") + Decimal("19.523")
    assert cumberland.of("required_total", 2020, 2023).value == required_homes
    assert cumberland.of("consequence", 2020, 2023).words == "Allerdale: None; Carlisle: None; Copeland: None"
    assert cumberland.of("affordable_completions", 2020, 2021).value == 25 + 139 + 26
    assert cumberland.of("waiting_list", 2023, 2023).value == 3619 + 5326 + 2642


@pytest.mark.usefixtures("all_figures")
def test_figures_of_predecessors_have_no_sum_if_one_is_not_published() -> None:
    furness = figures_of_area(FURNESS)

    note = furness.of("required_total", 2020, 2023).note
    assert note == "we cannot add this up, because nothing is published for Barrow-in-Furness"


@pytest.mark.usefixtures("all_figures")
def test_figures_of_a_new_council_are_its_own() -> None:
    cumberland = figures_of_area(CUMBERLAND)

    assert cumberland.of("net_additions", 2023, 2024).value == 936
    assert newest_years([cumberland, figures_of_area(FURNESS)])["waiting_list"] == (2025, 2025)
    assert cumberland.of("waiting_list", 2025, 2025).value == 11494


@pytest.mark.usefixtures("all_figures")
def test_figures_under_an_older_code_are_those_of_the_same_area() -> None:
    assert figures_of_area(BARNSLEY).of("net_additions", 2024, 2025).value == 601


@pytest.mark.usefixtures("all_figures")
def test_requirement_of_a_new_council_is_the_sum_of_the_local_plans_in_its_area() -> None:
    """304 a year in Allerdale, 9,606 from 2013 to 2030 in Carlisle, 2,628 from 2021 to 2039 in Copeland."""
    areas = {area.code: area for area in current_districts(TODAY)}
    requirements = requirements_of(lineages(areas.values(), TODAY), newest_datasets()["requirements"], 2026)

    required = requirements[areas[CUMBERLAND].pk]

    assert required.homes_a_year.value is not None
    assert round(required.homes_a_year.value) == round(304 + Decimal(9606) / 17 + Decimal(2628) / 18)
    assert {figure.name for figure in required.plans} == {
        "Allerdale Borough Council",
        "Carlisle City Council",
        "Copeland Borough Council",
    }


def test_joint_values_are_marked(councils: None) -> None:
    for code, name in (("E07000144", "Broadland"), ("E07000148", "Norwich"), ("E07000149", "South Norfolk")):
        Area.objects.create(code=code, name=name, kind="district")

    import_figures("delivery-test")

    joint_figures = Figure.objects.filter(is_joint=True, measure="required_total")
    assert set(joint_figures.values_list("code", "value")) == {
        (code, Decimal("5291.8329")) for code in ("E07000144", "E07000148", "E07000149")
    }


def test_both_rows_of_an_area_that_is_in_a_file_twice_are_bad(councils: None) -> None:
    rows = [["ONS code", "Area name", "2023-24"], ["E07000223", "Adur", 120], ["E07000223", "Adur", 121]]

    with pytest.raises(UnableToRead, match="is in row 3 too"):
        import_figures("net-additions", as_csv_file(rows), name="table.csv")


def test_waiting_lists_with_a_column_for_each_year_are_read(councils: None) -> None:
    rows = [["LAD23CD", "LAD23NM", "2022", "2023"], ["E07000223", "Adur", "1,829", "[z]"]]

    import_figures("waiting-lists", as_csv_file(rows), name="live-table-600_2024-01.csv")

    assert value("waiting_list", "E07000223", 2022) == 1829
    assert Figure.objects.get(measure="waiting_list", last_year=2023).status == "not_applicable"


def test_net_additions_under_former_codes_are_read(councils: None) -> None:
    rows = [
        ["Former ONS code", "Area", "2008/09", "2009-10 P"],
        ["45UB", "Adur", "-", "12"],
        ["00MS", "Southampton", "..", "[c]"],
    ]

    import_figures("net-additions", as_csv_file(rows), name="table-122_2010-11.csv")

    assert Figure.objects.get(code="45UB", last_year=2009).value == 0
    figure_of_2010 = Figure.objects.get(code="45UB", last_year=2010)
    assert figure_of_2010.status == "provisional"
    assert figure_of_2010.area.code == "E07000223"


def test_open_document_reads_as_the_workbook_does() -> None:
    rows = sheets_of("delivery-test")["Sheet1"]
    cells = ("".join(CELL.format("", escape("" if cell is None else str(cell))) for cell in row) for row in rows)
    data = open_document("".join(f"<table:table-row>{row or CELL.format('', '')}</table:table-row>" for row in cells))

    read = READERS["delivery-test"].read  # type: ignore[index]  # a series is a string
    figures_of_document = read(read_sheets(data), {}).figures
    figures_of_workbook = read(read_sheets(workbook_of("delivery-test")), {}).figures

    assert figures_of_document
    assert [cell.value for cell in figures_of_document] == [cell.value for cell in figures_of_workbook]


def preview_of_waiting_lists(world: World, now: dt.datetime) -> ImportRun:
    """Let Dee preview the waiting lists, and return the run."""
    file = File("waiting-lists.xlsx", workbook_of("waiting-lists"))
    return preview_register(register="waiting-lists", file=file, author=world.dee, now=now)


def test_preview_of_figures_stores_no_dataset(councils: None, world: World) -> None:
    preview_of_waiting_lists(world, dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC))

    assert not Dataset.objects.exists()


def test_applied_preview_of_figures_stores_its_dataset(councils: None, world: World) -> None:
    now = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
    run = preview_of_waiting_lists(world, now)

    applied_run = apply_preview(run=run, author=world.dee, now=now)

    assert applied_run.pk == run.pk
    assert applied_run.created == 6
    assert Dataset.objects.get().figures.count() == 29
