"""Facilitators see what is stuck, and nothing that they may not read."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, PartyStatus
from partnerships.commitments.models import Commitment
from partnerships.conversations import services
from partnerships.conversations.models import Facilitator, Report
from partnerships.conversations.queries.facilitating import partnerships_watched_by
from partnerships.exchange.models import Audience, Entry
from partnerships.people.models import User
from tests.commitments.promises import agree
from tests.conversations.reports import the_report
from tests.conversations.talks import days_ago
from tests.exchange.conftest import shared_entry
from tests.support.signing_in import signed_in
from tests.world import World


def named_facilitator(world: World, person: User, organisation: object) -> Facilitator:
    """Return the person as a facilitator whom Amina has named."""
    return services.name_facilitator(
        partnership=world.partnership, organisation=organisation, person=person, author=world.amina, now=timezone.now()
    )


def accepted_facilitator(world: World) -> Facilitator:
    """Return Chidi as a facilitator; Tidewater takes part only because of the role."""
    facilitator = named_facilitator(world, world.chidi, world.tidewater)
    services.accept_facilitation(facilitator=facilitator, author=world.chidi, now=timezone.now())
    return facilitator


def test_lead_names_a_facilitator_by_address_on_the_page(world: World) -> None:
    address = reverse("conversations:facilitator-name", args=[world.partnership.pk])

    response = signed_in(world.amina).post(address, {"email": world.chidi.email}, follow=True)

    assert "Chidi Tide has been named" in response.content.decode()
    assert Facilitator.objects.get().organisation == world.tidewater


def test_facilitator_from_outside_reads_as_an_observer_until_the_end(world: World) -> None:
    facilitator = accepted_facilitator(world)
    party = world.partnership.parties.get(organisation=world.tidewater)
    partnerships_read = Partnership.objects.readable_today_by(world.chidi).filter(pk=world.partnership.pk)
    role_before, could_read_before = party.role, partnerships_read.exists()

    services.end_facilitation(facilitator=facilitator, reason="Done.", author=world.amina, now=timezone.now())

    party.refresh_from_db()
    assert role_before == "observer"
    assert could_read_before
    assert party.status == PartyStatus.LEFT
    assert not partnerships_read.exists()
    assert world.partnership not in partnerships_watched_by(world.chidi)


def test_organisation_that_took_part_before_stays(world: World) -> None:
    facilitator = named_facilitator(world, world.ben, world.westmarch)

    services.end_facilitation(facilitator=facilitator, reason="Done.", author=world.ben, now=timezone.now())

    assert world.party(world.westmarch).status == PartyStatus.ACCEPTED


def test_person_of_another_organisation_cannot_be_named(world: World) -> None:
    with pytest.raises(services.UnableToNameFacilitator, match="does not act"):
        named_facilitator(world, world.chidi, world.westmarch)


def test_list_shows_what_is_stuck_and_who_must_act(world: World) -> None:
    report = the_report(world)
    Report.objects.filter(pk=report.pk).update(due_on=days_ago(3), ends_on=days_ago(20), starts_on=days_ago(50))
    commitment = agree(world)
    Commitment.objects.filter(pk=commitment.pk).update(due_on=days_ago(4))
    entry = shared_entry(
        world.larkhaven, world.amina, timezone.now(), audience=Audience.PARTNERSHIP, partnership=world.partnership
    )
    Entry.objects.filter(pk=entry.pk).update(shared_at=timezone.now() - dt.timedelta(days=30))
    accepted_facilitator(world)

    html = signed_in(world.chidi).get(reverse("conversations:stuck")).content.decode()

    for words in ("No answer to an ask", entry.title, "Overdue commitment", commitment.reference, "report overdue"):
        assert words in html


def test_viewer_of_a_party_has_no_list(world: World) -> None:
    commitment = agree(world)
    Commitment.objects.filter(pk=commitment.pk).update(due_on=days_ago(4))

    html = signed_in(world.vera).get(reverse("conversations:stuck")).content.decode()

    assert commitment.reference not in html
