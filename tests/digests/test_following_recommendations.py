"""Followers of a recommendation are told what they may see; stakeholders cannot follow one."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.digests.services import UnableToSubscribe, add_stakeholder, subscribe
from partnerships.people.models import User
from tests.digests.conftest import PostOffice, play, text_of
from tests.recommendations.reports import answer_recommendation, make_recommendation, proposed
from tests.world import World

pytestmark = pytest.mark.django_db


def words_of_only_email(office: PostOffice, person: User) -> str:
    """Return the text of the only email that a person received, in lower case and on one line."""
    (message,) = office.to(person)
    return " ".join(text_of(message).lower().split())


def test_followers_are_told_what_they_may_see(world: World, office: PostOffice) -> None:
    recommendation = make_recommendation(world)
    for person in (world.chidi, world.ben):
        subscribe(person=person, target=recommendation, author=person, now=timezone.now())

    answer_recommendation(recommendation, world.larkhaven, world.eddie, "done")
    proposed(world, recommendation)
    play(office)

    chidis_email = words_of_only_email(office, world.chidi)
    assert "now done" in chidis_email
    assert "proposed to adopt" not in chidis_email
    bens_email = words_of_only_email(office, world.ben)
    assert "proposed to adopt" in bens_email
    assert recommendation.title.lower() in bens_email


def test_stakeholders_cannot_be_asked_to_follow_a_recommendation(world: World) -> None:
    with pytest.raises(UnableToSubscribe, match="account"):
        add_stakeholder(
            email="kit@example.org",
            name="Kit",
            target=make_recommendation(world),
            author=world.amina,
            organisation=world.larkhaven,
            now=timezone.now(),
        )
