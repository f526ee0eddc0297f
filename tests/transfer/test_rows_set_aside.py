"""Good rows are imported; bad rows are reported, and can be uploaded again when corrected."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
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


def test_bad_row_is_set_aside_with_its_remedy_and_the_others_are_imported() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS.replace("01/04/2019", "31/02/2019"))

    assert registration_numbers() == {"LX9001", "90AA", "5070"}
    assert run.created == 1
    assert run.joined == 2
    assert run.set_aside == 1
    (row,) = rows_to_correct_of(run)
    assert row["Registration number"] == "5069"
    assert row["Set aside because"] == "Registration date: “31/02/2019” is not a date."
    assert row["What to do"] == "Enter a date, for example 08/02/2023 or 2023-02-08."
    assert accounting(run.report) == "Of 4 rows, 3 were used and 1 was set aside."


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


def test_corrected_rows_are_imported_and_mark_nothing_as_missing() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    first = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"), as_of=dt.date(2024, 1, 1))
    corrected_file = as_csv([row | {"Registration date": "01/04/2019"} for row in rows_to_correct_of(first)])

    second = import_list("providers", corrected_file, as_of=dt.date(2024, 1, 1))
    third = import_list("providers", corrected_file, as_of=dt.date(2024, 1, 1))

    assert registration_numbers() == {"LX9001", "90AA", "5069", "5070"}
    assert second.created == 1
    assert second.missing == 0
    assert second.set_aside == 0
    assert third.created == 0
    assert third.changed == 0
    assert third.left_alone == 1


def test_corrected_rows_without_a_date_belong_to_the_latest_list() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    first = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"), as_of=dt.date(2024, 1, 1))
    corrected_file = as_csv([row | {"Registration date": "01/04/2019"} for row in rows_to_correct_of(first)])

    second = import_list("providers", corrected_file)

    assert second.as_of == dt.date(2024, 1, 1)
    assert second.created == 1
    assert not second.report["dated_today"]


def test_body_whose_row_is_set_aside_is_not_missing() -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS)

    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"))

    assert run.missing == 0
    assert run.set_aside == 1


def test_equal_rows_count_once() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS + "".join(line + "\n" for line in PROVIDERS.splitlines()[2:4]))

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


def test_succession_is_not_recorded_without_the_row_of_its_successor() -> None:
    broken_list = COUNCILS.replace(
        "XNW,Mere Council,Mere,E06900001,2023-04-01", "XNW,Mere Council,Mere,E06900001,2023-31-31"
    )

    first = import_list("councils", broken_list, as_of=dt.date(2025, 1, 1))
    assert first.created == 4
    assert first.set_aside == 3
    assert Succession.objects.count() == 0
    corrected_rows = [
        {name: value.replace("2023-31-31", "2023-04-01") for name, value in row.items()}
        for row in rows_to_correct_of(first)
    ]
    import_list("councils", as_csv(corrected_rows), as_of=dt.date(2025, 1, 1))

    assert Succession.objects.get().ties.count() == 2
    assert Organisation.objects.filter(council_type__gt="").count() == 5


def test_succession_is_not_recorded_without_the_rows_of_all_its_predecessors() -> None:
    broken_list = COUNCILS.replace("E07900003,,2023-04-01", "E07900003,,2023-99-01")

    first = import_list("councils", broken_list, as_of=dt.date(2025, 1, 1))
    assert first.created == 4
    assert first.set_aside == 2
    assert Succession.objects.count() == 0
    corrected_rows = [
        {name: value.replace("2023-99-01", "2023-04-01") for name, value in row.items()}
        for row in rows_to_correct_of(first)
    ]
    import_list("councils", as_csv(corrected_rows), as_of=dt.date(2025, 1, 1))

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


def test_authority_keeps_a_district_whose_row_is_bad_and_corrected_later() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("combined-authorities", LOOKUP, as_of=dt.date(2024, 1, 1))
    assert districts_of_estuary_reach() == {"E06900001", "E07900001"}

    first = import_list("combined-authorities", LOOKUP.replace("E07900001", "E0790000"), as_of=dt.date(2025, 1, 1))
    assert first.set_aside == 1
    assert districts_of_estuary_reach() == {"E06900001", "E07900001"}
    corrected = as_csv([row | {"LAD25CD": "E07900001"} for row in rows_to_correct_of(first)])
    import_list("combined-authorities", corrected, as_of=dt.date(2025, 1, 1))

    assert districts_of_estuary_reach() == {"E06900001", "E07900001"}


def test_command_writes_the_rows_set_aside(tmp_path: Path) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    file, file_of_rows_set_aside = tmp_path / "providers_2024-02.csv", tmp_path / "aside_2024-02.csv"
    file.write_text(PROVIDERS.replace("Tidewater", "=Tidewater").replace("01/04/2019", "soon"))

    call_command(
        "import_register", "providers", str(file), "--set-aside", str(file_of_rows_set_aside), stdout=io.StringIO()
    )

    assert "'=Tidewater Housing Group Limited" in file_of_rows_set_aside.read_text()
    file_of_rows_set_aside.write_text(file_of_rows_set_aside.read_text().replace("soon", "01/04/2019"))
    call_command("import_register", "providers", str(file_of_rows_set_aside), stdout=io.StringIO())
    assert Organisation.objects.filter(name="=Tidewater Housing Group Limited").exists()
    with pytest.raises(CommandError, match="1 problem, so we changed nothing"):
        call_command("import_register", "providers", str(file), "--all-or-nothing")


def test_administrator_downloads_the_rows_set_aside(client: Any) -> None:
    client.force_login(make_world().dee)
    import_list("councils", COUNCILS)
    run = import_list("providers", PROVIDERS.replace("01/04/2019", "soon"))

    page = client.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()
    download_url = reverse("admin:transfer_importrun_set_aside", args=[run.pk])
    assert f'href="{download_url}"' in page
    assert "Of 4 rows, 3 were used and 1 was set aside." in page
    response = client.get(download_url)

    (row,) = csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig")))
    assert row["What to do"] == "Enter a date, for example 08/02/2023 or 2023-02-08."
    assert response["Content-Disposition"] == f'attachment; filename="set-aside-providers-{run.as_of}.csv"'
    second_run = import_list("providers", PROVIDERS)
    assert client.get(reverse("admin:transfer_importrun_set_aside", args=[second_run.pk])).status_code == 404


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
    second_run = import_list("councils", OTHERS, take_others=True)

    assert run.created == 8
    assert run.set_aside == 0
    assert second_run.created == 0
    assert second_run.changed == 0
    assert second_run.left_alone == 8
    assert Organisation.objects.get(name__contains="National Park").kind == "national_park"
    assert Organisation.objects.get(name__contains="Police").kind == "public_body"
    assert Organisation.objects.get(name__contains="Quays").kind == "development_corporation"


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
    assert registration_numbers() | keys_to_review == good
    assert not registration_numbers() & keys_to_review
    report_text = " ".join(line for row in rows_to_correct_of(run) for line in row.values())
    assert len(rows_to_correct_of(run)) == len(bad)
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

    identifiers = Identifier.objects.filter(scheme="gss").select_related("organisation")
    assert {row.value: (row.organisation.name, row.organisation.is_ended) for row in identifiers} == good
    assert SuccessionTie.objects.filter(successor__name="Cumberland Council").count() == 4
    assert run.report["rows"]["used"] == len(good)
    assert run.report["rows"]["outside"] == 1
    report_text = " ".join(line for row in rows_to_correct_of(run) for line in row.values())
    assert len(rows_to_correct_of(run)) == len(bad)
    assert all(word in report_text for word in ("No Key Council", "ZZ1", "is not a date"))


def rows_of_providers() -> list[dict[str, str]]:
    """Return the rows of the extract of the regulator's list."""
    rows: list[dict[str, str]] = json.loads(extract("providers.json"))
    return rows
