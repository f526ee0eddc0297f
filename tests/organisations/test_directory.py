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
from tests.support.signing_in import signed_in
from tests.support.successions import follow
from tests.world import World


def council(name: str) -> Organisation:
    return create_organisation(name=name, kind=Kind.COUNCIL, author=None, now=timezone.now())


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

    assert organisation in find_organisations(user=world.vera, text=text)


def test_search_words_must_all_occur_in_the_same_name(world: World) -> None:
    organisation_with_two_names = council("Northmere Council")
    add_name(
        organisation=organisation_with_two_names,
        name="Southmere Board",
        kind=NameKind.FORMER,
        author=None,
        now=timezone.now(),
    )
    organisation_with_both_words = council("Northmere Board")

    assert list(find_organisations(user=world.vera, text="Northmere Board")) == [organisation_with_both_words]


def test_search_finds_a_similar_name(world: World) -> None:
    assert list(find_organisations(user=world.vera, text="Larkhavne")) == [world.larkhaven]


def test_an_email_address_does_not_find_similar_names(world: World) -> None:
    assert not find_organisations(user=world.vera, text="larkhavne@larkhaven").exists()


@pytest.fixture
def south_east(world: World) -> Area:
    """Return the region of Fareham, which Larkhaven serves."""
    region = Area.objects.create(code="E12000008", name="South East", kind=AreaKind.REGION)
    world.fareham.region = region
    world.fareham.save()
    serve_area(organisation=world.larkhaven, area=world.fareham, author=None, now=timezone.now())
    return region


def test_an_organisation_is_found_by_the_region_of_an_area_that_it_serves(world: World, south_east: Area) -> None:
    assert set(find_organisations(user=world.vera, region=south_east)) == {world.larkhaven}


@pytest.mark.usefixtures("south_east")
def test_an_organisation_is_not_found_by_an_area_that_it_does_not_serve(world: World) -> None:
    assert set(find_organisations(user=world.vera, area=world.gosport)) == set()


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

    assert list(find_organisations(user=world.vera, text="larkhaven")) == [world.larkhaven]
    assert world.larkhaven.names.get(name="Larkhaven Homes").kind == NameKind.FORMER


def test_direct_successors_are_those_by_a_day(world: World) -> None:
    county, east, west, coast = (council(name) for name in ("County", "East", "West", "Coast"))
    follow([county], [east, west], kind="split", on=dt.date(2009, 4, 1))
    follow([east], [coast], on=dt.date(2023, 4, 1))

    assert successors_on(county) == [east, west]
    assert successors_on(county, dt.date(2008, 1, 1)) == []


def test_recording_the_same_succession_twice_makes_one_row(world: World) -> None:
    first_succession = follow([world.larkhaven], [world.tidewater], on=dt.date(2020, 4, 1))

    second_succession = follow([world.larkhaven], [world.tidewater], on=dt.date(2020, 4, 1))

    assert first_succession == second_succession


def test_an_organisation_cannot_follow_itself_in_a_merger(world: World) -> None:
    with pytest.raises(UnableToRecordSuccession):
        follow([world.larkhaven], [world.larkhaven])


def test_only_partners_see_partnerships_on_an_organisations_page(world: World) -> None:
    address = reverse("organisations:detail", kwargs={"pk": world.larkhaven.pk})

    page_of_partner = signed_in(world.ben).get(address).content.decode()
    page_of_stranger = signed_in(world.chidi).get(address).content.decode()

    assert "Estuary Partnership" in page_of_partner
    assert "Estuary Partnership" not in page_of_stranger


def test_only_an_organisations_own_people_see_their_email_addresses(world: World) -> None:
    address = reverse("organisations:people", kwargs={"pk": world.larkhaven.pk})

    page_of_colleague = signed_in(world.vera).get(address).content.decode()
    page_of_stranger = signed_in(world.chidi).get(address).content.decode()

    assert world.eddie.email in page_of_colleague
    assert world.eddie.email not in page_of_stranger


def test_pages_of_the_list_neither_skip_nor_repeat_organisations(world: World) -> None:
    for number in range(60):
        council(f"Council {number % 7}")
    client = signed_in(world.vera)
    listed_ids: list[int] = []
    query = ""

    while True:
        page = client.get(reverse("organisations:list") + query).context["page"]
        listed_ids += [row.pk for row in page.rows]
        if not page.next:
            break
        query = page.next

    assert len(listed_ids) == len(set(listed_ids)) == Organisation.objects.current().count()


@pytest.mark.parametrize(
    "query", ["?after=%00", "?after=W10", "?before=WzEsMl0", "?region=x", "?area=999999", "?q=%25_"]
)
def test_invalid_filters_do_not_break_the_list(world: World, query: str) -> None:
    client = signed_in(world.vera)

    assert client.get(reverse("organisations:list") + query).status_code in {200, 422}
