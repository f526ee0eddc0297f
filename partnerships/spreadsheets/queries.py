"""Uploads of a record, as its person may see them."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.spreadsheets.models import Upload


def uploads_for(
    user: User, *, plan: Plan | None, partnership: Partnership | None, whole: Organisation | None
) -> QuerySet[Upload]:
    """The person's own uploads for a plan, a partnership or a whole organisation, newest first."""
    rows = Upload.objects.visible_to(user).filter(plan=plan, partnership=partnership)
    if whole is not None:
        rows = rows.filter(organisation=whole)
    return rows.for_listing().order_by("-started_at", "-pk")
