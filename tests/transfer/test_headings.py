"""Unknown headings are proposed to a person, who confirms them once for a publisher."""

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
    """Return a client in which Dee, an administrator, is signed in."""
    client.force_login(make_world().dee)
    return client


def upload(client: Any, text: str, **choices: str) -> Any:
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
    later_preview = upload(dee, OWN.replace("Tidewater Housing Group Limited", "Tidewater Homes")).content.decode()
    assert "Would be changed (1)" in later_preview


def test_publisher_is_recognised_by_old_and_new_headings(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    changed_list = OWN.replace("RSH ref", "Regulator's ref")
    for text, reference in ((OWN, "RSH ref"), (changed_list, "Regulator's ref")):
        address = upload(dee, text).request["PATH_INFO"]
        dee.post(address, CHOSEN | {"column-number": reference})

    for text in (OWN, changed_list):
        assert "Would be created (2)" in upload(dee, text).content.decode()
    assert not ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_corrected_headings_have_the_meaning_that_was_confirmed_last(dee: Any) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    address = upload(dee, OWN).request["PATH_INFO"]
    wrong_preview = dee.post(
        address, CHOSEN | {"column-name": "Structure", "column-form": ""}, follow=True
    ).content.decode()
    assert "Larkhaven Homes Limited" not in wrong_preview

    address = reverse("admin:transfer_importrun_headings", args=[ImportRun.objects.get(register="providers").pk])
    corrected_preview = dee.post(address, CHOSEN | {"column-form": ""}, follow=True).content.decode()

    assert "Larkhaven Homes Limited" in corrected_preview
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
    ("change", "message"),
    [
        ({"column-number": ""}, "This field is required"),
        ({"column-number": "Landlord"}, "You chose “Landlord” for two columns"),
        ({"publisher": ""}, "This field is required"),
    ],
)
def test_headings_are_confirmed_only_if_they_make_sense(dee: Any, change: dict[str, str], message: str) -> None:
    import_list("councils", COUNCILS, as_of=dt.date(2023, 1, 1))
    page = upload(dee, OWN)

    response = dee.post(page.request["PATH_INFO"], CHOSEN | change)

    assert response.status_code == 422
    assert message in response.content.decode()
    assert not KnownHeading.objects.exists()
    assert ImportRun.objects.filter(status=RunStatus.UNREAD).exists()


def test_file_without_anything_like_a_needed_column_is_refused() -> None:
    with pytest.raises(UnableToRead, match="this column is missing"):
        import_list("providers", "\n".join(line.partition(",")[0] for line in PROVIDERS.splitlines()))


def test_part_of_a_register_marks_nothing_as_missing() -> None:
    import_list("councils", COUNCILS)
    import_list("providers", PROVIDERS)

    run = import_list("providers", "\n".join(PROVIDERS.splitlines()[:2]), is_part=True)

    assert run.missing == 0
    assert run.left_alone == 1
