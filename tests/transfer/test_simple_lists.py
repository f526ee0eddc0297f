"""Lists of one file add to the directory and to plans, and account for every row."""

from __future__ import annotations

import datetime as dt

import pytest

from partnerships.activity.models import Event
from partnerships.organisations.models import Identifier, Organisation, OrganisationName, SuccessionTie
from partnerships.organisations.timeline import timeline_lines
from partnerships.plans.models import Plan
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.headings import UnknownHeadings
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import accounting, rows_to_correct
from tests.support.kept_rows import build_once

from .altering import ALTERED, altered
from .lists import as_csv, extract, import_list, import_plans, rows_of
from .test_altered_copies import lines_set_aside, rolled_back, table

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def directory(db: None) -> None:
    """Import the councils and local plans of the extracts, once for all tests."""
    build_once(_directory)


def _directory() -> None:
    import_list("councils", extract("councils.csv"), as_of=dt.date(2025, 7, 10))
    import_plans(extract("local-plan.csv"), extract("local-plan-timetable.csv"))


def organisation_named(name: str) -> Organisation:
    return Organisation.objects.get(name=name)


def corrected_rows(run: ImportRun, **changes: str) -> bytes:
    """Return the rows set aside as a file, each with these cells changed."""
    heading, rows = rows_to_correct(run.report)
    return as_csv([dict(zip(heading, row, strict=True)) | changes for row in rows])


def import_twice(register: str, name: str) -> ImportRun:
    """Import a list twice, check that the second run changes nothing, and return the first run."""
    run = import_list(register, extract(name))
    second_run = import_list(register, extract(name))
    assert second_run.created == 0
    assert second_run.changed == 0
    assert second_run.closed == 0
    assert accounting(second_run.report) == accounting(run.report)
    return run


def test_every_name_of_a_council_is_found_afterwards() -> None:
    run = import_twice("council-names", "council-names.csv")

    assert accounting(run.report) == "Of 25 rows, 17 were used and 8 were set aside."
    assert "no council in the directory has the key “ABE”" in lines_set_aside(run)
    names = OrganisationName.objects.filter(organisation=organisation_named("Northumberland County Council"))
    assert "northumberland council" in names.values_list("folded", flat=True)
    assert names.filter(folded="northumberland council", kind="alternative").count() == 1


def test_former_codes_of_councils_are_added() -> None:
    run = import_twice("council-names", "council-codes.csv")

    assert accounting(run.report) == "Of 11 rows, 10 were used and 1 is outside England."
    identifier = Identifier.objects.filter(value="E47000005").get()
    assert identifier.scheme == "former-key"
    assert identifier.organisation.name == "North East Combined Authority"


def test_code_of_another_council_is_set_aside() -> None:
    import_twice("council-names", "council-codes.csv")

    run = import_list("council-names", "gss-code,local-authority-code\nE07000223,NBL\nE07000223,ADU\n")

    assert "E07000223 is a code of Adur District Council in the directory" in lines_set_aside(run)


@pytest.fixture
def run_of_council_changes() -> ImportRun:
    """Return the import of changes of councils into a directory that lacks the one of Carlisle."""
    SuccessionTie.objects.filter(predecessor__name__startswith="Carlisle").delete()
    return import_twice("council-changes", "council-changes.csv")


def test_change_that_the_directory_lacks_is_recorded(run_of_council_changes: ImportRun) -> None:
    tie = SuccessionTie.objects.get(predecessor__name="Carlisle City Council")

    assert run_of_council_changes.report["lines"]["created"] == ["Carlisle City Council → Cumberland Council, 2023"]
    assert tie.successor == organisation_named("Cumberland Council")
    assert str(tie.succession.vests_on) == "2023"


def test_change_of_an_unknown_council_is_set_aside(run_of_council_changes: ImportRun) -> None:
    assert accounting(run_of_council_changes.report) == (
        "Of 12 rows, 8 were used, 1 is outside England and 3 were set aside."
    )
    assert "no organisation in the directory has the code “E06000028”" in lines_set_aside(run_of_council_changes)


def test_change_of_a_combined_authority_dates_the_districts_that_it_serves(run_of_council_changes: ImportRun) -> None:
    authority = organisation_named("North of Tyne Combined Authority")

    assert authority.areas_served.get(area__code="E06000057").starts_on == dt.date(2018, 11, 2)


def test_change_of_a_council_that_still_exists_is_not_recorded() -> None:
    changes = "oldcd,newcd,start\nE07000223,E06000057,2021\nE07000028,E06000063,2023\n"

    run = import_list("council-changes", changes)

    assert "Adur District Council has not ended in the directory." in lines_set_aside(run)
    assert not SuccessionTie.objects.filter(predecessor=organisation_named("Adur District Council")).exists()


@pytest.fixture
def run_of_documents() -> ImportRun:
    """Return the import of the extract's two documents and of two rows with mistakes."""
    document_rows = rows_of(extract("local-plan-document.csv"))
    bad_rows = [
        document_rows[0] | {"document-url": "on our shelf", "name": "Map [east]"},
        document_rows[1] | {"local-plan": "nowhere"},
    ]
    return import_list("plan-documents", as_csv([*document_rows, *bad_rows]))


def plan_of_camden() -> Plan:
    """Return the plan that the documents belong to."""
    return Plan.objects.get(external_reference="london-borough-of-camden-local-plan-2016")


def import_corrected_address(run: ImportRun) -> ImportRun:
    """Import the rows set aside again, with an address of a document."""
    return import_list("plan-documents", corrected_rows(run, **{"document-url": "https://a.example/map(1).pdf"}))


def test_documents_with_bad_addresses_or_unknown_plans_are_set_aside(run_of_documents: ImportRun) -> None:
    second_run = import_corrected_address(run_of_documents)

    assert accounting(run_of_documents.report) == "Of 4 rows, 2 were used and 2 were set aside."
    assert accounting(second_run.report) == "Of 2 rows, 1 was used and 1 was set aside."


def test_documents_of_plans_are_links_in_a_section(run_of_documents: ImportRun) -> None:
    import_corrected_address(run_of_documents)

    plan = plan_of_camden()
    version = plan.versions.get(number=plan.current_number)
    [section] = [section for section in version.content["sections"] if section["key"] == "published-documents"]
    first, second, third = section["body"].splitlines()
    assert section["title"] == "Documents"
    assert first.startswith("- [Local plan 2017](<https://www.camden.gov.uk/documents/20142/4820180/Local+Plan.pdf/")
    assert second.endswith(" (inspector's report)")
    assert third == "- [Map \\[east\\]](<https://a.example/map(1).pdf>) (local plan)"


def test_an_older_list_of_documents_changes_no_plan_but_is_in_its_history(run_of_documents: ImportRun) -> None:
    number_before = plan_of_camden().current_number
    import_plans(extract("local-plan.csv"), extract("local-plan-timetable.csv"))
    row = rows_of(extract("local-plan-document.csv"))[1]

    import_list("plan-documents", as_csv([row]), as_of=dt.date(2024, 1, 31))

    plan = plan_of_camden()
    event = Event.objects.get(kind=EventKind.IN_OLDER_FILE, target_id=plan.pk)
    assert plan.current_number == number_before
    assert "as of 31 January 2024" in event.data["reason"]


def test_a_document_of_another_councils_plan_is_set_aside() -> None:
    first_row, second_row = rows_of(extract("local-plan-document.csv"))
    row_of_other_council = first_row | {"organisations": "local-authority:ADU"}

    run = import_list("plan-documents", as_csv([second_row, row_of_other_council]))

    assert "no plans of local-authority:ADU in Common Ground have the reference" in lines_set_aside(run)


def import_progress() -> ImportRun:
    """Import the progress of plans as it was in October 2019."""
    return import_list("plan-progress", extract("local-plan-progress.csv"), as_of=dt.date(2019, 10, 31))


def test_progress_of_plans_creates_no_plan() -> None:
    plan_count = Plan.objects.count()

    run = import_progress()

    assert run.created == 0
    assert Plan.objects.count() == plan_count


def test_progress_of_plans_that_is_imported_again_changes_no_plan() -> None:
    run = import_progress()
    plan_count = Plan.objects.count()

    repeated_run = import_progress()

    assert accounting(repeated_run.report) == accounting(run.report)
    assert repeated_run.created == 0
    assert repeated_run.changed == 0
    assert Plan.objects.count() == plan_count


def test_progress_of_a_known_plan_is_in_its_history() -> None:
    import_progress()

    camden = plan_of_camden()
    event = Event.objects.get(kind=EventKind.IN_OLDER_FILE, target_id=camden.pk)
    assert camden.current_number == 1
    assert "Regulation 19" in event.data["reason"]


def test_progress_of_an_unknown_plan_is_in_the_history_of_its_council() -> None:
    import_progress()

    council = organisation_named("London Borough of Camden")
    [line] = timeline_lines(Event.objects.filter(kind=EventKind.PLANS_IN_OLDER_FILE, target_id=council.pk))
    assert line.subject == council.name
    assert "as of 31 October 2019. Camden, London Borough of: published 16 October 2009, submitted" in line.reason
    assert line.reason.endswith("found sound 31 August 2010, adopted 8 November 2010.")


def test_codes_of_a_code_list_that_are_unknown_are_named() -> None:
    purposes = "contribution-purpose,name,end-date\neducation,Education,\nflood,Flood,2019-05-07\nmoon,Moon,\n"

    run = import_list("code-lists", purposes)

    assert accounting(run.report) == "Of 3 rows, 2 were used and 1 was set aside."
    assert "The code “moon” is not one that Common Ground recognises" in lines_set_aside(run)


@pytest.mark.parametrize(
    "code_list",
    [
        pytest.param("reference,name\nplan-adopted,Plan adopted\nadopted,Adopted\n", id="events"),
        pytest.param("reference,name\nlocal-plan,Local plan\ncore-strategy,Core strategy\n", id="kinds of plan"),
        pytest.param(
            "social-housing-provider-designation-eng\tname\n1\tNon-Profit\n2\tLocal Authority\n", id="designations"
        ),
    ],
)
def test_code_list_of_known_codes_changes_nothing(code_list: str) -> None:
    run = import_list("code-lists", code_list)

    assert run.left_alone == 2


@pytest.mark.parametrize("how", ALTERED)
def test_altered_copies_lose_no_good_row_and_name_every_bad_one(how: str) -> None:
    code_rows = [row for row in rows_of(extract("council-codes.csv")) if row["gss-code"] != "S12000033"]
    rows = table([*code_rows, {"gss-code": "E0700", "local-authority-code": "ADU"}])

    run = import_list("council-names", altered(rows, how))

    assert run.report["rows"]["used"] == len(code_rows)
    assert run.report["rows"]["set_aside"] == 1
    assert "“E0700” is not a GSS code" in lines_set_aside(run)
    assert Identifier.objects.filter(value="E47000005").exists()


#: Files of simple lists with a row that names nothing known, by list.
SIMPLE = {
    "council-changes": ("council-changes.csv", {"newcd": "E0700"}),
    "plan-documents": ("local-plan-document.csv", {"local-plan": "no-such-plan"}),
    "plan-progress": ("local-plan-progress.csv", {"LPA ONS Code": "E0700"}),
}


@pytest.mark.parametrize(("name", "bad_cells"), SIMPLE.values(), ids=SIMPLE)
def test_bad_cells_are_in_columns_of_their_list(name: str, bad_cells: dict[str, str]) -> None:
    list_rows = rows_of(extract(name))

    assert bad_cells.keys() <= list_rows[0].keys()


@pytest.mark.parametrize("how", ALTERED)
@pytest.mark.parametrize("register", SIMPLE)
def test_altered_list_has_the_counts_of_the_list_itself(register: str, how: str) -> None:
    name, bad_cells = SIMPLE[register]
    list_rows = rows_of(extract(name))
    rows = [*list_rows, {**list_rows[-1], **bad_cells}]
    day = dt.date(2025, 7, 11)
    with rolled_back():
        rows_of_unaltered_list = import_list(register, as_csv(rows), as_of=day).report["rows"]

    run = import_list(register, altered(table(rows), how), as_of=day)

    assert {key: run.report["rows"][key] for key in ("used", "set_aside")} == {
        key: rows_of_unaltered_list[key] for key in ("used", "set_aside")
    }
    assert next(iter(bad_cells.values())) in lines_set_aside(run)


def test_list_without_a_needed_column_is_refused() -> None:
    with pytest.raises(UnknownHeadings, match="needs the column “la-name” or “gss-code”"):
        import_list("council-names", "local-authority-code,population\nADU,60000\n")


def test_list_of_one_row_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(UnableToRead, match="None of its 1 rows can be used"):
        import_list("council-names", "la-name,local-authority-code\nNowhere,ZZZ\n")


def test_list_of_several_rows_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(UnableToRead, match="2 of its 2 rows cannot be used"):
        import_list("plan-documents", "local-plan,name,document-url\na,b,c\nd,e,f\n")
