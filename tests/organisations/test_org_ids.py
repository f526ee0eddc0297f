"""Identifiers name the body that allocated them, and are written as org-id.guide writes them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.models import Identifier, Scheme
from partnerships.organisations.services import add_identifier, create_organisation
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("kind", "scheme", "value", "written"),
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
def test_an_identifier_is_written_as_org_id_guide_does(kind: str, scheme: str, value: str, written: str) -> None:
    body = create_organisation(name="Body", kind=kind, author=None, now=timezone.now(), identifiers=[(scheme, value)])

    assert Identifier.objects.select_related("organisation").get(organisation=body).org_id == written


def test_the_page_shows_who_allocated_a_number(world: World) -> None:
    add_identifier(organisation=world.larkhaven, scheme=Scheme.MUTUALS, value="7654R", author=None, now=timezone.now())
    client = signed_in(world.amina)

    page = client.get(world.larkhaven.get_absolute_url()).content.decode()

    assert "Financial Conduct Authority" in page
    assert "GB-MPR-7654R" in page


def test_administrators_see_org_ids_before_they_merge_records(world: World) -> None:
    add_identifier(organisation=world.larkhaven, scheme=Scheme.MUTUALS, value="7654R", author=None, now=timezone.now())
    client = signed_in(world.dee)

    page = client.get(reverse("organisations:merge", args=[world.larkhaven.pk, world.harbour.pk])).content.decode()

    assert "org-id GB-MPR-7654R" in page


def test_suggestions_have_org_ids_and_are_found_by_them(world: World) -> None:
    add_identifier(organisation=world.larkhaven, scheme=Scheme.MUTUALS, value="7654R", author=None, now=timezone.now())
    client = signed_in(world.amina)

    (suggestion,) = client.get(reverse("organisations:suggest"), {"q": "gb-mpr-7654r"}).json()["results"]

    assert suggestion["name"] == world.larkhaven.name
    assert suggestion["org_ids"] == ["GB-MPR-7654R"]


@pytest.mark.parametrize(("valid", "written"), [((-9, 9), True), ((1, None), False), ((-9, 0), False)])
def test_only_identifiers_valid_today_have_org_ids(world: World, valid: tuple[int, int | None], written: bool) -> None:
    valid_from, valid_to = (None if days is None else timezone.localdate() + dt.timedelta(days) for days in valid)
    add_identifier(
        organisation=world.larkhaven,
        scheme=Scheme.MUTUALS,
        value="7654R",
        valid_from=valid_from,
        valid_to=valid_to,
        author=None,
        now=timezone.now(),
    )

    assert ("GB-MPR-7654R" in world.larkhaven.org_ids) == written


def test_an_invented_number_has_no_org_id(world: World) -> None:
    body = create_organisation(
        name="Invented",
        kind="registered_provider",
        author=None,
        now=timezone.now(),
        identifiers=[(Scheme.RSH, "LX1")],
        is_demonstration=True,
    )
    number = Identifier.objects.select_related("organisation").get(organisation=body)

    assert number.org_id == ""
    assert number.allocator == ""
