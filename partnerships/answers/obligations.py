"""Questions about plans, and trust in stakeholders, which another organisation may take over."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.answers.models import PlanQuestion, Trust
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_following_columns,
    register_obligation,
)


def _open_questions(organisation: Organisation, day: dt.date) -> QuerySet[PlanQuestion]:
    questions = PlanQuestion.objects.filter(organisation=organisation, closed_at=None, closes_on__gte=day)
    return questions.select_related("plan")


def _held_question(question: PlanQuestion, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=question.pk,
        title=question.title,
        path=question.plan.get_absolute_url(),
        what=question.plan.title,
        generic_title=f"Question {question.pk}",
    )


def _current_trust(organisation: Organisation, _day: dt.date) -> QuerySet[Trust]:
    return Trust.objects.current().filter(organisation=organisation).select_related("person")


def _held_trust(trust: Trust, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=trust.pk,
        title=trust.person.display_name,
        what="Answers shown without approval",
        generic_title=f"Stakeholder {trust.pk}",
    )


def _end_duplicate_trust(move: RecordMove) -> dict[str, dt.datetime]:
    """Return the changes that end a row of trust whose person the other organisation already trusts."""
    return {"ended_at": move.now}


QUESTIONS = Obligation(
    "plan_questions",
    "Questions about plans",
    (Column("answers.PlanQuestion.organisation"),),
    _open_questions,
    _held_question,
)
TRUST = Obligation(
    "trust",
    "Stakeholders it trusts",
    (Column("answers.Trust.organisation", end_values=_end_duplicate_trust),),
    _current_trust,
    _held_trust,
)


def register() -> None:
    """Register both obligations. Decisions about answers follow the organisation that made them."""
    register_obligation(QUESTIONS)
    register_obligation(TRUST)
    register_following_columns("answers.Answer.decided_for")
