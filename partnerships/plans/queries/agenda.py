"""Agenda items that plans propose for a partnership's meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import Q, QuerySet
from django.urls import reverse

from partnerships.agreements.agenda import AgendaSuggestion, LookBack, Purpose, ids_of
from partnerships.agreements.models import Partnership
from partnerships.kit.dates import long_date
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version


def plans_published_since(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Return the newest version of each plan for which a version was published since the partnership's last meeting."""
    condition = Q(pk__in=[])
    for partnership in partnerships:
        condition |= Q(plan__partnership=partnership, published_at__gt=since.last[partnership.pk])
    rows = (
        Version.objects.visible_to(user)
        .without_content()
        .filter(condition, published_at__lte=since.now)
        .select_related("plan")
        .order_by("plan", "-number")
        .distinct("plan")
    )
    return [
        AgendaSuggestion(
            partnership=row.plan.partnership_id or 0,
            subject_kind="plan_version",
            subject_id=row.pk,
            title=f"{row.title}, version {row.number}"[:300],
            path=row.get_absolute_url(),
            purpose=Purpose.INFORMATION,
            detail=f"Published {long_date(row.published_at.date())}: {row.note}"[:300],
        )
        for row in sorted(rows, key=lambda row: (row.published_at, row.pk))
    ]


def plans_awaiting_signature(
    user: User, partnerships: Sequence[Partnership], since: LookBack
) -> list[AgendaSuggestion]:
    """Return the partnerships' plans that are waiting for signatures."""
    return [
        AgendaSuggestion(
            partnership=row.partnership_id or 0,
            subject_kind="plan_signing",
            subject_id=row.pk,
            title=f"Sign off {row.title}, version {row.open_number or row.current_number}"[:300],
            path=reverse("plans:signing", args=[row.pk]),
            purpose=Purpose.DECISION,
        )
        for row in rows_for(awaiting_signature_rows, user, ids_of(partnerships), since.now)
    ]


def awaiting_signature_rows(user: User, partnerships: list[int], now: dt.datetime) -> QuerySet[Plan]:
    """Return the plans of these partnerships that are waiting for signatures, by title."""
    plans = Plan.objects.fully_readable_by(user).filter(partnership__in=partnerships)
    return plans.awaiting_sign_off().order_by("title", "pk")
