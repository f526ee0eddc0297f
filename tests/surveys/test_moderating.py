"""Comments are read first by one person outside the parties, without scores or groups."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Role
from partnerships.people.retention import apply_retention
from partnerships.surveys import services
from partnerships.surveys.models import Comment, Round
from partnerships.surveys.queries.results import shown_comments
from partnerships.work.queries import waiting_for
from tests.support.signing_in import signed_in
from tests.surveys.asking import closed, moderator_of
from tests.world import World, join


def page_of(survey_round: Round) -> str:
    return reverse("surveys:moderate", args=[survey_round.pk])


def decide(survey_round: Round, client: Client, **changed: str) -> Any:
    """Send the form: every comment as it is, or with these words."""
    data = {f"words-{comment.pk}": comment.text for comment in survey_round.comments.all()}
    return client.post(page_of(survey_round), {**data, **changed})


def test_parties_read_comments_only_after_the_moderator_and_in_the_moderators_words(world: World) -> None:
    survey_round = closed(world)
    reader = signed_in(world.ben)
    assert "Meet before May." not in reader.get(survey_round.get_absolute_url()).content.decode()
    [first] = survey_round.comments.filter(text="Meet before May.")

    answer = decide(survey_round, signed_in(moderator_of(world)), **{f"words-{first.pk}": "Meet in spring."})

    assert answer.status_code == 302
    page = reader.get(survey_round.get_absolute_url()).content.decode()
    assert "Meet in spring." in page
    assert "Meet before May." not in page
    assert not Comment.objects.exclude(text="").exists()  # what was removed is nowhere


def test_reader_is_told_from_how_many_comments_on_the_parties_read_them(world: World) -> None:
    survey_round = closed(world)
    mo = signed_in(moderator_of(world))
    assert "If you show fewer than five for a question" in mo.get(page_of(survey_round)).content.decode()

    Round.objects.filter(pk=survey_round.pk).update(floor=10)

    assert "If you show fewer than ten for a question" in mo.get(page_of(survey_round)).content.decode()


def test_comments_wait_in_the_work_of_the_moderator_until_all_are_read(world: World) -> None:
    survey_round = closed(world)
    mo = moderator_of(world)

    [waits] = waiting_for(mo, timezone.now())
    page = signed_in(mo).get(reverse("web:my-work")).content.decode()
    decide(survey_round, signed_in(mo))

    assert (waits.what, waits.path) == ("Read the comments from this survey", page_of(survey_round))
    assert waits.title in page
    assert waiting_for(mo, timezone.now()) == []


def test_followers_hear_of_comments_only_if_some_are_shown(world: World) -> None:
    survey_round = closed(world)

    decide(
        survey_round,
        signed_in(moderator_of(world)),
        **{f"withhold-{comment.pk}": "on" for comment in survey_round.comments.all()},
    )

    assert not Event.objects.filter(kind="surveys.comments_published").exists()


def test_fewer_than_five_comments_that_may_be_shown_are_not_shown(world: World) -> None:
    survey_round = closed(world)
    [first] = survey_round.comments.filter(text="Meet before May.")

    decide(survey_round, signed_in(moderator_of(world)), **{f"withhold-{first.pk}": "on"})

    assert shown_comments(survey_round) == {}


def test_moderators_page_has_no_group_score_or_time(world: World) -> None:
    survey_round = closed(world)

    page = signed_in(moderator_of(world)).get(page_of(survey_round)).content.decode()

    assert "Meet before May." in page
    assert "Housing associations" not in page
    assert "no view" not in page


def test_moderator_who_joined_a_party_reads_nothing_more(world: World) -> None:
    survey_round = closed(world)
    mo = moderator_of(world)
    join(mo, world.westmarch, Role.VIEWER, timezone.now())

    assert signed_in(mo).get(page_of(survey_round)).status_code == 404
    with pytest.raises((PermissionDenied, UnableToAct)):
        services.decide_comments(survey_round=survey_round, shown={}, withheld=set(), author=mo, now=timezone.now())


def test_leads_and_administrators_are_no_moderators(world: World) -> None:
    survey_round = closed(world)

    for person in (world.amina, world.ben, world.dee):
        assert signed_in(person).get(page_of(survey_round)).status_code == 404


def test_administrator_who_views_the_site_as_the_moderator_reads_no_comment(world: World) -> None:
    survey_round = closed(world)
    dee = signed_in(world.dee)
    address = reverse("people:view-as", args=[moderator_of(world).pk])
    assert dee.post(address, {"reason": "They asked for help."}).status_code == 302
    assert "Mo Outside" in dee.get(reverse("web:home")).content.decode()

    assert dee.get(page_of(survey_round)).status_code == 404


@pytest.mark.parametrize(("days", "left"), [(89, 5), (90, 0)])
def test_comments_that_nobody_reads_are_deleted_after_ninety_days(world: World, days: int, left: int) -> None:
    survey_round = closed(world)
    assert survey_round.closed_at is not None

    apply_retention(now=survey_round.closed_at + dt.timedelta(days=days))

    assert survey_round.comments.count() == left


def test_comment_cannot_be_decided_on_twice(world: World) -> None:
    survey_round = closed(world)
    mo = signed_in(moderator_of(world))
    waiting = list(survey_round.comments.all())
    decide(survey_round, mo)

    with pytest.raises(services.UnableToModerate):
        services.decide_comments(
            survey_round=survey_round,
            shown={waiting[0].pk: "Other words."},
            withheld=set(),
            author=moderator_of(world),
            now=timezone.now(),
        )
