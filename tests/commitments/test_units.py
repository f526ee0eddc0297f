"""Administrators edit the units of quantities."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Unit
from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.proposing import UnableToPropose
from tests.world import World


def test_an_added_unit_is_offered_and_written_in_words(world: World, client: Client) -> None:
    unit = {"label": "beds", "one": "bed", "code": "beds", "position": "70", "active": "on"}
    client.force_login(world.dee)
    added = client.post(reverse("admin:commitments_unit_add"), unit)

    client.force_login(world.amina)
    form = client.get(reverse("exchange:new")).content.decode()

    assert added.status_code == 302
    assert '<option value="beds">beds</option>' in form
    assert quantity_words(Decimal(1), "beds") == "1 bed"
    assert quantity_words(Decimal(12), "beds") == "12 beds"


def test_a_reworded_unit_changes_quantities_in_words(db: None) -> None:
    unit = Unit.objects.get(code="posts")
    unit.label = "full-time jobs"
    unit.save()

    assert quantity_words(Decimal(3), "posts") == "3 full-time jobs"
    assert quantity_words(Decimal(1), "posts") == "1 full-time post"


def test_an_unknown_unit_is_refused(world: World) -> None:
    with pytest.raises(UnableToPropose, match="There is no unit"):
        services.propose_commitment(
            giver=world.westmarch,
            receiver=world.larkhaven,
            text="Land",
            quantity=Decimal(3),
            unit="acres",
            owner=world.ben,
            due_on=timezone.localdate() + dt.timedelta(days=30),
            partnership=None,
            author=world.ben,
            now=timezone.now(),
            came_from=None,
        )
