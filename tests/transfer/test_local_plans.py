"""Local plans become plans of councils, and later files add versions."""

from __future__ import annotations

import datetime as dt
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit.dates import PartialDate
from partnerships.organisations.models import Kind, Organisation
from partnerships.plans.models import Audience, Plan, Version
from partnerships.plans.services import publish_version
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.milestone_keys import milestone_keys
from partnerships.transfer.reading.plan_rows import Milestone
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import rows_to_correct

from .lists import COUNCILS, EXTRACTS, WHOLE, as_csv, extract, import_list, import_plans, rows_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("councils")]

PLANS = """reference,name,organisations,organisation-name,period-start-date,period-end-date,\
adopted-date,documentation-url,entry-date
westmarch-2030,Westmarch Local Plan 2030,local-authority:XWM,Westmarch Borough Council,2013.0,2030.0,2019-02,https://plans.example/w,2024-10-02
mere-joint,Mere and March Joint Plan,local-authority:XNW;local-authority-eng:XWM,,2020.0,2040.0,,,2024-10-02
twice,Old Plan,local-authority:XNW,,,,1998,,2024-10-02
twice,New Plan,local-authority:XNW,,,,,,2024-10-21
park-plan,Moor Park Plan,national-park-authority:Q9000001,Moor Park Authority,,,,,2024-10-21
"""
TIMETABLE = """event-date,local-plan,notes,local-plan-event,entry-date,organisations,reference
2019-02,westmarch-2030,,plan-adopted,2024-12-10,local-authority:XWM,a
2017-04-11,westmarch-2030,,submit-plan-for-examination,2024-12-10,local-authority:XWM,b
2027,mere-joint,From the scheme,estimated-plan-adoption-date,2024-12-10,local-authority:XNW,c
2020,mere-joint,,reg-18-public-consultation-start,2024-12-10,local-authority:XNW,d
2024-01-17,mere-joint,,reg-18-public-consultation-start,2024-12-10,local-authority:XNW,d
,,,,,,
1998,twice,,plan-adopted,2024-12-10,local-authority:XNW,e
2026-06,twice,,estimated-plan-adoption-date,2024-12-10,local-authority:XNW,f
"""


def plan_titled(title: str) -> Plan:
    """Return the plan with this title."""
    return Plan.objects.get(title=title)


def milestone_dates(plan: Plan) -> dict[str, str]:
    """Return the dates of the milestones in the newest version, by the milestones' keys."""
    items = plan.versions.get(number=plan.current_number).content["milestones"]
    return {item["key"]: item["actual"] or item["forecast"] for item in items}


def test_imported_plans_are_public() -> None:
    run = import_plans(PLANS.encode(), TIMETABLE.encode())

    westmarch_plan = plan_titled("Westmarch Local Plan 2030")
    assert run.created == 5
    assert westmarch_plan.audience == Audience.PUBLIC
    assert westmarch_plan.current_number == 1
    assert westmarch_plan.period_end == 2030


def test_note_of_an_imported_version_names_its_file() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())

    version = plan_titled("Westmarch Local Plan 2030").versions.get()
    assert "local-plan.csv" in version.note
    assert "planning data" in version.note


def test_imported_plans_are_owned_by_all_their_authorities() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())

    owners_of_joint_plan = plan_titled("Mere and March Joint Plan").owners.all()
    assert {owner.organisation.name for owner in owners_of_joint_plan} == {"Mere Council", "Westmarch Borough Council"}
    assert plan_titled("Moor Park Plan").owners.get().organisation.kind == Kind.NATIONAL_PARK


def test_dates_keep_their_precision() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())

    assert milestone_dates(plan_titled("Westmarch Local Plan 2030")) == {
        "plan-adopted": "2019-02",
        "submit-plan-for-examination": "2017-04-11",
    }
    assert milestone_dates(plan_titled("Mere and March Joint Plan")) == {
        "reg-18-public-consultation-start": "2020",
        "reg-18-public-consultation-start-2": "2024-01-17",
        "estimated-plan-adoption-date": "2027",
    }


def test_reference_that_is_used_twice_is_read_as_two_plans() -> None:
    run = import_plans(PLANS.encode(), TIMETABLE.encode())

    assert milestone_dates(plan_titled("Old Plan")) == {"plan-adopted": "1998"}
    assert milestone_dates(plan_titled("New Plan")) == {"estimated-plan-adoption-date": "2026-06"}
    assert "“twice” is in rows 4 and 5. We read these as 2 plans" in " ".join(run.report["remarks"])


def test_one_plan_with_one_milestone_is_counted_as_one() -> None:
    plans, timetable = ("\n".join(text.splitlines()[:2]) for text in (PLANS, TIMETABLE))

    run = import_plans(plans.encode(), timetable.encode())

    assert "The files have 1 plan with 1 milestone." in run.report["remarks"]


def test_same_files_in_any_order_change_nothing() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())
    reordered = as_csv(list(reversed(rows_of(TIMETABLE.encode()))))

    run = import_plans(PLANS.encode(), reordered)

    assert run.created == 0
    assert run.changed == 0
    assert run.left_alone == 5
    assert Version.objects.count() == 5


def test_later_file_publishes_exactly_the_plans_that_differ() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())

    run = import_plans(PLANS.encode(), TIMETABLE.replace("2027,mere-joint", "2028-03,mere-joint").encode())

    assert run.created == 0
    assert run.changed == 1
    assert run.left_alone == 4
    joint = plan_titled("Mere and March Joint Plan")
    assert joint.current_number == 2
    assert milestone_dates(joint)["estimated-plan-adoption-date"] == "2028-03"
    assert plan_titled("Westmarch Local Plan 2030").current_number == 1


def import_ended_plan() -> ImportRun:
    """Import files in which one plan has ended, one ends later, and a milestone is withdrawn."""
    end_by_reference = {"westmarch-2030": "2025-03-31", "mere-joint": "2031-01-01"}
    plans = [{**row, "end-date": end_by_reference.get(row["reference"], "")} for row in rows_of(PLANS.encode())]
    timetable = [
        {**row, "end-date": "2025-02-01" if row["event-date"] == "2020" else ""} for row in rows_of(TIMETABLE.encode())
    ]
    return import_plans(as_csv(plans), as_csv(timetable), as_of=dt.date(2025, 6, 1))


def test_ended_plan_is_closed() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 1, 1))

    run = import_ended_plan()

    assert run.created == 0
    assert run.changed == 1
    assert run.closed == 1
    assert run.left_alone == 3
    assert plan_titled("Westmarch Local Plan 2030").status == "closed"
    assert plan_titled("Mere and March Joint Plan").status == "shared"


def test_withdrawn_milestones_are_left_out() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 1, 1))

    run = import_ended_plan()

    assert "2020" not in milestone_dates(plan_titled("Mere and March Joint Plan")).values()
    assert "were left out, because they are withdrawn" in " ".join(run.report["remarks"])


def test_second_import_of_an_ended_plan_changes_nothing() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 1, 1))
    import_ended_plan()

    second_run = import_ended_plan()

    assert second_run.closed == 0
    assert second_run.changed == 0
    assert second_run.left_alone == 5


NEWER_PLANS = "\n".join(line for line in PLANS.splitlines() if not line.startswith("park-plan"))
OLDER_PLANS = "\n".join(line for line in PLANS.splitlines() if "New Plan" not in line)
OLDER_TIMETABLE = TIMETABLE.replace("2027,mere", "2026,mere")


def import_older_files(day: dt.date = dt.date(2025, 1, 1)) -> ImportRun:
    """Import files that are older than those imported before."""
    return import_plans(OLDER_PLANS.encode(), OLDER_TIMETABLE.encode(), as_of=day)


def test_older_files_add_only_plans_that_are_no_longer_there() -> None:
    import_plans(NEWER_PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 6, 1))

    run = import_older_files()

    assert run.created == 1
    assert run.changed == 2
    assert run.missing == 0
    assert run.set_aside == 0
    assert "2 of 3 plans have changed since, 1 are no longer there, and 1 were added later" in " ".join(
        run.report["remarks"]
    )
    assert plan_titled("Moor Park Plan").status == "closed"


def test_older_files_fill_only_the_history_of_a_plan() -> None:
    import_plans(NEWER_PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 6, 1))

    import_older_files()

    joint_plan = plan_titled("Mere and March Joint Plan")
    reason = Event.objects.get(kind=EventKind.IN_OLDER_FILE, target_id=joint_plan.pk).data["reason"]
    assert joint_plan.current_number == 1
    assert milestone_dates(joint_plan)["estimated-plan-adoption-date"] == "2027"
    assert "as of 1 January 2025" in reason
    assert "2026" in reason
    assert "2027" in reason


def test_older_files_that_were_imported_before_leave_plans_as_they_were() -> None:
    import_plans(NEWER_PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 6, 1))
    import_older_files()
    newest_timetable = TIMETABLE.replace("2027,mere", "2028,mere")
    import_plans(NEWER_PLANS.encode(), newest_timetable.encode(), as_of=dt.date(2025, 7, 1))

    second_run = import_older_files(dt.date(2025, 1, 2))

    joint = plan_titled("Mere and March Joint Plan")
    assert second_run.created == 0
    assert second_run.changed == 0
    assert joint.current_number == 2
    assert milestone_dates(joint)["estimated-plan-adoption-date"] == "2028"


HEADING_OF_PLANS, ROW_OF_WESTMARCH = PLANS.splitlines()[:2]
#: The row of a plan of Mere's with the reference of Westmarch's plan.
ROW_OF_MERE = ROW_OF_WESTMARCH.replace("Westmarch Local Plan 2030", "Mere Local Plan").replace("XWM", "XNW")
EVENT_OF_MERE = TIMETABLE.splitlines()[0] + "\n2031,westmarch-2030,,plan-adopted,2024-12-10,local-authority:XNW,z\n"


def test_reference_of_another_authoritys_plan_with_its_own_name_is_another_plan() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())

    run = import_plans(f"{HEADING_OF_PLANS}\n{ROW_OF_MERE}\n".encode(), EVENT_OF_MERE.encode())

    assert run.created == 1
    assert plan_titled("Mere Local Plan").current_number == 1
    assert plan_titled("Mere Local Plan").owners.get().organisation.name == "Mere Council"
    assert plan_titled("Westmarch Local Plan 2030").current_number == 1


def test_reference_and_name_of_another_authoritys_plan_are_set_aside() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())
    import_plans(f"{HEADING_OF_PLANS}\n{ROW_OF_MERE}\n".encode(), EVENT_OF_MERE.encode())
    row_with_same_name = ROW_OF_WESTMARCH.replace("XWM", "XNW")
    plans = f"{HEADING_OF_PLANS}\n{row_with_same_name}\n{ROW_OF_MERE}\n"

    run = import_plans(plans.encode(), EVENT_OF_MERE.encode())

    rows_set_aside = str(run.report["set_aside"])
    assert "another authority’s plan has the reference “westmarch-2030”" in rows_set_aside
    assert "The plan here is Westmarch Borough Council’s." in rows_set_aside


CORPORATION = "XDC,Quays Development Corporation,,,,,,England,,MDC,,,,True,"
PLAN_OF_CORPORATION = "quays,Quays Plan,development-corporation:Q77,,,,,,2024-10-02"


@pytest.fixture
def corporation() -> Organisation:
    """Return a development corporation in the directory, which has no key of planning data."""
    import_list("councils", f"{COUNCILS}{CORPORATION}\n", take_others=True)
    return Organisation.objects.get(name="Quays Development Corporation")


def test_plan_of_a_development_corporation_without_a_known_key_is_set_aside(corporation: Organisation) -> None:
    run = import_plans(f"{PLANS}{PLAN_OF_CORPORATION}\n".encode(), TIMETABLE.encode())

    rows_set_aside = str(run.report["set_aside"])
    assert "add development-corporation:Q77 to the identifiers of the development corporation" in rows_set_aside


def test_plan_of_a_development_corporation_is_its_own_by_name(corporation: Organisation) -> None:
    plan_with_name = PLAN_OF_CORPORATION.replace("Q77,", "Q77,Quays Development Corporation")

    import_plans(f"{PLANS}{plan_with_name}\n".encode(), TIMETABLE.encode())

    assert corporation.kind == "development_corporation"
    assert plan_titled("Quays Plan").owners.get().organisation == corporation


def test_list_of_councils_adds_the_keys_of_a_development_corporation(corporation: Organisation) -> None:
    heading, *council_lines = COUNCILS.splitlines()
    list_with_keys = "\n".join(
        [
            f"{heading},local-planning-authority,organisation",
            *(f"{line},," for line in council_lines),
            f"{CORPORATION},E60900009,development-corporation:Q77",
        ]
    )

    import_list("councils", list_with_keys, take_others=True)

    assert corporation.identifiers.get(scheme="planning-area").value == "E60900009"
    assert corporation.identifiers.get(scheme="planning-data").value == "development-corporation:Q77"


def test_line_about_an_older_file_has_nothing_that_is_under_embargo() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 6, 1))
    joint = plan_titled("Mere and March Joint Plan")
    now = timezone.now()
    content = joint.versions.get().content
    content["about"]["title"] = "Secret name"
    embargo_until = now + dt.timedelta(days=9)
    publish_version(plan=joint, author=None, note="Soon.", now=now, content=content, embargo_until=embargo_until)
    newest_timetable = TIMETABLE.replace("2027,mere", "2029,mere").encode()
    import_plans(PLANS.encode(), newest_timetable, as_of=dt.date(2025, 7, 1))

    import_plans(PLANS.encode(), TIMETABLE.replace("2027,mere", "2026,mere").encode(), as_of=dt.date(2025, 1, 1))

    line = Event.objects.get(kind=EventKind.IN_OLDER_FILE, target_id=joint.pk).data["reason"]
    assert "2026" in line
    assert "Secret" not in line
    assert "2029" not in line


def test_date_of_the_files_is_that_of_their_newest_row() -> None:
    run = import_plans(PLANS.encode(), TIMETABLE.encode() + b"Source: planning data platform\n")

    assert run.as_of == dt.date(2024, 12, 10)
    assert "Source: planning data platform" in " ".join(run.report["remarks"])


PLANS_WITHOUT_MOOR_PARK = "\n".join(line for line in PLANS.splitlines() if not line.startswith("park-plan"))


def test_plan_missing_from_the_file_is_reported_as_missing() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())

    run = import_plans(PLANS_WITHOUT_MOOR_PARK.encode(), TIMETABLE.encode())

    assert run.missing == 1
    assert run.changed == 0
    assert plan_titled("Moor Park Plan").current_number == 1
    assert "Moor Park Plan" in run.report["lines"]["missing"][0]


def test_missing_plan_that_is_in_the_file_again_is_reported_as_returned() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())
    import_plans(PLANS_WITHOUT_MOOR_PARK.encode(), TIMETABLE.encode())

    run = import_plans(PLANS.encode(), TIMETABLE.encode())

    assert run.returned == 1


def test_one_invalid_row_refuses_both_files_if_all_or_nothing() -> None:
    broken_timetable = TIMETABLE.replace("2017-04-11,westmarch-2030", "2017-04-31,westmarch-2030").replace(
        "2020,mere-joint", "2020,nobody"
    )

    with pytest.raises(UnableToRead) as refusal:
        import_plans(PLANS.encode(), broken_timetable.encode(), all_or_nothing=True)

    problems = "\n".join(refusal.value.lines())
    assert "row 3, column “event-date”: “2017-04-31” is not a date." in problems
    assert "row 5, column “local-plan”: “nobody” is not the reference of a plan." in problems
    assert not Plan.objects.exists()


def test_plans_of_unknown_councils_alone_are_refused() -> None:
    plans = re.sub("(local|national-park)-authority(-eng)?:[A-Z0-9]+", "local-authority:XYZ", PLANS)

    with pytest.raises(UnableToRead, match="Import the list of councils first"):
        import_plans(plans.encode(), TIMETABLE.encode())


#: The list of plans, in which no organisation has the code of the Westmarch Local Plan's owner.
PLANS_WITH_UNKNOWN_COUNCIL = PLANS.replace("local-authority:XWM,", "local-authority:XYZ,")


def test_plan_of_an_unknown_council_is_set_aside_with_its_milestones() -> None:
    run = import_plans(PLANS_WITH_UNKNOWN_COUNCIL.encode(), TIMETABLE.encode())

    plan_line, *milestone_lines = run.report["lines"]["set_aside"]
    assert "“local-authority:XYZ” is not an organisation in the directory." in plan_line
    assert run.created == 4
    assert run.set_aside == 3
    assert len(milestone_lines) == 2
    assert all(
        "the row of “westmarch-2030” in the file of plans was set aside" in milestone_line
        for milestone_line in milestone_lines
    )


def corrected_files_of_westmarch() -> tuple[bytes, bytes]:
    """Import the plans with an unknown council, and return the rows set aside with Westmarch's code, as files."""
    run = import_plans(PLANS_WITH_UNKNOWN_COUNCIL.encode(), TIMETABLE.encode())
    plans, timetable = (
        as_csv([dict(zip(heading, row, strict=True)) for row in rows])
        for heading, rows in (rows_to_correct(run.report, file_index) for file_index in (0, 1))
    )
    return plans.replace(b"XYZ", b"XWM"), timetable


def test_plan_that_was_set_aside_is_imported_with_its_milestones_once_corrected() -> None:
    plans, timetable = corrected_files_of_westmarch()

    run = import_plans(plans, timetable)

    assert run.created == 1
    assert run.missing == 0
    assert run.set_aside == 0
    assert milestone_dates(plan_titled("Westmarch Local Plan 2030")) == {
        "plan-adopted": "2019-02",
        "submit-plan-for-examination": "2017-04-11",
    }


def test_corrected_plan_that_is_imported_again_is_left_as_it_was() -> None:
    plans, timetable = corrected_files_of_westmarch()
    import_plans(plans, timetable)

    repeated_run = import_plans(plans, timetable)

    assert repeated_run.created == 0
    assert repeated_run.changed == 0
    assert repeated_run.missing == 0


def test_bad_row_of_a_plan_is_set_aside_with_its_milestones() -> None:
    run = import_plans(PLANS.replace("2013.0,2030.0", "2030.0,2013.0").encode(), TIMETABLE.encode())

    problems = " ".join(run.report["lines"]["set_aside"])
    assert run.created == 4
    assert run.set_aside == 3
    assert not Plan.objects.filter(title="Westmarch Local Plan 2030").exists()
    assert "the period ends in 2013, before it starts in 2030" in problems
    assert problems.count("the row of “westmarch-2030” in local-plan.csv was set aside") == 2
    assert run.report["rows"] == {"read": 12, "used": 9, "set_aside": 3, "repeated": 0, "outside": 0, "totals": 0}


def test_milestone_with_a_bad_row_is_not_removed_from_its_plan() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 1, 1))
    broken_timetable = TIMETABLE.replace("2017-04-11,westmarch", "2017-04-31,westmarch").replace(
        "2019-02,west", "2019-03,west"
    )

    run = import_plans(PLANS.encode(), broken_timetable.encode(), as_of=dt.date(2025, 2, 1))

    assert run.changed == 1
    assert run.set_aside == 1
    assert milestone_dates(plan_titled("Westmarch Local Plan 2030")) == {
        "plan-adopted": "2019-03",
        "submit-plan-for-examination": "2017-04-11",
    }


@pytest.mark.parametrize("reference", ["westmarch-2031", ""])
def test_row_with_a_wrong_reference_removes_no_milestone_of_any_plan(reference: str) -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 1, 1))
    lines = [line for line in TIMETABLE.splitlines() if ",westmarch-2030,,plan-adopted" not in line]
    broken_timetable = "\n".join(lines).replace("2017-04-11,westmarch-2030", f"2017-04-11,{reference}")

    run = import_plans(PLANS.encode(), broken_timetable.encode(), as_of=dt.date(2025, 2, 1))

    assert run.set_aside == 1
    assert milestone_dates(plan_titled("Westmarch Local Plan 2030")) == {"submit-plan-for-examination": "2017-04-11"}


def test_edits_of_owners_survive_the_next_file() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())
    from partnerships.plans.services import publish_version  # the service that the page calls

    plan = plan_titled("Mere and March Joint Plan")
    content = plan.versions.get().content
    content["sections"] = [{"key": "ours", "title": "What we think", "body": "Soon."}]
    publish_version(plan=plan, author=None, note="Ours.", now=plan.last_published_at, content=content)  # type: ignore[arg-type]  # published above

    import_plans(PLANS.encode(), TIMETABLE.replace("2027,mere-joint", "2028,mere-joint").encode())

    plan.refresh_from_db()
    newest_content = plan.versions.get(number=3).content
    assert [section["key"] for section in newest_content["sections"]] == ["ours"]
    assert milestone_dates(plan)["estimated-plan-adoption-date"] == "2028"


def test_edits_of_owners_survive_every_further_file() -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())
    plan = plan_titled("Mere and March Joint Plan")
    content = plan.versions.get().content
    content["about"]["title"] = "Our joint plan"
    content["milestones"][0]["note"] = "Ours."
    publish_version(plan=plan, author=None, note="Ours.", now=timezone.now(), content=content)

    for date in ("2028", "2028", "2029"):
        import_plans(PLANS.encode(), TIMETABLE.replace("2027,mere-joint", f"{date},mere-joint").encode())

    plan.refresh_from_db()
    newest_content = plan.versions.get(number=plan.current_number).content
    assert plan.current_number == 4
    assert plan.title == "Our joint plan"
    assert newest_content["milestones"][0]["note"] == "Ours."
    assert milestone_dates(plan)["estimated-plan-adoption-date"] == "2029"


def test_milestone_that_moves_keeps_its_key_among_others_of_its_kind() -> None:
    def row(date: str) -> Milestone:
        return Milestone(1, "reg-18-start", "Regulation 18", PartialDate.parse(date), False, "")

    before = [{"key": "reg-18-start", "actual": "2020"}, {"key": "reg-18-start-2", "actual": "2024-01"}]

    assert milestone_keys([row("2024-01"), row("2021")], before) == ("reg-18-start-2", "reg-18-start")
    assert milestone_keys([row("2024-01")], before) == ("reg-18-start-2",)
    assert milestone_keys([row("2024-01"), row("2020"), row("2026")], before) == (
        "reg-18-start-2",
        "reg-18-start",
        "reg-18-start-3",
    )


@pytest.fixture
def plans_path(tmp_path: Path) -> Path:
    """Return a file with the list of local plans."""
    path = tmp_path / "local-plan.csv"
    path.write_text(PLANS)
    return path


@pytest.fixture
def timetable_path(tmp_path: Path) -> Path:
    """Return a file with the timetable of the local plans."""
    path = tmp_path / "local-plan-timetable.csv"
    path.write_text(TIMETABLE)
    return path


def test_command_ends_with_a_summary(plans_path: Path, timetable_path: Path) -> None:
    stdout = StringIO()

    call_command("import_local_plans", str(plans_path), str(timetable_path), "--as-of", "2026-01-08", stdout=stdout)

    assert stdout.getvalue().strip().splitlines()[-1] == (
        "Local plans and their timetables as of 8 January 2026: 5 created, 0 changed, 0 closed, 0 left as they were."
    )


def test_command_refuses_a_file_that_is_no_list_of_plans(plans_path: Path, timetable_path: Path) -> None:
    plans_path.write_text("colour\nred\n")

    with pytest.raises(CommandError, match="we changed nothing"):
        call_command("import_local_plans", str(plans_path), str(timetable_path))


@pytest.mark.slow
def test_real_local_plans_import_with_every_milestone_once() -> None:
    folder = WHOLE / "plans" if WHOLE.is_dir() else EXTRACTS
    list_of_councils = (
        (WHOLE / "councils/uk_local_authorities.csv").read_bytes() if WHOLE.is_dir() else extract("councils.csv")
    )
    import_list("councils", list_of_councils)
    plans = (folder / "local-plan.csv").read_bytes()
    timetable = (folder / "local-plan-timetable.csv").read_bytes()

    run = import_plans(plans, timetable)

    expected = (152, 342) if WHOLE.is_dir() else (31, 88)
    milestones = sum(len(version.content["milestones"]) for version in Version.objects.all())
    assert (run.created, milestones) == expected
    assert import_plans(plans, timetable).left_alone == expected[0]
