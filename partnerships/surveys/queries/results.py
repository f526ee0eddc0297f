"""Published results: figures of a round, their trend, comments, actions, and the middle of other partnerships."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from partnerships.agreements.models import Objective
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting
from partnerships.exchange.models import Entry
from partnerships.kit.disclosure import MIN_FLOOR
from partnerships.people.models import User
from partnerships.surveys.models import (
    Action,
    Comment,
    CommentStatus,
    Figure,
    NamedAnswer,
    Round,
    RoundStatus,
)
from partnerships.surveys.queries.rounds import partnerships_of

#: A benchmark needs this many partnerships; each has five answers or more, so ten stand together in any case.
MIN_PARTNERSHIPS = 5


def figures_of(found: Round) -> dict[tuple[str, str], Decimal]:
    """The published figures by theme and group; the group of everybody is ""."""
    return {(one.theme, one.group): one.value for one in found.figures.all()}


def expectations_for(user: User | AnonymousUser) -> QuerySet[Figure]:
    """Published shares of people who expect something, of rounds that the person may read.

    Newest rounds first. A share that is hidden has no row, so nothing can be said of it.
    """
    figures = Figure.objects.visible_to(user).filter(group="")
    figures = figures.select_related("round__question_set", "round__partnership")
    found = [one.pk for one in figures if expectation_words(one)]
    return figures.filter(pk__in=found).order_by("-round__closed_at", "-round", "theme")


def expectation_words(found: Figure) -> str:
    """What is expected, in the words of the round; empty for other figures. Needs the round with its questions."""
    return next((one.text for one in found.round.questions().expectations if one.key == found.theme), "")


def rounds_before(found: Round) -> Sequence[Round]:
    """Closed rounds of the same partnerships and kind of questions, oldest first, with figures; this one is last."""
    rows = Round.objects.filter(
        partnership=found.partnership_id,
        status=RoundStatus.CLOSED,
        number__lte=found.number,
        question_set__code=found.question_set.code,
    )
    known = list(rows.select_related("question_set").prefetch_related("figures", "joinings").order_by("number"))
    return [one for one in known if _joined(one) == _joined(known[-1])]


def _joined(found: Round) -> set[int]:
    """The other partnerships (ids) that run a round; drafts aside, all of its joinings are accepted."""
    return {one.partnership_id for one in found.joinings.all()}


def benchmark_of(found: Round) -> dict[str, Decimal]:
    """The median of other partnerships for each dimension, from the newest round of each that has a mean.

    Only dimensions for which at least five others published one. Rounds of several partnerships neither have nor give
    one.
    """
    if found.is_joint:
        return {}
    rows = (
        Figure.objects.filter(
            group="",
            round__status=RoundStatus.CLOSED,
            round__floor=MIN_FLOOR,
            round__question_set__code=found.question_set.code,
        )
        .exclude(round__partnership=found.partnership_id)
        .order_by("round__partnership", "round__number")
        .values_list("round__partnership", "theme", "value")
    )
    newest: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for partnership, theme, value in rows:
        newest[theme][partnership] = value
    dimensions = {one.key for one in found.questions().dimensions}
    return {
        theme: Decimal(statistics.median(values.values())).quantize(Decimal("0.1"))
        for theme, values in newest.items()
        if theme in dimensions and len(values) >= MIN_PARTNERSHIPS
    }


def shown_comments(found: Round) -> dict[str, list[str]]:
    """The published comments by question: only once all are read, and as many as the floor are shown."""
    comments = list(Comment.objects.filter(round=found).order_by("shown", "pk"))
    by_question: dict[str, list[str]] = defaultdict(list)
    for one in comments:
        if one.status == CommentStatus.SHOWN:
            by_question[one.question].append(one.shown)
    waiting = {one.question for one in comments if one.status == CommentStatus.WAITING}
    return {
        question: texts
        for question, texts in by_question.items()
        if question not in waiting and len(texts) >= found.floor
    }


def named_answers(found: Round) -> Sequence[NamedAnswer]:
    """The answers of a closed round by name."""
    return list(found.named_answers.select_related("person").order_by("person__name", "pk")) if found.is_closed else []


@dataclass(frozen=True, slots=True)
class Done:
    """What was done about a theme, as a reader sees it."""

    kind: str
    title: str
    path: str
    action: int


#: The kinds of thing that can be done about a theme: the field of `Action`, its heading, and the field with its words.
_KINDS: tuple[tuple[str, str, Any, str], ...] = (
    ("objective", "Objectives", Objective, "text"),
    ("entry", "Asks and offers", Entry, "title"),
    ("commitment", "Commitments", Commitment, "text"),
    ("meeting", "Meetings", Meeting, "title"),
    ("conversation", "Conversations", Conversation, "subject"),
)
#: Things of each kind that somebody can choose from.
_MAX_CHOICES = 200


def actions_of(rounds: Sequence[Round], user: User | AnonymousUser) -> Mapping[tuple[int, str], list[Done]]:
    """What was done about each theme of these rounds, by round and theme: only what the reader may open."""
    found: dict[tuple[int, str], list[Done]] = defaultdict(list)
    for kind, _, model, words in _KINDS:
        actions = Action.objects.filter(round__in=rounds, **{f"{kind}__isnull": False}).order_by("added_at", "pk")
        things = model.objects.visible_to(user).in_bulk([getattr(one, f"{kind}_id") for one in actions])
        for one in actions:
            if thing := things.get(getattr(one, f"{kind}_id")):
                name = str(model._meta.verbose_name).capitalize()
                done = Done(name, getattr(thing, words), thing.get_absolute_url(), one.pk)
                found[one.round_id, one.theme].append(done)
    return found


def actions_to_choose(found: Round, user: User | AnonymousUser) -> list[tuple[str, list[tuple[str, str]]]]:
    """What somebody can link to a theme: things of its partnerships that they may open, by kind."""
    partnerships = [one.pk for one in partnerships_of(found)]
    groups = []
    for kind, heading, model, words in _KINDS:
        things = model.objects.visible_to(user).filter(partnership__in=partnerships).order_by("-pk")
        rows = things.values_list("pk", words)[:_MAX_CHOICES]
        groups.append((heading, [(f"{kind}-{pk}", text[:120]) for pk, text in rows]))
    return groups
