"""One person outside the parties reads comments first, without scores or groups."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
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


def test_parties_do_not_read_a_comment_before_the_moderator_has_decided(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()

    assert survey_round.comments.filter(text="Meet before May.").exists()
    assert "Meet before May." not in page


def test_parties_read_a_comment_in_the_words_of_the_moderator(world: World) -> None:
    survey_round = closed_round(world)
    [comment] = survey_round.comments.filter(text="Meet before May.")
    decide(survey_round, signed_in(moderator_of(world)), **{f"words-{comment.pk}": "Meet in spring."})

    page = signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()

    assert "Meet in spring." in page
    assert "Meet before May." not in page


def test_original_words_of_comments_are_deleted_once_decided(world: World) -> None:
    survey_round = closed_round(world)

    decide(survey_round, signed_in(moderator_of(world)))

    assert set(Comment.objects.values_list("text", flat=True)) == {""}


@pytest.mark.parametrize(("floor", "floor_in_words"), [(5, "five"), (10, "ten")])
def test_moderator_sees_how_many_comments_must_be_shown(world: World, floor: int, floor_in_words: str) -> None:
    survey_round = closed_round(world)
    Round.objects.filter(pk=survey_round.pk).update(floor=floor)

    page = signed_in(moderator_of(world)).get(moderate_url(survey_round)).content.decode()

    assert f"If you show fewer than {floor_in_words} comments on a" in page


def test_reading_the_comments_is_work_of_the_moderator(world: World) -> None:
    survey_round = closed_round(world)

    [task] = tasks_of_person(moderator_of(world), timezone.now())

    assert task.action == "Read the comments from this survey"
    assert task.path == moderate_url(survey_round)


def test_page_of_the_moderators_work_names_the_survey(world: World) -> None:
    closed_round(world)

    page = signed_in(moderator_of(world)).get(reverse("web:my-work")).content.decode()

    assert "How are we doing?" in page


def test_moderator_has_no_work_once_all_comments_are_read(world: World) -> None:
    survey_round = closed_round(world)
    mo = moderator_of(world)

    decide(survey_round, signed_in(mo))

    assert tasks_of_person(mo, timezone.now()) == []


def test_email_to_the_moderator_says_until_when_the_comments_can_be_read(world: World) -> None:
    survey_round = closed_round(world)

    emails = deliver()

    [email] = [email for email in emails if email.to == ["mo@outside.example"]]
    last_day = timezone.localdate(survey_round.closed_at) + dt.timedelta(days=89)
    assert all(f"You can read the comments until {long_date(last_day)}." in part for part in parts(email))


def test_followers_do_not_hear_of_comments_that_were_all_withheld(world: World) -> None:
    survey_round = closed_round(world)
    all_withheld = {f"withhold-{comment.pk}": "on" for comment in survey_round.comments.all()}

    decide(survey_round, signed_in(moderator_of(world)), **all_withheld)

    assert not Event.objects.filter(kind="surveys.comments_published").exists()


def test_fewer_than_five_comments_that_may_be_shown_are_not_shown(world: World) -> None:
    survey_round = closed_round(world)
    [comment] = survey_round.comments.filter(text="Meet before May.")

    decide(survey_round, signed_in(moderator_of(world)), **{f"withhold-{comment.pk}": "on"})

    assert shown_comments(survey_round) == {}


def test_comment_without_words_is_refused_at_its_field(world: World) -> None:
    survey_round = closed_round(world)
    [comment] = survey_round.comments.filter(text="Meet before May.")

    response = decide(survey_round, signed_in(moderator_of(world)), **{f"words-{comment.pk}": " "})

    assert response.status_code == 422
    assert response.context["form"].errors == {
        f"words-{comment.pk}": ["Enter the words to show, or withhold the comment."]
    }
    assert not survey_round.comments.exclude(status="waiting").exists()


def test_comment_without_words_can_be_withheld(world: World) -> None:
    survey_round = closed_round(world)
    [comment] = survey_round.comments.filter(text="Meet before May.")
    changed_fields = {f"words-{comment.pk}": " ", f"withhold-{comment.pk}": "on"}

    response = decide(survey_round, signed_in(moderator_of(world)), **changed_fields)

    assert response.status_code == 302


def test_moderators_page_has_no_group_score_or_time(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(moderator_of(world)).get(moderate_url(survey_round)).content.decode()

    assert "Meet before May." in page
    assert "Housing associations" not in page
    assert "no view" not in page


def test_moderator_who_joined_a_party_no_longer_finds_the_comments(world: World) -> None:
    survey_round = closed_round(world)
    mo = moderator_of(world)
    join(mo, world.westmarch, Role.VIEWER, timezone.now())

    response = signed_in(mo).get(moderate_url(survey_round))

    assert response.status_code == 404


def test_moderator_who_joined_a_party_cannot_decide_on_comments(world: World) -> None:
    survey_round = closed_round(world)
    mo = moderator_of(world)
    join(mo, world.westmarch, Role.VIEWER, timezone.now())

    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.decide_comments(survey_round=survey_round, shown={}, withheld=set(), author=mo, now=timezone.now())


@pytest.mark.parametrize("name", ["amina", "ben", "dee"])
def test_only_the_moderator_finds_the_comments(world: World, name: str) -> None:
    survey_round = closed_round(world)
    lead_or_administrator = getattr(world, name)

    response = signed_in(lead_or_administrator).get(moderate_url(survey_round))

    assert response.status_code == 404


def view_as_moderator(world: World) -> Client:
    """Return the browser of Dee, who views the site as Mo."""
    dee = signed_in(world.dee)
    dee.post(reverse("people:view-as", args=[moderator_of(world).pk]), {"reason": "They asked for help."})
    return dee


def test_administrator_can_view_the_site_as_the_moderator(world: World) -> None:
    home_page = view_as_moderator(world).get(reverse("web:home")).content.decode()

    assert "Mo Outside" in home_page


def test_administrator_who_views_the_site_as_the_moderator_reads_no_comment(world: World) -> None:
    survey_round = closed_round(world)

    response = view_as_moderator(world).get(moderate_url(survey_round))

    assert response.status_code == 404


@pytest.mark.parametrize(("days", "left"), [(89, 5), (90, 0)])
def test_comments_that_nobody_reads_are_deleted_after_ninety_days(world: World, days: int, left: int) -> None:
    survey_round = closed_round(world)

    apply_retention(now=survey_round.closed_at + dt.timedelta(days=days))

    assert survey_round.comments.count() == left


def test_comment_cannot_be_decided_on_twice(world: World) -> None:
    survey_round = closed_round(world)
    comment = survey_round.comments.all()[0]
    decide(survey_round, signed_in(moderator_of(world)))

    with pytest.raises(services.UnableToModerate, match="You have already decided on some of these comments"):
        services.decide_comments(
            survey_round=survey_round,
            shown={comment.pk: "Other words."},
            withheld=set(),
            author=moderator_of(world),
            now=timezone.now(),
        )
