"""The signed-in person of a request."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from partnerships.people.models import User


def signed_in(request: HttpRequest) -> User:
    """The signed-in person; 403 without one.

    `LoginRequiredMiddleware` has normally redirected such a request already.
    """
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied
