"""Any file is either imported, or refused with reasons and without any change."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from partnerships.activity.models import Event
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.organisations.models import Area, AreaServed, Identifier, Organisation, OrganisationName, Succession
from partnerships.plans.models import Plan, Version
from partnerships.transfer.models import Doubt, ImportRun
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.files import File
from partnerships.transfer.services.local_plans import import_local_plans
from partnerships.transfer.services.registers import import_register

from .lists import COUNCILS, PROVIDERS, as_workbook, import_list
from .test_local_plans import PLANS, TIMETABLE

pytestmark = pytest.mark.django_db

DISTRICTS = "LAD25CD,LAD25NM\nE07900001,Westmarch\nE06900001,Mere\n"
LEPS = "LAD21CD,LAD21NM,LEP21CD1,LEP21NM1\nE07900001,Westmarch,E37900001,Estuary Reach\n"
AUTHORITIES = "LAD25CD,LAD25NM,CAUTH25CD,CAUTH25NM\nE06900001,Mere,E47900001,Estuary Reach\n"
AGREEMENTS = (
    "developer-agreement,developer-agreement-type,organisation,start-date,end-date\n"
    "A1,section-106,local-authority-eng:XWM,2020-02-01,\n"
)
CONTRIBUTIONS = (
    "developer-agreement-contribution,developer-agreement,contribution-purpose,amount,units,start-date\n"
    "C1,A1,affordable-housing,1000,3,2020-02-01\n"
)
TRANSACTIONS = (
    "developer-agreement-transaction,developer-agreement-contribution,contribution-funding-status,amount,start-date\n"
    "T1,C1,received,500,2020-03-01\n"
)
REGISTERS = {
    "councils": COUNCILS,
    "codes and names": DISTRICTS,
    "providers": PROVIDERS,
    "leps": LEPS,
    "combined-authorities": AUTHORITIES,
}
#: Odd cells: empty ones, noise, values that are nearly valid, and marks for empty values from other lists.
ODD = st.one_of(
    st.sampled_from(
        [
            *(
                "",
                " ",
                "\x00",
                "\u200b",
                "\ufeff",
                "\ud800",
                "’",
                "[x]",
                "..",
                "#REF!",
                "=1+1",
                "-",
                "0",
                "-1",
                "1e400",
            ),
            *("9" * 40, "9" * 400, "1905-06-18", "0000-00-00", "9999-12-31", "0001-01-01", "31/02/2023", "99999"),
            *("2023-04-01", "1 Sept 69", "²", "١٢٣٤", "E07900001", "E06900001", "E08999999", "XWM", "XNW", "XWM,XWM"),
            *("local-authority:XWM", "local-authority:", "Local authority", "False", "True", "England", "NMD", "COMB"),
            *("Source: somebody", "Total", "a\nb", '"', "x" * 301, "x" * 9000, "<script>", "NaN", "Infinity"),
        ]
    ),
    st.text(max_size=12),
    st.integers().map(str),
    st.dates().map(str),
)
SHAPES = ("cells", "shuffled", "shifted", "dropped", "doubled", "cut")
FORMS = ("csv", "tsv", "utf-16", "utf-16-le", "latin-1", "workbook", "bytes cut", "bytes noise")


def with_errors(rows: list[list[str]], shape: str, changes: list[tuple[int, int, str]]) -> list[list[str]]:
    """Return the rows with errors."""
    rows = [list(row) for row in rows]
    number = changes[0][0] if changes else 0
    if shape == "shuffled":
        order = random.Random(number).sample(range(len(rows[0])), len(rows[0]))
        rows[0] = [rows[0][column_index] for column_index in order]
    elif shape == "shifted":
        rows[number % len(rows)].insert(0, "")
    elif shape == "dropped":
        column_index = number % len(rows[0])
        rows = [row[:column_index] + row[column_index + 1 :] for row in rows]
    elif shape == "doubled":
        rows.append(rows[1 + number % (len(rows) - 1)])
    elif shape == "cut":
        rows[-1] = rows[-1][: 1 + number % len(rows[-1])]
    for row, column, value in changes:
        line = rows[row % len(rows)]
        line[column % len(line)] = value
    return rows


def as_file_of_type(rows: list[list[str]], form: str, at: int) -> bytes:
    """Return the rows as a file of some type."""
    if form == "workbook":
        printable_rows = [
            ["".join(mark for mark in cell if mark.isprintable())[:30_000] for cell in row] for row in rows
        ]
        return as_workbook({"List": printable_rows, "Notes": [["About"]]})
    csv_text = io.StringIO(newline="")
    csv.writer(csv_text, delimiter="\t" if form == "tsv" else ",").writerows(rows)
    encoding = form if form.startswith(("utf-16", "latin-1")) else "utf-8"
    data = csv_text.getvalue().encode(encoding, "replace" if encoding == "latin-1" else "surrogatepass")
    if form == "bytes cut":
        return data[: at % max(len(data), 1)]
    if form == "bytes noise":
        noise = bytes((at * 31 + step * 7) % 256 for step in range(6))
        return data[: at % len(data)] + noise + data[at % len(data) :]
    return data


@st.composite
def files(draw: st.DrawFn, lists: dict[str, str]) -> tuple[str, bytes]:
    """Draw the register of a list, and the list with errors as a file."""
    name = draw(st.sampled_from(sorted(lists)))
    rows = [row for row in csv.reader(io.StringIO(lists[name])) if row]
    number = st.integers(0, 60)
    changes = draw(st.lists(st.tuples(number, number, ODD), max_size=4))
    form = draw(st.sampled_from(FORMS))
    return name, as_file_of_type(
        with_errors(rows, draw(st.sampled_from(SHAPES)), changes), form, draw(st.integers(0, 4000))
    )


def stored_rows() -> list[Any]:
    """Return everything that an import may write."""
    records = (Organisation, OrganisationName, Identifier, Area, AreaServed, Succession, Doubt, ImportRun)
    plans = (Plan, Version, DeveloperAgreement)
    return [
        *(list(model.objects.order_by("pk").values_list()) for model in records),
        *(list(model.objects.order_by("pk").values_list("pk")) for model in (*plans, Event)),
    ]


def check_that_import_ends_well(run: Callable[[], object]) -> None:
    """Run an import, and check that it succeeds, or is refused with reasons and changes nothing.

    Both are rolled back, so that every file is compared with the same directory.
    """
    with transaction.atomic():
        rows_before = stored_rows()
        refusal = refusal_of(run)
        if refusal is not None:
            assert refusal.problems
            assert all(problem.fault and problem.remedy for problem in refusal.problems)
            "\n".join(refusal.lines()).encode()  # what a terminal shows
            assert stored_rows() == rows_before
        transaction.set_rollback(True)


def refusal_of(run: Callable[[], object]) -> UnableToRead | None:
    """Return the error if the file was refused; None if it was imported.

    Each file is imported in a transaction that is rolled back, in which PostgreSQL would never check deferred
    constraints. So they are made immediate after the import, as if the transaction were committed.
    """
    try:
        run()
    except UnableToRead as error:
        return error
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return None


@pytest.fixture
def directory() -> None:
    """Import lists into a directory, with which other lists are matched."""
    import_list("councils", COUNCILS, name="councils_2024-01.csv")
    import_list("providers", PROVIDERS, name="providers_2024-01.csv")


BOUNDED = settings(max_examples=60)


@pytest.mark.usefixtures("directory")
@BOUNDED
@given(file=files(REGISTERS), accept=st.booleans())
def test_every_register_survives_any_file(file: tuple[str, bytes], accept: bool) -> None:
    name, data = file
    register = "councils" if name == "codes and names" else name

    check_that_import_ends_well(lambda: import_list(register, data, accept_missing=accept))


@BOUNDED
@given(file=files(REGISTERS))
def test_empty_directory_survives_any_file(file: tuple[str, bytes]) -> None:
    name, data = file
    register = "councils" if name == "codes and names" else name

    check_that_import_ends_well(lambda: import_list(register, data))


@pytest.mark.usefixtures("directory")
@BOUNDED
@given(file=files({"plans": PLANS, "timetable": TIMETABLE}))
def test_local_plans_survive_any_files(file: tuple[str, bytes]) -> None:
    name, data = file
    given_files = {"plans": PLANS.encode(), "timetable": TIMETABLE.encode()} | {name: data}

    check_that_import_ends_well(
        lambda: import_local_plans(
            plans=File("local-plan.csv", given_files["plans"]),
            timetable=File("local-plan-timetable.csv", given_files["timetable"]),
            author=None,
            now=timezone.now(),
        )
    )


@pytest.mark.usefixtures("directory")
@BOUNDED
@given(file=files({"agreements": AGREEMENTS, "contributions": CONTRIBUTIONS, "transactions": TRANSACTIONS}))
def test_developer_agreements_survive_any_files(file: tuple[str, bytes]) -> None:
    name, data = file
    all_files = {
        "agreements": AGREEMENTS.encode(),
        "contributions": CONTRIBUTIONS.encode(),
        "transactions": TRANSACTIONS.encode(),
    } | {name: data}

    check_that_import_ends_well(
        lambda: import_developer_agreements(
            **{kind: File(f"{kind}.csv", content) for kind, content in all_files.items()},
            author=None,
            now=timezone.now(),
        )
    )


@pytest.mark.parametrize("name", ["a\x00b.csv", "\ud800.csv", "x" * 400 + ".csv", "../../councils.csv", ""])
def test_no_file_name_stops_an_import(name: str) -> None:
    run = import_register(register="councils", file=File(name, COUNCILS.encode()), author=None, now=timezone.now()).run

    assert run.created == 5
