"""The cards to answer about a plan and to forward emails."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.answers.models import Incoming, PlanQuestion
from partnerships.answers.rights import may_answer, may_forward_to, partnership_key
from partnerships.digests.sections import ReadByLink
from partnerships.kit.sections import Section
from partnerships.organisations.statements import rows_for
from partnerships.outbox.reply_addresses import FORWARD, make_address
from partnerships.people.models import User


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


def forwarding_section(user: User, partnership: Partnership) -> Section | None:
    """The address for forwarded emails, and the person's emails that wait."""
    now = timezone.now()
    address = forwarding_address(partnership)
    if not address or not may_forward_to(partnership, user, now):
        return None
    waiting = rows_for(_incoming, user, partnership.pk, now)
    return Section("answers/_forwarding.html", {"address": address, "waiting": waiting, "person": user})


def _incoming(user: User, partnership: int, now: dt.datetime) -> QuerySet[Incoming]:
    return Incoming.objects.waiting(now).filter(person=user, partnership=partnership).order_by("received_at", "pk")


def forwarding_address(partnership: Partnership) -> str:
    """The address that takes forwarded emails; "" if no mailbox does."""
    return make_address(FORWARD, partnership.pk, key=partnership_key(partnership))
