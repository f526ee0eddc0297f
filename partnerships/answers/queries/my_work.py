"""My work: answers to decide on, and emails to confirm."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Min, Q
from django.urls import reverse

from partnerships.answers.models import Answer, AnswerStatus, Incoming
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, People, Reach
from partnerships.organisations.models import Role
from partnerships.organisations.waiting import Source
from partnerships.people.models import User
from partnerships.plans.models import Plan

_LEADS = Organisations("plan__owners__organisation", when=Q(plan__owners__ended_at=None), roles=(Role.LEAD,))
_WAITING = Reach(Answer.objects.waiting(), (_LEADS,))


def _answers_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    """One item for each plan with answers to decide on, dated by its oldest answer."""
    waiting = Q(answers__status=AnswerStatus.WAITING)
    plans: Any = (
        Plan.objects.publishable_by(user)
        .filter(pk__in=_WAITING.of(user).values("plan"))
        .annotate(count=Count("answers", filter=waiting), first_at=Min("answers__made_at", filter=waiting))
        .select_related("partnership")
        .order_by("first_at", "pk")
    )
    return [
        Waiting(
            what=(
                "Decide on 1 answer from a stakeholder"
                if plan.count == 1
                else f"Decide on {plan.count} answers from stakeholders"
            ),
            title=plan.title,
            path=reverse("answers:plan", kwargs={"pk": plan.pk}),
            since=plan.first_at,
            within=plan.partnership.title if plan.partnership else "",
        )
        for plan in plans
    ]


def _incoming(now: dt.datetime) -> Reach:
    return Reach(Incoming.objects.waiting(now), (People("person"),))


def _incoming_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    rows = _incoming(now).of(user).select_related("plan__partnership", "partnership").order_by("received_at", "pk")
    return [
        Waiting(
            what="Confirm your reply by email" if one.is_reply else "Save this email as a conversation",
            title=one.subject or "Email without a subject",
            path=reverse("answers:incoming", kwargs={"pk": one.pk}),
            since=one.received_at,
            within=one.partnership.title if one.partnership else "",
        )
        for one in rows
    ]


WAITING = (
    Source(_incoming_wanted, lambda now: (_incoming(now),)),
    Source(_answers_wanted, lambda _: (_WAITING,)),
)
