"""Matches and introductions are shown, dismissed and made on their pages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from tests.exchange.conftest import new_commitment_url, shared_entry
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


def test_editors_find_links_to_make_a_commitment_of_a_match(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    services.match_due_entries(now=now)
    match = ask.matches_as_ask.get()

    pages = page_text(world.eddie, "entry-matches", pk=ask.pk) + page_text(world.eddie, "matches")

    assert pages.count(new_commitment_url(f"match-{match.pk}")) == 2
    # The two organisations already work together, so they need no introduction.
    assert "Suggest an introduction" not in pages


def test_editors_find_a_link_to_make_a_commitment_of_an_entry(ask: Entry, world: World) -> None:
    assert new_commitment_url(f"entry-{ask.pk}") in page_text(world.eddie, "detail", pk=ask.pk)


def test_viewers_find_no_links_to_make_a_commitment(ask: Entry, offer: Entry, world: World, now: dt.datetime) -> None:
    services.match_due_entries(now=now)
    match = ask.matches_as_ask.get()

    assert new_commitment_url(f"match-{match.pk}") not in page_text(world.vera, "matches")
    assert "?from=" not in page_text(world.vera, "detail", pk=ask.pk)


def test_the_form_for_a_commitment_begins_with_the_values_of_the_match(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    services.match_due_entries(now=now)
    match = ask.matches_as_ask.get()

    form = signed_in(world.eddie).get(new_commitment_url(f"match-{match.pk}")).context["form"]

    assert form["giver"].value() == world.westmarch.pk
    assert form["receiver"].value() == world.larkhaven.pk
    assert form["quantity"].value() == "40"


def test_partners_are_offered_no_introduction_whatever_the_stored_reasons_say(
    ask: Entry, offer: Entry, world: World, now: dt.datetime
) -> None:
    services.match_due_entries(now=now)
    Match.objects.update(reasons=["same theme"])

    text = page_text(world.eddie, "matches")

    assert offer.title in text
    assert "Suggest an introduction" not in text


def introduce(person: User, organisation: Organisation, ask: Entry, offer: Entry) -> int:
    """Suggest an introduction for an organisation, with a message, and return the status of the response."""
    response = signed_in(person).post(
        reverse("exchange:introduce", args=[ask.pk, offer.pk]),
        {"organisation": organisation.pk, "text": "CANARY: they have been looking for a year."},
    )
    return response.status_code


def test_an_introduction_is_emailed_once_to_both_organisations(ask: Entry, offer: Entry, world: World) -> None:
    first_status = introduce(world.eddie, world.larkhaven, ask, offer)
    second_status = introduce(world.amina, world.larkhaven, ask, offer)

    emails = deliver()
    assert (first_status, second_status) == (302, 422)
    assert sorted(email.to[0] for email in emails) == ["amina@larkhaven.example", "ben@westmarch.example"]
    assert not any("CANARY" in email.body for email in emails)


def test_both_organisations_read_the_message_of_an_introduction(ask: Entry, offer: Entry, world: World) -> None:
    introduce(world.eddie, world.larkhaven, ask, offer)

    for person in (world.amina, world.ben):
        for entry, counterpart in ((ask, offer), (offer, ask)):
            html = page_text(person, "detail", pk=entry.pk)
            assert "CANARY" in html
            assert counterpart.title in html
            assert "uggested an introduction" in html


def test_a_third_organisation_can_introduce_two_others(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    offer = shared_entry(world.westmarch, world.ben, now, title="A site", direction=Direction.OFFER)
    page_before = page_text(world.chidi, "entry-matches", pk=ask.pk)

    status = introduce(world.chidi, world.tidewater, ask, offer)

    assert reverse("exchange:introduce", args=[ask.pk, offer.pk]) in page_before
    assert status == 302
    # Hana, who belongs to none of the three organisations, cannot read the message.
    assert "CANARY" in page_text(world.ben, "detail", pk=ask.pk)
    assert "CANARY" in page_text(world.chidi, "detail", pk=ask.pk)
    assert "CANARY" not in page_text(world.hana, "detail", pk=ask.pk)


def test_an_offer_that_the_other_organisation_cannot_read_is_not_introduced(world: World, now: dt.datetime) -> None:
    ask = shared_entry(world.larkhaven, world.amina, now)
    hidden_offer = shared_entry(
        world.westmarch,
        world.ben,
        now,
        title="Quietly",
        direction=Direction.OFFER,
        audience=Audience.NAMED,
        addressees=[world.tidewater],
    )

    status = introduce(world.chidi, world.tidewater, ask, hidden_offer)

    assert status == 422
    assert not any("Quietly" in email.body for email in deliver())
