"""Uploads of a record, as its person may see them."""

from __future__ import annotations

from django.db.models import QuerySet

from partnerships.people.models import User
from partnerships.spreadsheets.models import Upload


def uploads_for(user: User, **record: object) -> QuerySet[Upload]:
    """The person's own uploads for a record, newest first."""
    rows = Upload.objects.visible_to(user).filter(**record).for_listing()
    return rows.order_by("-started_at", "-pk")
