"""Sections on the pages of other rooms, for answering about a plan and forwarding emails to a partnership."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership
from partnerships.answers.models import Incoming, PlanQuestion
from partnerships.answers.rights import answerable_versions, may_answer, may_forward_to, partnership_key
from partnerships.digests.queries.contents import published_plans
from partnerships.digests.sections import ReadByLink, ViewByLink
from partnerships.kit.sections import Section
from partnerships.organisations.statements import rows_for
from partnerships.outbox.reply_addresses import FORWARD, make_address
from partnerships.people.models import User
from partnerships.plans.models import FINAL_STATUSES


def answering_section(person: User, read: ReadByLink) -> Section | None:
    """Return links to answer about the plan that the person reads, or None if the person cannot answer."""
    if read.plan.is_over or not may_answer(person, read.plan, read.version_number, read.now):
        return None
    url_kwargs = {"token": read.token, "plan": read.plan.pk}
    return Section(
        "answers/_section.html",
        {
            "href": reverse("answers:by-link", kwargs=url_kwargs),
            "comment_href": reverse("answers:comment-by-link", kwargs=url_kwargs),
            "questions": PlanQuestion.objects.open_at(read.now).filter(plan=read.plan).count(),
        },
    )


#: The most plans about which the page of a digest offers to answer.
MAX_OFFERED_PLANS = 10


def plans_section(person: User, view: ViewByLink) -> Section | None:
    """Return the plans of a digest about which a stakeholder can answer, or None if there are none.

    Plans with open questions come first.
    """
    if not person.is_stakeholder:
        return None
    now = timezone.now()
    subjects = {*view.others, *((SubjectKind.PLAN, plan_id) for plan_id in view.plans)}
    open_questions = Count("questions", filter=Q(questions__in=PlanQuestion.objects.open_at(now)))
    plans = list(
        published_plans(subjects)
        .exclude(status__in=FINAL_STATUSES)
        .only("title")
        .annotate(asked=open_questions)
        .order_by("-asked", "title", "pk")
    )

    # The digest shows the plans of `view.plans`, so the person may read them. Rights are checked for the others only.
    unchecked_ids = [plan.pk for plan in plans if plan.pk not in view.plans]
    answerable_ids = view.plans | answerable_versions(person, unchecked_ids, now).keys()
    plan_links = [
        {"plan": plan, "href": reverse("answers:by-link", kwargs={"token": view.token, "plan": plan.pk})}
        for plan in plans
        if plan.pk in answerable_ids
    ]
    return Section("answers/_plans_section.html", {"rows": plan_links[:MAX_OFFERED_PLANS]}) if plan_links else None


def incoming_emails_of(partnership_id: int) -> QuerySet[Incoming]:
    """Return all emails that were sent to a partnership, whatever their status."""
    return Incoming.objects.filter(partnership=partnership_id)


def forwarding_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the partnership's address for forwarded emails, and the person's own emails to be confirmed.

    Returns None if the person may not forward emails to the partnership.
    """
    now = timezone.now()
    address = forwarding_address(partnership)
    if not address or not may_forward_to(partnership, user, now):
        return None
    waiting_emails = rows_for(_waiting_emails, user, partnership.pk, now) if has_rows else []
    return Section("answers/_forwarding.html", {"address": address, "waiting": waiting_emails, "person": user})


def _waiting_emails(user: User, partnership_id: int, now: dt.datetime) -> QuerySet[Incoming]:
    """Return the emails that the person forwarded to the partnership and has not confirmed, the oldest first."""
    own_emails = Incoming.objects.waiting(now).filter(person=user, partnership=partnership_id)
    return own_emails.order_by("received_at", "pk")


def forwarding_address(partnership: Partnership) -> str:
    """Return the address to which people forward emails, or "" if no mailbox is set up for incoming email."""
    return make_address(FORWARD, partnership.pk, key=partnership_key(partnership))
