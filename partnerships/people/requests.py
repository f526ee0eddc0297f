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


class FetchedAheadError(Exception):
    """A browser fetches ahead what may only be sent to somebody who opens it.

    Raise it in a view: `PrefetchMiddleware` answers, and the browser asks again when the page is opened.
    """


def is_fetched_ahead(request: HttpRequest) -> bool:
    """Whether a browser asks before its user opens the page, and says so."""
    purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return not {"prefetch", "preview"}.isdisjoint(re.split(r"\W+", purpose.lower()))


def is_reading(request: HttpRequest) -> bool:
    """Whether somebody looks at a page themselves.

    A HEAD request does not count, nor a browser that fetches ahead, nor an administrator who views the site as
    somebody.
    """
    return request.method == "GET" and not hasattr(request, "view_as") and not is_fetched_ahead(request)
