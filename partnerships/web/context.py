"""Template context of the page header: the organisation the reader acts for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from partnerships.organisations.models import Membership, Organisation
from partnerships.people.models import User


def _acting_for(user: User) -> Organisation | None:
    membership = (
        Membership.objects.current().of_person(user).select_related("organisation").order_by("starts_on", "pk").first()
    )
    return membership.organisation if membership else None


def acting_for(request: HttpRequest) -> dict[str, Any]:
    """`acting_for`: the first organisation of the signed-in reader, looked up only where a page shows it."""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"acting_for": SimpleLazyObject(lambda: _acting_for(user))}
