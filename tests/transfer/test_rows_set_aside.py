"""Good rows are imported; bad rows are reported, and can be uploaded again when corrected."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from partnerships.organisations.models import Identifier, Organisation, Scheme, Status, Succession, SuccessionTie
from partnerships.organisations.services import update_organisation
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import accounting, rows_to_correct
from partnerships.transfer.services.registers import last_line
from tests.world import make_world

from .altering import ALTERED, Rows, altered
from .lists import COUNCILS, PROVIDERS, as_csv, extract, import_list, rows_of

pytestmark = pytest.mark.django_db


def rows_to_correct_of(run: ImportRun) -> list[dict[str, str]]:
    """Return the rows that were set aside, in the form in which a person downloads them."""
    heading, rows = rows_to_correct(run.report)
    return [dict(zip(heading, row, strict=True)) for row in rows]


def registration_numbers() -> set[str]:
    """Return every registration number in the directory."""
    return set(Identifier.objects.filter(scheme=Scheme.RSH).values_list("value", flat=True))


def test_good_rows_beside_a_bad_row_are_imported() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS.replace("01/04/2019", "31/02/2019"))

    assert registration_numbers() == {"LX9001", "90AA", "5070"}
    assert run.created == 1
    assert run.joined == 2
    assert run.set_aside == 1
    assert accounting(run.report) == "Of 4 rows, 3 were used and 1 was set aside."


def test_row_to_correct_has_the_reason_and_the_remedy() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS.replace("01/04/2019", "31/02/2019"))

    (row,) = rows_to_correct_of(run)
    assert row["Registration number"] == "5069"
    assert row["Set aside because"] == "Registration date: “31/02/2019” is not a date."
    assert row["What to do"] == "Enter a date, for example 08/02/2023 or 2023-02-08."


def test_all_or_nothing_refuses_a_file_with_one_bad_row() -> None:
    import_list("councils", COUNCILS)

    with pytest.raises(UnableToRead, match="Row 3, column “Registration date”"):
        import_list("providers", PROVIDERS.replace("01/04/2019", "31/02/2019"), all_or_nothing=True)

    assert not registration_numbers()


def test_wrong_list_is_refused() -> None:
    import_list("councils", COUNCILS)
    wrong_list = PROVIDERS.replace("Non-profit", "Blue").replace("5070", "nothing like a number")

    with pytest.raises(UnableToRead, match="3 of its 4 rows cannot be used"):
        import_list("providers", wrong_list)

    assert not registration_numbers()


def corrected_file_of_providers() -> bytes:
    """Import the providers of 1 January 2024 with a bad date, and return the corrected row as a file."""
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"), as_of=dt.date(2024, 1, 1))
    return as_csv([row | {"Registration date": "01/04/2019"} for row in rows_to_correct_of(run)])


def test_corrected_row_is_imported_and_no_other_provider_is_missing() -> None:
    corrected_file = corrected_file_of_providers()

    run = import_list("providers", corrected_file, as_of=dt.date(2024, 1, 1))

    assert registration_numbers() == {"LX9001", "90AA", "5069", "5070"}
    assert run.created == 1
    assert run.missing == 0
    assert run.set_aside == 0


def test_corrected_row_that_is_imported_again_leaves_the_provider_as_it_was() -> None:
    corrected_file = corrected_file_of_providers()
    import_list("providers", corrected_file, as_of=dt.date(2024, 1, 1))

    repeated_run = import_list("providers", corrected_file, as_of=dt.date(2024, 1, 1))

    assert repeated_run.created == 0
    assert repeated_run.changed == 0
    assert repeated_run.left_alone == 1


def test_corrected_rows_without_a_date_belong_to_the_latest_list() -> None:
    corrected_file = corrected_file_of_providers()

    run = import_list("providers", corrected_file)

    assert run.as_of == dt.date(2024, 1, 1)
    assert run.created == 1
    assert not run.report["dated_today"]


def test_body_whose_row_is_set_aside_is_not_missing() -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS)

    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"))

    assert run.missing == 0
    assert run.set_aside == 1


def test_row_that_repeats_an_earlier_row_is_dropped() -> None:
    import_list("councils", COUNCILS)

    repeated_rows = (
        "Tidewater Housing Group Limited,5069,01/04/2019,Non-profit,Company\n"
        "Westmarch Borough Council,90AA,01/04/2010,Local authority,Registered local authority\n"
    )

    run = import_list("providers", PROVIDERS + repeated_rows)

    assert run.created == 2
    assert run.joined == 2
    assert run.set_aside == 0
    assert "We counted each row that repeats an earlier one only once (rows 6, 7)." in run.report["remarks"]
    assert accounting(run.report) == "Of 6 rows, 4 were used and 2 repeat others."


def test_rows_with_one_key_that_differ_are_both_set_aside() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS + "Somebody Else Limited,5069,,Non-profit,Company\n")

    assert [row["Organisation name"] for row in rows_to_correct_of(run)] == [
        "Tidewater Housing Group Limited",
        "Somebody Else Limited",
    ]
    assert registration_numbers() == {"LX9001", "90AA", "5070"}


def test_row_that_the_directory_refuses_is_set_aside_alone() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("providers", PROVIDERS, as_of=dt.date(2024, 1, 1))
    update_organisation(
        organisation=Organisation.objects.get(name="Larkhaven Homes Limited"),
        valid_from=dt.date(2020, 1, 1),
        author=None,
        now=dt.datetime(2024, 2, 1, tzinfo=dt.UTC),
    )
    list_with_ended_provider = PROVIDERS.replace("Corporate form", "Corporate form,End date").replace(
        "society", "society,01/01/2019"
    )
    later_list = list_with_ended_provider.replace("Tidewater Housing Group Limited", "Tidewater Limited")

    run = import_list("providers", later_list, as_of=dt.date(2025, 1, 1))

    assert [row["Set aside because"] for row in rows_to_correct_of(run)] == [
        "The organisation cannot end before its first day. Enter a later day."
    ]
    assert Organisation.objects.get(name="Larkhaven Homes Limited").status == Status.ACTIVE
    assert Organisation.objects.filter(name="Tidewater Limited").exists()


def test_number_that_would_end_before_it_began_is_set_aside_alone() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("providers", PROVIDERS, as_of=dt.date(2024, 1, 1))
    later_list = PROVIDERS.replace("Corporate form", "Corporate form,End date").replace("society", "society,01/01/1970")

    run = import_list("providers", later_list.replace("03/02/1975", ""), as_of=dt.date(2025, 1, 1))

    assert [row["Set aside because"] for row in rows_to_correct_of(run)] == [
        "The end must be on or after the start. Correct one of the two dates."
    ]
    assert run.left_alone == 3
    assert run.closed == 0


def test_last_line_has_the_singular_for_one_row() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"))

    assert last_line(run, applied=True).endswith("2 matched to known organisations, 1 row set aside.")


#: The list of councils with a date that does not exist, in the row of Mere, which succeeded Northmere and Southmere.
COUNCILS_WITH_BAD_SUCCESSOR = COUNCILS.replace("E06900001,2023-04-01", "E06900001,2023-31-31")
#: The list of councils with a date that does not exist, in the row of Southmere.
COUNCILS_WITH_BAD_PREDECESSOR = COUNCILS.replace("E07900003,,2023-04-01", "E07900003,,2023-99-01")


def import_corrected_councils(run: ImportRun, bad_date: str) -> None:
    """Correct the date in the rows that an import set aside, and import them."""
    corrected_rows = [
        {name: value.replace(bad_date, "2023-04-01") for name, value in row.items()} for row in rows_to_correct_of(run)
    ]
    import_list("councils", as_csv(corrected_rows), as_of=dt.date(2025, 1, 1))


def test_succession_is_not_recorded_without_the_row_of_its_successor() -> None:
    run = import_list("councils", COUNCILS_WITH_BAD_SUCCESSOR, as_of=dt.date(2025, 1, 1))

    # Only Mere is not imported. The rows of Northmere and Southmere are set aside too, for their succession.
    assert run.set_aside == 3
    assert run.created == 4
    assert Succession.objects.count() == 0


def test_succession_is_recorded_once_the_row_of_its_successor_is_corrected() -> None:
    run = import_list("councils", COUNCILS_WITH_BAD_SUCCESSOR, as_of=dt.date(2025, 1, 1))

    import_corrected_councils(run, "2023-31-31")

    assert Succession.objects.get().ties.count() == 2
    assert Organisation.objects.filter(council_type__gt="").count() == 5


def test_succession_is_not_recorded_without_the_rows_of_all_its_predecessors() -> None:
    run = import_list("councils", COUNCILS_WITH_BAD_PREDECESSOR, as_of=dt.date(2025, 1, 1))

    # Only Southmere is not imported. The row of Northmere is set aside too, for their common succession.
    assert run.set_aside == 2
    assert run.created == 4
    assert Succession.objects.count() == 0


def test_succession_is_recorded_once_the_row_of_its_predecessor_is_corrected() -> None:
    run = import_list("councils", COUNCILS_WITH_BAD_PREDECESSOR, as_of=dt.date(2025, 1, 1))

    import_corrected_councils(run, "2023-99-01")

    assert Succession.objects.get().ties.count() == 2


LOOKUP = """LAD25CD,LAD25NM,CAUTH25CD,CAUTH25NM
E06900001,Mere,E47900001,Estuary Reach
E07900001,Westmarch,E47900001,Estuary Reach
E06900009,Elsewhere,E47900002,Another Reach
"""


def districts_of_estuary_reach() -> set[str]:
    """Return the codes of the districts that Estuary Reach consists of."""
    body = Identifier.objects.get(scheme=Scheme.GSS, value="E47900001").organisation
    return set(body.areas_served.filter(ends_on=None, area__kind="district").values_list("area__code", flat=True))


@pytest.fixture
def run_with_bad_district() -> ImportRun:
    """Import both districts of Estuary Reach, then a later list with a bad code for Westmarch, and return that run."""
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("combined-authorities", LOOKUP, as_of=dt.date(2024, 1, 1))
    later_lookup = LOOKUP.replace("E07900001", "E0790000")
    return import_list("combined-authorities", later_lookup, as_of=dt.date(2025, 1, 1))


def test_authority_keeps_a_district_whose_row_is_set_aside(run_with_bad_district: ImportRun) -> None:
    assert run_with_bad_district.set_aside == 1
    assert districts_of_estuary_reach() == {"E06900001", "E07900001"}


def test_authority_keeps_its_districts_when_the_row_is_corrected(run_with_bad_district: ImportRun) -> None:
    corrected_rows = [row | {"LAD25CD": "E07900001"} for row in rows_to_correct_of(run_with_bad_district)]

    import_list("combined-authorities", as_csv(corrected_rows), as_of=dt.date(2025, 1, 1))

    assert districts_of_estuary_reach() == {"E06900001", "E07900001"}


@pytest.fixture
def file_with_bad_date(tmp_path: Path) -> Path:
    """Import the councils, and return a file of providers with a bad date in the row of =Tidewater.

    The name begins with "=", so that a spreadsheet program would take it for a formula.
    """
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    file = tmp_path / "providers_2024-02.csv"
    file.write_text(PROVIDERS.replace("Tidewater", "=Tidewater").replace("01/04/2019", "soon"))
    return file


def write_rows_set_aside(file: Path) -> Path:
    """Import a file of providers by command, and return the file with the rows that were set aside."""
    file_set_aside = file.with_name("aside_2024-02.csv")
    call_command("import_register", "providers", str(file), "--set-aside", str(file_set_aside), stdout=io.StringIO())
    return file_set_aside


def test_command_writes_rows_to_correct_that_are_safe_in_a_spreadsheet(file_with_bad_date: Path) -> None:
    file_set_aside = write_rows_set_aside(file_with_bad_date)

    assert "'=Tidewater Housing Group Limited" in file_set_aside.read_text()


def test_command_imports_the_rows_that_it_wrote_once_they_are_corrected(file_with_bad_date: Path) -> None:
    file_set_aside = write_rows_set_aside(file_with_bad_date)
    file_set_aside.write_text(file_set_aside.read_text().replace("soon", "01/04/2019"))

    call_command("import_register", "providers", str(file_set_aside), stdout=io.StringIO())

    assert Organisation.objects.filter(name="=Tidewater Housing Group Limited").exists()


def test_command_with_all_or_nothing_refuses_a_file_with_one_bad_row(file_with_bad_date: Path) -> None:
    with pytest.raises(CommandError, match="1 problem, so we changed nothing"):
        call_command("import_register", "providers", str(file_with_bad_date), "--all-or-nothing")


@pytest.fixture
def admin_client(client: Client) -> Client:
    """Return a client in which Dee, an administrator, is signed in."""
    client.force_login(make_world().dee)
    return client


def test_page_of_an_import_links_to_the_rows_set_aside(admin_client: Client) -> None:
    import_list("councils", COUNCILS)
    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"))

    page = admin_client.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()

    assert f'href="{reverse("admin:transfer_importrun_set_aside", args=[run.pk])}"' in page
    assert "Of 4 rows, 3 were used and 1 was set aside." in page


def test_administrator_downloads_the_rows_set_aside(admin_client: Client) -> None:
    import_list("councils", COUNCILS)
    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"), as_of=dt.date(2025, 7, 31))

    response = admin_client.get(reverse("admin:transfer_importrun_set_aside", args=[run.pk]))

    (row,) = csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig")))
    assert row["What to do"] == "Enter a date, for example 08/02/2023 or 2023-02-08."
    assert response["Content-Disposition"] == 'attachment; filename="set-aside-providers-2025-07-31.csv"'


def test_import_without_rows_set_aside_has_no_download(admin_client: Client) -> None:
    import_list("councils", COUNCILS)
    run = import_list("providers", PROVIDERS)

    response = admin_client.get(reverse("admin:transfer_importrun_set_aside", args=[run.pk]))

    assert response.status_code == 404


OTHERS = COUNCILS + (
    "XNP,Marchshire Moors National Park Authority,Marchshire Moors,E26900001,,,,England,South East,,,,,True,\n"
    "XPO,Marchshire Police and Crime Commissioner,,E23900001,,,,England,,,,,,True,\n"
    "XDC,Mere Quays Development Corporation,,,,,,England,,MDC,,,,True,\n"
)


def test_bodies_that_are_no_councils_are_set_aside() -> None:
    run = import_list("councils", OTHERS)

    assert run.created == 5
    assert run.set_aside == 3
    assert [row["Set aside because"].partition("” is ")[2] for row in rows_to_correct_of(run)] == [
        "a national park authority, not a council.",
        "a police body, not a council.",
        "a development corporation, not a council.",
    ]


def test_bodies_that_are_no_councils_are_imported_as_their_kind_if_chosen() -> None:
    run = import_list("councils", OTHERS, take_others=True)

    assert run.created == 8
    assert run.set_aside == 0
    assert Organisation.objects.get(name__contains="National Park").kind == "national_park"
    assert Organisation.objects.get(name__contains="Police").kind == "public_body"
    assert Organisation.objects.get(name__contains="Quays").kind == "development_corporation"


def test_bodies_that_are_imported_again_are_left_as_they_were() -> None:
    import_list("councils", OTHERS, take_others=True)

    repeated_run = import_list("councils", OTHERS, take_others=True)

    assert repeated_run.created == 0
    assert repeated_run.changed == 0
    assert repeated_run.left_alone == 8


# Altered copies of a real extract; of other lists: test_altered_copies.py


@pytest.mark.parametrize("how", ALTERED)
def test_altered_copy_loses_no_good_row_and_names_every_bad_one(how: str) -> None:
    import_list("councils", extract("councils.csv"), as_of=dt.date(2025, 7, 10))
    provider_rows = [*rows_of_providers()]
    good = {row["registration_number"] for row in provider_rows}
    bad = [
        provider_rows[0] | {"registration_number": "", "organisation_name": "No Number Homes"},
        provider_rows[1] | {"registration_number": "ZZ1", "registration_date": "31/02/2020"},
        provider_rows[2] | {"registration_number": "ZZ2", "designation": "Police"},
    ]
    heading = list(provider_rows[0])
    rows: Rows = [heading, *([row[name] for name in heading] for row in (*provider_rows, *bad))]

    run = import_list("providers", altered(rows, how), as_of=dt.date(2023, 2, 28))

    keys_to_review = set(run.doubts.values_list("key", flat=True))
    assert len(good) == 33
    assert registration_numbers() | keys_to_review == good
    assert not registration_numbers() & keys_to_review
    report_text = " ".join(line for row in rows_to_correct_of(run) for line in row.values())
    assert len(rows_to_correct_of(run)) == 3
    assert all(
        word in report_text for word in ("No Number Homes", "ZZ1", "ZZ2", "is not a date", "is not a designation")
    )


@pytest.mark.parametrize("how", ALTERED)
def test_altered_list_of_councils_loses_no_good_row_and_names_every_bad_one(how: str) -> None:
    cumbria = ("ALL", "BAR", "CAR", "COP", "EDN", "SLA", "CMA", "CBD", "WAF")
    council_rows = [
        row for row in rows_of(extract("councils.csv")) if row["local-authority-code"] in (*cumbria, "ADU", "ABE")
    ]
    good = {
        row["gss-code"]: (row["official-name"], bool(row["end-date"]))
        for row in council_rows
        if row["nation"] == "England"
    }
    adur = next(row for row in council_rows if row["local-authority-code"] == "ADU")
    bad = [
        adur | {"local-authority-code": "", "official-name": "No Key Council", "gss-code": "E07000"},
        adur | {"local-authority-code": "ZZ1", "gss-code": "E07009999", "start-date": "31/02/2020"},
    ]
    heading = list(adur)
    rows: Rows = [heading, *([row[name] for name in heading] for row in (*council_rows, *bad))]

    run = import_list("councils", altered(rows, how), as_of=dt.date(2025, 7, 10))

    assert len(good) == 10  # those of Cumbria, and Adur
    identifiers = Identifier.objects.filter(scheme="gss").select_related("organisation")
    assert {row.value: (row.organisation.name, row.organisation.is_ended) for row in identifiers} == good
    assert SuccessionTie.objects.filter(successor__name="Cumberland Council").count() == 4
    assert run.report["rows"]["used"] == 10
    assert run.report["rows"]["outside"] == 1  # Aberdeen
    report_text = " ".join(line for row in rows_to_correct_of(run) for line in row.values())
    assert len(rows_to_correct_of(run)) == 2
    assert all(word in report_text for word in ("No Key Council", "ZZ1", "is not a date"))


def rows_of_providers() -> list[dict[str, str]]:
    """Return the rows of the extract of the regulator's list."""
    rows: list[dict[str, str]] = json.loads(extract("providers.json"))
    return rows
