"""The tasks in My work to decide on answers of stakeholders, and to confirm emails."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.urls import reverse

from partnerships.answers.models import Answer, AnswerStatus, Incoming
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Organisations, People, Reach
from partnerships.organisations.models import Role
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User
from partnerships.plans.models import Plan

_LEADS_OF_OWNERS = Organisations("plan__owners__organisation", when=Q(plan__owners__ended_at=None), roles=(Role.LEAD,))
_UNDECIDED_ANSWERS = Reach(Answer.objects.waiting(), (_LEADS_OF_OWNERS,))


def _plans_with_undecided_answers(user: User) -> QuerySet[Any]:
    """Return the plans with answers that the person should decide on.

    `count` is the number of these answers of each plan, and `first_at` the time of the oldest.
    """
    undecided = Q(answers__status=AnswerStatus.WAITING)
    return (
        Plan.objects.publishable_by(user)
        .filter(pk__in=_UNDECIDED_ANSWERS.of(user).values("plan"))
        .annotate(count=Count("answers", filter=undecided), first_at=Min("answers__made_at", filter=undecided))
        .select_related("partnership")
        .order_by("first_at", "pk")
    )


def _answers_to_decide(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each plan with answers to decide on, dated by the oldest answer."""
    return [
        WaitingTask(
            action=_decide_text(plan.count),
            title=plan.title,
            path=reverse("answers:plan", kwargs={"pk": plan.pk}),
            since=plan.first_at,
            partnership_title=plan.partnership.title if plan.partnership else "",
        )
        for plan in rows_for(_plans_with_undecided_answers, user)
    ]


def _decide_text(count: int) -> str:
    """Return the action of a task to decide on this many answers."""
    if count == 1:
        return "Approve or refuse 1 answer from a stakeholder"
    return f"Approve or refuse {count} answers from stakeholders"


def _unconfirmed_emails(now: dt.datetime) -> Reach:
    """Return the replies and forwarded emails to be confirmed, each by the person who sent it."""
    return Reach(Incoming.objects.waiting(now), (People("person"),))


def _emails_of(user: User, now: dt.datetime) -> QuerySet[Incoming]:
    """Return the emails that the person must confirm, the oldest first."""
    emails = _unconfirmed_emails(now).of(user)
    return emails.select_related("plan__partnership", "partnership").order_by("received_at", "pk")


def _emails_to_confirm(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return one task for each email that has no effect until the person confirms it."""
    return [
        WaitingTask(
            action="Confirm your reply by email" if email.is_reply else "Save this email as a conversation",
            title=email.subject or "Email without a subject",
            path=reverse("answers:incoming", kwargs={"pk": email.pk}),
            since=email.received_at,
            partnership_title=email.partnership.title if email.partnership else "",
        )
        for email in rows_for(_emails_of, user, now)
    ]


TASK_SOURCES = (
    TaskSource(
        of=_emails_to_confirm,
        reaches=lambda now: (_unconfirmed_emails(now),),
        lookups=lambda user, now: (lookup(_emails_of, user, now),),
    ),
    TaskSource(
        of=_answers_to_decide,
        reaches=lambda _now: (_UNDECIDED_ANSWERS,),
        lookups=lambda user, _now: (lookup(_plans_with_undecided_answers, user),),
    ),
)
