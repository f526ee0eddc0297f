"""Tests that followers of a recommendation are told what they may see; stakeholders cannot follow one."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.digests.services import UnableToSubscribe, add_stakeholder, subscribe
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, play, text_of
from tests.recommendations.reports import proposed, recommended, says
from tests.world import World

pytestmark = pytest.mark.django_db


def words_of_only_email(office: PostOffice, person: User) -> str:
    """The text of the one email that a person got, in lower case and on one line."""
    (message,) = office.to(person)
    return " ".join(text_of(message).lower().split())


def test_followers_are_told_what_they_may_see(world: World, office: PostOffice) -> None:
    made = recommended(world)
    for person in (world.chidi, world.ben):
        subscribe(person=person, target=made, author=person, now=timezone.now())

    says(made, world.larkhaven, world.eddie, "done")
    proposed(world, made)
    play(office)

    told_chidi = words_of_only_email(office, world.chidi)
    assert "now done" in told_chidi
    assert "proposed to adopt" not in told_chidi
    told_ben = words_of_only_email(office, world.ben)
    assert "proposed to adopt" in told_ben
    assert made.title.lower() in told_ben


def test_stakeholders_cannot_be_asked_to_follow_a_recommendation(world: World) -> None:
    with pytest.raises(UnableToSubscribe, match="account"):
        add_stakeholder(
            email="kit@example.org",
            name="Kit",
            target=recommended(world),
            author=world.amina,
            organisation=world.larkhaven,
            now=timezone.now(),
        )
