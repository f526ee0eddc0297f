"""The directory finds organisations and their successors, and shows details only to those who may see them."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.lineage import successors_on
from partnerships.organisations.models import Area, AreaKind, Identifier, Kind, NameKind, Organisation, Scheme
from partnerships.organisations.queries import find_organisations
from partnerships.organisations.services import (
    UnableToAddIdentifier,
    UnableToCreateOrganisation,
    UnableToRecordSuccession,
    add_identifier,
    add_name,
    create_organisation,
    serve_area,
    update_organisation,
)
from tests.organisations.handing_over import create_council
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.world import World


@pytest.mark.parametrize("text", ["KING'S", "kings lynn and", "Lynn & West", "LHA-Former", "45ub", "linn and west"])
def test_search_finds_an_organisation_by_part_of_any_name_or_identifier(world: World, text: str) -> None:
    organisation = create_organisation(
        name="King’s Lynn & West Norfolk Council",
        kind=Kind.COUNCIL,
        identifiers=[(Scheme.RSH, "45UB")],
        names=[("LHA Former", NameKind.FORMER)],
        author=None,
        now=timezone.now(),
    )

    found_organisations = find_organisations(user=world.vera, text=text)

    assert organisation in found_organisations


def test_search_words_must_all_occur_in_the_same_name(world: World) -> None:
    organisation_with_two_names = create_council("Northmere Council")
    add_name(
        organisation=organisation_with_two_names,
        name="Southmere Board",
        kind=NameKind.FORMER,
        author=None,
        now=timezone.now(),
    )
    organisation_with_both_words = create_council("Northmere Board")

    found_organisations = find_organisations(user=world.vera, text="Northmere Board")

    assert list(found_organisations) == [organisation_with_both_words]


def test_search_finds_a_similar_name(world: World) -> None:
    found_organisations = find_organisations(user=world.vera, text="Larkhavne")

    assert list(found_organisations) == [world.larkhaven]


def test_an_email_address_does_not_find_similar_names(world: World) -> None:
    found_organisations = find_organisations(user=world.vera, text="larkhavne@larkhaven")

    assert not found_organisations.exists()


@pytest.fixture
def south_east(world: World) -> Area:
    """Return the region of Fareham, which Larkhaven serves."""
    region = Area.objects.create(code="E12000008", name="South East", kind=AreaKind.REGION)
    world.fareham.region = region
    world.fareham.save()
    serve_area(organisation=world.larkhaven, area=world.fareham, author=None, now=timezone.now())
    return region


def test_an_organisation_is_found_by_the_region_of_an_area_that_it_serves(world: World, south_east: Area) -> None:
    found_organisations = find_organisations(user=world.vera, region=south_east)

    assert list(found_organisations) == [world.larkhaven]


@pytest.mark.usefixtures("south_east")
def test_an_organisation_is_not_found_by_an_area_that_it_does_not_serve(world: World) -> None:
    found_organisations = find_organisations(user=world.vera, area=world.gosport)

    assert not found_organisations.exists()


def test_an_identifier_cannot_be_added_to_a_second_organisation(world: World) -> None:
    add_identifier(organisation=world.larkhaven, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())

    with pytest.raises(UnableToAddIdentifier, match="Larkhaven"):
        add_identifier(organisation=world.westmarch, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())

    assert Identifier.objects.filter(value="5069").count() == 1


def test_an_organisation_cannot_be_created_with_the_identifier_of_another(world: World) -> None:
    add_identifier(organisation=world.larkhaven, scheme=Scheme.RSH, value="5069", author=None, now=timezone.now())

    with pytest.raises(UnableToCreateOrganisation, match="Larkhaven"):
        create_organisation(
            name="Another", kind=Kind.CHARITY, identifiers=[(Scheme.RSH, "5069")], author=None, now=timezone.now()
        )

    assert Identifier.objects.filter(value="5069").count() == 1
    assert not Organisation.objects.filter(name="Another").exists()


def test_search_finds_a_renamed_organisation_by_its_former_name(world: World) -> None:
    update_organisation(organisation=world.larkhaven, name="Skylark Homes", author=world.dee, now=timezone.now())

    found_organisations = find_organisations(user=world.vera, text="larkhaven")

    assert list(found_organisations) == [world.larkhaven]
    assert world.larkhaven.names.get(name="Larkhaven Homes").kind == NameKind.FORMER


@pytest.fixture
def divided_county(db: None) -> Organisation:
    """Return a county that was divided into East and West in 2009; Coast followed East in 2023."""
    county = create_council("County")
    east = create_council("East")
    follow([county], [east, create_council("West")], kind="split", on=dt.date(2009, 4, 1))
    follow([east], [create_council("Coast")], on=dt.date(2023, 4, 1))
    return county


def test_direct_successors_are_not_the_successors_of_successors(divided_county: Organisation) -> None:
    successors = successors_on(divided_county)

    assert [successor.name for successor in successors] == ["East", "West"]


def test_a_body_has_no_successors_before_its_succession(divided_county: Organisation) -> None:
    successors = successors_on(divided_county, dt.date(2008, 1, 1))

    assert successors == []


def test_recording_the_same_succession_twice_makes_one_row(world: World) -> None:
    first_succession = follow([world.larkhaven], [world.tidewater], on=dt.date(2020, 4, 1))

    second_succession = follow([world.larkhaven], [world.tidewater], on=dt.date(2020, 4, 1))

    assert first_succession == second_succession


def test_an_organisation_cannot_follow_itself_in_a_merger(world: World) -> None:
    with pytest.raises(UnableToRecordSuccession, match="cannot follow itself"):
        follow([world.larkhaven], [world.larkhaven])


def test_partners_see_their_partnership_on_an_organisations_page(world: World) -> None:
    page = signed_in(world.ben).get(world.larkhaven.get_absolute_url()).content.decode()

    assert "Estuary Partnership" in page


def test_strangers_see_no_partnership_on_an_organisations_page(world: World) -> None:
    page = signed_in(world.chidi).get(world.larkhaven.get_absolute_url()).content.decode()

    assert "Larkhaven Homes" in page
    assert "Estuary Partnership" not in page


def test_an_organisations_own_people_see_the_email_addresses_of_colleagues(world: World) -> None:
    address = reverse("organisations:people", kwargs={"pk": world.larkhaven.pk})

    page = signed_in(world.vera).get(address).content.decode()

    assert "eddie@larkhaven.example" in page


def test_strangers_do_not_see_the_email_addresses_of_an_organisations_people(world: World) -> None:
    address = reverse("organisations:people", kwargs={"pk": world.larkhaven.pk})

    page = signed_in(world.chidi).get(address).content.decode()

    assert "Eddie Larch" in page
    assert "eddie@larkhaven.example" not in page


def test_pages_of_the_list_neither_skip_nor_repeat_organisations(world: World) -> None:
    for _ in range(60):
        create_council("Northmere Council")  # equal names, so that the order depends on more than the name

    listed_ids = ids_on_all_pages(world)

    assert sorted(listed_ids) == sorted(Organisation.objects.current().values_list("pk", flat=True))


def ids_on_all_pages(world: World) -> list[int]:
    """Return the ids on all pages of the list, in order, following the links to the next page."""
    client = signed_in(world.vera)
    listed_ids: list[int] = []
    query = "?"
    while query:
        page = client.get(reverse("organisations:list") + query).context["page"]
        listed_ids += [row.pk for row in page.rows]
        query = page.next
    return listed_ids


@pytest.mark.parametrize(
    "query", ["?after=%00", "?after=W10", "?before=WzEsMl0", "?region=x", "?area=999999", "?q=%25_"]
)
def test_invalid_filters_do_not_break_the_list(world: World, query: str) -> None:
    response = signed_in(world.vera).get(reverse("organisations:list") + query)

    assert response.status_code in {200, 422}
