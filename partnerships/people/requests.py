"""The person behind a request, for views that only the signed-in reach."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from partnerships.people.models import User


def signed_in(request: HttpRequest) -> User:
    """Who asks; refuses (403) where nobody is signed in, which `LoginRequiredMiddleware` has already seen to."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied
