"""Queries of published results, with earlier rounds, a benchmark, comments and the work done about them."""

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

#: A benchmark needs at least this many partnerships. Each of their figures is based on at least five answers.
MIN_PARTNERSHIPS = 5


def published_figures(survey_round: Round) -> dict[tuple[str, str], Decimal]:
    """Return the published figures by theme and group. The group of everyone is ""."""
    return {(figure.theme, figure.group): figure.value for figure in survey_round.figures.all()}


def expectations_for(user: User | AnonymousUser) -> QuerySet[Figure]:
    """Return published shares of expectations in rounds that the person may read, newest rounds first.

    A share that is not shown has no row, so it is not in the list.
    """
    figures = Figure.objects.visible_to(user).filter(group="")
    figures = figures.select_related("round__question_set", "round__partnership")
    expectation_ids = [figure.pk for figure in figures if expectation_words(figure)]
    return figures.filter(pk__in=expectation_ids).order_by("-round__closed_at", "-round", "theme")


def expectation_words(figure: Figure) -> str:
    """Return the text of the expectation that a figure is about, or "" for other figures.

    The round should be fetched with its question set.
    """
    for expectation in figure.round.questions().expectations:
        if expectation.key == figure.theme:
            return expectation.text
    return ""


def comparable_rounds(survey_round: Round) -> Sequence[Round]:
    """Return the closed rounds that can be compared with a closed round, the oldest first, with their figures.

    They have the same partnerships and question set. The last of them is the round itself.
    """
    closed_rounds = Round.objects.filter(
        partnership=survey_round.partnership_id,
        status=RoundStatus.CLOSED,
        number__lte=survey_round.number,
        question_set__code=survey_round.question_set.code,
    )
    closed_rounds = closed_rounds.select_related("question_set").prefetch_related("figures", "joinings")
    *earlier_rounds, this_round = closed_rounds.order_by("number")
    joined_ids = _joined_ids(this_round)
    return [*(earlier for earlier in earlier_rounds if _joined_ids(earlier) == joined_ids), this_round]


def _joined_ids(survey_round: Round) -> set[int]:
    """Return the ids of the other partnerships that run a closed round.

    Joinings that were not accepted need no filter, because opening a round deletes them.
    """
    return {joining.partnership_id for joining in survey_round.joinings.all()}


def benchmark_by_dimension(survey_round: Round) -> dict[str, Decimal]:
    """Return for each dimension the median of the newest means of other partnerships.

    Dimensions with a mean in fewer than five other partnerships have no benchmark. A round that several partnerships
    run has no benchmark, and is not counted in the benchmark of others.
    """
    if survey_round.is_joint:
        return {}
    means_of_others = (
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
    newest_means: dict[str, dict[int, Decimal]] = defaultdict(dict)
    for partnership, theme, value in means_of_others:
        newest_means[theme][partnership] = value  # later rounds overwrite earlier ones
    dimensions = {dimension.key for dimension in survey_round.questions().dimensions}
    return {
        theme: Decimal(statistics.median(means.values())).quantize(Decimal("0.1"))
        for theme, means in newest_means.items()
        if theme in dimensions and len(means) >= MIN_PARTNERSHIPS
    }


def shown_comments(survey_round: Round) -> dict[str, list[str]]:
    """Return the published comments by question.

    A question is left out while one of its comments waits for the moderator, or if fewer than `floor` are shown.
    """
    comments = list(Comment.objects.filter(round=survey_round).order_by("shown", "pk"))
    texts_by_question: dict[str, list[str]] = defaultdict(list)
    for comment in comments:
        if comment.status == CommentStatus.SHOWN:
            texts_by_question[comment.question].append(comment.shown)
    waiting_questions = {comment.question for comment in comments if comment.status == CommentStatus.WAITING}
    return {
        question: texts
        for question, texts in texts_by_question.items()
        if question not in waiting_questions and len(texts) >= survey_round.floor
    }


def named_answers(survey_round: Round) -> Sequence[NamedAnswer]:
    """Return the answers by name, or none until the round is closed."""
    if not survey_round.is_closed:
        return []
    return list(survey_round.named_answers.select_related("person").order_by("person__name", "pk"))


@dataclass(frozen=True, slots=True)
class LinkedRecord:
    """The record of some work about a theme. `action` is the id of the `Action` that links the two."""

    kind: str
    title: str
    path: str
    action: int


#: The kinds of record that can be linked to a theme, each with a field of `Action`, a heading, a model and its title.
_KINDS: tuple[tuple[str, str, Any, str], ...] = (
    ("objective", "Objectives", Objective, "text"),
    ("entry", "Asks and offers", Entry, "title"),
    ("commitment", "Commitments", Commitment, "text"),
    ("meeting", "Meetings", Meeting, "title"),
    ("conversation", "Conversations", Conversation, "subject"),
)
#: A form offers at most this many records of each kind.
_MAX_CHOICES = 200


def actions_of(rounds: Sequence[Round], user: User | AnonymousUser) -> Mapping[tuple[int, str], list[LinkedRecord]]:
    """Return the records linked to these rounds, by round and theme, as far as the reader may open them."""
    linked_records: dict[tuple[int, str], list[LinkedRecord]] = defaultdict(list)
    all_actions = list(Action.objects.filter(round__in=rounds).order_by("added_at", "pk"))
    for kind, _, model, title_field in _KINDS:
        kind_label = str(model._meta.verbose_name).capitalize()
        actions = [action for action in all_actions if getattr(action, f"{kind}_id") is not None]
        record_ids = [getattr(action, f"{kind}_id") for action in actions]
        record_by_id = model.objects.visible_to(user).in_bulk(record_ids)
        for action, record_id in zip(actions, record_ids, strict=True):
            record = record_by_id.get(record_id)
            if record is None:
                continue
            linked_record = LinkedRecord(
                kind=kind_label,
                title=getattr(record, title_field),
                path=record.get_absolute_url(),
                action=action.pk,
            )
            linked_records[action.round_id, action.theme].append(linked_record)
    return linked_records


def actions_to_choose(survey_round: Round, user: User | AnonymousUser) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the records that the person can link to a theme, as headings with choices such as `objective-12`.

    The records belong to the round's partnerships, and the person may open them.
    """
    partnerships = [partnership.pk for partnership in partnerships_of(survey_round)]
    groups = []
    for kind, heading, model, title_field in _KINDS:
        records = model.objects.visible_to(user).filter(partnership__in=partnerships).order_by("-pk")
        ids_and_titles = records.values_list("pk", title_field)[:_MAX_CHOICES]
        groups.append((heading, [(f"{kind}-{pk}", title[:120]) for pk, title in ids_and_titles]))
    return groups
