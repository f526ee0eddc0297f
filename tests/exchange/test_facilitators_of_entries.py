"""The facilitator of one ask or offer sees the entry on their list when it is stuck."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.stuck import stuck_records_facilitated_by
from partnerships.exchange.models import Audience, Entry, EntryFacilitator
from partnerships.exchange.services import UnableToFacilitate, end_entry_facilitator, name_entry_facilitator
from partnerships.organisations.models import Membership
from partnerships.organisations.services import end_membership
from partnerships.outbox.models import Email
from tests.exchange.conftest import shared_entry
from tests.support.signing_in import signed_in
from tests.world import World


def network_ask(world: World, days: int = 20) -> Entry:
    """Return Larkhaven's ask to the whole network, shared some days ago."""
    return shared_entry(
        world.larkhaven, world.amina, timezone.now() - dt.timedelta(days=days), title="Land for 30 homes"
    )


def named_facilitator(world: World, entry: Entry) -> EntryFacilitator:
    """Return Hana of Harbour as the facilitator that Amina has named for the entry."""
    return name_entry_facilitator(
        entry=entry, organisation=world.harbour, person=world.hana, author=world.amina, now=timezone.now()
    )


def test_person_named_as_facilitator_on_the_page_gets_an_email(world: World) -> None:
    page_url = reverse("exchange:name-facilitator", args=[network_ask(world).pk])

    response = signed_in(world.amina).post(page_url, {"email": world.hana.email})

    assert response.status_code == 302
    assert Email.objects.filter(kind="exchange.facilitator", person_id=world.hana.pk).count() == 1


def test_the_facilitator_of_an_ask_sees_that_it_is_stuck(world: World) -> None:
    named_facilitator(world, network_ask(world))

    html = signed_in(world.hana).get(reverse("conversations:stuck")).content.decode()

    assert "No answer to an ask" in html
    assert "Land for 30 homes" in html


def test_nobody_else_sees_that_an_ask_is_stuck(world: World) -> None:
    named_facilitator(world, network_ask(world))

    html = signed_in(world.chidi).get(reverse("conversations:stuck")).content.decode()

    assert "Land for 30 homes" not in html


def test_fresh_ask_is_not_stuck(world: World) -> None:
    named_facilitator(world, network_ask(world, days=3))

    assert stuck_records_facilitated_by(world.hana, timezone.now()) == []


def test_facilitator_must_be_able_to_read_the_ask(world: World) -> None:
    entry = shared_entry(
        world.larkhaven,
        world.amina,
        timezone.now(),
        title="Land for 40 homes",
        audience=Audience.PARTNERSHIP,
        partnership=world.partnership,
    )

    with pytest.raises(UnableToFacilitate, match="cannot read this"):
        named_facilitator(world, entry)


def test_ending_a_facilitation_needs_a_reason(world: World) -> None:
    facilitator = named_facilitator(world, network_ask(world))

    with pytest.raises(UnableToFacilitate, match="Enter why"):
        end_entry_facilitator(facilitator=facilitator, reason=" ", author=world.hana, now=timezone.now())


def test_a_facilitator_can_end_the_facilitation_on_its_page(world: World) -> None:
    facilitator = named_facilitator(world, network_ask(world))

    signed_in(world.hana).post(reverse("exchange:end-facilitator", args=[facilitator.pk]), {"reason": "No time."})

    facilitator.refresh_from_db()
    assert facilitator.ended_at is not None
    assert stuck_records_facilitated_by(world.hana, timezone.now()) == []


def test_facilitation_ends_with_the_membership_of_the_facilitator(world: World) -> None:
    facilitator = named_facilitator(world, network_ask(world))
    membership = Membership.objects.get(person=world.hana, ends_on=None)

    end_membership(membership=membership, reason="Moved.", author=None, now=timezone.now(), even_last_lead=True)

    facilitator.refresh_from_db()
    assert facilitator.ended_at is not None
    assert stuck_records_facilitated_by(world.hana, timezone.now()) == []
