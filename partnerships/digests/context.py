"""Template context of every page: how many notices are unread."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from partnerships.digests.queries.inbox import unread_count
from partnerships.people.models import User


def inbox(request: HttpRequest) -> dict[str, Any]:
    """Return the number of unread notices as `unread_notices`, which is counted only if the page shows it."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"unread_notices": SimpleLazyObject(lambda: unread_count(user))}
