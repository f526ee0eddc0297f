"""The cards to answer about a plan and to forward emails."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership
from partnerships.answers.models import Incoming, PlanQuestion
from partnerships.answers.rights import answerable, may_answer, may_forward_to, partnership_key
from partnerships.digests.queries.contents import published_plans
from partnerships.digests.sections import ReadByLink, ViewByLink
from partnerships.kit.sections import Section
from partnerships.organisations.statements import rows_for
from partnerships.outbox.reply_addresses import FORWARD, make_address
from partnerships.people.models import User
from partnerships.plans.models import OVER


def answering_section(person: User, read: ReadByLink) -> Section | None:
    """What can be answered; None if the plan takes no answers."""
    now = timezone.now()
    if read.plan.is_over or not may_answer(person, read.plan, read.version_number, now):
        return None
    where = {"token": read.token, "plan": read.plan.pk}
    return Section(
        "answers/_section.html",
        {
            "href": reverse("answers:by-link", kwargs=where),
            "comment_href": reverse("answers:comment-by-link", kwargs=where),
            "questions": PlanQuestion.objects.open(now).filter(plan=read.plan).count(),
        },
    )


#: How many plans a digest offers to answer about.
OFFERED = 10


def plans_section(person: User, view: ViewByLink) -> Section | None:
    """The plans of a digest that a stakeholder can answer about. None if there are none."""
    if not person.is_stakeholder:
        return None
    now = timezone.now()
    asked = Count("questions", filter=Q(questions__in=PlanQuestion.objects.open(now)))
    about = published_plans({*view.others, *((SubjectKind.PLAN, pk) for pk in view.plans)}).exclude(status__in=OVER)
    plans = list(about.only("title").annotate(asked=asked).order_by("-asked", "title", "pk"))
    others = answerable(person, [plan.pk for plan in plans if plan.pk not in view.plans], now)
    rows = [
        {"plan": plan, "href": reverse("answers:by-link", kwargs={"token": view.token, "plan": plan.pk})}
        for plan in plans
        if plan.pk in view.plans or plan.pk in others
    ][:OFFERED]
    return Section("answers/_plans_section.html", {"rows": rows}) if rows else None


def incoming_of(partnership: int) -> QuerySet[Incoming]:
    """All emails that came for a partnership."""
    return Incoming.objects.filter(partnership=partnership)


def forwarding_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """The address for forwarded emails, and the person's emails that wait."""
    now = timezone.now()
    address = forwarding_address(partnership)
    if not address or not may_forward_to(partnership, user, now):
        return None
    waiting = rows_for(_incoming, user, partnership.pk, now) if has_rows else []
    return Section("answers/_forwarding.html", {"address": address, "waiting": waiting, "person": user})


def _incoming(user: User, partnership: int, now: dt.datetime) -> QuerySet[Incoming]:
    return Incoming.objects.waiting(now).filter(person=user, partnership=partnership).order_by("received_at", "pk")


def forwarding_address(partnership: Partnership) -> str:
    """The address that takes forwarded emails; "" if no mailbox does."""
    return make_address(FORWARD, partnership.pk, key=partnership_key(partnership))
