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


def figures_of(survey_round: Round) -> dict[tuple[str, str], Decimal]:
    """The published figures by theme and group; the group of everybody is ""."""
    return {(figure.theme, figure.group): figure.value for figure in survey_round.figures.all()}


def expectations_for(user: User | AnonymousUser) -> QuerySet[Figure]:
    """Published shares of people who expect something, of rounds that the person may read.

    Newest rounds first. A share that is hidden has no row, so nothing can be said of it.
    """
    figures = Figure.objects.visible_to(user).filter(group="")
    figures = figures.select_related("round__question_set", "round__partnership")
    figure_pks = [figure.pk for figure in figures if expectation_words(figure)]
    return figures.filter(pk__in=figure_pks).order_by("-round__closed_at", "-round", "theme")


def expectation_words(figure: Figure) -> str:
    """What is expected, in the words of the round.

    Empty for other figures. Needs the round with its questions.
    """
    return next(
        (expectation.text for expectation in figure.round.questions().expectations if expectation.key == figure.theme),
        "",
    )


def rounds_before(survey_round: Round) -> Sequence[Round]:
    """Closed rounds of the same partnerships and kind of questions, oldest first, with figures; this one is last."""
    rows = Round.objects.filter(
        partnership=survey_round.partnership_id,
        status=RoundStatus.CLOSED,
        number__lte=survey_round.number,
        question_set__code=survey_round.question_set.code,
    )
    earlier = list(rows.select_related("question_set").prefetch_related("figures", "joinings").order_by("number"))
    return [earlier_round for earlier_round in earlier if _joined(earlier_round) == _joined(earlier[-1])]


def _joined(survey_round: Round) -> set[int]:
    """The other partnerships (ids) that run a round.

    Drafts aside, all of its joinings are accepted.
    """
    return {joining.partnership_id for joining in survey_round.joinings.all()}


def benchmark_of(survey_round: Round) -> dict[str, Decimal]:
    """The median of other partnerships for each dimension, from the newest round of each that has a mean.

    Only dimensions for which at least five others published one. Rounds of several partnerships neither have nor give
    one.
    """
    if survey_round.is_joint:
        return {}
    rows = (
        Figure.objects.filter(
            group="",
            round__status=RoundStatus.CLOSED,
            round__floor=MIN_FLOOR,
            round__question_set__code=survey_round.question_set.code,
        )
        .exclude(round__partnership=survey_round.partnership_id)
        .order_by("round__partnership", "round__number")
        .values_list("round__partnership", "theme", "value")
    )
    newest: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for partnership, theme, value in rows:
        newest[theme][partnership] = value
    dimensions = {dimension.key for dimension in survey_round.questions().dimensions}
    return {
        theme: Decimal(statistics.median(values.values())).quantize(Decimal("0.1"))
        for theme, values in newest.items()
        if theme in dimensions and len(values) >= MIN_PARTNERSHIPS
    }


def shown_comments(survey_round: Round) -> dict[str, list[str]]:
    """The published comments by question.

    Only once all are read, and as many as the floor are shown.
    """
    comments = list(Comment.objects.filter(round=survey_round).order_by("shown", "pk"))
    by_question: dict[str, list[str]] = defaultdict(list)
    for comment in comments:
        if comment.status == CommentStatus.SHOWN:
            by_question[comment.question].append(comment.shown)
    waiting = {comment.question for comment in comments if comment.status == CommentStatus.WAITING}
    return {
        question: texts
        for question, texts in by_question.items()
        if question not in waiting and len(texts) >= survey_round.floor
    }


def named_answers(survey_round: Round) -> Sequence[NamedAnswer]:
    """The answers of a closed round by name."""
    return (
        list(survey_round.named_answers.select_related("person").order_by("person__name", "pk"))
        if survey_round.is_closed
        else []
    )


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
    """What was done about each theme of these rounds, by round and theme.

    Only what the reader may open.
    """
    actions_done: dict[tuple[int, str], list[Done]] = defaultdict(list)
    for kind, _, model, words in _KINDS:
        actions = Action.objects.filter(round__in=rounds, **{f"{kind}__isnull": False}).order_by("added_at", "pk")
        things = model.objects.visible_to(user).in_bulk([getattr(action, f"{kind}_id") for action in actions])
        for action in actions:
            if thing := things.get(getattr(action, f"{kind}_id")):
                name = str(model._meta.verbose_name).capitalize()
                done = Done(name, getattr(thing, words), thing.get_absolute_url(), action.pk)
                actions_done[action.round_id, action.theme].append(done)
    return actions_done


def actions_to_choose(survey_round: Round, user: User | AnonymousUser) -> list[tuple[str, list[tuple[str, str]]]]:
    """What somebody can link to a theme.

    Things of its partnerships that they may open, by kind.
    """
    partnerships = [partnership.pk for partnership in partnerships_of(survey_round)]
    groups = []
    for kind, heading, model, words in _KINDS:
        things = model.objects.visible_to(user).filter(partnership__in=partnerships).order_by("-pk")
        rows = things.values_list("pk", words)[:_MAX_CHOICES]
        groups.append((heading, [(f"{kind}-{pk}", text[:120]) for pk, text in rows]))
    return groups
