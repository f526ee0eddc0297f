"""What plans put on the agenda of a partnership's meeting."""

from __future__ import annotations

from django.urls import reverse

from partnerships.agreements.agenda import Purpose, Since, Suggestion
from partnerships.agreements.models import Partnership
from partnerships.kit.dates import long_date
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version


def published_since(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """Versions of the partnership's plans published since the last meeting, the newest of each plan."""
    rows = (
        Version.objects.visible_to(user)
        .without_content()
        .filter(plan__partnership=partnership, published_at__gt=since.last, published_at__lte=since.now)
        .order_by("plan", "-number")
        .distinct("plan")
    )
    return [
        Suggestion(
            "plan_version",
            row.pk,
            f"{row.title}, version {row.number}"[:300],
            row.get_absolute_url(),
            Purpose.INFORMATION,
            f"Published {long_date(row.published_at.date())}: {row.note}"[:300],
        )
        for row in sorted(rows, key=lambda row: (row.published_at, row.pk))
    ]


def awaiting_signature(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """Plans of the partnership that wait for signatures."""
    rows = Plan.objects.inside_for(user).filter(partnership=partnership).awaiting_sign_off().order_by("title", "pk")
    return [
        Suggestion(
            "plan_signing",
            row.pk,
            f"Sign off {row.title}, version {row.open_number or row.current_number}"[:300],
            reverse("plans:signing", args=[row.pk]),
            Purpose.DECISION,
        )
        for row in rows
    ]
