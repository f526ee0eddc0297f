"""The signed-in person of a request."""

from __future__ import annotations

import re

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


def is_reading(request: HttpRequest) -> bool:
    """Whether somebody looks at a page themselves.

    A HEAD request does not count, nor a browser that fetches ahead, nor an administrator who views the site as
    somebody.
    """
    ahead = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    is_ahead = {"prefetch", "preview"} & set(re.split(r"\W+", ahead))
    return request.method == "GET" and not hasattr(request, "view_as") and not is_ahead
