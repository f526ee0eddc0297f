"""Records show the name that an organisation had on their day."""

from __future__ import annotations

import datetime as dt

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.commitments.services import end_commitment
from partnerships.exchange.models import Audience
from partnerships.exchange.services import withdraw_entry
from partnerships.organisations.models import Organisation, OrganisationName
from partnerships.organisations.naming import named_then, names_of
from partnerships.organisations.services import update_organisation
from partnerships.plans.services import create_plan
from partnerships.search.services import index_stale
from tests.commitments.promises import agree
from tests.conversations.gatherings import planned_meeting
from tests.conversations.talks import circulated
from tests.digests.conftest import publish
from tests.exchange.conftest import shared
from tests.world import World


def rename(organisation: Organisation, name: str, day: dt.date) -> None:
    update_organisation(organisation=organisation, name=name, named_from=day, author=None, now=timezone.now())


def test_a_name_is_that_of_its_day(world: World) -> None:
    rename(world.larkhaven, "Skylark Homes", dt.date(2020, 4, 1))
    rename(world.larkhaven, "Skylark Group", dt.date(2024, 4, 1))

    named = names_of([world.larkhaven.pk, world.tidewater.pk])

    days = [dt.date(2020, 3, 31), dt.date(2020, 4, 1), dt.date(2024, 3, 31), dt.date(2024, 4, 1)]
    assert [named[world.larkhaven.pk].on(day) for day in days] == [
        "Larkhaven Homes",
        "Skylark Homes",
        "Skylark Homes",
        "Skylark Group",
    ]
    assert named[world.tidewater.pk].on(days[0]) == world.tidewater.name


def test_a_former_short_name_is_no_official_one(world: World) -> None:
    for name in ("Lark", "Sky"):
        update_organisation(organisation=world.larkhaven, short_name=name, author=None, now=timezone.now())

    assert names_of([world.larkhaven.pk])[world.larkhaven.pk].former == ()


def test_the_history_shows_who_acted_under_the_name_of_that_day(world: World, client: Client) -> None:
    address = reverse("agreements:history", args=[world.partnership.pk])
    client.force_login(world.amina)
    acted = f"{world.amina.display_name}, Larkhaven Homes"
    before = client.get(address).content.decode().count(acted)

    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    after = client.get(address).content.decode()

    assert before > 0
    assert after.count(acted) == before


def test_the_database_gives_the_name_of_a_moment(world: World) -> None:
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))

    then = Organisation.objects.annotate(then=named_then("created_at", "pk", present="name"))

    assert then.get(pk=world.larkhaven.pk).then == "Larkhaven Homes"
    assert then.get(pk=world.tidewater.pk).then == world.tidewater.name
    assert OrganisationName.objects.filter(organisation=world.larkhaven, name="Larkhaven Homes").exists()


def text_of(client: Client, address: str) -> str:
    """What a page says, without line breaks."""
    return " ".join(strip_tags(client.get(address).content.decode()).split())


def test_a_conversation_and_a_meeting_name_their_sides_as_on_their_day(world: World, client: Client) -> None:
    record, meeting = circulated(world), planned_meeting(world)
    paper = reverse("conversations:agenda-paper", args=[meeting.pk])
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(90))
    client.force_login(world.ben)

    # The actions of the record are commitments of today.
    assert "record kept by Larkhaven Homes" in text_of(client, record.get_absolute_url())
    for address in (meeting.get_absolute_url(), paper):
        page = text_of(client, address)
        assert "Larkhaven Homes" in page, address
        assert "Skylark" not in page, address


def test_an_open_commitment_says_both_names_and_a_closed_one_that_of_its_day(world: World, client: Client) -> None:
    promise = agree(world)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    client.force_login(world.ben)

    assert "Larkhaven Homes (now Skylark Homes)" in text_of(client, promise.get_absolute_url())
    end_commitment(commitment=promise, reason="Over.", author=world.amina, now=timezone.now())
    page = text_of(client, promise.get_absolute_url())
    assert "Larkhaven Homes" in page
    assert "(now" not in page


def test_lists_name_organisations_as_on_the_day_of_each_record(world: World, client: Client) -> None:
    promise, record, meeting = agree(world), circulated(world), planned_meeting(world)
    partnership = {"pk": world.partnership.pk}
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(90))
    client.force_login(world.ben)

    for address in (reverse("commitments:list"), reverse("web:partnership-commitments", kwargs=partnership)):
        assert "Larkhaven Homes (now Skylark Homes)" in text_of(client, address), address
    for address in (
        reverse("conversations:list"),
        reverse("web:partnership-conversations", kwargs=partnership),
        reverse("conversations:meetings", kwargs=partnership),
    ):
        page = client.get(address)
        shown = " ".join(strip_tags(page.content.decode().partition("<main")[2]).split())
        assert record.subject in shown or meeting.title in shown, address
        assert "Larkhaven Homes" in shown, address
    end_commitment(commitment=promise, reason="Over.", author=world.amina, now=timezone.now())
    listed = text_of(client, reverse("commitments:list"))
    assert promise.reference in listed
    assert "Larkhaven Homes Westmarch" in listed


def test_search_finds_records_by_the_former_and_the_present_name_of_a_side(world: World, client: Client) -> None:
    promise, record, meeting = agree(world), circulated(world), planned_meeting(world)
    partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    entry = shared(world.larkhaven, world.amina, timezone.now(), closes_on=None, **partnership)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate())
    index_stale()
    client.force_login(world.ben)

    for words in ("Larkhaven", "Skylark"):
        page = client.get(f"{reverse('search:search')}?q={words}").content.decode()
        for one in (promise, record, meeting, entry):
            assert one.get_absolute_url() in page, (words, one)
        for name, one in (("commitments", promise), ("conversations", record)):
            listed = client.get(f"{reverse(f'{name}:list')}?words={words}").content.decode()
            assert one.get_absolute_url() in listed, (words, one)


def test_board_and_list_find_asks_by_the_former_and_the_present_name(world: World, client: Client) -> None:
    partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    entry = shared(world.larkhaven, world.amina, timezone.now(), closes_on=None, **partnership)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate())
    client.force_login(world.ben)

    for address in (reverse("exchange:board"), reverse("exchange:list")):
        found = {
            words: entry.get_absolute_url() in client.get(address, {"organisation": words}).content.decode()
            for words in ("larkhaven", "Skylark", "Westmarch")
        }
        assert found == {"larkhaven": True, "Skylark": True, "Westmarch": False}, address


def test_asks_on_pages_and_lists_name_organisations_as_on_their_day(world: World, client: Client) -> None:
    partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    entry = shared(world.larkhaven, world.amina, timezone.now(), closes_on=None, **partnership)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    client.force_login(world.ben)
    both = "Larkhaven Homes (now Skylark Homes)"

    for address in (
        entry.get_absolute_url(),
        reverse("exchange:board"),
        reverse("exchange:list"),
        reverse("exchange:list") + "?look=table",
        reverse("web:partnership-entries", args=[world.partnership.pk]),
        reverse("web:organisation-entries", args=[world.larkhaven.pk]),
    ):
        assert both in text_of(client, address), address
    assert both in client.get(reverse("exchange:export")).getvalue().decode()
    withdraw_entry(entry=entry, reason="Over.", author=world.amina, now=timezone.now())
    assert "(now" not in text_of(client, entry.get_absolute_url())


def test_plans_name_their_owners_as_on_the_day_of_the_version(world: World, client: Client) -> None:
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="network",
        author=world.amina,
        now=world.now,
    )
    for homes, now in ((40, world.now), (30, timezone.now())):
        publish(plan, homes, author=world.amina, now=now)
    rename(world.larkhaven, "Skylark Homes", timezone.localdate() + dt.timedelta(1))
    client.force_login(world.amina)

    for address in (
        plan.get_absolute_url(),
        reverse("plans:list"),
        reverse("web:organisation-plans", args=[world.larkhaven.pk]),
    ):
        assert "Larkhaven Homes (now Skylark Homes)" in text_of(client, address), address
    for address in (
        reverse("plans:version", args=[plan.pk, 1]),
        reverse("plans:paper", args=[plan.pk, 1]),
    ):
        before, _, after = client.get(address).content.decode().partition("<main")
        main = after or before
        assert "Larkhaven Homes" in main, address
        assert "(now Skylark" not in main, address


def test_search_by_name_shows_strangers_no_record(world: World, client: Client) -> None:
    promise, record, meeting = agree(world), circulated(world), planned_meeting(world)
    index_stale()
    client.force_login(world.chidi)

    page = client.get(f"{reverse('search:search')}?q=Larkhaven").content.decode()

    for one in (promise, record, meeting):
        assert one.get_absolute_url() not in page


def test_search_finds_an_organisation_by_the_names_that_its_records_show(world: World, client: Client) -> None:
    rename(world.larkhaven, "Skylark Homes", timezone.localdate())
    index_stale()
    client.force_login(world.amina)

    for words in ("Larkhaven", "Skylark"):
        page = text_of(client, f"{reverse('search:search')}?q={words}")
        assert "Skylark Homes" in page, words
