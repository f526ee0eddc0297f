"""Unknown headings are proposed to a person, who confirms them once for a publisher."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Identifier, Scheme
from partnerships.transfer.models import ImportRun, KnownHeading, RunStatus
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.proposals import propose
from partnerships.transfer.reading.providers import COLUMNS
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.services.registers import apply_waiting
from tests.support.pages import collapse
from tests.world import make_world

from .lists import COUNCILS, PROVIDERS, import_list

pytestmark = pytest.mark.django_db

OWN = PROVIDERS.replace(
    "Organisation name,Registration number,Registration date,Designation,Corporate form",
    "Landlord,RSH ref,When added,Sort of landlord,Structure",
)
CHOSEN = {
    "publisher": "Marchshire Homes Forum",
    "column-name": "Landlord",
    "column-number": "RSH ref",
    "column-date": "When added",
    "column-designation": "Sort of landlord",
    "column-form": "Structure",
}


@pytest.fixture
def admin_client(client: Client) -> Client:
    """Return a client in which Dee, an administrator, is signed in."""
    client.force_login(make_world().dee)
    return client


def upload(client: Client, text: str, **choices: str) -> Any:
    """Upload a list of providers on the page for imports, and return the page that follows."""
    file = SimpleUploadedFile("list_2024-01.csv", text.encode())
    return client.post(
        reverse("admin:transfer_importrun_add"), {"register": "providers", "file": file, **choices}, follow=True
    )


def test_headings_are_proposed_by_their_words_and_values() -> None:
    proposals = propose(read_sheets(OWN.encode()), COLUMNS, {})

    assert {proposal.column.code: proposal.heading for proposal in proposals.proposals if proposal.heading} == {
        "name": "Landlord",
        "number": "RSH ref",
        "date": "When added",
        "designation": "Sort of landlord",
    }
    assert str(proposals.headings[1]) == "RSH ref (“LX9001”, “5069”, “90AA”)"


def confirm(client: Client, run: ImportRun, **choices: str) -> str:
    """Confirm the headings of a list on its page, and return the page of the preview that follows."""
    address = reverse("admin:transfer_importrun_headings", args=[run.pk])
    return client.post(address, CHOSEN | choices, follow=True).content.decode()


@pytest.fixture
def unread_run(admin_client: Client) -> ImportRun:
    """Return the upload of a list whose headings a person must confirm. The councils are already imported."""
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    upload(admin_client, OWN)
    return ImportRun.objects.get(status=RunStatus.UNREAD)


def test_list_with_unknown_headings_leads_to_the_page_that_asks_for_them(admin_client: Client) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))

    response = upload(admin_client, OWN)

    run = ImportRun.objects.get(status=RunStatus.UNREAD)
    assert response.request["PATH_INFO"] == reverse("admin:transfer_importrun_headings", args=[run.pk])
    assert "RSH ref (“LX9001”, “5069”, “90AA”)" in collapse(response.content.decode())


def test_administrator_confirms_the_headings_of_a_publisher(admin_client: Client, unread_run: ImportRun) -> None:
    preview = confirm(admin_client, unread_run)

    assert "Would be created (2)" in preview
    assert ImportRun.objects.get(register="providers").publisher == "Marchshire Homes Forum"


def test_list_with_confirmed_headings_is_imported(admin_client: Client, unread_run: ImportRun) -> None:
    confirm(admin_client, unread_run)
    admin_client.post(reverse("admin:transfer_importrun_apply", args=[unread_run.pk]))

    apply_waiting(now=timezone.now())

    assert Identifier.objects.filter(scheme=Scheme.RSH).count() == 4


def test_headings_of_a_publisher_are_confirmed_only_once(admin_client: Client, unread_run: ImportRun) -> None:
    confirm(admin_client, unread_run)

    preview = upload(admin_client, OWN.replace("Tidewater Housing Group Limited", "Tidewater Homes")).content.decode()

    assert "Would be created (2)" in preview
    assert not ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_later_list_of_a_publisher_changes_the_providers_of_its_earlier_list(
    admin_client: Client, unread_run: ImportRun
) -> None:
    confirm(admin_client, unread_run)
    admin_client.post(reverse("admin:transfer_importrun_apply", args=[unread_run.pk]))
    apply_waiting(now=timezone.now())

    preview = upload(admin_client, OWN.replace("Tidewater Housing Group Limited", "Tidewater Homes")).content.decode()

    assert "Would be changed (1)" in preview


@pytest.mark.parametrize("heading", ["RSH ref", "Regulator's ref"])
def test_publisher_is_recognised_by_old_and_new_headings(
    admin_client: Client, unread_run: ImportRun, heading: str
) -> None:
    confirm(admin_client, unread_run)
    upload(admin_client, OWN.replace("RSH ref", "Regulator's ref"))
    run_with_new_heading = ImportRun.objects.get(status=RunStatus.UNREAD)
    confirm(admin_client, run_with_new_heading, **{"column-number": "Regulator's ref"})

    preview = upload(admin_client, OWN.replace("RSH ref", heading)).content.decode()

    assert "Would be created (2)" in preview
    assert not ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_preview_has_no_names_if_the_heading_of_names_is_mistaken(admin_client: Client, unread_run: ImportRun) -> None:
    preview = confirm(admin_client, unread_run, **{"column-name": "Structure", "column-form": ""})

    assert "Larkhaven Homes Limited" not in preview


def test_corrected_headings_have_the_meaning_that_was_confirmed_last(
    admin_client: Client, unread_run: ImportRun
) -> None:
    confirm(admin_client, unread_run, **{"column-name": "Structure", "column-form": ""})

    corrected_preview = confirm(admin_client, unread_run, **{"column-form": ""})

    assert "Larkhaven Homes Limited" in corrected_preview
    assert set(KnownHeading.objects.values_list("heading", "column")) == {
        ("landlord", "name"),
        ("rshref", "number"),
        ("whenadded", "date"),
        ("sortoflandlord", "designation"),
    }


def test_page_of_a_list_with_unknown_headings_does_not_say_what_it_would_change(
    admin_client: Client, unread_run: ImportRun
) -> None:
    page = admin_client.get(reverse("admin:transfer_importrun_change", args=[unread_run.pk])).content.decode()

    assert "Match headings to columns" in page
    assert "Would be created" not in page
    assert "already matches" not in page
    assert "0 created" not in page


def test_headings_of_another_publisher_are_not_used(admin_client: Client, unread_run: ImportRun) -> None:
    confirm(admin_client, unread_run)

    upload(admin_client, OWN, publisher="Somebody Else")

    assert ImportRun.objects.filter(status=RunStatus.UNREAD, publisher="Somebody Else").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"column-number": ""}, "This field is required"),
        ({"column-number": "Landlord"}, "You chose “Landlord” for two columns"),
        ({"publisher": ""}, "This field is required"),
    ],
)
def test_headings_are_confirmed_only_if_they_make_sense(
    admin_client: Client, unread_run: ImportRun, change: dict[str, str], message: str
) -> None:
    address = reverse("admin:transfer_importrun_headings", args=[unread_run.pk])

    response = admin_client.post(address, CHOSEN | change)

    assert response.status_code == 422
    assert message in response.content.decode()
    assert not KnownHeading.objects.exists()
    assert ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_file_without_anything_like_a_needed_column_is_refused() -> None:
    with pytest.raises(UnableToRead, match="this column is missing"):
        import_list("providers", "\n".join(line.partition(",")[0] for line in PROVIDERS.splitlines()))


def test_part_of_a_register_marks_no_provider_as_missing() -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS)
    heading, larkhaven, *_others = PROVIDERS.splitlines()

    run = import_list("providers", f"{heading}\n{larkhaven}\n", is_part=True)

    assert run.missing == 0
    assert run.left_alone == 1
