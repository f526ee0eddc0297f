"""Matches and introductions are shown, dismissed and made on their pages."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.urls import reverse

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction, Entry, Match
from partnerships.organisations.models import Organisation
from partnerships.outbox.models import Email
from partnerships.people.models import User
from tests.exchange.conftest import new_commitment_url, shared_entry
from tests.exchange.pages import page_text
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


@pytest.fixture
def match(ask: Entry, offer: Entry, now: dt.datetime) -> Match:
    """Return the match of the ask and the offer."""
    services.match_due_entries(now=now)
    return ask.matches_as_ask.get()


@pytest.mark.usefixtures("match")
@pytest.mark.parametrize("name", ["vera", "eddie"], ids=["viewer", "editor"])
def test_pages_offer_no_link_that_a_viewer_or_editor_may_not_open(
    ask: Entry, offer: Entry, world: World, name: str
) -> None:
    client = signed_in(getattr(world, name))
    addresses = [
        *(reverse(f"exchange:{name}") for name in ("board", "list", "ours", "matches")),
        ask.get_absolute_url(),
        offer.get_absolute_url(),
        reverse("exchange:entry-matches", args=[ask.pk]),
        reverse("web:home"),
        reverse("web:partnership-plans", args=[world.partnership.pk]),
    ]
    pages = "".join(client.get(address).content.decode() for address in addresses)
    links = set(re.findall(r'href="(/(?:ask-and-offer|commitments|plans)/[^"?#]*)', pages))

    refused_links = {link for link in links if client.get(link).status_code == 403}

    assert links
    assert refused_links == set()


@pytest.mark.parametrize("name", ["entry-matches", "matches"])
def test_editors_find_a_link_to_make_a_commitment_of_a_match(ask: Entry, match: Match, world: World, name: str) -> None:
    kwargs = {"pk": ask.pk} if name == "entry-matches" else {}

    html = page_text(world.eddie, name, **kwargs)

    assert new_commitment_url(f"match-{match.pk}") in html
    # The two organisations already work together, so they need no introduction.
    assert "Suggest an introduction" not in html


def test_editors_find_a_link_to_make_a_commitment_of_an_entry(ask: Entry, world: World) -> None:
    html = page_text(world.eddie, "detail", pk=ask.pk)

    assert new_commitment_url(f"entry-{ask.pk}") in html


def test_viewers_find_no_link_to_make_a_commitment_of_a_match(match: Match, world: World) -> None:
    html = page_text(world.vera, "matches")

    assert new_commitment_url(f"match-{match.pk}") not in html


def test_viewers_find_no_link_to_make_a_commitment_of_an_entry(ask: Entry, world: World) -> None:
    html = page_text(world.vera, "detail", pk=ask.pk)

    assert "?from=" not in html


def test_the_form_for_a_commitment_begins_with_the_values_of_the_match(match: Match, world: World) -> None:
    form = signed_in(world.eddie).get(new_commitment_url(f"match-{match.pk}")).context["form"]

    assert form["giver"].value() == world.westmarch.pk
    assert form["receiver"].value() == world.larkhaven.pk
    assert form["quantity"].value() == "40"


@pytest.mark.usefixtures("match")
def test_partners_are_offered_no_introduction_whatever_the_stored_reasons_say(offer: Entry, world: World) -> None:
    Match.objects.update(reasons=["same theme"])

    html = page_text(world.eddie, "matches")

    assert offer.title in html
    assert "Suggest an introduction" not in html


def introduce(person: User, organisation: Organisation, ask: Entry, offer: Entry) -> int:
    """Suggest an introduction for an organisation, with a message, and return the status of the response."""
    response = signed_in(person).post(
        reverse("exchange:introduce", args=[ask.pk, offer.pk]),
        {"organisation": organisation.pk, "text": "CANARY: they have been looking for a year."},
    )
    return response.status_code


def test_an_introduction_is_emailed_to_both_organisations(ask: Entry, offer: Entry, world: World) -> None:
    status = introduce(world.eddie, world.larkhaven, ask, offer)

    emails = deliver()
    assert status == 302
    assert sorted(email.to[0] for email in emails) == ["amina@larkhaven.example", "ben@westmarch.example"]
    assert not any("CANARY" in email.body for email in emails)


def test_a_second_introduction_of_the_same_entries_is_refused(ask: Entry, offer: Entry, world: World) -> None:
    introduce(world.eddie, world.larkhaven, ask, offer)
    email_count = Email.objects.count()

    status = introduce(world.amina, world.larkhaven, ask, offer)

    assert status == 422
    assert Email.objects.count() == email_count


@pytest.mark.parametrize("name", ["amina", "ben"])
def test_both_organisations_read_the_introduction_on_the_ask(ask: Entry, offer: Entry, world: World, name: str) -> None:
    introduce(world.eddie, world.larkhaven, ask, offer)

    html = page_text(getattr(world, name), "detail", pk=ask.pk)

    assert "CANARY" in html
    assert offer.title in html
    assert re.search("[Ss]uggested an introduction", html)


@pytest.mark.parametrize("name", ["amina", "ben"])
def test_both_organisations_read_the_introduction_on_the_offer(
    ask: Entry, offer: Entry, world: World, name: str
) -> None:
    introduce(world.eddie, world.larkhaven, ask, offer)

    html = page_text(getattr(world, name), "detail", pk=offer.pk)

    assert "CANARY" in html
    assert ask.title in html
    assert re.search("[Ss]uggested an introduction", html)


@pytest.fixture
def ask_to_all(world: World, now: dt.datetime) -> Entry:
    """Return Larkhaven's ask to the network."""
    return shared_entry(world.larkhaven, world.amina, now)


@pytest.fixture
def offer_to_all(world: World, now: dt.datetime) -> Entry:
    """Return Westmarch's offer to the network."""
    return shared_entry(world.westmarch, world.ben, now, title="A site", direction=Direction.OFFER)


def test_a_third_organisation_finds_a_link_to_introduce_two_others(
    ask_to_all: Entry, offer_to_all: Entry, world: World
) -> None:
    html = page_text(world.chidi, "entry-matches", pk=ask_to_all.pk)

    assert reverse("exchange:introduce", args=[ask_to_all.pk, offer_to_all.pk]) in html


# Hana belongs to none of the three organisations.
@pytest.mark.parametrize(("name", "reads_message"), [("ben", True), ("chidi", True), ("hana", False)])
def test_only_the_three_organisations_read_the_message_of_an_introduction(
    ask_to_all: Entry, offer_to_all: Entry, world: World, name: str, reads_message: bool
) -> None:
    introduce(world.chidi, world.tidewater, ask_to_all, offer_to_all)

    html = page_text(getattr(world, name), "detail", pk=ask_to_all.pk)

    assert ("CANARY" in html) == reads_message


def test_an_offer_that_the_other_organisation_cannot_read_is_not_introduced(
    ask_to_all: Entry, world: World, now: dt.datetime
) -> None:
    hidden_offer = shared_entry(
        world.westmarch,
        world.ben,
        now,
        title="Quietly",
        direction=Direction.OFFER,
        audience=Audience.NAMED,
        addressees=[world.tidewater],
    )

    status = introduce(world.chidi, world.tidewater, ask_to_all, hidden_offer)

    assert status == 422
    assert not any("Quietly" in email.body for email in deliver())
