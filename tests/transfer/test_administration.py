"""Administrators upload, preview and apply lists, and review rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Organisation, Scheme
from partnerships.transfer.models import Doubt, ImportRun, RunStatus
from partnerships.transfer.services.registers import apply_waiting
from tests.support.pages import collapse
from tests.world import World

from .lists import COUNCILS, PROVIDERS, import_list

pytestmark = pytest.mark.django_db

#: The list of providers with another name for the council that the directory knows as Westmarch Borough Council. The
#: registration number 90AA suggests that the two are the same, so a person must decide.
PROVIDERS_WITH_A_DOUBT = PROVIDERS.replace("Westmarch Borough Council,90AA", "Some Other Council,90AA")


@pytest.fixture
def admin_client(world: World, client: Client) -> Client:
    """Return a client in which Dee, an administrator, is signed in."""
    client.force_login(world.dee)
    return client


def upload(client: Client, register: str, text: str, name: str = "list.csv") -> Any:
    """Upload a file on the page for imports, and return the response."""
    file = SimpleUploadedFile(name, text.encode())
    return client.post(reverse("admin:transfer_importrun_add"), {"register": register, "file": file})


def run_page(client: Client, run: ImportRun) -> str:
    """Return the page of an import or of its preview, with whitespace collapsed."""
    return collapse(client.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode())


def apply_preview(client: Client, run: ImportRun, **form: str) -> None:
    """Apply a preview on its page, and let a worker import its file."""
    client.post(reverse("admin:transfer_importrun_apply", args=[run.pk]), form)
    apply_waiting(now=timezone.now())


def answer_doubt(client: Client, doubt: Doubt, **form: str) -> Any:
    """Answer on its page which organisation a row is about, and return the response."""
    return client.post(reverse("admin:transfer_doubt_change", args=[doubt.pk]), form)


def test_upload_leads_to_the_page_of_its_preview(admin_client: Client) -> None:
    response = upload(admin_client, "councils", COUNCILS)

    run = ImportRun.objects.get()
    assert response.status_code == 302
    assert response.url == reverse("admin:transfer_importrun_change", args=[run.pk])


def test_upload_imports_nothing_yet(admin_client: Client) -> None:
    count_before = Organisation.objects.count()

    upload(admin_client, "councils", COUNCILS)

    assert ImportRun.objects.get().status == RunStatus.PREVIEWED
    assert Organisation.objects.count() == count_before


def test_preview_shows_what_its_import_would_do(admin_client: Client) -> None:
    upload(admin_client, "councils", COUNCILS)

    page = run_page(admin_client, ImportRun.objects.get())

    assert "Would be created (4)" in page
    assert "Would be matched to a known organisation (1)" in page  # the world's own Westmarch Borough Council
    assert "Import list" in page


def test_page_of_a_preview_shows_that_its_import_is_in_progress(admin_client: Client) -> None:
    upload(admin_client, "councils", COUNCILS)
    run = ImportRun.objects.get()

    response = admin_client.post(reverse("admin:transfer_importrun_apply", args=[run.pk]), follow=True)

    assert "Import in progress" in response.content.decode()


def test_applied_preview_adds_its_organisations_to_the_directory(admin_client: Client) -> None:
    count_before = Organisation.objects.count()
    upload(admin_client, "councils", COUNCILS)

    apply_preview(admin_client, ImportRun.objects.get())

    assert Organisation.objects.count() == count_before + 4


def test_applied_preview_deletes_its_file(admin_client: Client, world: World) -> None:
    upload(admin_client, "councils", COUNCILS)

    apply_preview(admin_client, ImportRun.objects.get())

    applied_run = ImportRun.objects.get()
    assert applied_run.status == RunStatus.APPLIED
    assert applied_run.by == world.dee
    assert applied_run.content is None


def test_page_of_an_applied_import_shows_what_it_did(admin_client: Client) -> None:
    upload(admin_client, "councils", COUNCILS)
    run = ImportRun.objects.get()
    apply_preview(admin_client, run)

    page = run_page(admin_client, run)

    assert "4 created" in page
    assert "Import in progress" not in page


def test_preview_says_how_long_its_import_will_take(admin_client: Client) -> None:
    upload(admin_client, "councils", COUNCILS)

    page = run_page(admin_client, ImportRun.objects.get())

    assert "Checking the file took less than 10 seconds. Importing it will take about as long." in page


def test_upload_page_shows_how_long_recent_imports_took(admin_client: Client) -> None:
    upload(admin_client, "councils", COUNCILS)
    apply_preview(admin_client, ImportRun.objects.get())

    upload_page = admin_client.get(reverse("admin:transfer_importrun_add")).content.decode()

    assert "Councils and combined authorities: less than 10 seconds for 5" in upload_page


def preview_of_a_list_with_much_missing(admin_client: Client) -> ImportRun:
    """Import the councils, upload a list without Mere and Marchshire, and return its preview.

    Two of the five councils are missing, which is too many to be believed without a person's confirmation.
    """
    import_list("councils", COUNCILS)
    rows_without_two = (row for row in COUNCILS.splitlines() if not row.startswith(("XNW,", "XCO,")))
    upload(admin_client, "councils", "\n".join(rows_without_two))
    return ImportRun.objects.get(status=RunStatus.PREVIEWED)


def test_preview_asks_whether_many_organisations_really_are_missing(admin_client: Client) -> None:
    run = preview_of_a_list_with_much_missing(admin_client)

    page = run_page(admin_client, run)

    assert "These organisations really are missing. Mark 2 of 5" in page


def test_list_with_much_missing_is_refused_unless_that_is_confirmed(admin_client: Client) -> None:
    run = preview_of_a_list_with_much_missing(admin_client)

    apply_preview(admin_client, run)

    assert "2 of the 5 organisations of this register are not in it (40 %)" in run_page(admin_client, run)
    assert not Organisation.objects.exclude(missing_since=None).exists()


def test_list_with_much_missing_is_imported_once_that_is_confirmed(admin_client: Client) -> None:
    run = preview_of_a_list_with_much_missing(admin_client)

    apply_preview(admin_client, run, accept_missing="on")

    missing = Organisation.objects.exclude(missing_since=None)
    assert {organisation.name for organisation in missing} == {"Mere Council", "Marchshire County Council"}


def test_preview_of_an_older_list_says_that_it_fills_history(admin_client: Client) -> None:
    import_list("councils", COUNCILS)
    older_list = COUNCILS.replace("Mere Council", "Mere Unitary")
    response = upload(admin_client, "councils", older_list, "councils_2024-01.csv")

    page = admin_client.get(response.url).content.decode()

    assert "so it only adds to histories" in page
    assert "Mere Council: was “Mere Unitary” on 31 January 2024" in page


#: A later list in which the name Mere occurs with the known code, and with a code that the directory does not have.
TWO_PLACES_NAMED_MERE = "LAD25CD,LAD25NM\nE07900001,Westmarch\nE06900001,Mere\nE07900044,Mere\n"


def test_council_answered_as_new_is_created(admin_client: Client) -> None:
    import_list("councils", COUNCILS)
    import_list("councils", TWO_PLACES_NAMED_MERE, accept_missing=True)

    answer_doubt(admin_client, Doubt.objects.get(), answer="new", reason="Two places.")

    assert Organisation.objects.filter(identifiers__value="E07900044").get().name == "Mere"


def test_council_answered_as_new_is_known_to_the_next_import(admin_client: Client) -> None:
    import_list("councils", COUNCILS)
    import_list("councils", TWO_PLACES_NAMED_MERE, accept_missing=True)
    answer_doubt(admin_client, Doubt.objects.get(), answer="new", reason="Two places.")

    next_run = import_list("councils", TWO_PLACES_NAMED_MERE, accept_missing=True)

    assert next_run.created == 0


def test_discarded_preview_imports_nothing(admin_client: Client) -> None:
    count_before = Organisation.objects.count()
    upload(admin_client, "councils", COUNCILS)

    admin_client.post(reverse("admin:transfer_importrun_discard", args=[ImportRun.objects.get().pk]))

    assert ImportRun.objects.get().status == RunStatus.DISCARDED
    assert Organisation.objects.count() == count_before


def test_refused_file_shows_its_problems_on_the_page(admin_client: Client) -> None:
    list_with_only_one_column = "\n".join(line.partition(",")[0] for line in COUNCILS.splitlines())

    response = upload(admin_client, "councils", list_with_only_one_column)

    assert response.status_code == 422
    assert "this column is missing" in response.content.decode()
    assert not ImportRun.objects.exists()


def test_only_administrators_can_open_imports(world: World, client: Client) -> None:
    client.force_login(world.amina)

    response = upload(client, "councils", COUNCILS)

    assert response.status_code == 302
    assert not ImportRun.objects.exists()


@pytest.fixture
def doubt() -> Doubt:
    """Return the doubt whether Some Other Council is Westmarch Borough Council."""
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS_WITH_A_DOUBT)
    return Doubt.objects.get()


def form_with_answer(choice: str) -> dict[str, str]:
    """Return the form of the page of a doubt with this choice, filled in for Westmarch Borough Council."""
    westmarch = Organisation.objects.get(identifiers__value="XWM")
    return {
        "answer": f"this-{westmarch.pk}" if choice == "this" else choice,
        "identifier": "XWM",
        "reason": "Their email says so.",
    }


@pytest.mark.parametrize(
    ("choice", "is_matched", "is_created"),
    [("this", True, False), ("other", True, False), ("new", False, True), ("leave_out", False, False)],
)
def test_answer_is_applied_at_once(
    admin_client: Client, doubt: Doubt, choice: str, is_matched: bool, is_created: bool
) -> None:
    response = answer_doubt(admin_client, doubt, **form_with_answer(choice))

    assert response.status_code == 302
    westmarch = Organisation.objects.get(identifiers__value="XWM")
    assert westmarch.identifiers.filter(scheme=Scheme.RSH, value="90AA").exists() == is_matched
    assert Organisation.objects.filter(name="Some Other Council").exists() == is_created


@pytest.mark.parametrize("choice", ["this", "other", "new", "leave_out"])
def test_answer_is_remembered_by_the_next_import(admin_client: Client, doubt: Doubt, choice: str) -> None:
    answer_doubt(admin_client, doubt, **form_with_answer(choice))

    next_run = import_list("providers", PROVIDERS_WITH_A_DOUBT)

    assert next_run.created == 0
    assert next_run.joined == 0
    assert next_run.undecided == 0


@pytest.mark.parametrize(
    "form",
    [
        pytest.param({"answer": "new", "reason": ""}, id="no reason"),
        pytest.param({"answer": "other", "identifier": "nobody", "reason": "x"}, id="unknown organisation"),
    ],
)
def test_incomplete_answer_is_refused(admin_client: Client, doubt: Doubt, form: dict[str, str]) -> None:
    response = answer_doubt(admin_client, doubt, **form)

    assert response.status_code == 422
    assert Doubt.objects.get().is_open
