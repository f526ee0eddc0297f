"""A summary of notices can be stopped with one click, and started again."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import InboxItem, NoticeDelivery, Subscription
from partnerships.digests.queries.ways import ways_of
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice, play, text_of
from tests.support.crawling import forms_of
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture(autouse=True)
def usual_ways(settings: Any) -> None:
    """Send summaries to people who chose nothing, as the default setting does."""
    settings.NOTICES_AT_ONCE = False


def choose(person: User, **ways: str) -> None:
    """Choose how a person gets notices, by group."""
    services.choose_ways(person=person, ways=ways, author=person, now=timezone.now())


def summary(person: User, office: PostOffice) -> Any:
    """Return the newest email to a person, after the hour of their summary."""
    play(office, now=timezone.now() + dt.timedelta(days=5))
    return office.to(person)[-1]


@pytest.mark.parametrize("data", [{}, {"all": "yes"}], ids=["one click", "everything"])
def test_undoing_a_stop_brings_the_summary_back(world: World, office: PostOffice, data: dict[str, str]) -> None:
    propose(world)
    email = summary(world.ben, office)
    propose(world, text="Ten flats at Mill Lane for key workers.")
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(email))
    ways_before = ways_of(world.ben)
    page = Client().post(stop, data)
    assert ways_of(world.ben)["commitments"] == NoticeDelivery.INBOX
    assert not InboxItem.objects.for_summary().filter(person=world.ben).exists()

    [undo] = [form for form in forms_of(page.content) if "undo" in form.fields]
    Client().post(stop, undo.fields)

    assert ways_of(world.ben) == ways_before
    assert "Ten flats at Mill Lane" in text_of(summary(world.ben, office))


def test_stopping_all_digests_stops_the_whole_summary(world: World, office: PostOffice) -> None:
    propose(world)
    choose(world.ben, meetings=NoticeDelivery.OFF, mentions=NoticeDelivery.AT_ONCE)
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(summary(world.ben, office)))

    html = Client().post(stop, {"all": "yes"}).content.decode()

    ways = ways_of(world.ben)
    assert NoticeDelivery.SUMMARY not in ways.values()
    assert ways["asks"] == NoticeDelivery.INBOX
    assert ways["meetings"] == NoticeDelivery.OFF
    assert ways["mentions"] == NoticeDelivery.AT_ONCE
    assert "You can still read the notices from your summary in your inbox." in html


def test_one_click_on_a_summary_whose_notices_are_forgotten_stops_the_summary_alone(
    world: World, plan: Plan, office: PostOffice
) -> None:
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    propose(world)
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(summary(world.ben, office)))
    InboxItem.objects.filter(person=world.ben).delete()  # as retention does after a year

    Client().post(stop, {})

    assert NoticeDelivery.SUMMARY not in ways_of(world.ben).values()
    assert Subscription.objects.confirmed().filter(person=world.ben).exists()


def test_an_undo_leaves_a_way_that_was_chosen_since(world: World, office: PostOffice) -> None:
    propose(world)
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(summary(world.ben, office)))
    [undo] = [form for form in forms_of(Client().post(stop, {"all": "yes"}).content) if "undo" in form.fields]
    choose(world.ben, commitments=NoticeDelivery.OFF)

    Client().post(stop, undo.fields)

    ways = ways_of(world.ben)
    assert ways["commitments"] == NoticeDelivery.OFF
    assert ways["asks"] == NoticeDelivery.SUMMARY


def test_an_undo_that_is_sent_again_changes_nothing(world: World, office: PostOffice) -> None:
    propose(world)
    [stop] = re.findall(r"Stop these emails: http://[^/\s]+(\S+)", text_of(summary(world.ben, office)))
    [undo] = [form for form in forms_of(Client().post(stop, {"all": "yes"}).content) if "undo" in form.fields]
    Client().post(stop, undo.fields)
    choose(world.ben, commitments=NoticeDelivery.INBOX)

    Client().post(stop, undo.fields)

    ways = ways_of(world.ben)
    assert ways["commitments"] == NoticeDelivery.INBOX
    assert ways["asks"] == NoticeDelivery.SUMMARY


def test_the_page_after_a_stop_says_that_the_summary_still_comes(world: World) -> None:
    subscription = services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    form_data = {"chosen": "yes", "what": f"subscription-{subscription.pk}"}

    html = signed_in(world.ben).post(reverse("digests:stop-all"), form_data).content.decode()

    assert "You will still get a summary of your notices." in html
    assert "You will not get any more digests." not in html


def test_the_page_after_a_stop_says_whether_new_matches_still_come(world: World, settings: Any) -> None:
    settings.NOTICES_AT_ONCE = True
    subscription = services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    ben = signed_in(world.ben)
    address = reverse("digests:stop-all")

    page_after_subscription = ben.post(
        address, {"chosen": "yes", "what": f"subscription-{subscription.pk}"}
    ).content.decode()
    page_after_matches = ben.post(address, {"chosen": "yes", "what": "matches"}).content.decode()

    assert "You will still get digests about new matches of your organisation." in collapse(page_after_subscription)
    assert "no more digests" not in collapse(page_after_subscription)
    assert "You will not get any more digests." in collapse(page_after_matches)
