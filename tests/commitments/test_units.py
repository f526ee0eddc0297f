"""Administrators edit the units of quantities."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from partnerships.commitments.models import Unit
from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.proposing import UnableToPropose
from tests.commitments.promises import propose
from tests.support.signing_in import signed_in
from tests.world import World


@pytest.fixture
def beds(world: World) -> None:
    """Add the unit "beds" as Dee, an administrator, in Django admin."""
    unit = {"label": "beds", "one": "bed", "code": "beds", "position": "70", "active": "on"}
    assert signed_in(world.dee).post(reverse("admin:commitments_unit_add"), unit).status_code == 302


def test_added_unit_is_offered_in_forms(world: World, beds: None) -> None:
    form = signed_in(world.amina).get(reverse("exchange:new")).content.decode()

    assert '<option value="beds">beds</option>' in form


def test_quantity_with_an_added_unit_is_written_in_words(beds: None) -> None:
    assert quantity_words(Decimal(1), "beds") == "1 bed"
    assert quantity_words(Decimal(12), "beds") == "12 beds"


def test_new_label_of_a_unit_changes_quantities_in_words(db: None) -> None:
    unit = Unit.objects.get(code="posts")

    unit.label = "full-time jobs"
    unit.save()

    assert quantity_words(Decimal(3), "posts") == "3 full-time jobs"
    assert quantity_words(Decimal(1), "posts") == "1 full-time post"


def test_unknown_unit_is_refused(world: World) -> None:
    with pytest.raises(UnableToPropose, match="There is no unit"):
        propose(world, quantity=Decimal(3), unit="acres")
