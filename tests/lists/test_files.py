"""A worker makes the files of long lists."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from partnerships.activity.models import Export
from partnerships.kit.lists import find_list
from partnerships.lists import services
from partnerships.lists.models import ListFile
from partnerships.lists.reading import read
from partnerships.people.models import User
from partnerships.people.retention import RULES
from partnerships.plans.services import change_audience
from tests.commitments.promises import in_days, propose
from tests.plans.drafts import published_plan
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def world_of_long_list(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Propose three commitments, and let a worker make files of more than two rows."""
    monkeypatch.setattr("partnerships.lists.views.listing.AT_ONCE", 2)
    propose(world, text="Bungalows.", due_on=in_days(30))
    propose(world, text="Cottages.", due_on=in_days(31))
    propose(world, text="Flats.", due_on=in_days(32))
    return world


def request_file_as(person: User, form: str = "csv", query: str = "", kind: str = "commitments") -> ListFile:
    """Request a file of a list as this person, and return it."""
    definition = find_list(kind)
    assert definition is not None
    listing = read(definition, person, QueryDict(query))
    return services.request_file(listing=listing, file_format=form, person=person, now=timezone.now())


def confirm_request(world_of_long_list: World) -> str:
    """Confirm as Ben that a worker makes an Excel file of two columns, and return the HTML of the next page."""
    client = signed_in(world_of_long_list.ben)
    export_url = reverse("lists:export", args=["commitments", "xlsx"])
    confirmation_page = client.get(f"{export_url}?columns=text,due&sort=-text", follow=True)
    return client.post(confirmation_page.redirect_chain[-1][0], follow=True).content.decode()


def request_file_on_page(world_of_long_list: World) -> ListFile:
    """Request an Excel file of two columns on the page of the list as Ben, and return it."""
    confirm_request(world_of_long_list)
    return ListFile.objects.get()


def test_a_long_list_asks_before_a_worker_makes_its_file(world_of_long_list: World) -> None:
    export_url = reverse("lists:export", args=["commitments", "xlsx"])

    confirmation_page = signed_in(world_of_long_list.ben).get(export_url, follow=True)

    assert "Download 3 commitments as Excel" in confirmation_page.content.decode()


def test_the_next_page_says_when_a_worker_will_make_the_file(world_of_long_list: World) -> None:
    next_page = confirm_request(world_of_long_list)

    assert "3 rows. We will start within 20 seconds." in next_page


def test_a_worker_makes_the_file_of_a_long_list(world_of_long_list: World) -> None:
    file = request_file_on_page(world_of_long_list)

    file_count = services.make_files(now=timezone.now())

    file.refresh_from_db()
    assert file_count == 1
    assert file.done == 3
    assert file.total == 3
    assert file.error == ""


def test_a_file_that_was_made_is_offered_on_its_page(world_of_long_list: World) -> None:
    file = request_file_on_page(world_of_long_list)
    services.make_files(now=timezone.now())
    ben = signed_in(world_of_long_list.ben)

    file_page = ben.get(file.get_absolute_url()).content.decode()
    page_of_views = ben.get(reverse("lists:views")).content.decode()

    assert "Download 3 rows" in " ".join(file_page.split())
    assert file.get_absolute_url() in page_of_views


def test_the_file_of_a_worker_has_the_columns_in_their_order(world_of_long_list: World) -> None:
    file = request_file_on_page(world_of_long_list)
    services.make_files(now=timezone.now())

    response = signed_in(world_of_long_list.ben).get(reverse("lists:file-download", args=[file.pk]))

    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert [row[:2] for row in sheet.iter_rows(values_only=True)] == [
        ("Commitment", "Due date"),
        ("Flats.", dt.datetime.combine(in_days(32), dt.time())),
        ("Cottages.", dt.datetime.combine(in_days(31), dt.time())),
        ("Bungalows.", dt.datetime.combine(in_days(30), dt.time())),
    ]


def test_the_download_of_a_file_is_logged_with_its_filters(world_of_long_list: World) -> None:
    file = request_file_on_page(world_of_long_list)
    services.make_files(now=timezone.now())

    signed_in(world_of_long_list.ben).get(reverse("lists:file-download", args=[file.pk]))

    assert [(export.what, export.rows, export.asked) for export in Export.objects.all()] == [
        ("lists:file-download", 3, "commitments.xlsx?columns=text%2Cdue&sort=-text")
    ]


def download_of_worker(person: User, file_format: str) -> bytes:
    """Let a worker make a file of the commitments, and return its bytes."""
    file = request_file_as(person, file_format)
    services.make_files(now=timezone.now())
    return signed_in(person).get(reverse("lists:file-download", args=[file.pk])).content


def test_a_csv_of_a_worker_has_the_rows_of_one_made_at_once(world: World) -> None:
    propose(world, text="=HYPERLINK(1)")
    response: Any = signed_in(world.ben).get(reverse("lists:export", args=["commitments", "csv"]))

    content_by_worker = download_of_worker(world.ben, "csv")

    rows_by_worker, rows_at_once = (
        list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        for content in (content_by_worker, response.getvalue())
    )
    assert len(rows_by_worker) == 2
    assert rows_by_worker == rows_at_once


def test_an_ods_of_a_worker_has_the_rows_of_one_made_at_once(world: World) -> None:
    propose(world, text="=HYPERLINK(1)")
    response = signed_in(world.ben).get(reverse("lists:export", args=["commitments", "ods"]))

    content_by_worker = download_of_worker(world.ben, "ods")

    rows_by_worker, rows_at_once = (
        CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        for content in (content_by_worker, response.content)
    )
    assert len(rows_by_worker) == 2
    assert rows_by_worker == rows_at_once
    assert len(content_by_worker) == len(response.content)


def test_a_file_is_downloaded_only_by_its_owner(world_of_long_list: World) -> None:
    file = request_file_as(world_of_long_list.ben)
    services.make_files(now=timezone.now())
    download_url = reverse("lists:file-download", args=[file.pk])

    assert signed_in(world_of_long_list.ben).get(download_url).status_code == 200
    assert signed_in(world_of_long_list.amina).get(download_url).status_code == 404


def test_a_file_closes_when_its_owner_loses_access_to_its_rows(world_of_long_list: World) -> None:
    file = request_file_as(world_of_long_list.ben)
    services.make_files(now=timezone.now())

    leave_partnership_as_westmarch(world_of_long_list)

    client = signed_in(world_of_long_list.ben)
    assert client.get(reverse("lists:file-download", args=[file.pk])).status_code == 403
    file_page = client.get(file.get_absolute_url()).content.decode()
    assert "your access has changed since it was made" in " ".join(file_page.split())


def test_a_file_closes_with_a_record_that_is_no_longer_theirs_to_read(world: World) -> None:
    plan = published_plan(world, audience="network")
    file = request_file_as(world.chidi, kind="plans")
    services.make_files(now=timezone.now())
    client_of_chidi = signed_in(world.chidi)
    download_url = reverse("lists:file-download", args=[file.pk])
    response_while_readable = client_of_chidi.get(download_url)

    change_audience(plan=plan, audience="owners", reason="Ours.", author=world.amina, now=timezone.now())

    assert plan.title in response_while_readable.content.decode()
    assert client_of_chidi.get(download_url).status_code == 403


def test_a_file_of_the_ledger_closes_for_somebody_who_no_longer_administers(world: World) -> None:
    file = request_file_as(world.dee, kind="ledger")
    services.make_files(now=timezone.now())
    client_of_dee = signed_in(world.dee)
    download_url = reverse("lists:file-download", args=[file.pk])
    status_code_for_administrator = client_of_dee.get(download_url).status_code

    User.objects.filter(pk=world.dee.pk).update(is_staff=False)

    assert status_code_for_administrator == 200
    assert client_of_dee.get(download_url).status_code == 403


def test_a_file_removed_while_it_is_made_stays_removed(
    world_of_long_list: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = request_file_as(world_of_long_list.ben)

    def remove_file_meanwhile(*args: Any) -> tuple[bytes, list[int]]:
        services.remove_file(file=file, person=world_of_long_list.ben)
        return b"", []

    monkeypatch.setattr("partnerships.lists.services.files.file_bytes", remove_file_meanwhile)

    file_count = services.make_files(now=timezone.now())

    assert file_count == 1
    assert not ListFile.objects.exists()


@pytest.fixture
def failed_file(world_of_long_list: World) -> ListFile:
    """Return a file of Ben that could not be made, because its list no longer exists."""
    file = request_file_as(world_of_long_list.ben)
    ListFile.objects.update(kind="gone")
    services.make_files(now=timezone.now())
    return file


def test_a_file_that_fails_says_why(world_of_long_list: World, failed_file: ListFile) -> None:
    response = signed_in(world_of_long_list.ben).get(failed_file.get_absolute_url())

    assert "You can no longer open this list. Ask a lead of your organisation for access." in response.content.decode()


def test_a_file_that_failed_can_be_removed(world_of_long_list: World, failed_file: ListFile) -> None:
    signed_in(world_of_long_list.ben).post(reverse("lists:file-remove", args=[failed_file.pk]))

    assert not ListFile.objects.exists()


def test_somebody_with_many_files_removes_one_first(world_of_long_list: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.lists.services.files.MAX_FILES", 2)
    request_file_as(world_of_long_list.ben)
    request_file_as(world_of_long_list.ben)

    response = signed_in(world_of_long_list.ben).post(reverse("lists:make-file", args=["commitments", "csv"]))

    assert response.status_code == 422
    assert "You already have 2 files. Remove one first." in response.content.decode()


@pytest.fixture
def file_of_long_list(world_of_long_list: World, monkeypatch: pytest.MonkeyPatch) -> ListFile:
    """Return a requested file of three rows. Files can now have only two."""
    file = request_file_as(world_of_long_list.ben)
    for module in ("downloads", "services.files", "views.files"):
        monkeypatch.setattr(f"partnerships.lists.{module}.MAX_ROWS", 2)
    return file


def test_a_file_of_too_many_rows_is_not_made(file_of_long_list: ListFile) -> None:
    services.make_files(now=timezone.now())

    file_of_long_list.refresh_from_db()
    assert file_of_long_list.error.startswith("A file can have at most")


def test_a_list_of_too_many_rows_does_not_offer_a_file(world_of_long_list: World, file_of_long_list: ListFile) -> None:
    response = signed_in(world_of_long_list.ben).get(reverse("lists:make-file", args=["commitments", "csv"]))

    html = response.content.decode()
    assert "Download more than 2 commitments" in " ".join(html.split())
    assert "Make file" not in html


def test_a_file_of_a_list_of_too_many_rows_cannot_be_requested(
    world_of_long_list: World, file_of_long_list: ListFile
) -> None:
    response = signed_in(world_of_long_list.ben).post(reverse("lists:make-file", args=["commitments", "csv"]))

    assert response.status_code == 422
    assert ListFile.objects.count() == 1


@pytest.fixture
def made_file(world_of_long_list: World) -> ListFile:
    """Return a file of Ben that a worker has just made."""
    file = request_file_as(world_of_long_list.ben)
    services.make_files(now=timezone.now())
    file.refresh_from_db()
    return file


@pytest.mark.parametrize(("hours", "may_download"), [(23, True), (25, False)])
def test_a_file_can_be_downloaded_for_a_day(
    world_of_long_list: World, made_file: ListFile, hours: int, may_download: bool
) -> None:
    moment = timezone.now() + dt.timedelta(hours=hours)

    assert services.may_download(made_file, world_of_long_list.ben, moment) == may_download


@pytest.mark.parametrize(("hours", "expected_deletions"), [(23, 0), (25, 1)])
def test_a_file_is_deleted_after_a_day(made_file: ListFile, hours: int, expected_deletions: int) -> None:
    deletions = RULES["files of lists"].apply(timezone.now() + dt.timedelta(hours=hours), False)

    assert deletions == expected_deletions
    assert ListFile.objects.count() == 1 - expected_deletions
