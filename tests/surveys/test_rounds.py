"""A round opens, closes and ends only as its rules say, and publishes its results when it closes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import DatabaseError, IntegrityError, ProgrammingError, connection, transaction
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from housing.grants import grant
from partnerships.activity.models import Event
from partnerships.agreements.services import change_status
from partnerships.surveys import sealing, services
from partnerships.surveys.models import AnswerMode, Comment, Figure, Invitation, Round, SealedAnswer, Token
from tests.support.signing_in import signed_in
from tests.surveys.asking import (
    agreed_round,
    answer_of,
    close_round,
    closed_round,
    give_answers,
    morning_after,
    opened_round,
    prepared_round,
    start_partnership,
)
from tests.world import World


def test_page_of_a_round_says_how_many_people_are_needed(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 3, "association": 4})

    page = signed_in(world.amina).get(survey_round.get_absolute_url()).content.decode()

    assert "needs at least 8 people, and 7 are invited" in page


def test_anonymous_round_with_seven_people_cannot_open(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 3, "association": 4})

    with pytest.raises(services.UnableToRun, match="ask by name"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_partnership_that_is_too_small_can_ask_by_name(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 3, "association": 4})
    signed_in(world.amina).post(reverse("surveys:by-name", args=[survey_round.partnership_id, survey_round.number]))

    named_round = services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())

    assert not named_round.is_anonymous
    assert not named_round.public_key
    assert not Token.objects.exists()


def test_draft_of_a_partnership_that_is_over_cannot_open(world: World) -> None:
    survey_round = prepared_round(world)
    now = timezone.now()
    change_status(partnership=world.partnership, status="ended", reason="It is done.", author=world.amina, now=now)

    with pytest.raises(services.UnableToRun, match="has ended"):
        services.open_round(survey_round=survey_round, author=world.amina, now=now)


def test_fourth_survey_in_thirty_days_cannot_open(world: World) -> None:
    for _ in range(3):
        services.abandon_round(
            survey_round=opened_round(world), reason="Again.", author=world.amina, now=timezone.now()
        )
    survey_round = prepared_round(world)

    with pytest.raises(services.UnableToRun, match="opened 3 surveys in the last 30 days"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


AROUND_AN_ANONYMOUS_ROUND = pytest.mark.parametrize(
    ("earlier_way", "later_way"),
    [
        (AnswerMode.ANONYMOUS, AnswerMode.ANONYMOUS),
        (AnswerMode.NAMED, AnswerMode.ANONYMOUS),
        (AnswerMode.ANONYMOUS, AnswerMode.NAMED),
    ],
)


@AROUND_AN_ANONYMOUS_ROUND
def test_round_before_or_after_an_anonymous_one_cannot_open_within_60_days(
    world: World, earlier_way: str, later_way: str
) -> None:
    close_round(opened_round(world, way=earlier_way, asked={"council": 8}))
    later_round = agreed_round(prepared_round(world, way=later_way, asked={"council": 9}))

    # Two rounds with nearly the same people, compared, could show what the ninth person answered.
    with pytest.raises(services.UnableToRun, match="Leave 60 days"):
        services.open_round(survey_round=later_round, author=world.amina, now=timezone.now())


@AROUND_AN_ANONYMOUS_ROUND
def test_round_before_or_after_an_anonymous_one_opens_after_60_days(
    world: World, earlier_way: str, later_way: str
) -> None:
    earlier_round = close_round(opened_round(world, way=earlier_way, asked={"council": 8}))
    later_round = agreed_round(prepared_round(world, way=later_way, asked={"council": 9}))
    after_60_days = morning_after(earlier_round) + dt.timedelta(days=60)
    Round.objects.filter(pk=later_round.pk).update(closes_on=after_60_days.date() + dt.timedelta(days=14))

    opened_later_round = services.open_round(survey_round=later_round, author=world.amina, now=after_60_days)

    assert opened_later_round.status == "open"


def test_closing_publishes_no_figure_of_a_small_group(world: World) -> None:
    survey_round = closed_round(world)

    groups_with_figure = set(survey_round.figures.filter(theme="trust").values_list("group", flat=True))
    assert survey_round.is_closed
    assert len(groups_with_figure) == 2
    assert "other" not in groups_with_figure


def test_closing_publishes_the_number_of_answers_in_fives(world: World) -> None:
    survey_round = closed_round(world)

    assert survey_round.answered_at_least in (5, 10, 15)


def test_closing_keeps_the_comments_for_the_moderator(world: World) -> None:
    closed_round(world)

    assert sorted(Comment.objects.values_list("text", flat=True)) == [
        "Meet before August.",
        "Meet before July.",
        "Meet before June.",
        "Meet before May.",
        "Meet before September.",
    ]


@pytest.mark.parametrize("model", [SealedAnswer, Token, Invitation])
def test_closing_deletes_what_could_show_who_answered(world: World, model: type[Model]) -> None:
    closed_round(world)

    assert not model._default_manager.exists()


def test_round_closes_though_people_answered_for_another_group(world: World) -> None:
    survey_round = opened_round(world, asked={"council": 5, "association": 5})
    give_answers(survey_round, "council", [answer_of("council", 3)] * 5)
    give_answers(survey_round, "association", [answer_of("council", 4)] * 2)

    close_round(survey_round)

    assert survey_round.is_closed


def lose_key(survey_round: Round) -> None:
    """Delete the key of a round, as if this machine never had it."""
    sealing.destroy_key(survey_round.key_name)


def add_foreign_answer(survey_round: Round) -> None:
    """Add an answer that was sealed with another key."""
    SealedAnswer.objects.create(round=survey_round, box=b"of another key")


@pytest.mark.parametrize("make_unreadable", [lose_key, add_foreign_answer])
def test_round_with_unreadable_answers_does_not_prevent_others_from_closing(
    world: World, make_unreadable: Callable[[Round], None]
) -> None:
    unreadable_round = opened_round(world)
    make_unreadable(unreadable_round)
    other_round = opened_round(world, partnership=start_partnership(world, "Second partnership"))

    closed_count = services.close_due(now=morning_after(unreadable_round))

    unreadable_round.refresh_from_db()
    other_round.refresh_from_db()
    assert closed_count == 1
    assert not unreadable_round.is_closed
    assert other_round.is_closed


def abandon(survey_round: Round, world: World) -> None:
    """End a round as Amina, because the chair has left."""
    services.abandon_round(
        survey_round=survey_round, reason="The chair has left.", author=world.amina, now=timezone.now()
    )


def test_ended_round_deletes_answers_unread(world: World) -> None:
    survey_round = opened_round(world)
    give_answers(survey_round, "council", [answer_of("council", 5)] * 6)

    abandon(survey_round, world)

    assert not SealedAnswer.objects.exists()


def test_page_of_an_ended_round_has_the_reason(world: World) -> None:
    survey_round = opened_round(world)
    abandon(survey_round, world)

    page = signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()

    assert "The chair has left." in page


def kinds_of_events() -> list[str]:
    """Return the kinds of the events about surveys, in order."""
    return list(Event.objects.filter(kind__startswith="surveys.").order_by("pk").values_list("kind", flat=True))


def test_ended_draft_has_no_event_for_followers(world: World) -> None:
    abandon(prepared_round(world), world)

    assert kinds_of_events() == ["surveys.round_drafted", "surveys.draft_dropped"]


def test_followers_hear_that_an_open_survey_ended(world: World) -> None:
    abandon(opened_round(world), world)

    assert kinds_of_events() == ["surveys.round_drafted", "surveys.round_opened", "surveys.round_abandoned"]


def test_database_refuses_a_figure_of_four_answers(world: World) -> None:
    survey_round = closed_round(world)

    with pytest.raises(IntegrityError, match="survey_figure_count_from_five"), transaction.atomic():
        Figure.objects.create(round=survey_round, theme="trust", group="other", value=3, answered_at_least=4)


def test_database_refuses_changes_of_figures(world: World) -> None:
    survey_round = closed_round(world)

    with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
        Figure.objects.filter(round=survey_round).update(value=1)


@pytest.fixture
def as_application_role(world: World) -> None:
    """Act in the database with the rights that the application has in production."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE survey_reader NOLOGIN; GRANT survey_reader TO CURRENT_USER")
        grant(role="survey_reader")
        cursor.execute("SET LOCAL ROLE survey_reader")


@pytest.mark.usefixtures("as_application_role")
def test_applications_own_role_can_take_a_survey_to_its_end(world: World) -> None:
    survey_round = closed_round(world)

    assert survey_round.is_closed


@pytest.mark.usefixtures("as_application_role")
def test_applications_own_role_cannot_delete_figures(world: World) -> None:
    survey_round = closed_round(world)

    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Figure.objects.filter(round=survey_round).delete()
