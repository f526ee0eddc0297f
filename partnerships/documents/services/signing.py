"""Check questions to signatories and their answers, and find signatories whose deadline has passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from partnerships.documents.models import Decision, Signatory

#: The most questions to one signatory.
MAX_QUESTIONS = 10
#: The most characters in a question to a signatory.
MAX_QUESTION = 300
#: The most characters in a signatory's answer.
MAX_ANSWER = 2_000

S = TypeVar("S", bound=Signatory)


class InvalidAnswers(ValueError):
    """There are too many questions, a question is too long, or an answer is missing or too long."""


def read_questions(texts: Iterable[str]) -> list[str]:
    """Return the questions, each on one line and only once. Raises `InvalidAnswers`."""
    trimmed = (" ".join(text.split()) for text in texts)
    questions = list(dict.fromkeys(text for text in trimmed if text))
    if len(questions) > MAX_QUESTIONS:
        raise InvalidAnswers(f"You can ask at most {MAX_QUESTIONS} questions. Remove some.")
    if any(len(question) > MAX_QUESTION for question in questions):
        raise InvalidAnswers(f"A question can have at most {MAX_QUESTION} characters. Shorten the longer ones.")
    return questions


def read_answers(questions: Sequence[str], answers: Mapping[str, str], decision: str) -> list[dict[str, str]]:
    """Return the questions with their answers, as `Signature.answers` stores them.

    `answers` are by question. Questions may be left unanswered only with a rejection. Raises `InvalidAnswers`.
    """
    answer_by_question = {question: answers.get(question, "").strip() for question in questions}
    for question, answer in answer_by_question.items():
        if not answer and decision != Decision.REJECTED:
            raise InvalidAnswers(f"Answer the question “{question}”.")
        if len(answer) > MAX_ANSWER:
            raise InvalidAnswers(f"The answer to “{question}” can have at most {MAX_ANSWER:,} characters. Shorten it.")
    return [{"question": question, "answer": answer} for question, answer in answer_by_question.items() if answer]


def lapsed_signatories(signatories: QuerySet[S], *, now: dt.datetime) -> QuerySet[S]:
    """Return the signatories whose deadline has passed and whose next post has not been emailed yet.

    A deadline before the last request is ignored. The caller checks whether the signatories have decided.
    """
    today = timezone.localdate(now)
    return signatories.filter(Q(due_on__gte=F("asked_at__date")), due_on__lt=today, escalated_at=None, removed_at=None)


def claim_escalation(signatory: Signatory, *, now: dt.datetime) -> bool:
    """Mark the signatory as escalated, and return False if another run has marked it or the deadline was changed."""
    unescalated = type(signatory)._default_manager.filter(pk=signatory.pk, escalated_at=None, due_on=signatory.due_on)
    return bool(unescalated.update(escalated_at=now))
