"""Plans that are suggested for the agenda of a partnership's meeting."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse

from partnerships.agreements.agenda import AgendaSuggestion, LookBack, Purpose, ids_of
from partnerships.agreements.models import Partnership
from partnerships.kit.dates import long_date
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan, Version


def plans_published_since(user: User, partnerships: Sequence[Partnership], since: LookBack) -> list[AgendaSuggestion]:
    """Return the newest version of each plan that was published since the last meeting of its partnership."""
    newest_versions = rows_for(newest_version_rows, user, ids_of(partnerships), since.now)
    new_versions = [
        version for version in newest_versions if version.published_at > since.last[version.plan.partnership_id or 0]
    ]
    return [
        AgendaSuggestion(
            partnership_id=version.plan.partnership_id or 0,
            subject_kind="plan_version",
            subject_id=version.pk,
            title=f"{version.title}, version {version.number}"[:300],
            path=version.get_absolute_url(),
            purpose=Purpose.INFORMATION,
            detail=f"Published {long_date(version.published_at.date())}: {version.note}"[:300],
        )
        for version in sorted(new_versions, key=lambda version: (version.published_at, version.pk))
    ]


def newest_version_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Version]:
    """Return the newest version of each plan of these partnerships that the person may read, without its content."""
    versions = Version.objects.visible_to(user).without_content().select_related("plan")
    published_versions = versions.filter(plan__partnership__in=partnership_ids, published_at__lte=now)
    return published_versions.order_by("plan", "-number").distinct("plan")


def plans_awaiting_signature(
    user: User, partnerships: Sequence[Partnership], since: LookBack
) -> list[AgendaSuggestion]:
    """Return the partnerships' plans that are waiting for signatures."""
    return [
        AgendaSuggestion(
            partnership_id=plan.partnership_id or 0,
            subject_kind="plan_signing",
            subject_id=plan.pk,
            title=f"Sign off {plan.title}, version {plan.open_number or plan.current_number}"[:300],
            path=reverse("plans:signing", args=[plan.pk]),
            purpose=Purpose.DECISION,
        )
        for plan in rows_for(awaiting_signature_rows, user, ids_of(partnerships), since.now)
    ]


def awaiting_signature_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> QuerySet[Plan]:
    """Return the plans of these partnerships that are waiting for signatures, by title."""
    plans = Plan.objects.fully_readable_by(user).filter(partnership__in=partnership_ids)
    return plans.awaiting_sign_off().order_by("title", "pk")
