"""One person outside the parties reads comments first, without scores or groups."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.kit.dates import long_date
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Role
from partnerships.people.retention import apply_retention
from partnerships.surveys import services
from partnerships.surveys.models import Comment, Round
from partnerships.surveys.queries.results import shown_comments
from partnerships.work.queries import tasks_of_person
from tests.support.outbox import deliver, parts
from tests.support.signing_in import signed_in
from tests.surveys.asking import closed_round, moderator_of
from tests.world import World, join


def moderate_url(survey_round: Round) -> str:
    """Return the address of the page on which the moderator decides on the comments of a round."""
    return reverse("surveys:moderate", args=[survey_round.pk])


def decide(survey_round: Round, client: Client, **changed: str) -> Any:
    """Send the moderator's form with every comment unchanged, except for the fields in `changed`."""
    data = {f"words-{comment.pk}": comment.text for comment in survey_round.comments.all()}
    return client.post(moderate_url(survey_round), {**data, **changed})


def test_parties_read_comments_only_after_the_moderator_and_in_the_moderators_words(world: World) -> None:
    survey_round = closed_round(world)
    reader = signed_in(world.ben)
    assert "Meet before May." not in reader.get(survey_round.get_absolute_url()).content.decode()
    [comment] = survey_round.comments.filter(text="Meet before May.")

    answer = decide(survey_round, signed_in(moderator_of(world)), **{f"words-{comment.pk}": "Meet in spring."})

    assert answer.status_code == 302
    page = reader.get(survey_round.get_absolute_url()).content.decode()
    assert "Meet in spring." in page
    assert "Meet before May." not in page
    assert not Comment.objects.exclude(text="").exists()  # the database no longer has the original words


def test_reader_is_told_from_how_many_comments_on_the_parties_read_them(world: World) -> None:
    survey_round = closed_round(world)
    mo = signed_in(moderator_of(world))
    assert "If you show fewer than five comments on a" in mo.get(moderate_url(survey_round)).content.decode()

    Round.objects.filter(pk=survey_round.pk).update(floor=10)

    assert "If you show fewer than ten comments on a" in mo.get(moderate_url(survey_round)).content.decode()


def test_comments_wait_in_the_work_of_the_moderator_until_all_are_read(world: World) -> None:
    survey_round = closed_round(world)
    mo = moderator_of(world)

    [task] = tasks_of_person(mo, timezone.now())
    page = signed_in(mo).get(reverse("web:my-work")).content.decode()
    decide(survey_round, signed_in(mo))

    assert (task.action, task.path) == ("Read the comments from this survey", moderate_url(survey_round))
    assert task.title in page
    assert tasks_of_person(mo, timezone.now()) == []


def test_email_to_the_moderator_says_until_when_the_comments_can_be_read(world: World) -> None:
    survey_round = closed_round(world)
    assert survey_round.closed_at is not None

    [email] = [email for email in deliver() if email.to == [moderator_of(world).email]]

    last_day = timezone.localdate(survey_round.closed_at + dt.timedelta(days=89))
    for part in parts(email):
        assert f"You can read the comments until {long_date(last_day)}." in part


def test_followers_hear_of_comments_only_if_some_are_shown(world: World) -> None:
    survey_round = closed_round(world)

    decide(
        survey_round,
        signed_in(moderator_of(world)),
        **{f"withhold-{comment.pk}": "on" for comment in survey_round.comments.all()},
    )

    assert not Event.objects.filter(kind="surveys.comments_published").exists()


def test_fewer_than_five_comments_that_may_be_shown_are_not_shown(world: World) -> None:
    survey_round = closed_round(world)
    [comment] = survey_round.comments.filter(text="Meet before May.")

    decide(survey_round, signed_in(moderator_of(world)), **{f"withhold-{comment.pk}": "on"})

    assert shown_comments(survey_round) == {}


def test_comment_without_words_is_refused_at_its_field_unless_it_is_withheld(world: World) -> None:
    survey_round = closed_round(world)
    mo = signed_in(moderator_of(world))
    [comment] = survey_round.comments.filter(text="Meet before May.")

    refused = decide(survey_round, mo, **{f"words-{comment.pk}": " "})
    assert refused.status_code == 422
    assert refused.context["form"].errors == {
        f"words-{comment.pk}": ["Enter the words to show, or withhold the comment."]
    }
    assert not survey_round.comments.exclude(status="waiting").exists()

    accepted = decide(survey_round, mo, **{f"words-{comment.pk}": " ", f"withhold-{comment.pk}": "on"})
    assert accepted.status_code == 302


def test_moderators_page_has_no_group_score_or_time(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(moderator_of(world)).get(moderate_url(survey_round)).content.decode()

    assert "Meet before May." in page
    assert "Housing associations" not in page
    assert "no view" not in page


def test_moderator_who_joined_a_party_reads_nothing_more(world: World) -> None:
    survey_round = closed_round(world)
    mo = moderator_of(world)
    join(mo, world.westmarch, Role.VIEWER, timezone.now())

    assert signed_in(mo).get(moderate_url(survey_round)).status_code == 404
    with pytest.raises((PermissionDenied, UnableToAct)):
        services.decide_comments(survey_round=survey_round, shown={}, withheld=set(), author=mo, now=timezone.now())


def test_leads_and_administrators_are_no_moderators(world: World) -> None:
    survey_round = closed_round(world)

    for person in (world.amina, world.ben, world.dee):
        assert signed_in(person).get(moderate_url(survey_round)).status_code == 404


def test_administrator_who_views_the_site_as_the_moderator_reads_no_comment(world: World) -> None:
    survey_round = closed_round(world)
    dee = signed_in(world.dee)
    address = reverse("people:view-as", args=[moderator_of(world).pk])
    assert dee.post(address, {"reason": "They asked for help."}).status_code == 302
    assert "Mo Outside" in dee.get(reverse("web:home")).content.decode()

    assert dee.get(moderate_url(survey_round)).status_code == 404


@pytest.mark.parametrize(("days", "left"), [(89, 5), (90, 0)])
def test_comments_that_nobody_reads_are_deleted_after_ninety_days(world: World, days: int, left: int) -> None:
    survey_round = closed_round(world)
    assert survey_round.closed_at is not None

    apply_retention(now=survey_round.closed_at + dt.timedelta(days=days))

    assert survey_round.comments.count() == left


def test_comment_cannot_be_decided_on_twice(world: World) -> None:
    survey_round = closed_round(world)
    mo = signed_in(moderator_of(world))
    comments = list(survey_round.comments.all())
    decide(survey_round, mo)

    with pytest.raises(services.UnableToModerate):
        services.decide_comments(
            survey_round=survey_round,
            shown={comments[0].pk: "Other words."},
            withheld=set(),
            author=moderator_of(world),
            now=timezone.now(),
        )
