"""What happens to questions about plans and trusted stakeholders when an organisation ends and another succeeds it.

Open questions pass to the successor, and it trusts the same stakeholders. Closed questions stay as they are.
"""

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


def _describe_question(question: PlanQuestion, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=question.pk,
        title=question.title,
        path=question.plan.get_absolute_url(),
        what=question.plan.title,
        generic_title=f"Question {question.pk}",
    )


def _current_trust(organisation: Organisation, _day: dt.date) -> QuerySet[Trust]:
    return Trust.objects.current().filter(organisation=organisation).select_related("person")


def _describe_trust(trust: Trust, _organisation: Organisation) -> HeldRecord:
    return HeldRecord(
        pk=trust.pk,
        title=trust.person.display_name,
        what="Answers shown without approval",
        generic_title=f"Stakeholder {trust.pk}",
    )


def _end_duplicate_trust(move: RecordMove) -> dict[str, dt.datetime]:
    """Return the new values of the row if the successor already trusts the same person. It ends."""
    return {"ended_at": move.now}


QUESTIONS = Obligation(
    code="plan_questions",
    label="Questions about plans",
    columns=(Column("answers.PlanQuestion.organisation"),),
    records=_open_questions,
    describe=_describe_question,
)
TRUST = Obligation(
    code="trust",
    label="Stakeholders it trusts",
    columns=(Column("answers.Trust.organisation", end_values=_end_duplicate_trust),),
    records=_current_trust,
    describe=_describe_trust,
)


def register() -> None:
    """Register questions and trust. The organisation that decided about an answer changes only in a merge."""
    register_obligation(QUESTIONS)
    register_obligation(TRUST)
    register_following_columns("answers.Answer.decided_for")
