"""Matches and introductions are shown, dismissed and made on their pages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match
from partnerships.people.models import User
from tests.exchange.conftest import shared_entry
from tests.exchange.test_pages import page_text
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def offer(world: World, now: dt.datetime) -> Entry:
    """Return an offer from Westmarch to the partnership that matches the ask."""
    return shared_entry(
        world.westmarch,
        world.ben,
        now,
        direction=Direction.OFFER,
        title="A level site for modular homes",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
        quantity=40,
    )


def test_pages_offer_no_link_that_a_viewer_or_editor_may_not_open(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    services.match_due_entries(now=now)
    addresses = [
        *(reverse(f"exchange:{name}") for name in ("board", "list", "ours", "matches")),
        ask.get_absolute_url(),
        offer.get_absolute_url(),
        reverse("exchange:entry-matches", args=[ask.pk]),
        reverse("web:home"),
        reverse("web:partnership-plans", args=[world.partnership.pk]),
    ]

    def refused_links(person: User) -> set[str]:
        client = signed_in(person)
        pages = "".join(client.get(address).content.decode() for address in addresses)
        links = set(re.findall(r'href="(/(?:ask-and-offer|commitments|plans)/[^"?#]*)', pages))
        return {link for link in links if client.get(link).status_code == 403}

    assert refused_links(world.vera) == set()
    assert refused_links(world.eddie) == set()


def test_a_commitment_is_made_from_a_match_and_from_an_entry(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    services.match_due_entries(now=now)
    match = ask.matches_as_ask.get()

    text = page_text(world.eddie, "entry-matches", pk=ask.pk) + page_text(world.eddie, "matches")
    from_match, from_entry = (
        f"{reverse('commitments:new')}?from={origin}" for origin in (f"match-{match.pk}", f"entry-{ask.pk}")
    )
    assert text.count(from_match) == 2
    assert from_entry in page_text(world.eddie, "detail", pk=ask.pk)
    form = signed_in(world.eddie).get(from_match).context["form"]
    assert form["giver"].value() == world.westmarch.pk
    assert form["receiver"].value() == world.larkhaven.pk
    assert form["quantity"].value() == "40"
    assert from_match not in page_text(world.vera, "matches")
    # The two organisations already work together, so they need no introduction.
    assert "Suggest an introduction" not in text
    assert "?from=" not in page_text(world.vera, "detail", pk=ask.pk)


def test_partners_are_offered_no_introduction_whatever_the_stored_reasons_say(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    services.match_due_entries(now=now)
    Match.objects.update(reasons=["same theme"])

    text = page_text(world.eddie, "matches")

    assert offer.title in text
    assert "Suggest an introduction" not in text


def test_an_introduction_emails_both_organisations_once(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    address = reverse("exchange:introduce", args=[ask.pk, offer.pk])
    data = {"organisation": world.larkhaven.pk, "text": "CANARY: they have been looking for a year."}

    assert signed_in(world.eddie).post(address, data).status_code == 302
    assert signed_in(world.amina).post(address, data).status_code == 422

    assert sorted(email.to[0] for email in deliver()) == ["amina@larkhaven.example", "ben@westmarch.example"]
    assert not any("CANARY" in email.body for email in deliver())
    for person in (world.amina, world.ben):
        for entry, other in ((ask, offer), (offer, ask)):
            text = page_text(person, "detail", pk=entry.pk)
            assert "CANARY" in text
            assert other.title in text
            assert "uggested an introduction" in text


def test_a_third_organisation_introduces_only_two_that_can_read_each_other(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    offer = shared_entry(world.westmarch, world.ben, now, title="A site", direction=Direction.OFFER)
    hidden_offer = shared_entry(
        world.westmarch,
        world.ben,
        now,
        title="Quietly",
        direction=Direction.OFFER,
        audience=Audience.NAMED,
        addressees=[world.tidewater],
    )
    chidi = signed_in(world.chidi)

    assert reverse("exchange:introduce", args=[ask.pk, offer.pk]) in page_text(world.chidi, "entry-matches", pk=ask.pk)

    def introduce(other: Entry) -> int:
        address = reverse("exchange:introduce", args=[ask.pk, other.pk])
        return chidi.post(address, {"organisation": world.tidewater.pk, "text": "CANARY"}).status_code

    assert introduce(offer) == 302
    assert introduce(hidden_offer) == 422
    assert not any("Quietly" in email.body for email in deliver())
    assert "CANARY" in page_text(world.ben, "detail", pk=ask.pk)
    assert "CANARY" in page_text(world.chidi, "detail", pk=ask.pk)
    assert "CANARY" not in page_text(world.hana, "detail", pk=ask.pk)
