"""Questions to a signatory, the answers, and signatories whose deadline has passed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from partnerships.documents.models import Decision, Signatory

#: Questions that one signatory can be asked.
MAX_QUESTIONS = 10
#: Characters of a question to a signatory.
MAX_QUESTION = 300
#: Characters of a signatory's answer.
MAX_ANSWER = 2_000

S = TypeVar("S", bound=Signatory)


class InvalidAnswers(ValueError):
    """There are too many questions, one is too long, or an answer is missing or too long."""


def read_questions(texts: Iterable[str]) -> list[str]:
    """Questions, each on one line and asked once. Raises `InvalidAnswers`."""
    questions = list(dict.fromkeys(filter(None, (" ".join(text.split()) for text in texts))))
    if len(questions) > MAX_QUESTIONS:
        raise InvalidAnswers(f"Ask at most {MAX_QUESTIONS} questions.")
    if any(len(question) > MAX_QUESTION for question in questions):
        raise InvalidAnswers(f"A question can have at most {MAX_QUESTION} characters.")
    return questions


def read_answers(questions: Sequence[str], answers: Mapping[str, str], decision: str) -> list[dict[str, str]]:
    """What `Signature.answers` stores: each question with its answer.

    `answers` are by question. Only a rejection may leave questions without an answer. Raises `InvalidAnswers`.
    """
    given = {question: answers.get(question, "").strip() for question in questions}
    for question, answer in given.items():
        if not answer and decision != Decision.REJECTED:
            raise InvalidAnswers(f"Answer the question “{question}”")
        if len(answer) > MAX_ANSWER:
            raise InvalidAnswers(f"The answer to “{question}” can have at most {MAX_ANSWER:,} characters.")
    return [{"question": question, "answer": answer} for question, answer in given.items() if answer]


def lapsed_signatories(signatories: QuerySet[S], *, now: dt.datetime) -> QuerySet[S]:
    """Those whose deadline has passed, and that the next post does not know of yet.

    A deadline before they were last asked does not count. Whether one has decided is for the caller to check.
    """
    today = timezone.localdate(now)
    return signatories.filter(Q(due_on__gte=F("asked_at__date")), due_on__lt=today, escalated_at=None, removed_at=None)


def claim_escalation(signatory: Signatory, *, now: dt.datetime) -> bool:
    """Mark that the next post is told; False if another run has done so."""
    rows = type(signatory)._default_manager.filter(pk=signatory.pk, escalated_at=None, due_on=signatory.due_on)
    return bool(rows.update(escalated_at=now))
