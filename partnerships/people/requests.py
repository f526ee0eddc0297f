"""Facts about a request for views: who is signed in, and whether a person is reading the page."""

from __future__ import annotations

import re

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from partnerships.people.models import User


def signed_in(request: HttpRequest) -> User:
    """Return the signed-in person; 403 without one.

    `LoginRequiredMiddleware` has normally redirected such a request already.
    """
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied


class PrefetchRefused(Exception):
    """Raised by a view whose page must not be prefetched, because opening it has an effect.

    `PrefetchMiddleware` turns it into a response, after which the browser requests the page again when it is opened.
    """


def is_prefetch(request: HttpRequest) -> bool:
    """Whether the browser says that it requests the page before the person opens it."""
    purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return not {"prefetch", "preview"}.isdisjoint(re.split(r"\W+", purpose.lower()))


def is_reading(request: HttpRequest) -> bool:
    """Whether the signed-in person is reading the page.

    Not for a HEAD request, a prefetch, or an administrator who views the site as somebody else.
    """
    is_viewed_as = hasattr(request, "view_as")
    return request.method == "GET" and not is_viewed_as and not is_prefetch(request)
