"""Administrators upload plans, agreements and brownfield land, and a worker checks large files."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.db.utils import DEFAULT_DB_ALIAS
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.plans.models import Plan
from partnerships.transfer.models import ImportJob, ImportRun, KnownHeading, RunStatus
from partnerships.transfer.services.locking import IMPORTS_LOCK
from partnerships.transfer.services.registers import apply_waiting, previewing
from tests.support.pages import collapse
from tests.world import make_world

from .lists import COUNCILS, PROVIDERS, as_csv, import_list, rows_of
from .test_brownfield_land import REGISTER
from .test_developer_agreements import AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS
from .test_local_plans import PLANS, TIMETABLE

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin_client(client: Client) -> Client:
    """Return a client in which Dee, an administrator, is signed in, after importing the councils in the files."""
    client.force_login(make_world().dee)
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    return client


def upload(client: Client, register: str, *files: str | bytes, **choices: str) -> Any:
    """Upload files on the page for imports, and return the page that follows."""
    names = ("file", "second", "third")
    uploaded_files = {
        name: SimpleUploadedFile(f"{name}.csv", data if isinstance(data, bytes) else data.encode())
        for name, data in zip(names, files, strict=False)
    }
    return client.post(
        reverse("admin:transfer_importrun_add"), {"register": register, **uploaded_files, **choices}, follow=True
    )


def run_of(register: str) -> ImportRun:
    return ImportRun.objects.get(register=register)


def apply_preview_in_worker(client: Client, register: str) -> str:
    """Let a worker import the preview, and return the page of the import."""
    run = run_of(register)
    client.post(reverse("admin:transfer_importrun_apply", args=[run.pk]))
    apply_waiting(now=timezone.now())
    return collapse(client.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode())


def rows_set_aside(client: Client, register: str, file: int) -> list[dict[str, str]]:
    address = reverse("admin:transfer_importrun_set_aside", args=[run_of(register).pk])
    return rows_of(b"".join(client.get(f"{address}?file={file}").streaming_content))


#: The timetable with a milestone on 31 April 2017.
BROKEN_TIMETABLE = TIMETABLE.replace("2017-04-11,westmarch", "2017-04-31,westmarch")


def test_preview_of_plans_says_what_would_be_created(admin_client: Client) -> None:
    page = collapse(upload(admin_client, "local-plans", PLANS, BROKEN_TIMETABLE).content.decode())

    assert "Would be created (5)" in page
    assert "Download the rows set aside of the timetable" in page
    assert not Plan.objects.filter(title="Westmarch Local Plan 2030").exists()


def test_rows_of_a_timetable_that_were_set_aside_are_downloaded_with_reasons(admin_client: Client) -> None:
    upload(admin_client, "local-plans", PLANS, BROKEN_TIMETABLE)

    (row,) = rows_set_aside(admin_client, "local-plans", 1)

    assert row["local-plan"] == "westmarch-2030"
    assert row["event-date"] == "2017-04-31"
    assert "is not a date" in row["Set aside because"]


def test_previewed_plans_are_imported_by_a_worker(admin_client: Client) -> None:
    upload(admin_client, "local-plans", PLANS, BROKEN_TIMETABLE)

    page = apply_preview_in_worker(admin_client, "local-plans")

    assert "5 created" in page
    assert Plan.objects.filter(title="Westmarch Local Plan 2030").exists()


def test_uploaded_files_are_deleted_after_their_import(admin_client: Client) -> None:
    upload(admin_client, "local-plans", PLANS, BROKEN_TIMETABLE)

    apply_preview_in_worker(admin_client, "local-plans")

    assert run_of("local-plans").content is None


def test_preview_of_agreements_accounts_for_their_rows(admin_client: Client) -> None:
    page = collapse(
        upload(admin_client, "developer-agreements", AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS).content.decode()
    )

    assert "4 rows of agreements: 3 read, 1 set aside" in page
    assert not DeveloperAgreement.objects.exists()


def test_rows_set_aside_of_each_of_three_files_can_be_downloaded(admin_client: Client) -> None:
    upload(admin_client, "developer-agreements", AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS)

    assert [row["developer-agreement"] for row in rows_set_aside(admin_client, "developer-agreements", 0)] == ["W/3-da"]
    assert len(rows_set_aside(admin_client, "developer-agreements", 1)) == 2
    assert len(rows_set_aside(admin_client, "developer-agreements", 2)) == 2


def test_previewed_agreements_are_imported_with_the_number_of_their_import(admin_client: Client) -> None:
    upload(admin_client, "developer-agreements", AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS)

    page = apply_preview_in_worker(admin_client, "developer-agreements")

    assert "8 created" in page
    assert set(DeveloperAgreement.objects.values_list("run_id", flat=True)) == {run_of("developer-agreements").pk}


def test_agreements_are_refused_for_one_bad_row_if_all_or_nothing(admin_client: Client) -> None:
    response = upload(
        admin_client, "developer-agreements", AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS, all_or_nothing="on"
    )

    assert response.status_code == 422
    assert "“developer-agreement:NOBODY” is not in the directory" in response.content.decode()
    assert not DeveloperAgreement.objects.exists()


def test_brownfield_land_of_the_council_that_is_chosen_is_imported(admin_client: Client) -> None:
    rows = [{**row, "OrganisationURI": ""} for row in rows_of(REGISTER)[:2]]

    upload(admin_client, "brownfield-land", as_csv(rows), council="XNW")
    page = apply_preview_in_worker(admin_client, "brownfield-land")

    assert "1 created" in page
    assert Plan.objects.get(kind="brownfield_land").owners.get().organisation.name == "Mere Council"


def test_corrected_rows_of_brownfield_land_remove_no_site(admin_client: Client) -> None:
    rows = rows_of(REGISTER)
    rows[1]["GeoX"] = "far away"
    upload(admin_client, "brownfield-land", as_csv(rows))
    apply_preview_in_worker(admin_client, "brownfield-land")
    (bad_row,) = rows_set_aside(admin_client, "brownfield-land", 0)

    upload(admin_client, "brownfield-land", as_csv([{**bad_row, "GeoX": "-1.2", "GeoY": "50.8"}]))
    run = ImportRun.objects.filter(register="brownfield-land").latest("pk")
    admin_client.post(reverse("admin:transfer_importrun_apply", args=[run.pk]))
    apply_waiting(now=timezone.now())

    plan = Plan.objects.filter(kind="brownfield_land", title__contains="Westmarch").get()
    content = plan.versions.get(number=plan.current_number).content
    assert [site["reference"] for site in content["sites"]] == ["B/1", "B/2"]


@pytest.mark.parametrize(
    ("register", "files", "message"),
    [
        ("local-plans", (PLANS,), "The timetable is missing."),
        ("developer-agreements", (AGREEMENTS, CONTRIBUTIONS), "The list of transactions is missing."),
        ("local-plans", (), "Choose the file."),
        ("councils", (COUNCILS, COUNCILS), "This list does not need this file. Leave this field empty."),
        ("brownfield-land", (REGISTER, REGISTER), "This list does not need this file. Leave this field empty."),
    ],
)
def test_too_few_or_too_many_files_are_refused(
    admin_client: Client, register: str, files: tuple[str, ...], message: str
) -> None:
    response = upload(admin_client, register, *files)

    assert response.status_code == 422
    assert message in response.content.decode()


#: The timetable with headings that no list has used before.
TIMETABLE_WITH_UNKNOWN_HEADINGS = TIMETABLE.replace(
    "event-date,local-plan,notes,local-plan-event", "Event day,Plan ref,notes,Event code"
)


def upload_and_confirm_headings(client: Client) -> str:
    """Upload the plans with unknown headings in the timetable, match these with columns, and return the preview."""
    page = upload(client, "local-plans", PLANS, TIMETABLE_WITH_UNKNOWN_HEADINGS)
    chosen_headings = {
        "column-reference": "reference",
        "column-name": "name",
        "column-organisations": "organisations",
        "column-2.plan": "Plan ref",
        "column-2.event": "Event code",
        "column-2.date": "Event day",
        "column-2.entry": "entry-date",
    }
    preview = client.post(page.request["PATH_INFO"], {"publisher": "Marchshire", **chosen_headings}, follow=True)
    return preview.content.decode()


def test_page_asks_for_unknown_headings_of_the_second_file(admin_client: Client) -> None:
    page = upload(admin_client, "local-plans", PLANS, TIMETABLE_WITH_UNKNOWN_HEADINGS)

    assert "File of the timetable: local-plan" in page.content.decode()


def test_file_is_previewed_once_the_headings_of_the_second_file_are_confirmed(admin_client: Client) -> None:
    preview = upload_and_confirm_headings(admin_client)

    assert "Would be created (5)" in preview
    assert KnownHeading.objects.filter(heading="2:planref", column="plan").exists()


def test_confirmed_headings_of_the_second_file_are_used_for_the_next_upload(admin_client: Client) -> None:
    upload_and_confirm_headings(admin_client)

    page = upload(admin_client, "local-plans", PLANS, TIMETABLE_WITH_UNKNOWN_HEADINGS)

    assert "Would be created (5)" in page.content.decode()


def upload_councils_while_an_import_runs(client: Client) -> Any:
    """Upload the councils as Dee while another connection has the lock on imports, and return the page that follows."""
    client.force_login(make_world().dee)
    other_connection = connections.create_connection(DEFAULT_DB_ALIAS)
    with closing(other_connection), other_connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [IMPORTS_LOCK])
        return upload(client, "councils", COUNCILS)


def test_list_uploaded_while_an_import_runs_waits_to_be_checked(client: Client) -> None:
    page = upload_councils_while_an_import_runs(client)

    assert page.status_code == 200
    assert "Check in progress" in page.content.decode()
    assert run_of("councils").status == RunStatus.CHECKING


def test_list_uploaded_while_an_import_runs_is_checked_by_a_worker_afterwards(client: Client) -> None:
    upload_councils_while_an_import_runs(client)

    apply_waiting(now=timezone.now())

    run = run_of("councils")
    assert run.status == RunStatus.PREVIEWED
    assert run.created == 4
    assert not ImportJob.objects.exists()


def test_list_that_a_worker_checked_is_imported_from_its_preview(client: Client) -> None:
    upload_councils_while_an_import_runs(client)
    apply_waiting(now=timezone.now())

    page = apply_preview_in_worker(client, "councils")

    assert "4 created" in page


def test_large_list_is_checked_by_a_worker_with_the_choices_that_were_made(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(previewing, "CHECKED_AT_ONCE", 10)
    upload(admin_client, "providers", PROVIDERS, as_of="2024-02-01", is_part="on")

    apply_waiting(now=timezone.now())

    run = run_of("providers")
    assert run.status == RunStatus.PREVIEWED
    assert run.as_of == dt.date(2024, 2, 1)
    assert run.report["choices"]["is_part"] is True


def refused_run(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> ImportRun:
    """Upload a wrong list of providers as Dee, which a worker refuses, and return its run."""
    monkeypatch.setattr(previewing, "CHECKED_AT_ONCE", 10)
    wrong_list = PROVIDERS.replace("Non-profit", "Blue").replace("5070", "nothing like a number")
    upload(admin_client, "providers", wrong_list)
    apply_waiting(now=timezone.now())
    return run_of("providers")


def test_page_of_a_list_that_a_worker_refused_gives_the_reason(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = refused_run(admin_client, monkeypatch)

    page = collapse(admin_client.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode())
    assert "We refused the file, so we changed nothing." in page
    assert "3 of its 4 rows cannot be used" in page


def test_list_that_a_worker_refused_can_be_discarded(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    run = refused_run(admin_client, monkeypatch)

    admin_client.post(reverse("admin:transfer_importrun_discard", args=[run.pk]))

    run.refresh_from_db()
    assert run.status == RunStatus.DISCARDED
    assert run.content is None
