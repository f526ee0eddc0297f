"""Find out who makes a request, and whether a person reads the page or a browser only prefetches it."""

from __future__ import annotations

import re
from typing import cast

from django.contrib.auth.middleware import get_user
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from partnerships.people.models import User


def signed_in(request: HttpRequest) -> User:
    """Return the signed-in person; raise 403 if there is none.

    Normally, `LoginRequiredMiddleware` has redirected a request without a signed-in person.
    """
    if not isinstance(request.user, User):
        raise PermissionDenied
    if isinstance(request.user, SimpleLazyObject):
        # The same person without the lazy wrapper, which would slow down every use of an attribute.
        request.user = get_user(request)
    return cast(User, request.user)


class PrefetchRefused(Exception):
    """Raised by a view if its page must not be prefetched, because opening the page has an effect.

    `PrefetchMiddleware` turns the exception into a response after which the browser requests the page again once a
    person opens it.
    """


def is_prefetch(request: HttpRequest) -> bool:
    """Return True if the browser says that it requests the page before a person opens it."""
    purpose = f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}"
    return not {"prefetch", "preview"}.isdisjoint(re.split(r"\W+", purpose.lower()))


def is_reading_page(request: HttpRequest) -> bool:
    """Return True if the signed-in person is reading the page.

    Returns False for a HEAD request, for a prefetch, and for an administrator who views the site as another person.
    """
    is_viewed_as = hasattr(request, "view_as")
    return request.method == "GET" and not is_viewed_as and not is_prefetch(request)
