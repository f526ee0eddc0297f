"""A round opens, closes and ends only as its rules say, and publishes its results when it closes."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
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
    address = reverse("surveys:by-name", args=[survey_round.partnership_id, survey_round.number])
    signed_in(world.amina).post(address)

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


@pytest.mark.parametrize(
    ("earlier_way", "later_way"),
    [
        (AnswerMode.ANONYMOUS, AnswerMode.ANONYMOUS),
        (AnswerMode.NAMED, AnswerMode.ANONYMOUS),
        (AnswerMode.ANONYMOUS, AnswerMode.NAMED),
    ],
)
def test_round_before_or_after_an_anonymous_one_opens_only_after_60_days(
    world: World, earlier_way: str, later_way: str
) -> None:
    earlier_round = close_round(opened_round(world, way=earlier_way, asked={"council": 8}))
    later_round = agreed_round(prepared_round(world, way=later_way, asked={"council": 9}))
    time_after_60_days = morning_after(earlier_round) + dt.timedelta(days=60)

    # Two rounds with nearly the same people, compared, could show what the ninth person answered.
    with pytest.raises(services.UnableToRun, match="Leave 60 days"):
        services.open_round(survey_round=later_round, author=world.amina, now=timezone.now())
    Round.objects.filter(pk=later_round.pk).update(closes_on=time_after_60_days.date() + dt.timedelta(days=14))
    opened_later_round = services.open_round(survey_round=later_round, author=world.amina, now=time_after_60_days)

    assert opened_later_round.status == "open"


def test_closing_publishes_results(world: World) -> None:
    survey_round = closed_round(world)

    assert survey_round.is_closed
    groups_with_figure = set(survey_round.figures.filter(theme="trust").values_list("group", flat=True))
    assert len(groups_with_figure) == 2
    assert "other" not in groups_with_figure
    assert survey_round.answered_at_least in (5, 10, 15)
    assert set(Comment.objects.values_list("text", flat=True)) == {
        f"Meet before {month}." for month in ("May", "June", "July", "August", "September")
    }
    assert Comment.objects.count() == 5


def test_closing_deletes_the_answers_tokens_and_invitations(world: World) -> None:
    closed_round(world)

    assert not SealedAnswer.objects.exists()
    assert not Token.objects.exists()
    assert not Invitation.objects.exists()


def test_round_closes_though_people_answered_for_another_group(world: World) -> None:
    survey_round = opened_round(world, asked={"council": 5, "association": 5})
    give_answers(survey_round, "council", [answer_of("council", 3)] * 5)
    give_answers(survey_round, "association", [answer_of("council", 4)] * 2)

    close_round(survey_round)

    assert survey_round.is_closed


def assert_only_the_other_round_closes(world: World, unreadable_round: Round) -> None:
    """Assert that a round with unreadable answers remains open, and that another round due on that day closes."""
    other_round = opened_round(world, partnership=start_partnership(world, "Second partnership"))
    closed_count = services.close_due(now=morning_after(unreadable_round))
    unreadable_round.refresh_from_db()
    other_round.refresh_from_db()
    assert closed_count == 1
    assert not unreadable_round.is_closed
    assert other_round.is_closed


def test_round_without_its_key_does_not_prevent_others_from_closing(world: World) -> None:
    survey_round = opened_round(world)
    sealing.destroy_key(survey_round.key_name)

    assert_only_the_other_round_closes(world, survey_round)


def test_round_with_an_answer_sealed_with_another_key_does_not_prevent_others(world: World) -> None:
    survey_round = opened_round(world)
    SealedAnswer.objects.create(round=survey_round, box=b"of another key")

    assert_only_the_other_round_closes(world, survey_round)


def test_ended_round_deletes_answers_unread(world: World) -> None:
    survey_round = opened_round(world)
    give_answers(survey_round, "council", [answer_of("council", 5)] * 6)

    services.abandon_round(
        survey_round=survey_round, reason="The chair has left.", author=world.amina, now=timezone.now()
    )

    assert not SealedAnswer.objects.exists()
    assert "The chair has left." in signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()


def test_followers_hear_that_a_survey_ended_only_if_it_had_opened(world: World) -> None:
    for make_round in (prepared_round, opened_round):
        services.abandon_round(
            survey_round=make_round(world), reason="Too soon.", author=world.amina, now=timezone.now()
        )

    kinds = Event.objects.filter(kind__startswith="surveys.").order_by("pk").values_list("kind", flat=True)

    assert list(kinds) == [
        "surveys.round_drafted",
        "surveys.draft_dropped",
        "surveys.round_drafted",
        "surveys.round_opened",
        "surveys.round_abandoned",
    ]


def test_database_refuses_a_figure_of_four_answers(world: World) -> None:
    survey_round = closed_round(world)

    with pytest.raises(IntegrityError), transaction.atomic():
        Figure.objects.create(round=survey_round, theme="trust", group="other", value=3, answered_at_least=4)


def test_database_refuses_changes_of_figures(world: World) -> None:
    figure = closed_round(world).figures.first()
    assert figure is not None

    with pytest.raises(Exception, match="immutable"), transaction.atomic():
        Figure.objects.filter(pk=figure.pk).update(value=1)


def test_applications_own_role_can_take_a_survey_to_its_end(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE survey_reader NOLOGIN; GRANT survey_reader TO CURRENT_USER")
        grant(role="survey_reader")
        cursor.execute("SET LOCAL ROLE survey_reader")

    survey_round = closed_round(world)

    assert survey_round.is_closed
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Figure.objects.filter(round=survey_round).delete()
