"""Questions about plans and trust in people as things that an organisation holds."""

from __future__ import annotations

from partnerships.answers.models import PlanQuestion, Trust
from partnerships.organisations.obligations import Column, Held, Obligation, register_following, register_obligation

QUESTIONS = Obligation(
    "plan_questions",
    "Questions about plans",
    (Column("answers.PlanQuestion.organisation"),),
    lambda organisation, day: PlanQuestion.objects.filter(
        organisation=organisation, closed_at=None, closes_on__gte=day
    ).select_related("plan"),
    lambda one, _: Held(one.pk, one.title, one.plan.get_absolute_url(), one.plan.title, outside=f"Question {one.pk}"),
)
TRUST = Obligation(
    "trust",
    "Stakeholders it trusts",
    (Column("answers.Trust.organisation", ending=lambda moving: {"ended_at": moving.now}),),
    lambda organisation, _: Trust.objects.filter(organisation=organisation, ended_at=None).select_related("person"),
    lambda one, _: Held(one.pk, one.person.display_name, "", "Answers shown at once", outside=f"Stakeholder {one.pk}"),
)


def register() -> None:
    """Register both, and who decided about answers."""
    register_obligation(QUESTIONS)
    register_obligation(TRUST)
    register_following("answers.Answer.decided_for")
