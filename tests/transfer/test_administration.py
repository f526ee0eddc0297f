"""Administrators upload, preview and apply lists, and review rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Scheme
from partnerships.transfer.models import Doubt, ImportRun, RunStatus
from partnerships.transfer.services.registers import apply_waiting
from tests.support.pages import collapse
from tests.world import World, make_world

from .lists import COUNCILS, PROVIDERS, import_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """Return the named people and organisations of all tests."""
    return make_world()


@pytest.fixture
def dee(world: World, client: Any) -> Any:
    """Return a client in which Dee, an administrator, is signed in."""
    client.force_login(world.dee)
    return client


def upload(client: Any, register: str, text: str, name: str = "list.csv") -> Any:
    """Upload a file on the page for imports, and return the response."""
    file = SimpleUploadedFile(name, text.encode())
    return client.post(reverse("admin:transfer_importrun_add"), {"register": register, "file": file})


def test_upload_shows_a_preview_and_changes_nothing(dee: Any) -> None:
    before = Organisation.objects.count()

    response = upload(dee, "councils", COUNCILS)

    run = ImportRun.objects.get()
    assert response.url == reverse("admin:transfer_importrun_change", args=[run.pk])
    page = dee.get(response.url).content.decode()
    assert "Would be created (4)" in page
    assert "Would be matched to a known organisation (1)" in page  # the world's own Westmarch Borough Council
    assert "Import list" in page
    assert Organisation.objects.count() == before


def test_page_of_a_preview_shows_that_its_import_is_in_progress(dee: Any) -> None:
    upload(dee, "councils", COUNCILS)
    run = ImportRun.objects.get()

    response = dee.post(reverse("admin:transfer_importrun_apply", args=[run.pk]), follow=True)

    assert "Import in progress" in response.content.decode()


def test_applying_a_preview_imports_its_file_and_deletes_it(dee: Any) -> None:
    before = Organisation.objects.count()
    upload(dee, "councils", COUNCILS)
    run = ImportRun.objects.get()

    dee.post(reverse("admin:transfer_importrun_apply", args=[run.pk]))
    apply_waiting(now=timezone.now())

    page = dee.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()
    assert "4 created" in page
    assert "Import in progress" not in page
    assert Organisation.objects.count() == before + 4
    applied_run = ImportRun.objects.get()
    assert applied_run.status == RunStatus.APPLIED
    assert applied_run.content is None
    assert applied_run.by is not None


def test_preview_says_how_long_its_import_will_take(dee: Any) -> None:
    upload(dee, "councils", COUNCILS)
    run = ImportRun.objects.get()

    page = dee.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()

    assert "Checking the file took less than 10 seconds. Importing it will take about as long." in collapse(page)


def test_upload_page_shows_how_long_recent_imports_took(dee: Any) -> None:
    upload(dee, "councils", COUNCILS)
    dee.post(reverse("admin:transfer_importrun_apply", args=[ImportRun.objects.get().pk]))
    apply_waiting(now=timezone.now())

    upload_page = dee.get(reverse("admin:transfer_importrun_add")).content.decode()

    assert "Councils and combined authorities: less than 10 seconds for 5" in upload_page


def preview_of_a_list_with_much_missing(dee: Any) -> ImportRun:
    """Import the councils, upload a list without two of them as Dee, and return its preview."""
    import_list("councils", COUNCILS)
    upload(dee, "councils", "\n".join(COUNCILS.splitlines()[:4]).replace("2023-03-31,XNW", "2023-03-31,"))
    return ImportRun.objects.get(status=RunStatus.PREVIEWED)


def test_preview_asks_whether_many_organisations_really_are_missing(dee: Any) -> None:
    run = preview_of_a_list_with_much_missing(dee)

    page = dee.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()

    assert "These organisations really are missing. Mark 2 of 5" in collapse(page)


def test_list_with_much_missing_is_refused_unless_that_is_confirmed(dee: Any) -> None:
    run = preview_of_a_list_with_much_missing(dee)

    dee.post(reverse("admin:transfer_importrun_apply", args=[run.pk]))
    apply_waiting(now=timezone.now())

    refused_page = dee.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()
    assert "2 of the 5 organisations of this register are not in it (40 %)" in refused_page
    assert not Organisation.objects.exclude(missing_since=None).exists()


def test_list_with_much_missing_is_imported_once_that_is_confirmed(dee: Any) -> None:
    run = preview_of_a_list_with_much_missing(dee)

    dee.post(reverse("admin:transfer_importrun_apply", args=[run.pk]), {"accept_missing": "on"})
    apply_waiting(now=timezone.now())

    assert Organisation.objects.exclude(missing_since=None).count() == 2


def test_preview_of_an_older_list_says_that_it_fills_history(dee: Any) -> None:
    import_list("councils", COUNCILS)

    response = upload(dee, "councils", COUNCILS.replace("Mere Council", "Mere Unitary"), "councils_2024-01.csv")

    page = dee.get(response.url).content.decode()
    assert "so it only adds to histories" in page
    assert "Mere Council: was “Mere Unitary” on 31 January 2024" in page


def test_council_answered_as_new_is_created_once(dee: Any) -> None:
    import_list("councils", COUNCILS)
    changed_list = "LAD25CD,LAD25NM\nE07900001,Westmarch\nE06900001,Mere\nE07900044,Mere\n"
    import_list("councils", changed_list, accept_missing=True)
    doubt = Doubt.objects.get()

    dee.post(reverse("admin:transfer_doubt_change", args=[doubt.pk]), {"answer": "new", "reason": "Two places."})

    assert Organisation.objects.filter(identifiers__value="E07900044").get().name == "Mere"
    assert import_list("councils", changed_list, accept_missing=True).created == 0


def test_discarding_changes_nothing(dee: Any) -> None:
    before = Organisation.objects.count()
    upload(dee, "councils", COUNCILS)

    dee.post(reverse("admin:transfer_importrun_discard", args=[ImportRun.objects.get().pk]))

    assert ImportRun.objects.get().status == RunStatus.DISCARDED
    assert Organisation.objects.count() == before


def test_refused_file_shows_its_problems_on_the_page(dee: Any) -> None:
    response = upload(dee, "councils", "\n".join(line.partition(",")[0] for line in COUNCILS.splitlines()))

    assert response.status_code == 422
    assert "this column is missing" in response.content.decode()
    assert not ImportRun.objects.exists()


def test_only_administrators_can_open_imports(world: World, client: Any) -> None:
    client.force_login(world.amina)

    response = upload(client, "councils", COUNCILS)

    assert response.status_code == 302
    assert not ImportRun.objects.exists()


@pytest.mark.parametrize("choice", ["this", "other", "new", "leave_out"])
def test_answer_is_applied_at_once_and_remembered(dee: Any, choice: str) -> None:
    import_list("councils", COUNCILS)
    changed_list = PROVIDERS.replace("Westmarch Borough Council,90AA", "Some Other Council,90AA")
    import_list("providers", changed_list)
    doubt = Doubt.objects.get()
    westmarch = Organisation.objects.get(identifiers__value="XWM")
    form = {
        "answer": f"this-{westmarch.pk}" if choice == "this" else choice,
        "identifier": "XWM",
        "reason": "Their email says so.",
    }

    response = dee.post(reverse("admin:transfer_doubt_change", args=[doubt.pk]), form)

    assert response.status_code == 302
    is_joined = westmarch.identifiers.filter(scheme=Scheme.RSH, value="90AA").exists()
    assert is_joined == (choice in ("this", "other"))
    assert Organisation.objects.filter(name="Some Other Council").exists() == (choice == "new")
    second_run = import_list("providers", changed_list)
    assert second_run.created == 0
    assert second_run.joined == 0
    assert second_run.undecided == 0


def test_an_answer_needs_a_reason_and_an_organisation(dee: Any) -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS.replace("Westmarch Borough Council,90AA", "Some Other Council,90AA"))
    review_url = reverse("admin:transfer_doubt_change", args=[Doubt.objects.get().pk])

    for form in ({"answer": "new", "reason": ""}, {"answer": "other", "identifier": "nobody", "reason": "x"}):
        assert dee.post(review_url, form).status_code == 422

    assert Doubt.objects.get().is_open
