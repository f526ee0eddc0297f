"""What plans put on the agenda of a partnership's meeting."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from partnerships.agreements.agenda import Purpose, Since, Suggestion
from partnerships.agreements.models import Partnership
from partnerships.kit.dates import long_date
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version


def published_since(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Versions of the partnerships' plans published since their last meetings, the newest of each plan."""
    later = Q(pk__in=[])
    for partnership in partnerships:
        later |= Q(plan__partnership=partnership, published_at__gt=since.last[partnership.pk])
    rows = (
        Version.objects.visible_to(user)
        .without_content()
        .filter(later, published_at__lte=since.now)
        .select_related("plan")
        .order_by("plan", "-number")
        .distinct("plan")
    )
    return [
        Suggestion(
            row.plan.partnership_id or 0,
            "plan_version",
            row.pk,
            f"{row.title}, version {row.number}"[:300],
            row.get_absolute_url(),
            Purpose.INFORMATION,
            f"Published {long_date(row.published_at.date())}: {row.note}"[:300],
        )
        for row in sorted(rows, key=lambda row: (row.published_at, row.pk))
    ]


def awaiting_signature(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Plans of the partnerships that wait for signatures."""
    rows = Plan.objects.inside_for(user).filter(partnership__in=partnerships).awaiting_sign_off()
    return [
        Suggestion(
            row.partnership_id or 0,
            "plan_signing",
            row.pk,
            f"Sign off {row.title}, version {row.open_number or row.current_number}"[:300],
            reverse("plans:signing", args=[row.pk]),
            Purpose.DECISION,
        )
        for row in rows.order_by("title", "pk")
    ]
