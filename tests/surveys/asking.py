"""Helpers that prepare, open, answer and close surveys through the services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Objective, Partnership
from partnerships.outbox.services import recording_no_emails
from partnerships.people.models import User
from partnerships.surveys import sealing, services
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import AnswerMode, QuestionSet, Round
from partnerships.surveys.queries.rounds import invitation_list_hash
from tests.world import World, person

#: The number of people asked in each group, nineteen together.
ASKED = {"council": 6, "association": 8, "other": 5}


def moderator_of(world: World) -> User:
    """Return Mo, who has an account and is outside all parties."""
    existing_person = User.objects.filter(email="mo@outside.example").first()
    return existing_person or person("Mo Outside", "mo@outside.example", account_since=timezone.now())


def end_all_rounds(world: World) -> None:
    """End all rounds, and move closed rounds into the past, so that a test can begin another round."""
    Round.objects.filter(status__in=["draft", "open"]).update(status="abandoned", reason="Cleared.", opened_at=None)
    long_ago = timezone.now() - dt.timedelta(days=100)
    Round.objects.filter(status="closed").update(closes_on=timezone.localdate(long_ago), opened_at=long_ago)


def start_partnership(world: World, title: str) -> Partnership:
    """Create another partnership that Amina leads."""
    return agreements.create_partnership(
        title=title,
        kind="memorandum",
        purpose="Homes.",
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )


def known_to_all(world: World) -> Partnership:
    """Return the Harbour Partnership, which Chidi leads. Everyone signed in may read its outline."""
    Partnership.objects.filter(pk=world.other_partnership.pk).update(audience="network")
    world.other_partnership.refresh_from_db()
    return world.other_partnership


def prepared_round(
    world: World,
    *,
    way: str = AnswerMode.ANONYMOUS,
    asked: dict[str, int] | None = None,
    moderator: User | None = None,
    partnership: Partnership | None = None,
    author: User | None = None,
) -> Round:
    """Prepare a draft that asks this many people of each group: nineteen unless `asked` has other numbers."""
    now = timezone.now()
    reader = moderator or moderator_of(world)
    survey_round = services.prepare_round(
        partnership=partnership or world.partnership,
        title="How are we doing?",
        question_set=QuestionSet.objects.get(code="health", version=1),
        way=way,
        closes_on=timezone.localdate(now) + dt.timedelta(days=14),
        moderator=reader.email if way == AnswerMode.ANONYMOUS else "",
        author=author or world.amina,
        now=now,
    )
    for group, number in (ASKED if asked is None else asked).items():
        services.invite_people(
            survey_round=survey_round,
            addresses=[f"{group}{place}@members.example" for place in range(number)],
            group=group,
            author=author or world.amina,
            now=now,
        )
    return survey_round


def agreed_round(survey_round: Round) -> Round:
    """Record that the moderator of a draft agrees to the list of people, without an email."""
    if survey_round.moderator is not None:
        now = timezone.now()
        with recording_no_emails():
            services.ask_moderator(survey_round=survey_round, author=None, now=now)
        survey_round.refresh_from_db()
        services.agree_to_moderate(
            survey_round=survey_round,
            list_hash=invitation_list_hash(survey_round),
            author=survey_round.moderator,
            now=now,
        )
    return survey_round


def opened_round(
    world: World,
    *,
    way: str = AnswerMode.ANONYMOUS,
    asked: dict[str, int] | None = None,
    moderator: User | None = None,
    partnership: Partnership | None = None,
) -> Round:
    """Prepare a round, and open it."""
    survey_round = prepared_round(world, way=way, asked=asked, moderator=moderator, partnership=partnership)
    return services.open_round(survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now())


def answer_of(group: str, score: int, *, expects: Sequence[str] = (), **comments: str) -> Answer:
    """Return an answer with the same score for every dimension."""
    dimensions = QuestionSet.objects.get(code="health", version=1).content["dimensions"]
    return Answer(group, {dimension["key"]: score for dimension in dimensions}, expects, comments)


def tokens(survey_round: Round, group: str) -> list[str]:
    """Return the tokens of everyone in a group who is asked."""
    people = list(survey_round.invitations.filter(group=group).order_by("pk").values_list("person_id", flat=True))
    return list(sealing.tokens_of(survey_round.key_name, people).values())


def give_answers(survey_round: Round, group: str, answers: Sequence[Answer]) -> None:
    """Send these answers as the first people of a group."""
    for token, answer in zip(tokens(survey_round, group), answers, strict=False):
        services.answer_by_token(token=token, answer=answer, now=timezone.now())


def morning_after(survey_round: Round) -> dt.datetime:
    """Return the morning after the last day of the round."""
    return timezone.make_aware(dt.datetime.combine(survey_round.closes_on + dt.timedelta(days=1), dt.time(8)))


def close_round(survey_round: Round) -> Round:
    """Close the round as the task does on the morning after its last day."""
    services.close_due(now=morning_after(survey_round))
    survey_round.refresh_from_db()
    return survey_round


def closed_round(world: World, *, shift: int = 0) -> Round:
    """Return a closed round in which six councils scored 3, eight associations 4 and four others 2.

    One question has five comments. `shift` is added to the scores of the councils.
    """
    return close_round(answer_as_everybody(opened_round(world), shift=shift))


def answer_as_everybody(survey_round: Round, *, shift: int = 0) -> Round:
    """Answer as everyone, with the scores and comments that `closed_round` describes."""
    give_answers(survey_round, "council", [answer_of("council", 3 + shift, expects=["association_pipeline"])] * 6)
    months = ("May", "June", "July", "August", "September")
    commented = [answer_of("association", 4, one_change=f"Meet before {month}.") for month in months]
    give_answers(survey_round, "association", [*commented, *[answer_of("association", 4)] * 3])
    give_answers(survey_round, "other", [answer_of("other", 2)] * 4)
    return survey_round


def objective(world: World) -> Objective:
    """Create an objective of the partnership."""
    now = timezone.now()
    return Objective.objects.create(
        partnership=world.partnership,
        text="Show each other drafts of local plans",
        measure="drafts shown",
        baseline=0,
        baseline_on=timezone.localdate(now),
        target=4,
        target_on=timezone.localdate(now) + dt.timedelta(days=200),
        organisation=world.larkhaven,
        position=1,
        created_at=now,
    )
