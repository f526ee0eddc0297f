"""Lists are imported as publishers issue them: with several sheets, notes, maps and new codes."""

from __future__ import annotations

import datetime as dt
import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from partnerships.organisations.models import Identifier, Kind, Organisation, Scheme, Status
from partnerships.organisations.services import mark_found, update_organisation
from partnerships.transfer.models import Answer, Doubt, ImportRun
from partnerships.transfer.reading.dating import date_in_file_name
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.providers import read_providers
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.services.registers import answer_doubt
from tests.world import make_world

from .lists import COUNCILS, PROVIDERS, WHOLE, as_workbook, import_list

pytestmark = pytest.mark.django_db

HEADING, *RECORDS = [line.split(",") for line in PROVIDERS.splitlines()]
#: The ONS's names and codes of districts, which have no keys and are names of areas instead of councils.
DISTRICTS = "LAD25CD,LAD25NM\nE07900001,Westmarch\nE06900001,Mere\n"


def organisation_named(name: str) -> Organisation:
    """Return the organisation with this name."""
    return Organisation.objects.get(name=name)


def remarks(run: ImportRun) -> str:
    """Return the remarks of the report as one text."""
    return " ".join(run.report["remarks"])


# Several sheets


def test_longest_of_several_sheets_is_read_and_reported() -> None:
    other_rows = [HEADING, ["Goneaway Homes Limited", "LX0001", "01/04/1980", "Non-profit", "Company"]]
    book = as_workbook({"Removed in March": other_rows, "All providers": [HEADING, *RECORDS], "About": [["A list"]]})
    import_list("councils", COUNCILS)

    run = import_list("providers", book, name="providers.xlsx")

    assert run.created == 2
    assert run.joined == 2
    assert not Organisation.objects.filter(name="Goneaway Homes Limited").exists()
    assert "We read the sheet “All providers” (4 rows)" in remarks(run)
    assert "“Removed in March” (1 row)" in remarks(run)


def with_other_names(records: list[list[str]]) -> list[list[str]]:
    """Return the records under other names, so that they are another list."""
    return [[f"X{name}", *cells] for name, *cells in records]


def assert_refused_as_ambiguous(book: bytes) -> None:
    """Assert that this workbook of providers is refused, and that the message names the sheets 2024 and 2025."""
    message = r"Several of its sheets could be .*“202[45]” .*“202[45]” .*Save the right one"
    with pytest.raises(UnableToRead, match=message):
        import_list("providers", book, name="providers.xlsx")


def test_sheets_of_equal_length_with_other_providers_are_refused_by_name() -> None:
    sheet_of_2024 = [HEADING, *RECORDS]
    sheet_of_2025 = [HEADING, *with_other_names(RECORDS)]

    assert_refused_as_ambiguous(as_workbook({"2024": sheet_of_2024, "2025": sheet_of_2025}))


def test_shorter_sheet_with_more_columns_is_refused_by_name() -> None:
    sheet_of_2024 = [HEADING, *RECORDS]
    records_without_end = [[*record, None] for record in with_other_names(RECORDS[:1])]
    sheet_of_2025 = [[*HEADING, "End date"], *records_without_end]

    assert_refused_as_ambiguous(as_workbook({"2024": sheet_of_2024, "2025": sheet_of_2025}))


def test_copy_of_a_sheet_is_not_a_second_list() -> None:
    table = read_providers(read_sheets(as_workbook({"List": [HEADING, *RECORDS], "Copy": [HEADING, *RECORDS]})))

    assert len(table.providers) == 4
    assert table.list_file.remarks == ()


# Parts of lists


@pytest.fixture
def partial_list(tmp_path: Path) -> Path:
    """Return a file of providers that lacks one of the four providers in the directory."""
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("providers", PROVIDERS, as_of=dt.date(2024, 1, 1))
    file = tmp_path / "part_2024-02.csv"
    file.write_text("\n".join(PROVIDERS.splitlines()[:4]))
    return file


def test_list_lacking_a_fifth_of_its_register_must_be_confirmed(partial_list: Path) -> None:
    with pytest.raises(CommandError, match=r"1 of the 4 organisations .* \(25 %\).*--accept-missing"):
        call_command("import_register", "providers", str(partial_list))

    assert not Organisation.objects.exclude(missing_since=None).exists()


def test_dry_run_warns_of_a_list_lacking_a_fifth_of_its_register(partial_list: Path) -> None:
    stdout = StringIO()

    call_command("import_register", "providers", str(partial_list), "--dry-run", stdout=stdout)

    assert "Is it the whole list? 1 of the 4 organisations" in stdout.getvalue()


def test_list_lacking_a_fifth_of_its_register_is_imported_once_confirmed(partial_list: Path) -> None:
    call_command("import_register", "providers", str(partial_list), "--accept-missing", stdout=StringIO())

    assert organisation_named("Mere Council").missing_from == {"providers": "2024-02-29"}


def import_lists_without_westmarch() -> Organisation:
    """Import both registers, and then newer lists that lack Westmarch's council; return the council."""
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("providers", PROVIDERS, as_of=dt.date(2024, 1, 1))
    shorter_list = "\n".join(line for line in COUNCILS.splitlines() if not line.startswith("XWM"))
    import_list("councils", shorter_list, as_of=dt.date(2024, 2, 1))
    import_list(
        "providers", PROVIDERS.replace("Westmarch Borough Council,90AA", "Newcomer Homes,LX7"), accept_missing=True
    )
    return organisation_named("Westmarch Borough Council")


def test_missing_organisation_is_marked_for_each_register() -> None:
    westmarch = import_lists_without_westmarch()

    assert westmarch.missing_from.keys() == {"councils", "providers"}
    assert westmarch.missing_since == dt.date(2024, 2, 1)


def test_page_shows_from_which_registers_an_organisation_is_missing(client: Client) -> None:
    client.force_login(make_world().vera)
    westmarch = import_lists_without_westmarch()

    page = client.get(westmarch.get_absolute_url()).content.decode()

    assert "Councils, since 1 February 2024" in page
    assert "Providers, since" in page


def test_organisation_in_one_list_again_stays_marked_for_the_other() -> None:
    westmarch = import_lists_without_westmarch()

    import_list("councils", COUNCILS)

    westmarch.refresh_from_db()
    assert westmarch.missing_from.keys() == {"providers"}


def test_organisation_that_was_found_is_no_longer_marked_as_missing() -> None:
    westmarch = import_lists_without_westmarch()

    is_changed = mark_found(organisation=westmarch, author=None, now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))

    westmarch.refresh_from_db()
    assert is_changed
    assert westmarch.missing_from == {}
    assert westmarch.missing_since is None


# Older lists and dates


LIST_WITH_MERE_RENAMED = COUNCILS.replace("Mere Council,Mere", "Mere Unitary,Mere")


def test_older_list_does_not_rename_a_council() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2025, 6, 1))

    run = import_list("councils", LIST_WITH_MERE_RENAMED, as_of=dt.date(2025, 2, 1))

    assert "older than that of 1 June 2025" in remarks(run)
    assert organisation_named("Mere Council").names.count() == 3


def test_wrong_date_of_a_list_can_be_corrected() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2025, 6, 1))
    import_list("councils", LIST_WITH_MERE_RENAMED, as_of=dt.date(2025, 2, 1))

    import_list("councils", COUNCILS, as_of=dt.date(2025, 1, 1))  # the first file again, with the correct date
    import_list("councils", LIST_WITH_MERE_RENAMED, as_of=dt.date(2025, 2, 1))

    assert organisation_named("Mere Unitary").names.filter(name="Mere Council", kind="former").exists()


def test_date_in_the_future_is_refused() -> None:
    now = dt.datetime(2025, 3, 10, 12, tzinfo=dt.UTC)

    with pytest.raises(UnableToRead, match="11 March 2025, which is in the future"):
        import_list("councils", COUNCILS, now=now, as_of=dt.date(2025, 3, 11))


def test_list_of_the_current_month_is_dated_today() -> None:
    now = dt.datetime(2025, 3, 10, 12, tzinfo=dt.UTC)

    run = import_list("councils", COUNCILS, now=now, name="councils_March_2025.csv")

    assert run.as_of == dt.date(2025, 3, 10)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Local_Authority_Districts_(April_2025)_Names_and_Codes_in_the_UK_v2_-838378343710.csv", "2025-04-30"),
        ("LAD_APR_2025_UK_NC.geojson", "2025-04-30"),
        ("List of registered providers - 8 February 2023.xlsx", "2023-02-08"),
        ("registered-providers-1st-sept-2024.xlsx", "2024-09-01"),
        ("rps 2025-04.csv", "2025-04-30"),
        ("rps_20250401.csv", "2025-04-01"),
        ("rps_202504.csv", "2025-04-30"),
        ("rps 01.04.2025.csv", "2025-04-01"),
        ("2025-April councils.csv", "2025-04-30"),
        ("measures_2023-24.xlsx", ""),
        ("Marchshire_2025.csv", ""),
        ("council-1756577982265.csv", ""),
        ("decided 2025-02-31.csv", "2025-02-28"),
    ],
)
def test_date_is_read_from_file_names(name: str, day: str) -> None:
    date = date_in_file_name(name)

    assert (date.isoformat() if date else "") == day


def test_date_is_read_from_the_title_above_the_rows() -> None:
    list_with_title = "\n".join(["List of councils,,", "As at 8 February 2023,,", COUNCILS])

    run = import_list("councils", list_with_title, dry_run=True)

    assert run.as_of == dt.date(2023, 2, 8)


def test_date_is_read_from_the_entry_dates_of_the_rows() -> None:
    heading, *rows = COUNCILS.splitlines()
    list_with_entry_dates = "\n".join([f"{heading},entry-date", *(f"{row},19/02/2024" for row in rows)])

    run = import_list("councils", list_with_entry_dates, dry_run=True)

    assert run.as_of == dt.date(2024, 2, 19)
    assert "so we used today" not in remarks(run)


def test_list_without_a_date_is_dated_today_with_a_remark() -> None:
    run = import_list("councils", COUNCILS, dry_run=True)

    assert "so we used today" in remarks(run)


# Notes, maps, encodings


@pytest.mark.parametrize(
    "notes",
    [
        ["Source: Regulator of Social Housing"],
        ["", "Notes", "1. Registered numbers are text.", "Anything else that is said below"],
        ["", "Tidy words below a gap"],
        ["Total,4", "Contains public sector information, licensed under the Open Government Licence"],
        ["[x] not available"],
    ],
)
def test_notes_below_a_table_are_left_out_and_reported(notes: list[str]) -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", "\n".join([PROVIDERS.strip(), *notes]))

    assert run.created == 2
    assert run.joined == 2
    assert "Notes below the table were left out" in remarks(run)


@pytest.mark.parametrize("register", ["councils", "combined-authorities", "leps"])
def test_every_list_may_end_with_notes(register: str) -> None:
    import_list("councils", COUNCILS)
    lists = {
        "councils": DISTRICTS,
        "combined-authorities": "LAD25CD,LAD25NM,CAUTH25CD,CAUTH25NM\nE06900001,Mere,E47900001,Estuary Reach\n",
        "leps": "LEP21CD,LEP21NM\nE37900001,Estuary Reach\n",
    }

    run = import_list(register, f"{lists[register]}\nSource: Office for National Statistics, licensed\n")

    assert "Source: Office for National Statistics" in remarks(run)


def test_last_row_cut_short_is_not_read_as_a_note() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS + "Larkhaven Hom")

    (line,) = run.report["lines"]["set_aside"]
    assert "Row 6, column “Registration number”: the cell is blank" in line


def test_ons_map_is_read_by_the_attributes_of_its_areas() -> None:
    import_list("councils", COUNCILS)
    areas = [("E07900001", "Westmarch"), ("E06900001", "Mere")]
    features = [
        {
            "type": "Feature",
            "id": number,
            "geometry": {"type": "Polygon", "coordinates": [[[0, 1], [1, 1], [0, 1]]]},
            "properties": {"FID": number, "LAD25CD": code, "LAD25NM": name},
        }
        for number, (code, name) in enumerate(areas, start=1)
    ]
    crs = {"type": "name", "properties": {"name": "EPSG:4326"}}

    run = import_list(
        "councils", json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}), name="m.geojson"
    )

    assert run.created == 0
    assert run.undecided == 0
    assert run.left_alone == 2


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_byte_order_mark_is_read(encoding: str) -> None:
    providers = read_providers(read_sheets(PROVIDERS.encode(encoding))).providers

    assert [provider.number for provider in providers] == ["LX9001", "5069", "90AA", "5070"]


# Lists of codes and names only


def test_list_of_codes_and_names_keeps_official_names_and_adds_no_duplicate() -> None:
    import_list("councils", COUNCILS.replace("Mere Council,Mere", "Mere Council,"))

    run = import_list("councils", DISTRICTS)

    assert run.created == 0
    assert run.undecided == 0
    assert run.missing == 0
    assert organisation_named("Mere Council").names.get(name="Mere").kind == "alternative"


def test_second_list_of_the_same_codes_and_names_changes_nothing() -> None:
    import_list("councils", COUNCILS)
    import_list("councils", DISTRICTS)

    second_run = import_list("councils", DISTRICTS)

    assert second_run.left_alone == 2


def test_council_with_a_new_code_is_matched_by_its_name() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))

    run = import_list("councils", DISTRICTS.replace("E07900001", "E07900009"), as_of=dt.date(2025, 4, 1))

    [line] = run.report["lines"]["joined"]
    assert run.created == 0
    assert run.undecided == 0
    assert line.startswith("Westmarch (E07900009) is Westmarch Borough Council: GSS code E07900009 added; the code of")


def test_council_that_is_matched_by_its_name_has_both_codes() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))

    import_list("councils", DISTRICTS.replace("E07900001", "E07900009"), as_of=dt.date(2025, 4, 1))

    westmarch = organisation_named("Westmarch Borough Council")
    gss_codes = westmarch.identifiers.filter(scheme=Scheme.GSS).values_list("value", flat=True)
    assert set(gss_codes) == {"E07900001", "E07900009"}
    assert westmarch.areas_served.get(area__code="E07900001").ends_on == dt.date(2025, 4, 1)


def test_list_with_keys_matches_councils_that_came_by_code_and_name() -> None:
    import_list("councils", DISTRICTS.replace("E07900001", "E07900009"))

    run = import_list("councils", COUNCILS)

    assert run.created == 3
    assert run.undecided == 0
    westmarch = organisation_named("Westmarch Borough Council")
    assert westmarch.identifiers.filter(scheme=Scheme.LOCAL_AUTHORITY, value="XWM").exists()
    assert westmarch.names.get(name="Westmarch").kind == "short"
    # The lower of two codes of one tier is the older one.
    assert westmarch.areas_served.get(ends_on=None).area.code == "E07900009"


#: Mere's name under Westmarch's code; a code of another tier for Mere's name.
UNCERTAIN_DISTRICTS = "LAD25CD,LAD25NM\nE07900001,Westmarch\nE06900001,Westmarch\nE07900044,Mere\n"


def test_uncertain_matches_by_code_and_name_are_left_for_review() -> None:
    import_list("councils", COUNCILS)

    run = import_list("councils", UNCERTAIN_DISTRICTS, accept_missing=True)

    assert run.created == 0
    assert run.changed == 0
    assert run.undecided == 2
    doubt = Doubt.objects.get(register="councils", key="E07900044")
    assert organisation_named("Mere Council") in doubt.candidates.all()


def test_uncertain_match_that_an_administrator_confirms_adds_the_code() -> None:
    world = make_world()
    import_list("councils", COUNCILS)
    import_list("councils", UNCERTAIN_DISTRICTS, accept_missing=True)
    mere = organisation_named("Mere Council")

    answer_doubt(
        doubt=Doubt.objects.get(register="councils", key="E07900044"),
        answer=Answer.THIS,
        organisation=mere,
        reason="Their order says so.",
        author=world.dee,
        now=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    )

    assert mere.identifiers.filter(scheme=Scheme.GSS, value="E07900044").exists()


def test_code_of_one_council_with_the_name_of_another_is_left_for_review() -> None:
    import_list("councils", COUNCILS)

    run = import_list("councils", "LAD25CD,LAD25NM\nE07900001,Mere\n", accept_missing=True)

    assert run.changed == 0
    assert run.undecided == 1
    assert not organisation_named("Westmarch Borough Council").names.filter(name="Mere").exists()
    assert set(Doubt.objects.get().candidates.all()) == {
        organisation_named("Westmarch Borough Council"),
        organisation_named("Mere Council"),
    }


def test_unknown_code_is_left_for_review_while_a_similar_council_is_missing() -> None:
    import_list("councils", COUNCILS)

    run = import_list("councils", DISTRICTS.replace("E06900001,Mere", "E06900005,Brightwater"), accept_missing=True)

    assert run.created == 0
    assert run.undecided == 1
    assert list(Doubt.objects.get().candidates.all()) == [organisation_named("Mere Council")]


def test_unknown_code_is_a_new_council_if_no_council_is_missing() -> None:
    import_list("councils", COUNCILS)
    import_list("councils", DISTRICTS.replace("E06900001,Mere", "E06900005,Brightwater"), accept_missing=True)

    run = import_list("councils", DISTRICTS + "E06900005,Brightwater\n")

    assert run.created == 1


#: The list of councils, in which Westmarch ends on 31 March 2026.
LIST_WITH_END_OF_WESTMARCH = COUNCILS.replace("E07900001,,,,England", "E07900001,,2026-03-31,XNW,England")


def test_future_end_in_a_list_does_not_close_the_council() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    # The last column says whether the council exists.
    early_list = LIST_WITH_END_OF_WESTMARCH.replace('westmarch borough",,True', 'westmarch borough",,False')

    run = import_list("councils", early_list, as_of=dt.date(2025, 1, 1))

    westmarch = organisation_named("Westmarch Borough Council")
    assert run.closed == 0
    assert westmarch.status == Status.ACTIVE
    assert westmarch.valid_to == dt.date(2026, 4, 1)
    assert "Westmarch Borough Council (1 April 2026)" in remarks(run)


def test_past_end_in_a_list_closes_the_council() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("councils", LIST_WITH_END_OF_WESTMARCH, as_of=dt.date(2025, 1, 1))

    run = import_list("councils", LIST_WITH_END_OF_WESTMARCH, as_of=dt.date(2026, 5, 1))

    assert run.closed == 1


# Providers that ended


def list_with_deregistered_providers() -> str:
    """Return the providers with a date on which Tidewater, Westmarch and two that nobody knew left the register."""
    heading, *rows = PROVIDERS.splitlines()
    deregistered_on = {"Tidewater": "31/10/2024", "Westmarch": "01/11/2024"}
    return "\n".join(
        [
            f"{heading},Deregistration date",
            *(f"{row},{deregistered_on.get(row.split()[0], '')}" for row in rows),
            "Goneaway Homes,LX1,01/04/1980,Non-profit,Company,01/02/2020",
            "Larkhaven Homes,LX2,,Non-profit,,01/02/2020",
        ]
    )


@pytest.fixture
def deregistration_run() -> ImportRun:
    """Import the councils and the providers, then the list of 2025 with deregistered providers; return its run."""
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS, as_of=dt.date(2024, 1, 1))
    return import_list("providers", list_with_deregistered_providers(), as_of=dt.date(2025, 1, 1))


def test_deregistered_provider_is_closed_on_the_date_in_the_list(deregistration_run: ImportRun) -> None:
    tidewater = organisation_named("Tidewater Housing Group Limited")
    assert deregistration_run.closed == 1
    assert deregistration_run.missing == 0
    assert tidewater.status == Status.DISSOLVED
    assert tidewater.valid_to == dt.date(2024, 10, 31)


@pytest.mark.usefixtures("deregistration_run")
def test_deregistered_council_continues_without_its_registration_number() -> None:
    assert Identifier.objects.get(scheme=Scheme.RSH, value="90AA").valid_to == dt.date(2024, 11, 1)
    assert organisation_named("Westmarch Borough Council").status == Status.ACTIVE


def test_unknown_deregistered_provider_is_created_as_ended(deregistration_run: ImportRun) -> None:
    goneaway = organisation_named("Goneaway Homes")
    assert deregistration_run.created == 1
    assert goneaway.status == Status.DISSOLVED
    assert goneaway.valid_to == dt.date(2020, 2, 1)
    assert Organisation.objects.filter(kind=Kind.REGISTERED_PROVIDER).count() == 3


@pytest.mark.usefixtures("deregistration_run")
def test_list_with_deregistered_providers_closes_nobody_a_second_time() -> None:
    repeated_run = import_list("providers", list_with_deregistered_providers(), as_of=dt.date(2025, 1, 1))

    assert repeated_run.closed == 0


def test_status_closes_a_provider_without_an_end_date() -> None:
    import_list("councils", COUNCILS)
    heading, *rows = PROVIDERS.splitlines()

    import_list(
        "providers",
        "\n".join([f"{heading},Status", f"{rows[0]},De-registered", *(f"{row},Registered" for row in rows[1:])]),
    )

    assert organisation_named("Larkhaven Homes Limited").status == Status.DISSOLVED
    assert organisation_named("Larkhaven Homes Limited").valid_to is None


# Rows that services refuse


def test_row_that_a_service_refuses_is_reported() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2024, 1, 1))
    import_list("providers", PROVIDERS, as_of=dt.date(2024, 1, 1))
    update_organisation(
        organisation=organisation_named("Larkhaven Homes Limited"),
        valid_from=dt.date(2020, 1, 1),
        author=None,
        now=dt.datetime(2024, 2, 1, tzinfo=dt.UTC),
    )
    list_with_ended_provider = PROVIDERS.replace("Corporate form", "Corporate form,End date").replace(
        "society", "society,01/01/2019"
    )

    with pytest.raises(
        UnableToRead,
        match=r"Row 2: The organisation cannot end before its first day. Enter a later "
        "day. Correct the list",
    ):
        import_list("providers", list_with_ended_provider, as_of=dt.date(2025, 1, 1), all_or_nothing=True)

    assert organisation_named("Larkhaven Homes Limited").status == Status.ACTIVE


def test_council_that_would_succeed_itself_is_reported_with_its_row() -> None:
    with pytest.raises(UnableToRead, match=r"Row 3: An organisation cannot follow itself."):
        import_list("councils", COUNCILS.replace("2023-03-31,XNW", "2023-03-31,XNM"), all_or_nothing=True)

    assert not Organisation.objects.exists()


def test_combined_authorities_need_their_councils_first() -> None:
    with pytest.raises(UnableToRead, match="Import the list of councils first"):
        import_list(
            "combined-authorities", "LAD25CD,LAD25NM,CAUTH25CD,CAUTH25NM\nE06900001,Mere,E47900001,Estuary Reach\n"
        )


@pytest.mark.slow
def test_real_ons_districts_match_the_real_councils() -> None:
    if not WHOLE.is_dir():
        pytest.skip("The published files are not beside the checkout.")
    import_list("councils", (WHOLE / "councils/uk_local_authorities.csv").read_bytes(), as_of=dt.date(2025, 7, 10))
    current = Organisation.objects.filter(kind__in=[Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY]).current()
    names = set(current.values_list("name", flat=True))

    run = import_list("councils", (WHOLE / "boundaries/lad_england_2025_supergeneralised.geojson").read_bytes())

    assert run.created == 0
    assert run.undecided == 0
    assert run.missing == 0
    assert sorted(line.partition(":")[0] for line in run.report["lines"]["joined"]) == [
        "Barnsley (E08000038) is Barnsley Metropolitan Borough Council",
        "Sheffield (E08000039) is Sheffield City Council",
    ]
    assert current.count() == 332
    assert set(current.values_list("name", flat=True)) == names
