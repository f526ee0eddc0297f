"""An authority's staff import its own plans, agreements and brownfield land, but not those of others."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments.models import Commitment
from partnerships.open_data.models import Record
from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.transfer import tasks
from partnerships.transfer.models import ImportRun
from tests.world import person

from .access import SITES
from .lists import COUNCILS, import_list, import_plans
from .test_brownfield_land import REGISTER
from .test_developer_agreements import AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS, import_agreements
from .test_local_plans import PLANS, TIMETABLE

pytestmark = pytest.mark.django_db

#: The `entry-date` of Westmarch's row in the file of plans, and the cell before it.
WESTMARCH_ROW = "https://plans.example/w,2024-10-02"


@pytest.fixture
def westmarch(db: None) -> Organisation:
    """Import the small list of councils, and return Westmarch."""
    import_list("councils", COUNCILS)
    return Organisation.objects.get(name="Westmarch Borough Council")


def add_member(organisation: Organisation, name: str, role: str) -> User:
    """Add a member of the council with this role, and return them."""
    user = person(name, f"{name.lower()}@westmarch.example")
    today = timezone.localdate()
    now = timezone.now()
    Membership.objects.create(person=user, organisation=organisation, role=role, starts_on=today, accepted_at=now)
    return user


def upload_files(
    client: Client, organisation: Organisation, register: str, *files: str | bytes | None, as_of: dt.date | None = None
) -> ImportRun:
    """Upload files on the page of the authority, and return the run when they have been checked.

    None leaves the box of a file empty.
    """
    form_data: dict[str, Any] = {
        f"file-{index}": SimpleUploadedFile(f"{index}.csv", data.encode() if isinstance(data, str) else data)
        for index, data in enumerate(files)
        if data is not None
    }
    if as_of is not None:
        form_data["as_of"] = as_of.isoformat()
    response = client.post(reverse("transfer:own-upload", args=[organisation.pk, register]), form_data)
    assert response.status_code == 302, response.content.decode()
    run = ImportRun.objects.latest("pk")
    if run.is_unchecked:
        tasks.apply_waiting()
        run.refresh_from_db()
    return run


def import_files(client: Client, run: ImportRun) -> ImportRun:
    """Import the files of a preview: a lead presses the button, and a worker imports them."""
    assert client.post(reverse("transfer:own-apply", args=[run.pk])).status_code == 302
    tasks.apply_waiting()
    run.refresh_from_db()
    return run


def with_entry_date(contributions: str, day: str) -> str:
    """Return the contributions with this `entry-date`, in place of the first column without a heading."""
    heading, *rows = contributions.splitlines()
    lines = [heading.replace("units,,", "units,entry-date,")]
    for row in rows:
        cells = next(csv.reader([row]))
        cells[7] = day
        csv_text = io.StringIO()
        csv.writer(csv_text, lineterminator="").writerow(cells)
        lines.append(csv_text.getvalue())
    return "\n".join(lines) + "\n"


def without_entry_dates(file: str) -> str:
    """Return a file of plans whose `entry-date` has a heading that no import reads."""
    return file.replace("entry-date", "seen-by")


def test_editor_uploads_the_councils_own_plans_but_cannot_import_them(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Eve", "editor"))
    run = upload_files(client, westmarch, "local-plans", PLANS, TIMETABLE)

    page = client.get(reverse("transfer:own-run", args=[run.pk])).content.decode()
    response = client.post(reverse("transfer:own-apply", args=[run.pk]))

    assert "A lead of Westmarch Borough Council can import these files." in page
    assert response.status_code == 403
    assert not Plan.objects.exists()


def test_lead_imports_the_plans_that_an_editor_uploaded(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Eve", "editor"))
    run = upload_files(client, westmarch, "local-plans", PLANS, TIMETABLE)
    lead = add_member(westmarch, "Lee", "lead")
    client.force_login(lead)

    applied_run = import_files(client, run)

    assert applied_run.created == 2
    assert applied_run.set_aside == 5
    assert applied_run.by == lead
    assert applied_run.organisation == westmarch
    assert {plan.title for plan in Plan.objects.all()} == {"Westmarch Local Plan 2030", "Mere and March Joint Plan"}
    assert not Organisation.objects.filter(kind="national_park").exists()


def test_council_that_imports_a_joint_plan_is_asked_to_invite_the_others(
    westmarch: Organisation, client: Client
) -> None:
    lead = add_member(westmarch, "Lee", "lead")
    client.force_login(lead)

    run = import_files(client, upload_files(client, westmarch, "local-plans", PLANS, TIMETABLE))

    joint = Plan.objects.get(title="Mere and March Joint Plan")
    assert [owner.organisation for owner in joint.owners.all()] == [westmarch]
    assert joint.versions.get().author == lead
    assert "Invite the other owners" in client.get(reverse("transfer:own-run", args=[run.pk])).content.decode()


def test_row_with_the_reference_of_another_councils_plan_does_not_change_that_plan(
    westmarch: Organisation, client: Client
) -> None:
    import_plans(PLANS.encode(), TIMETABLE.encode())
    client.force_login(add_member(westmarch, "Lee", "lead"))
    own_plans = PLANS.replace("twice,Old Plan,local-authority:XNW", "twice,Old Plan,local-authority:XWM")

    run = import_files(client, upload_files(client, westmarch, "local-plans", own_plans, TIMETABLE))

    assert "another authority’s plan has the reference “twice”" in " ".join(run.report["lines"]["set_aside"])
    old = Plan.objects.get(title="Old Plan")
    assert old.current_number == 1
    assert [owner.organisation.name for owner in old.owners.all()] == ["Mere Council"]
    assert run.missing == 0


def test_only_own_agreements_of_a_file_are_imported(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))

    run = import_files(
        client, upload_files(client, westmarch, "developer-agreements", AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS)
    )

    assert {commitment.receiver for commitment in Commitment.objects.all()} == {westmarch}
    assert set(Commitment.objects.values_list("source_reference", flat=True)) == {
        "W/1-education",
        "W/1-open",
        "W/9-other",
    }
    problems = "\n".join(run.report["lines"]["set_aside"])
    assert "the row belongs to Northmere District Council, and these files belong to Westmarch Borough" in problems


def test_only_own_sites_of_a_brownfield_land_register_are_imported(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))

    run = import_files(client, upload_files(client, westmarch, "brownfield-land", REGISTER))

    assert run.created == 1
    assert run.set_aside == 1
    assert Plan.objects.get(kind="brownfield_land").owners.get().organisation == westmarch


#: A register with headings of Westmarch's own.
SITES_WITH_OWN_HEADINGS = "Our site reference,Name and address of the site,GeoX,GeoY\nB/1,Old Mill,-1.18,50.85\n"


def confirm_own_headings(client: Client, run: ImportRun) -> None:
    """Match Westmarch's own headings of brownfield land with columns."""
    headings = {"reference": "Our site reference", "name": "Name and address of the site", "x": "GeoX", "y": "GeoY"}
    response = client.post(
        reverse("transfer:own-headings", args=[run.pk]),
        {f"column-{code}": heading for code, heading in headings.items()},
    )
    assert response.status_code == 302


def test_own_file_with_unknown_headings_is_not_read(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Eve", "editor"))

    run = upload_files(client, westmarch, "brownfield-land", SITES_WITH_OWN_HEADINGS)

    assert run.is_unread


def test_own_file_is_previewed_once_its_headings_are_confirmed(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Eve", "editor"))
    run = upload_files(client, westmarch, "brownfield-land", SITES_WITH_OWN_HEADINGS)

    confirm_own_headings(client, run)

    run.refresh_from_db()
    assert run.is_previewed
    assert run.created == 1
    assert run.publisher == "Westmarch Borough Council"


def test_confirmed_headings_are_used_for_the_councils_next_file(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Eve", "editor"))
    confirm_own_headings(client, upload_files(client, westmarch, "brownfield-land", SITES_WITH_OWN_HEADINGS))

    next_run = upload_files(client, westmarch, "brownfield-land", SITES_WITH_OWN_HEADINGS)

    assert next_run.is_previewed


def test_lead_of_an_authority_that_has_ended_cannot_import_its_preview(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))
    run = upload_files(client, westmarch, "brownfield-land", SITES)
    Organisation.objects.filter(pk=westmarch.pk).update(status="dissolved")

    response = client.post(reverse("transfer:own-apply", args=[run.pk]))

    assert response.status_code in (403, 404)


def test_authority_that_has_ended_has_no_page_for_its_own_files(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))
    Organisation.objects.filter(pk=westmarch.pk).update(status="dissolved")

    response = client.get(reverse("transfer:own", args=[westmarch.pk]))

    assert response.status_code == 403


def test_own_agreements_are_not_compared_with_files_of_the_whole_country(
    westmarch: Organisation, client: Client
) -> None:
    import_agreements(contributions=with_entry_date(CONTRIBUTIONS, "2024-05-01"), as_of=dt.date(2026, 6, 1))
    client.force_login(add_member(westmarch, "Lee", "lead"))
    contributions = with_entry_date(CONTRIBUTIONS, "2024-08-01") + (
        "900,education,W/1-da,W/1-school,local-authority-eng:XWM,2024-07-01,,2024-08-01,\n"
    )

    run = import_files(
        client, upload_files(client, westmarch, "developer-agreements", AGREEMENTS, contributions, TRANSACTIONS)
    )

    school = Commitment.objects.get(source_reference="W/1-school")
    assert run.created == 1
    assert school.status == "agreed"
    assert school.receiver == westmarch
    assert "added to the history" not in " ".join(run.report["remarks"])


def test_older_own_agreements_are_compared_only_with_the_councils_own(westmarch: Organisation, client: Client) -> None:
    import_agreements(contributions=with_entry_date(CONTRIBUTIONS, "2024-05-01"), as_of=dt.date(2026, 6, 1))
    client.force_login(add_member(westmarch, "Lee", "lead"))
    contributions = "".join(
        line
        for line in with_entry_date(CONTRIBUTIONS, "2023-05-01").splitlines(keepends=True)
        if "W/1-open" not in line
    )

    run = import_files(
        client, upload_files(client, westmarch, "developer-agreements", AGREEMENTS, contributions, TRANSACTIONS)
    )

    assert run.created == 0
    assert run.changed == 0
    assert "0 of 2 contributions have changed since, 0 are no longer there, and 1 were added later." in " ".join(
        run.report["remarks"]
    )


#: Westmarch's own list of plans, in which its plan has a new title since 1 September 2025.
OWN_PLANS = PLANS.replace("Westmarch Local Plan 2030", "Westmarch Plan to 2032").replace(
    WESTMARCH_ROW, WESTMARCH_ROW.replace("2024-10-02", "2025-09-01")
)
#: The national timetable of 2026, in which Mere's joint plan is late.
NATIONAL_TIMETABLE = TIMETABLE.replace("2027,mere-joint", "2029,mere-joint")


def import_own_plans_after_national_ones(westmarch: Organisation, client: Client) -> None:
    """Import the national plans of June 2025, then Westmarch's own plans as Lee, its lead."""
    import_plans(PLANS.encode(), TIMETABLE.encode(), as_of=dt.date(2025, 6, 1))
    client.force_login(add_member(westmarch, "Lee", "lead"))
    import_files(client, upload_files(client, westmarch, "local-plans", OWN_PLANS, TIMETABLE))


def test_older_national_file_does_not_change_a_plan_that_a_council_imported_later(
    westmarch: Organisation, client: Client
) -> None:
    import_own_plans_after_national_ones(westmarch, client)

    late_run = import_plans(PLANS.encode(), NATIONAL_TIMETABLE.encode(), as_of=dt.date(2026, 1, 1))

    plan = Plan.objects.get(external_reference="westmarch-2030")
    assert plan.title == "Westmarch Plan to 2032"
    assert plan.current_number == 2
    assert Plan.objects.get(external_reference="mere-joint").current_number == 2
    assert "Of these plans, 1 is older than in files of 1 September 2025" in " ".join(late_run.report["remarks"])
    assert late_run.missing == 0


def test_older_own_file_does_not_change_a_plan_that_a_newer_national_file_changed(
    westmarch: Organisation, client: Client
) -> None:
    import_own_plans_after_national_ones(westmarch, client)
    import_plans(PLANS.encode(), NATIONAL_TIMETABLE.encode(), as_of=dt.date(2026, 1, 1))
    newest_plans = OWN_PLANS.replace("to 2032", "to 2033").replace("2025-09-01", "2026-02-01")
    import_plans(newest_plans.encode(), NATIONAL_TIMETABLE.encode(), as_of=dt.date(2026, 3, 1))

    import_files(client, upload_files(client, westmarch, "local-plans", OWN_PLANS, TIMETABLE))

    assert Plan.objects.get(external_reference="westmarch-2030").title == "Westmarch Plan to 2033"


@pytest.fixture
def council_with_own_agreements(westmarch: Organisation, client: Client) -> Organisation:
    """Return Westmarch, after a national file of 1 June 2024 and its own file of August 2024, which adds a payment."""
    import_agreements(contributions=with_entry_date(CONTRIBUTIONS, "2024-05-01"), as_of=dt.date(2024, 6, 1))
    client.force_login(add_member(westmarch, "Lee", "lead"))
    own_transactions = TRANSACTIONS + "2013,received,W/1-open,t9,local-authority-eng:XWM,2024-07-01,\n"
    own_contributions = with_entry_date(CONTRIBUTIONS, "2024-08-01")
    import_files(
        client, upload_files(client, westmarch, "developer-agreements", AGREEMENTS, own_contributions, own_transactions)
    )
    return westmarch


def import_older_national_agreements() -> ImportRun:
    """Import a national file that has older rows of Westmarch, and newer rows of Northmere with a new payment."""
    national_contributions = with_entry_date(CONTRIBUTIONS, "2024-05-01").replace(
        "XNM,2019-02-04,12,2024-05-01", "XNM,2019-02-04,12,2024-10-01"
    )
    national_transactions = TRANSACTIONS + "7,received,W/2-homes,t8,local-authority-eng:XNM,2024-09-01,\n"
    run, _ = import_agreements(
        contributions=national_contributions, transactions=national_transactions, as_of=dt.date(2026, 6, 1)
    )
    return run


@pytest.mark.usefixtures("council_with_own_agreements")
def test_older_national_file_does_not_change_a_councils_own_agreements() -> None:
    run = import_older_national_agreements()

    record = Record.objects.get(dataset="developer-agreement-contribution", commitment__source_reference="W/1-open")
    assert record.cells["entry-date"] == "2024-08-01"
    assert Commitment.objects.get(source_reference="W/1-open").delivered_quantity == 2013
    assert Record.objects.filter(cells__reference="t9").exists()
    assert "older than in files of 1 August 2024" in " ".join(run.report["remarks"])


@pytest.mark.usefixtures("council_with_own_agreements")
def test_older_national_file_adds_the_transactions_of_another_council() -> None:
    import_older_national_agreements()

    assert Record.objects.filter(cells__reference="t8").exists()


@pytest.mark.usefixtures("council_with_own_agreements")
def test_older_national_file_changes_nothing_the_second_time() -> None:
    import_older_national_agreements()

    second_run = import_older_national_agreements()

    assert second_run.changed == 0


def test_row_that_was_saved_twice_is_as_old_as_its_last_record(westmarch: Organisation) -> None:
    import_agreements(contributions=with_entry_date(CONTRIBUTIONS, "2024-08-01"), as_of=dt.date(2024, 9, 1))
    last_record = Record.objects.get(
        dataset="developer-agreement-contribution", commitment__source_reference="W/1-open"
    )
    # The database returns this record last if nothing asks for an order, because it is inserted last.
    Record.objects.create(
        pk=last_record.pk - 1_000,
        dataset=last_record.dataset,
        commitment=last_record.commitment,
        position=last_record.position,
        cells=last_record.cells | {"entry-date": "2023-01-01"},
        read_at=last_record.read_at,
    )

    import_agreements(contributions=with_entry_date(CONTRIBUTIONS, "2024-05-01"), as_of=dt.date(2026, 6, 1))

    last_record.refresh_from_db()
    assert last_record.cells["entry-date"] == "2024-08-01"


def test_joint_plan_of_an_older_own_file_has_only_the_council_as_owner(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))
    plans = "".join(line for line in PLANS.splitlines(keepends=True) if "mere-joint" not in line)
    timetable = "".join(line for line in TIMETABLE.splitlines(keepends=True) if "mere-joint" not in line)
    import_files(
        client,
        upload_files(client, westmarch, "local-plans", without_entry_dates(plans), without_entry_dates(timetable)),
    )

    older_run = upload_files(
        client,
        westmarch,
        "local-plans",
        without_entry_dates(PLANS),
        without_entry_dates(TIMETABLE),
        as_of=dt.date(2020, 1, 1),
    )
    run = import_files(client, older_run)

    joint = Plan.objects.get(title="Mere and March Joint Plan")
    assert not run.is_waiting
    assert joint.status == "closed"
    assert [owner.organisation for owner in joint.owners.all()] == [westmarch]


def test_second_council_of_a_joint_plan_is_advised_to_ask_the_first(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))
    import_files(client, upload_files(client, westmarch, "local-plans", PLANS, TIMETABLE))
    mere = Organisation.objects.get(name="Mere Council")
    client.force_login(add_member(mere, "Mo", "lead"))

    run = upload_files(client, mere, "local-plans", PLANS, TIMETABLE)

    problems = " ".join(run.report["lines"]["set_aside"])
    assert "the plan is already here and belongs to Westmarch Borough Council." in problems
    assert "Ask them to invite Mere Council as an owner on the plan’s page" in problems


def test_staff_can_follow_the_remedies_for_unknown_authorities(westmarch: Organisation, client: Client) -> None:
    client.force_login(add_member(westmarch, "Lee", "lead"))
    sites = SITES.replace(b"SiteReference", b"OrganisationURI,SiteReference")
    sites = sites.replace(b"B/1", b",B/1").replace(b"B/2,Gas Works,far,away", b"nobody,B/2,Gas Works,-1.2,50.8")

    files: dict[str, tuple[str | bytes, ...]] = {
        "local-plans": (PLANS, TIMETABLE),
        "developer-agreements": (AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS),
        "brownfield-land": (sites,),
    }
    problems_by_register = {
        register: str(upload_files(client, westmarch, register, *files_of_register).report["set_aside"])
        for register, files_of_register in files.items()
    }

    assert "ask an administrator to add it" in problems_by_register["local-plans"]
    assert "ask an administrator to add it" in problems_by_register["developer-agreements"]
    assert "leave the cell blank if the site is Westmarch Borough Council" in problems_by_register["brownfield-land"]
    assert not any("list of councils" in problems for problems in problems_by_register.values())
