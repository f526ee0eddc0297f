"""Surveys in tests: prepared, opened, answered and closed through services."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Objective, Partnership
from partnerships.outbox.services import without_emails
from partnerships.people.models import User
from partnerships.surveys import sealing, services
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import QuestionSet, Round, Way
from partnerships.surveys.queries.rounds import seal_of_list
from tests.world import World, person

#: People asked of each group: nineteen.
ASKED = {"council": 6, "association": 8, "other": 5}


def moderator_of(world: World) -> User:
    """Somebody outside the parties with an account."""
    known = User.objects.filter(email="mo@outside.example").first()
    return known or person("Mo Outside", "mo@outside.example", account_since=timezone.now())


def clear(world: World) -> None:
    """End what the access table has under way, and let the next round begin."""
    Round.objects.filter(status__in=["draft", "open"]).update(status="abandoned", reason="Cleared.", opened_at=None)
    long_ago = timezone.now() - dt.timedelta(days=100)
    Round.objects.filter(status="closed").update(closes_on=timezone.localdate(long_ago), opened_at=long_ago)


def start_partnership(world: World, title: str) -> Partnership:
    """Another partnership of the same lead."""
    return agreements.create_partnership(
        title=title,
        kind="memorandum",
        purpose="Homes.",
        organisation=world.larkhaven,
        author=world.amina,
        now=timezone.now(),
    )


def known_to_all(world: World) -> Partnership:
    """The Harbour Partnership, which Chidi leads, with an outline that everybody signed in may read."""
    Partnership.objects.filter(pk=world.other_partnership.pk).update(audience="network")
    world.other_partnership.refresh_from_db()
    return world.other_partnership


def prepared(
    world: World,
    *,
    way: str = Way.ANONYMOUS,
    asked: dict[str, int] | None = None,
    moderator: User | None = None,
    partnership: Partnership | None = None,
    author: User | None = None,
) -> Round:
    """A draft that asks these numbers of people of each group."""
    now = timezone.now()
    reader = moderator or moderator_of(world)
    found = services.prepare_round(
        partnership=partnership or world.partnership,
        title="How are we doing?",
        question_set=QuestionSet.objects.get(code="health", version=1),
        way=way,
        closes_on=timezone.localdate(now) + dt.timedelta(days=14),
        moderator=reader.email if way == Way.ANONYMOUS else "",
        author=author or world.amina,
        now=now,
    )
    for group, number in (ASKED if asked is None else asked).items():
        services.invite(
            survey_round=found,
            addresses=[f"{group}{place}@members.example" for place in range(number)],
            group=group,
            author=author or world.amina,
            now=now,
        )
    return found


def agreed(found: Round) -> Round:
    """The person who reads comments has agreed to the list of people, without an email."""
    if found.moderator is not None:
        now = timezone.now()
        with without_emails():
            services.ask_moderator(survey_round=found, author=None, now=now)
        found.refresh_from_db()
        services.agree_to_moderate(survey_round=found, seen=seal_of_list(found), author=found.moderator, now=now)
    return found


def opened(
    world: World,
    *,
    way: str = Way.ANONYMOUS,
    asked: dict[str, int] | None = None,
    moderator: User | None = None,
    partnership: Partnership | None = None,
) -> Round:
    """An open round."""
    found = prepared(world, way=way, asked=asked, moderator=moderator, partnership=partnership)
    return services.open_round(survey_round=agreed(found), author=world.amina, now=timezone.now())


def says(group: str, score: int, *, expects: Sequence[str] = (), **comments: str) -> Answer:
    """An answer with one score for every dimension."""
    dimensions = QuestionSet.objects.get(code="health", version=1).content["dimensions"]
    return Answer(group, {dimension["key"]: score for dimension in dimensions}, expects, comments)


def tokens(found: Round, group: str) -> list[str]:
    """The tokens of everybody asked of a group."""
    people = list(found.invitations.filter(group=group).order_by("pk").values_list("person_id", flat=True))
    return list(sealing.tokens_of(found.key_name, people).values())


def answered(found: Round, group: str, answers: Sequence[Answer]) -> None:
    """The first people of a group answer."""
    for token, answer in zip(tokens(found, group), answers, strict=False):
        services.answer_by_token(token=token, answer=answer, now=timezone.now())


def after(found: Round) -> dt.datetime:
    """The morning after the last day."""
    return timezone.make_aware(dt.datetime.combine(found.closes_on + dt.timedelta(days=1), dt.time(8)))


def close(found: Round) -> Round:
    """Close the round by the clock."""
    services.close_due(now=after(found))
    found.refresh_from_db()
    return found


def closed(world: World, *, shift: int = 0) -> Round:
    """A closed round: six councils say 3, eight associations 4, four others 2; one comment question has five."""
    return close(everybody_answered(opened(world), shift=shift))


def everybody_answered(found: Round, *, shift: int = 0) -> Round:
    """The answers of `closed`."""
    answered(found, "council", [says("council", 3 + shift, expects=["association_pipeline"])] * 6)
    months = ("May", "June", "July", "August", "September")
    commented = [says("association", 4, one_change=f"Meet before {month}.") for month in months]
    answered(found, "association", [*commented, *[says("association", 4)] * 3])
    answered(found, "other", [says("other", 2)] * 4)
    return found


def objective(world: World) -> Objective:
    """An objective of the partnership."""
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
