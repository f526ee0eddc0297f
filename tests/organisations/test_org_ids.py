"""Identifiers name the body that allocated them, and are written as org-id.guide writes them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Identifier, Scheme
from partnerships.organisations.services import add_identifier, create_organisation
from tests.support.moments import today, tomorrow
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "scheme", "number", "org_id"),
    [
        ("registered_provider", Scheme.RSH, "L4567", "GB-SHPE-L4567"),
        ("registered_provider", Scheme.MUTUALS, "IP031455", "GB-MPR-IP031455"),
        ("developer", Scheme.COMPANY, "09876543", "GB-COH-09876543"),
        ("charity", Scheme.CHARITY, "1123456", "GB-CHC-1123456"),
        ("nhs", Scheme.ODS, "RXX", "GB-NHS-RXX"),
        ("council", Scheme.LOCAL_AUTHORITY, "XWM", "GB-LAE-XWM"),
        ("strategic_authority", Scheme.LOCAL_AUTHORITY, "XCA", ""),
        ("lep", Scheme.LEP, "E37000001", ""),
        ("council", Scheme.GSS, "E07000087", ""),
    ],
)
def test_an_identifier_is_written_as_org_id_guide_does(kind: str, scheme: str, number: str, org_id: str) -> None:
    body = create_organisation(name="Body", kind=kind, author=None, now=timezone.now(), identifiers=[(scheme, number)])

    identifier = body.identifiers.get()

    assert identifier.org_id == org_id


@pytest.fixture
def number_of_larkhaven(world: World) -> Identifier:
    """Return 7654R, Larkhaven's number in the register of mutual societies."""
    return add_identifier(
        organisation=world.larkhaven, scheme=Scheme.MUTUALS, value="7654R", author=None, now=timezone.now()
    )


@pytest.mark.usefixtures("number_of_larkhaven")
def test_the_page_shows_who_allocated_a_number(world: World) -> None:
    page = signed_in(world.amina).get(world.larkhaven.get_absolute_url()).content.decode()

    assert "Financial Conduct Authority" in page
    assert "GB-MPR-7654R" in page


@pytest.mark.usefixtures("number_of_larkhaven")
def test_administrators_see_org_ids_before_they_merge_records(world: World) -> None:
    address = reverse("organisations:merge", args=[world.larkhaven.pk, world.harbour.pk])

    page = signed_in(world.dee).get(address).content.decode()

    assert "org-id GB-MPR-7654R" in page


@pytest.mark.usefixtures("number_of_larkhaven")
def test_suggestions_have_org_ids_and_are_found_by_them(world: World) -> None:
    response = signed_in(world.amina).get(reverse("organisations:suggest"), {"q": "gb-mpr-7654r"})

    [suggestion] = response.json()["results"]
    assert suggestion["name"] == "Larkhaven Homes"
    assert suggestion["org_ids"] == ["GB-MPR-7654R"]


def test_an_identifier_valid_today_has_an_org_id(world: World, number_of_larkhaven: Identifier) -> None:
    number_of_larkhaven.valid_from = today() - dt.timedelta(9)
    number_of_larkhaven.valid_to = today() + dt.timedelta(9)
    number_of_larkhaven.save()

    org_ids = world.larkhaven.org_ids

    assert org_ids == ["GB-MPR-7654R"]


def test_an_identifier_valid_from_tomorrow_has_no_org_id(world: World, number_of_larkhaven: Identifier) -> None:
    number_of_larkhaven.valid_from = tomorrow()
    number_of_larkhaven.save()

    org_ids = world.larkhaven.org_ids

    assert org_ids == []


def test_an_identifier_that_ends_today_has_no_org_id(world: World, number_of_larkhaven: Identifier) -> None:
    number_of_larkhaven.valid_to = today()
    number_of_larkhaven.save()

    org_ids = world.larkhaven.org_ids

    assert org_ids == []


def test_an_invented_number_has_no_org_id(world: World) -> None:
    body = create_organisation(
        name="Invented",
        kind="registered_provider",
        author=None,
        now=timezone.now(),
        identifiers=[(Scheme.RSH, "LX1")],
        is_demonstration=True,
    )

    number = body.identifiers.get()

    assert number.org_id == ""
    assert number.allocator == ""
