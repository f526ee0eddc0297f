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

from partnerships.activity.models import Export
from partnerships.agreements.services import leave_partnership
from partnerships.kit.lists import find_list
from partnerships.lists import services
from partnerships.lists.models import ListFile
from partnerships.lists.reading import read
from partnerships.people.models import User
from partnerships.people.retention import RULES
from partnerships.plans.services import change_audience
from tests.commitments.promises import in_days, propose
from tests.plans.drafts import published_plan
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def short(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Propose three commitments, and let a worker make files of more than two rows."""
    monkeypatch.setattr("partnerships.lists.views.listing.AT_ONCE", 2)
    for number in range(3):
        propose(world, text=f"Homes {number}.", due_on=in_days(30 + number))
    return world


def request_file_as(person: User, form: str = "csv", query: str = "", kind: str = "commitments") -> ListFile:
    """Request a file of a list as this person, and return it."""
    definition = find_list(kind)
    assert definition is not None
    listing = read(definition, person, QueryDict(query))
    return services.request_file(listing=listing, file_format=form, person=person, now=timezone.now())


def test_a_long_list_is_made_by_a_worker_and_downloaded_later(short: World) -> None:
    ben = signed_in(short.ben)
    address = reverse("lists:export", args=["commitments", "xlsx"])

    confirmation_page = ben.get(f"{address}?columns=text,due&sort=-text", follow=True)
    page_while_waiting = ben.post(confirmation_page.redirect_chain[-1][0], follow=True).content.decode()
    assert services.make_files(now=timezone.now()) == 1
    file = ListFile.objects.get()
    page_when_made = ben.get(file.get_absolute_url()).content.decode()
    download = ben.get(reverse("lists:file-download", args=[file.pk]))

    assert "Download 3 commitments as Excel" in confirmation_page.content.decode()
    assert "3 rows. We will start within 20 seconds." in page_while_waiting
    assert file.done == 3
    assert file.total == 3
    assert file.error == ""
    assert "Download 3 rows" in " ".join(page_when_made.split())
    assert f"{file.get_absolute_url()}" in ben.get(reverse("lists:views")).content.decode()
    rows = list(openpyxl.load_workbook(io.BytesIO(download.content)).active.iter_rows(values_only=True))
    assert [row[:2] for row in rows] == [
        ("Commitment", "Due date"),
        *((f"Homes {number}.", dt.datetime.combine(in_days(30 + number), dt.time())) for number in (2, 1, 0)),
    ]
    assert [(export.what, export.rows, export.asked) for export in Export.objects.all()] == [
        ("lists:file-download", 3, "commitments.xlsx?columns=text%2Cdue&sort=-text")
    ]


@pytest.mark.parametrize("form", ["csv", "ods"])
def test_files_of_a_worker_have_the_rows_of_those_made_at_once(world: World, form: str) -> None:
    propose(world, text="=HYPERLINK(1)")
    ben = signed_in(world.ben)
    file = request_file_as(world.ben, form)
    services.make_files(now=timezone.now())

    at_once: Any = ben.get(reverse("lists:export", args=["commitments", form]))
    content_by_worker = ben.get(reverse("lists:file-download", args=[file.pk])).content

    if form == "csv":
        lines = [
            list(csv.reader(io.StringIO(one.decode("utf-8-sig")))) for one in (content_by_worker, at_once.getvalue())
        ]
        assert lines[0] == lines[1]
        assert len(lines[0]) == 2
    else:
        assert len(content_by_worker) == len(at_once.content)


def test_a_file_is_for_its_owner_alone_and_only_while_their_rights_last(short: World) -> None:
    file = request_file_as(short.ben)
    services.make_files(now=timezone.now())
    address = reverse("lists:file-download", args=[file.pk])
    status_code_before = signed_in(short.ben).get(address).status_code
    leave_partnership(party=short.party(short.westmarch), reason="Budget.", author=short.ben, now=timezone.now())

    assert status_code_before == 200
    assert signed_in(short.amina).get(address).status_code == 404
    assert signed_in(short.ben).get(address).status_code == 403
    assert "your access has changed since it was made" in " ".join(
        signed_in(short.ben).get(file.get_absolute_url()).content.decode().split()
    )


def test_a_file_closes_with_a_record_that_is_no_longer_theirs_to_read(world: World) -> None:
    plan = published_plan(world, audience="network")
    file = request_file_as(world.chidi, kind="plans")
    services.make_files(now=timezone.now())
    chidi = signed_in(world.chidi)
    address = reverse("lists:file-download", args=[file.pk])

    download_before = chidi.get(address)
    change_audience(plan=plan, audience="owners", reason="Ours.", author=world.amina, now=timezone.now())

    assert plan.title in download_before.content.decode()
    assert chidi.get(address).status_code == 403


def test_a_file_of_the_ledger_closes_for_somebody_who_no_longer_administers(world: World) -> None:
    file = request_file_as(world.dee, kind="ledger")
    services.make_files(now=timezone.now())
    dee = signed_in(world.dee)
    address = reverse("lists:file-download", args=[file.pk])

    status_code_before = dee.get(address).status_code
    User.objects.filter(pk=world.dee.pk).update(is_staff=False)

    assert [status_code_before, dee.get(address).status_code] == [200, 403]


def test_a_file_removed_while_it_is_made_stays_removed(short: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = request_file_as(short.ben)

    def remove_file_meanwhile(*args: Any) -> tuple[bytes, list[int]]:
        services.remove_file(file=file, person=short.ben)
        return b"", []

    monkeypatch.setattr("partnerships.lists.services.files.file_bytes", remove_file_meanwhile)

    assert services.make_files(now=timezone.now()) == 1
    assert not ListFile.objects.exists()


def test_a_file_that_fails_says_so_and_can_be_removed(short: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = request_file_as(short.ben)
    ListFile.objects.update(kind="gone")
    services.make_files(now=timezone.now())
    ben = signed_in(short.ben)

    page = ben.get(file.get_absolute_url()).content.decode()
    ben.post(reverse("lists:file-remove", args=[file.pk]))

    assert "You can no longer open this list. Ask a lead of your organisation for access." in page
    assert not ListFile.objects.exists()


def test_somebody_with_many_files_removes_one_first(short: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("partnerships.lists.services.files.MAX_FILES", 1)
    request_file_as(short.ben)

    response = signed_in(short.ben).post(reverse("lists:make-file", args=["commitments", "csv"]))

    assert response.status_code == 422
    assert "You already have 1 files" in response.content.decode()


def test_a_list_of_too_many_rows_is_narrowed_first(short: World, monkeypatch: pytest.MonkeyPatch) -> None:
    file = request_file_as(short.ben)
    for module in ("downloads", "services.files", "views.files"):
        monkeypatch.setattr(f"partnerships.lists.{module}.MAX_ROWS", 2)
    address = reverse("lists:make-file", args=["commitments", "csv"])

    services.make_files(now=timezone.now())
    page = signed_in(short.ben).get(address).content.decode()
    response = signed_in(short.ben).post(address)

    file.refresh_from_db()
    assert file.error.startswith("A file can have at most")
    assert "Download more than 2 commitments" in " ".join(page.split())
    assert "Make file" not in page
    assert response.status_code == 422
    assert ListFile.objects.count() == 1


def test_files_are_deleted_after_a_day(short: World) -> None:
    file = request_file_as(short.ben)
    now = timezone.now()
    services.make_files(now=now)
    file.refresh_from_db()

    assert services.may_download(file, short.ben, now + dt.timedelta(hours=23))
    assert not services.may_download(file, short.ben, now + dt.timedelta(hours=25))
    assert RULES["files of lists"].apply(now + dt.timedelta(hours=23), False) == 0
    assert RULES["files of lists"].apply(now + dt.timedelta(hours=25), False) == 1
    assert not ListFile.objects.exists()
