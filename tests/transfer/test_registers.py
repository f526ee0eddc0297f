"""Registers update the directory without duplicates."""

from __future__ import annotations

import datetime as dt
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from partnerships.organisations.models import (
    Area,
    Identifier,
    Kind,
    Organisation,
    Scheme,
    Status,
    Succession,
)
from partnerships.transfer.models import Doubt, ImportRun
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import rows_to_correct
from tests.support.at_once import run_at_once

from .lists import COUNCILS, PROVIDERS, WHOLE, as_workbook, extract, import_list

pytestmark = pytest.mark.django_db

LEPS = [
    ["LACD", "LANM", "ERCD", "ERNM"],
    ["E07900001", "Westmarch", "E37900001", "Estuary Reach"],
    ["E07900002", "Northmere", "E37900001", "Estuary Reach"],
    ["E06900001", "Mere", "E37900002", "Mereland"],
]


def organisation_named(name: str) -> Organisation:
    """Return the organisation with this name."""
    return Organisation.objects.get(name=name)


def test_list_of_councils_creates_the_councils_of_england() -> None:
    run = import_list("councils", COUNCILS)

    assert run.created == 5
    assert run.changed == 0
    assert run.left_alone == 0
    assert not Organisation.objects.filter(name="Glenmarch Council").exists()


def test_councils_that_were_replaced_have_ended() -> None:
    import_list("councils", COUNCILS)

    northmere = organisation_named("Northmere District Council")
    southmere = organisation_named("Southmere City Council")
    assert {northmere.valid_to, southmere.valid_to} == {dt.date(2023, 4, 1)}
    assert northmere.status == Status.DISSOLVED
    assert northmere.areas_served.get().ends_on == dt.date(2023, 4, 1)


def test_councils_that_were_replaced_have_a_successor() -> None:
    import_list("councils", COUNCILS)

    northmere = organisation_named("Northmere District Council")
    southmere = organisation_named("Southmere City Council")
    succession = Succession.objects.get()
    assert succession.status == "effective"
    assert str(succession.vests_on) == "2023-04-01"
    assert {tie.predecessor for tie in succession.ties.all()} == {northmere, southmere}
    assert {tie.successor for tie in succession.ties.all()} == {organisation_named("Mere Council")}


def test_a_district_is_in_its_county_and_region() -> None:
    import_list("councils", COUNCILS)

    westmarch = Area.objects.get(code="E07900001")
    assert westmarch.parent == Area.objects.get(code="E10900001")
    assert westmarch.region == Area.objects.get(code="E12000008")


@pytest.mark.parametrize(
    ("register", "data", "row_count"),
    [pytest.param("councils", COUNCILS, 5, id="councils"), pytest.param("providers", PROVIDERS, 4, id="providers")],
)
def test_list_that_is_imported_again_leaves_every_organisation_as_it_was(
    register: str, data: str, row_count: int
) -> None:
    import_list("councils", COUNCILS)
    import_list(register, data)

    repeated_run = import_list(register, data)

    assert repeated_run.left_alone == row_count
    assert repeated_run.created == 0
    assert repeated_run.changed == 0
    assert repeated_run.closed == 0
    assert repeated_run.joined == 0
    assert repeated_run.missing == 0


def test_report_says_that_a_file_was_already_imported() -> None:
    import_list("councils", COUNCILS)

    repeated_run = import_list("councils", COUNCILS)

    assert "This file was already imported" in " ".join(repeated_run.report["remarks"])


def test_dry_run_reports_what_an_import_would_create() -> None:
    run = import_list("councils", COUNCILS, dry_run=True)

    assert run.created == 5
    assert "Westmarch Borough Council (XWM)" in run.report["lines"]["created"]


def test_dry_run_stores_nothing() -> None:
    import_list("councils", COUNCILS, dry_run=True)

    assert not Organisation.objects.exists()
    assert not Area.objects.exists()
    assert not ImportRun.objects.exists()


def test_all_or_nothing_imports_no_council_if_one_row_is_invalid() -> None:
    with pytest.raises(UnableToRead, match="Row 5, column “start-date”"):
        import_list("councils", COUNCILS.replace("2023-04-01,,,England", "not a day,,,England"), all_or_nothing=True)

    assert not Organisation.objects.exists()


def test_unknown_successor_is_refused() -> None:
    with pytest.raises(UnableToRead, match="no council in the file or the directory has the key “XZZ”"):
        import_list("councils", COUNCILS.replace("2023-03-31,XNW", "2023-03-31,XZZ"), all_or_nothing=True)

    assert not Organisation.objects.exists()


#: A later list: Mere has another name, Westmarch has ended, and Marchshire is missing.
LATER_COUNCILS = (
    "\n".join(line for line in COUNCILS.splitlines() if not line.startswith("XCO"))
    .replace("Mere Council,Mere", "Mere City Council,Mere")
    .replace("E07900001,,,,England", "E07900001,,2026-03-31,XNW,England")
    .replace('westmarch borough",,True', 'westmarch borough",,False')
)


@pytest.fixture
def later_run() -> ImportRun:
    """Import the councils of 2025, then those of 2026, and return the second run."""
    import_list("councils", COUNCILS, as_of=dt.date(2025, 1, 1))
    return import_list("councils", LATER_COUNCILS, as_of=dt.date(2026, 5, 1))


def test_later_list_closes_a_council_that_has_ended(later_run: ImportRun) -> None:
    assert later_run.created == 0
    assert later_run.closed == 1
    assert organisation_named("Westmarch Borough Council").valid_to == dt.date(2026, 4, 1)


def test_later_list_keeps_the_former_name_of_a_renamed_council(later_run: ImportRun) -> None:
    assert later_run.changed == 1
    assert organisation_named("Mere City Council").names.filter(name="Mere Council", kind="former").exists()


def test_council_that_a_later_list_lacks_is_marked_as_missing(later_run: ImportRun) -> None:
    county = organisation_named("Marchshire County Council")
    assert later_run.missing == 1
    assert county.missing_since == dt.date(2026, 5, 1)
    assert county.missing_from == {"councils": "2026-05-01"}


@pytest.mark.usefixtures("later_run")
def test_council_that_is_listed_again_is_no_longer_marked_as_missing() -> None:
    last_run = import_list("councils", COUNCILS)

    assert last_run.returned == 1
    assert not organisation_named("Marchshire County Council").needs_checking


def test_council_with_a_new_code_keeps_both_areas_with_their_dates() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2025, 4, 1))

    run = import_list("councils", COUNCILS.replace("E07900001", "E07900009"), as_of=dt.date(2026, 4, 1))

    assert run.created == 0
    council = organisation_named("Westmarch Borough Council")
    assert council.areas_served.get(area__code="E07900001").ends_on == dt.date(2026, 4, 1)
    assert council.areas_served.get(area__code="E07900009").starts_on == dt.date(2026, 4, 1)
    assert Identifier.objects.filter(organisation=council, scheme=Scheme.GSS).count() == 2


def test_second_list_with_the_new_code_changes_no_council() -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2025, 4, 1))
    import_list("councils", COUNCILS.replace("E07900001", "E07900009"), as_of=dt.date(2026, 4, 1))

    repeated_run = import_list("councils", COUNCILS.replace("E07900001", "E07900009"))

    assert repeated_run.changed == 0


def test_provider_that_is_a_council_is_matched_and_not_duplicated() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS.replace("Mere Council,5070", "Borough Council of Mere,5070"))

    assert run.created == 2
    assert run.joined == 2
    assert run.undecided == 0
    assert organisation_named("Westmarch Borough Council").identifiers.filter(scheme=Scheme.RSH, value="90AA").exists()
    assert organisation_named("Mere Council").identifiers.filter(scheme=Scheme.RSH, value="5070").exists()
    assert Organisation.objects.filter(kind=Kind.COUNCIL).count() == 5


def test_registration_number_of_a_provider_applies_from_its_registration_date() -> None:
    import_list("councils", COUNCILS)

    import_list("providers", PROVIDERS)

    registration = organisation_named("Tidewater Housing Group Limited").identifiers.get()
    assert registration.value == "5069"
    assert registration.valid_from == dt.date(2019, 4, 1)


def test_list_in_capitals_leaves_every_provider_as_it_was() -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS)
    heading, *rows = PROVIDERS.splitlines()
    # A designation is a value of a fixed list, and not in capitals.
    rows_in_capitals = [row.upper().replace("LOCAL AUTHORITY,", "Local Authority,") for row in rows]

    run = import_list("providers", "\n".join([heading, *rows_in_capitals]))

    assert run.created == 0
    assert run.changed == 0
    assert run.left_alone == 4
    assert organisation_named("Larkhaven Homes Limited").legal_form == "Registered society"


def test_two_imports_at_once_create_each_provider_once(transactional_db: None) -> None:
    import_list("councils", COUNCILS)
    import_providers = partial(import_list, "providers", PROVIDERS)

    runs = run_at_once(import_providers, import_providers)

    assert sorted(run.created for run in runs) == [0, 2]
    assert Organisation.objects.filter(kind=Kind.REGISTERED_PROVIDER).count() == 2


def test_providers_before_councils_are_refused_with_a_remedy() -> None:
    with pytest.raises(UnableToRead, match="Import the list of councils first"):
        import_list("providers", PROVIDERS)

    assert not Organisation.objects.exists()


def test_uncertain_matches_are_left_for_review() -> None:
    import_list("councils", COUNCILS)

    run = import_list("providers", PROVIDERS.replace("Westmarch Borough Council,90AA", "Some Other Council,90AA"))

    assert run.joined == 1
    assert run.undecided == 1
    doubt = Doubt.objects.get()
    assert doubt.key == "90AA"
    assert list(doubt.candidates.all()) == [organisation_named("Westmarch Borough Council")]
    assert not Organisation.objects.filter(name="Some Other Council").exists()


def test_leps_are_closed_and_have_the_districts_they_served() -> None:
    import_list("councils", COUNCILS)

    run = import_list("leps", as_workbook({"Cover": [["x"]], "Sheet1": LEPS}), name="leps.xlsx")

    assert run.created == 2
    estuary = organisation_named("Estuary Reach")
    assert estuary.status == Status.DISSOLVED
    assert estuary.kind == Kind.LEP
    assert dict(estuary.areas_served.values_list("area__code", "ends_on")) == {
        "E07900001": dt.date(2024, 4, 1),
        "E07900002": dt.date(2023, 4, 1),
    }


def test_list_of_the_names_of_known_leps_leaves_them_as_they_were() -> None:
    import_list("councils", COUNCILS)
    import_list("leps", as_workbook({"Cover": [["x"]], "Sheet1": LEPS}), name="leps.xlsx")

    run = import_list("leps", '{"E37900001": "Estuary Reach", "E37900002": "Mereland"}', name="names.json")

    assert run.created == 0
    assert run.changed == 0
    assert run.left_alone == 2


def test_lep_with_a_later_code_is_the_same_lep() -> None:
    import_list("leps", as_workbook({"Sheet1": LEPS}), name="leps.xlsx")

    run = import_list("leps", '{"E37900001": "Estuary Reach", "E37900011": "Mereland LEP"}', name="names.json")

    assert run.created == 0
    assert run.changed == 1
    assert set(organisation_named("Mereland").identifiers.values_list("value", flat=True)) == {"E37900002", "E37900011"}


def test_blank_name_of_a_lep_does_not_set_aside_its_other_rows() -> None:
    rows = [
        ["LACD", "LANM", "ERCD", "ERNM"],
        ["E07900001", "Westmarch", "E37900001", ""],
        ["E07900002", "Northmere", "E37900001", "Estuary Reach"],
    ]

    run = import_list("leps", as_workbook({"Sheet1": rows}), name="leps.xlsx")

    assert run.set_aside == 1
    estuary = organisation_named("Estuary Reach")
    assert list(estuary.areas_served.values_list("area__code", flat=True)) == ["E07900002"]


def test_lep_has_the_name_in_its_first_row_that_is_not_set_aside() -> None:
    rows = [
        ["LACD", "LANM", "ERCD", "ERNM"],
        ["E0790", "Westmarch", "E37900001", "Estuary Reach Local Enterprise Partnership"],
        ["E07900002", "Northmere", "E37900001", "Estuary Reach"],
    ]

    import_list("leps", as_workbook({"Sheet1": rows}), name="leps.xlsx")

    assert Organisation.objects.get(kind=Kind.LEP).name == "Estuary Reach"


def test_invalid_district_with_two_leps_is_reported_once() -> None:
    rows = [
        ["LAD21CD", "LAD21NM", "LEP21CD1", "LEP21NM1", "LEP21CD2", "LEP21NM2"],
        ["E0790", "Westmarch", "E37900001", "Estuary Reach", "E37900002", "Mereland"],
        ["E07900002", "Northmere", "E37900001", "Estuary Reach", "", ""],
    ]

    run = import_list("leps", as_workbook({"Sheet1": rows}), name="leps.xlsx")

    _headings, (row_to_correct,) = rows_to_correct(run.report)
    assert "LAD21CD: “E0790” is not the code of a district." in row_to_correct


def test_lep_in_two_rows_of_a_list_without_districts_is_set_aside_once() -> None:
    run = import_list("leps", "LEP21CD,LEP21NM\nE37900001,Estuary Reach\nE37900001,Estuary Reach LEP\n")

    _headings, (row_to_correct,) = rows_to_correct(run.report)
    assert "LEP21CD: “E37900001” is already in row 2." in row_to_correct


#: Westmarch with a new code, and Mere, are the districts of one combined authority.
COMBINED_AUTHORITIES = (
    "\ufeffLAD30CD,LAD30NM,CAUTH30CD,CAUTH30NM,ObjectId\n"
    "E07900007,Westmarch,E47900001,Estuary Reach,1\n"
    "E06900001,Mere,E47900001,Estuary Reach,2\n"
)


def test_combined_authorities_serve_listed_districts() -> None:
    import_list("councils", COUNCILS)

    run = import_list("combined-authorities", COMBINED_AUTHORITIES, as_of=dt.date(2025, 1, 1))

    assert run.created == 1
    codes = organisation_named("Estuary Reach").areas_served.values_list("area__code", flat=True)
    assert set(codes) == {"E47900001", "E07900007", "E06900001"}


def test_district_of_a_combined_authority_gets_a_new_code_if_only_it_has_the_name() -> None:
    import_list("councils", COUNCILS)

    import_list("combined-authorities", COMBINED_AUTHORITIES, as_of=dt.date(2025, 1, 1))

    assert organisation_named("Westmarch Borough Council").identifiers.filter(value="E07900007").exists()


def test_combined_authority_no_longer_serves_a_district_that_left_the_list() -> None:
    import_list("councils", COUNCILS)
    import_list("combined-authorities", COMBINED_AUTHORITIES, as_of=dt.date(2025, 1, 1))
    list_without_mere = COMBINED_AUTHORITIES.replace("E06900001,Mere,E47900001,Estuary Reach,2\n", "")

    run = import_list("combined-authorities", list_without_mere, as_of=dt.date(2026, 1, 1))

    assert run.changed == 1
    assert organisation_named("Estuary Reach").areas_served.get(area__code="E06900001").ends_on == dt.date(2026, 1, 1)


def test_output_of_the_command_ends_with_a_summary(tmp_path: Path) -> None:
    file = tmp_path / "councils_2025-07.csv"
    file.write_text(COUNCILS)
    stdout = StringIO()

    call_command("import_register", "councils", str(file), stdout=stdout)

    assert stdout.getvalue().strip().splitlines()[-1] == (
        "Councils and combined authorities as of 31 July 2025: 5 created, 0 changed, 0 closed, 0 left as they were."
    )


def test_command_fails_if_a_column_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "councils_2025-07.csv"
    file.write_text(COUNCILS.replace("gss-code", "colour"))

    with pytest.raises(CommandError, match="we changed nothing"):
        call_command("import_register", "councils", str(file))


def test_command_fails_if_it_cannot_open_the_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("import_register", "councils", str(tmp_path / "nowhere.csv"))


def test_extract_of_the_councils_is_imported() -> None:
    run = import_list("councils", extract("councils.csv"))

    assert run.created == 41
    assert "Councils outside England were skipped: 1." in run.report["remarks"]
    assert Organisation.objects.filter(council_type__gt="").current().count() == 34


def test_extract_of_the_providers_is_matched_with_the_councils() -> None:
    import_list("councils", extract("councils.csv"))

    run = import_list("providers", extract("providers.json"), name="providers.json")

    assert run.created == 16
    assert run.joined == 16
    assert run.undecided == 1
    assert Organisation.objects.filter(identifiers__scheme=Scheme.RSH).distinct().count() == 32
    assert Identifier.objects.get(value="5174").organisation.name == "Eden District Council"


def test_extract_of_the_combined_authorities_gives_a_council_its_new_area() -> None:
    import_list("councils", extract("councils.csv"))

    run = import_list("combined-authorities", extract("combined_authorities.csv"), accept_missing=True)

    assert run.undecided == 1
    barnsley = Identifier.objects.get(scheme=Scheme.LOCAL_AUTHORITY, value="BNS").organisation
    assert barnsley.areas_served.filter(area__code="E08000038", ends_on=None).exists()
    assert barnsley.areas_served.get(area__code="E08000016").ends_on is not None


def test_extract_of_the_names_of_leps_is_imported() -> None:
    run = import_list("leps", extract("lep_names.json"))

    assert run.created == 4


@pytest.mark.slow
def test_whole_real_lists_give_the_figures_of_their_publishers() -> None:
    has_whole_files = WHOLE.is_dir()
    councils = import_list(
        "councils",
        (WHOLE / "councils/uk_local_authorities.csv").read_bytes() if has_whole_files else extract("councils.csv"),
    )
    providers = import_list(
        "providers",
        (WHOLE / "providers/rsh_registered_providers_2023-02.json").read_bytes()
        if has_whole_files
        else extract("providers.json"),
    )
    leps = import_list(
        "leps", (WHOLE / "leps/lad_to_lep_2020-04.xlsx").read_bytes() if has_whole_files else extract("lep_names.json")
    )

    current = Organisation.objects.filter(kind__in=[Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY]).current()
    assert (councils.created, current.count()) == ((380, 332) if has_whole_files else (41, 34))
    assert (providers.created, providers.joined, providers.undecided) == (
        (1391, 221, 0) if has_whole_files else (16, 16, 1)
    )
    assert leps.created == (38 if has_whole_files else 4)
    assert Organisation.objects.filter(identifiers__scheme=Scheme.RSH).distinct().count() == (
        1612 if has_whole_files else 32
    )
    if has_whole_files:
        names = import_list("leps", (WHOLE / "leps/lep_names_codes_2021-04.json").read_bytes())
        assert names.created == 0
        assert names.undecided == 1
        assert Organisation.objects.filter(kind=Kind.LEP).count() == 38
