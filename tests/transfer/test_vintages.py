"""Older lists add to histories as of their date, and change nothing current."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.organisations.models import Identifier, Organisation, Scheme, Status
from partnerships.organisations.naming import names_of
from partnerships.transfer.models import Doubt, ImportRun
from partnerships.transfer.services.registers import answer_doubt
from tests.world import make_world

from .lists import COUNCILS, PROVIDERS, import_list

pytestmark = pytest.mark.django_db

NEW, OLD = dt.date(2024, 1, 1), dt.date(2017, 10, 4)
#: An older list: Tidewater by its former name, a provider that ended, and without a provider that is newer.
EARLIER = (
    "\n".join(line for line in PROVIDERS.splitlines() if not line.startswith("Larkhaven"))
    .replace("Tidewater Housing Group Limited", "Tidewater Homes Limited")
    .replace("Westmarch Borough Council,90AA", "Westmarch,90AA")
    + "\nGoneaway Homes Limited,LX1,01/04/1980,Non-profit,Company\n"
)
#: A list of councils that includes a national park authority.
WITH_PARK = f"{COUNCILS}XNP,Marchshire Moors National Park Authority,Marchshire Moors,E26900001,,,,England,,,,,,True,\n"


@pytest.fixture
def earlier() -> ImportRun:
    """Import an older list after a newer one, and return its run."""
    import_list("councils", COUNCILS, as_of=NEW)
    import_list("providers", PROVIDERS, as_of=NEW)
    return import_list("providers", EARLIER, as_of=OLD)


def provider_with_number(number: str) -> Organisation:
    """Return the organisation with this registration number."""
    return Identifier.objects.get(scheme=Scheme.RSH, value=number).organisation


def test_older_name_is_kept_as_at_the_date_of_its_list(earlier: ImportRun) -> None:
    tidewater = provider_with_number("5069")

    assert tidewater.name == "Tidewater Housing Group Limited"
    named = names_of([tidewater.pk])[tidewater.pk]
    assert named.on(OLD) == "Tidewater Homes Limited"
    assert named.on(NEW) == "Tidewater Housing Group Limited"
    assert earlier.changed == 1


def test_body_that_only_the_older_list_has_is_added_as_ended(earlier: ImportRun) -> None:
    assert provider_with_number("LX1").name == "Goneaway Homes Limited"
    assert provider_with_number("LX1").status == Status.DISSOLVED
    assert earlier.created == 1
    assert earlier.missing == 0
    assert earlier.closed == 0


def test_council_keeps_the_name_of_its_own_list(earlier: ImportRun) -> None:
    assert provider_with_number("90AA").name == "Westmarch Borough Council"
    assert not provider_with_number("90AA").names.filter(kind="former").exists()


def test_older_list_is_compared_with_the_directory(earlier: ImportRun) -> None:
    assert any(
        "older than that of 1 January 2024" in remark
        and "1 of 3 of its organisations have changed their names since, 1 are no longer listed, and 1 were added"
        in remark
        for remark in earlier.report["remarks"]
    )


def test_same_older_list_again_changes_nothing(earlier: ImportRun) -> None:
    second_run = import_list("providers", EARLIER, as_of=OLD)

    assert second_run.created == 0
    assert second_run.changed == 0
    assert second_run.left_alone == 4


def test_older_row_that_may_be_a_known_body_is_left_to_a_person() -> None:
    import_list("councils", COUNCILS, as_of=NEW)
    import_list("providers", PROVIDERS, as_of=NEW)

    run = import_list("providers", EARLIER.replace("Goneaway Homes Limited", "Larkhaven Homes Limited"), as_of=OLD)

    (line,) = run.report["lines"]["set_aside"]
    assert "no newer list has the key LX1, but Larkhaven Homes Limited has the same name." in line
    assert not Identifier.objects.filter(scheme=Scheme.RSH, value="LX1").exists()


@pytest.fixture
def recoded() -> Doubt:
    """Return a row to review: Tidewater's name with a number that only the newest list has."""
    import_list("councils", COUNCILS, as_of=NEW)
    import_list("providers", PROVIDERS, as_of=dt.date(2023, 1, 1))
    import_list("providers", PROVIDERS.replace(",5069,", ",6000,"), as_of=NEW)
    return Doubt.objects.get(key="6000")


def test_older_row_is_set_aside_until_the_newer_row_is_reviewed(recoded: Doubt) -> None:
    run = import_list("providers", EARLIER.replace(",5069,", ",6000,"), as_of=OLD)

    (line,) = run.report["lines"]["set_aside"]
    assert "a newer list has a row with this key, 6000, which is waiting for review. Review that row first." in line
    assert not Identifier.objects.filter(scheme=Scheme.RSH, value="6000").exists()


def test_older_row_that_a_person_left_out_is_left_out(recoded: Doubt) -> None:
    answer_doubt(
        doubt=recoded, answer="leave_out", reason="A typing error.", author=make_world().dee, now=timezone.now()
    )

    run = import_list("providers", EARLIER.replace(",5069,", ",6000,"), as_of=OLD)

    assert run.created == 1
    assert run.set_aside == 0
    assert not Identifier.objects.filter(scheme=Scheme.RSH, value="6000").exists()


def test_older_list_of_councils_changes_no_council() -> None:
    import_list("councils", COUNCILS, as_of=NEW)
    before = list(Organisation.objects.order_by("pk").values())

    run = import_list("councils", COUNCILS.replace("Mere Council", "Mere Unitary"), as_of=OLD)

    assert list(Organisation.objects.order_by("pk").values()) == before
    assert run.report["lines"]["changed"] == ["Mere Council: was “Mere Unitary” on 4 October 2017"]


def test_older_list_takes_national_parks_without_ending_them() -> None:
    import_list("councils", COUNCILS, as_of=NEW)

    run = import_list("councils", WITH_PARK, as_of=OLD, take_others=True)
    again = import_list("councils", WITH_PARK, as_of=OLD, take_others=True)

    park = Organisation.objects.get(kind="national_park")
    assert park.status == Status.ACTIVE
    assert park.valid_to is None
    assert run.set_aside == 0
    assert again.created == 0
