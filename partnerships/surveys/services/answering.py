"""Saves answers, which are sealed if the round is anonymous and have the person's name if it is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.surveys import sealing
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import Invitation, NamedAnswer, Round, SealedAnswer, Token
from partnerships.surveys.questions import MAX_COMMENT, SCORES


class UnableToAnswer(Exception):
    """Raised if the link has been used, the survey is over, or the answer does not fit the questions."""


def _validated(answer: Answer, survey_round: Round) -> Answer:
    """Return the answer without blank comments.

    Raises `UnableToAnswer` if a part of the answer fits no question or group.
    """
    texts: Mapping[str, str] = {key: text.strip() for key, text in answer.comments.items() if text.strip()}
    valid_answer = Answer(answer.group, dict(answer.scores), sorted(set(answer.expects)), texts)
    if not _fits_questions(valid_answer, survey_round):
        raise UnableToAnswer(
            "These answers do not fit the questions. Open the link again and answer the questions there."
        )
    return valid_answer


def _fits_questions(answer: Answer, survey_round: Round) -> bool:
    """Return whether each part of the answer fits a question, a scale or a group of the round."""
    questions = survey_round.questions()
    dimensions = {dimension.key for dimension in questions.dimensions}
    expectations = {expectation.key for expectation in questions.expectations}
    comments = {comment.key for comment in questions.comments}
    return (
        answer.group in survey_round.asked
        and answer.scores.keys() <= dimensions
        and all(score in SCORES for score in answer.scores.values())
        and set(answer.expects) <= expectations
        and answer.comments.keys() <= comments
        and all(len(text) <= MAX_COMMENT for text in answer.comments.values())
    )


@transaction.atomic
def answer_by_token(*, token: str, answer: Answer, now: dt.datetime) -> None:
    """Seal an answer and delete its token, so that nothing links the two. Raises `UnableToAnswer`."""
    tokens = Token.objects.filter(hash=sealing.token_hash(token))
    # Lock the round before the token, as ending a round does. Otherwise both could deadlock and the answer be lost.
    rounds = Round.objects.select_for_update(of=("self",), no_key=True).select_related("question_set")
    survey_round = rounds.filter(pk__in=tokens.values("round")).first()
    is_open = survey_round is not None and survey_round.takes_answers(now)
    if survey_round is None or survey_round.public_key is None or not is_open or not _delete_token(tokens):
        raise UnableToAnswer("This link has already been used, or the survey is over, so you cannot answer.")

    try:
        box = sealing.seal_answer(_validated(answer, survey_round), bytes(survey_round.public_key))
    except sealing.AnswerTooLong as error:
        raise UnableToAnswer("Your comments are too long. Shorten them, then send your answers again.") from error
    SealedAnswer.objects.create(round=survey_round, box=box)


def _delete_token(tokens: QuerySet[Token]) -> bool:
    """Delete a token, and return False if another request has just used it."""
    deleted_count, _count_by_model = tokens.delete()
    return deleted_count == 1


@transaction.atomic
def answer_by_name(*, invitation: Invitation, answer: Answer, now: dt.datetime) -> None:
    """Save a person's answer under their name, or replace an earlier one. Raises `UnableToAnswer`."""
    rounds = Round.objects.select_for_update(of=("self",)).select_related("question_set")
    survey_round = rounds.get(pk=invitation.round_id)
    if survey_round.is_anonymous or not survey_round.takes_answers(now):
        raise UnableToAnswer("This survey is over, so you can no longer answer it or change your answers.")

    valid_answer = _validated(answer, survey_round)
    NamedAnswer.objects.update_or_create(
        round=survey_round,
        person=invitation.person,
        defaults={
            "group": valid_answer.group,
            "scores": dict(valid_answer.scores),
            "expects": list(valid_answer.expects),
            "comments": dict(valid_answer.comments),
            "answered_on": timezone.localdate(now),
        },
    )
