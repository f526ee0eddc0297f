"""Unknown headings are proposed, confirmed once, and remembered."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
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
def dee(client: Any) -> Any:
    """A browser in which Dee, an administrator, is signed in."""
    client.force_login(make_world().dee)
    return client


def upload(client: Any, text: str, **choices: str) -> Any:
    """Choose a list of providers on the upload page."""
    file = SimpleUploadedFile("list_2024-01.csv", text.encode())
    return client.post(
        reverse("admin:transfer_importrun_add"), {"register": "providers", "file": file, **choices}, follow=True
    )


def test_headings_are_proposed_by_their_words_and_values() -> None:
    found = propose(read_sheets(OWN.encode()), COLUMNS, {})

    assert {one.column.code: one.heading for one in found.proposals if one.heading} == {
        "name": "Landlord",
        "number": "RSH ref",
        "date": "When added",
        "designation": "Sort of landlord",
    }
    assert str(found.headings[1]) == "RSH ref (“LX9001”, “5069”, “90AA”)"


def test_administrator_confirms_headings_once_for_a_publisher(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))

    page = upload(dee, OWN)
    run = ImportRun.objects.get(status=RunStatus.UNREAD)
    assert page.request["PATH_INFO"] == reverse("admin:transfer_importrun_headings", args=[run.pk])
    assert "RSH ref (“LX9001”, “5069”, “90AA”)" in collapse(page.content.decode())
    preview = dee.post(page.request["PATH_INFO"], CHOSEN, follow=True).content.decode()

    assert "Would be created (2)" in preview
    assert ImportRun.objects.get(register="providers").publisher == "Marchshire Homes Forum"
    dee.post(reverse("admin:transfer_importrun_apply", args=[ImportRun.objects.get(register="providers").pk]))
    apply_waiting(now=timezone.now())
    assert Identifier.objects.filter(scheme=Scheme.RSH).count() == 4
    later = upload(dee, OWN.replace("Tidewater Housing Group Limited", "Tidewater Homes")).content.decode()
    assert "Would be changed (1)" in later


def test_publisher_who_changed_a_heading_is_known_by_the_old_and_the_new_one(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    changed = OWN.replace("RSH ref", "Regulator's ref")
    for text, reference in ((OWN, "RSH ref"), (changed, "Regulator's ref")):
        address = upload(dee, text).request["PATH_INFO"]
        dee.post(address, CHOSEN | {"column-number": reference})

    for text in (OWN, changed):
        assert "Would be created (2)" in upload(dee, text).content.decode()
    assert not ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_headings_that_are_corrected_mean_what_was_said_last(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    address = upload(dee, OWN).request["PATH_INFO"]
    wrong = dee.post(address, CHOSEN | {"column-name": "Structure", "column-form": ""}, follow=True).content.decode()
    assert "Larkhaven Homes Limited" not in wrong

    address = reverse("admin:transfer_importrun_headings", args=[ImportRun.objects.get(register="providers").pk])
    right = dee.post(address, CHOSEN | {"column-form": ""}, follow=True).content.decode()

    assert "Larkhaven Homes Limited" in right
    assert set(KnownHeading.objects.values_list("heading", "column")) == {
        ("landlord", "name"),
        ("rshref", "number"),
        ("whenadded", "date"),
        ("sortoflandlord", "designation"),
    }


def test_page_of_a_list_with_unknown_headings_does_not_say_what_it_would_change(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    upload(dee, OWN)
    run = ImportRun.objects.get(status=RunStatus.UNREAD)

    page = dee.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()

    assert "Match headings to columns" in page
    assert "already matches" not in page
    assert "0 created" not in page


def test_another_publishers_headings_are_not_used(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    page = upload(dee, OWN)
    dee.post(page.request["PATH_INFO"], CHOSEN)

    upload(dee, OWN, publisher="Somebody Else")

    assert ImportRun.objects.filter(status=RunStatus.UNREAD, publisher="Somebody Else").exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"column-number": ""}, "This field is required"),
        ({"column-number": "Landlord"}, "You chose “Landlord” for two columns"),
        ({"publisher": ""}, "This field is required"),
    ],
)
def test_headings_are_confirmed_only_if_they_make_sense(dee: Any, change: dict[str, str], told: str) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    page = upload(dee, OWN)

    response = dee.post(page.request["PATH_INFO"], CHOSEN | change)

    assert response.status_code == 422
    assert told in response.content.decode()
    assert not KnownHeading.objects.exists()
    assert ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_file_without_anything_like_a_needed_column_is_refused() -> None:
    with pytest.raises(UnableToRead, match="this column is missing"):
        import_list("providers", "\n".join(line.partition(",")[0] for line in PROVIDERS.splitlines()))


def test_part_of_a_register_marks_nothing_as_missing() -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS)

    run = import_list("providers", "\n".join(PROVIDERS.splitlines()[:2]), is_part=True)

    assert (run.missing, run.left_alone) == (0, 1)
