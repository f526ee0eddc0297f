"""The uploads of a person for a record."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.spreadsheets.models import Upload


def uploads_for(
    user: User, *, plan: Plan | None, partnership: Partnership | None, organisation: Organisation | None
) -> QuerySet[Upload]:
    """Return the person's own uploads for a plan, a partnership or an organisation, newest first."""
    uploads = Upload.objects.visible_to(user).filter(plan=plan, partnership=partnership)
    if organisation is not None:
        uploads = uploads.filter(organisation=organisation)
    return uploads.for_listing().order_by("-started_at", "-pk")
