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
            one.pk,
            f"{one.title}, version {one.number}"[:300],
            one.get_absolute_url(),
            Purpose.INFORMATION,
            f"Published {long_date(one.published_at.date())}: {one.note}"[:300],
        )
        for one in sorted(rows, key=lambda one: (one.published_at, one.pk))
    ]


def awaiting_signature(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """Plans of the partnership that wait for signatures."""
    rows = Plan.objects.inside_for(user).filter(partnership=partnership).awaiting_sign_off().order_by("title", "pk")
    return [
        Suggestion(
            "plan_signing",
            one.pk,
            f"Sign off {one.title}, version {one.open_number or one.current_number}"[:300],
            reverse("plans:signing", args=[one.pk]),
            Purpose.DECISION,
        )
        for one in rows
    ]
