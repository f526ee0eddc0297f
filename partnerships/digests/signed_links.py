"""Check the signed links in emails, which open pages without signing in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache

from partnerships.digests.emails.links import BadLink, ExpiredLink, Link, Purpose
from partnerships.digests.emails.links import read as read_link

P = ParamSpec("P")


def expired_link_page(request: HttpRequest, purpose: Purpose) -> HttpResponse:
    """Return the page for an expired link, which offers to send a new one by email."""
    return render(request, "digests/link_over.html", {"purpose": purpose.value, "token": token_in(request)}, status=410)


def for_bearer(
    purpose: Purpose,
) -> Callable[[Callable[Concatenate[HttpRequest, Link, P], HttpResponse]], Callable[..., HttpResponse]]:
    """Return a decorator that checks the link in the URL for this purpose.

    An invalid link gets a 404 that says how to get a new one; an expired link gets a 410 that offers to send one.
    """

    def decorate(view: Callable[Concatenate[HttpRequest, Link, P], HttpResponse]) -> Callable[..., HttpResponse]:
        """Return the view with its token replaced by the link, which is checked before the view runs."""

        @login_not_required
        @never_cache
        @wraps(view)
        def wrapped(request: HttpRequest, token: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            try:
                link = read_link(purpose, token, now=timezone.now())
            except ExpiredLink:
                return expired_link_page(request, purpose)
            except BadLink:
                return render(request, "digests/link_bad.html", status=404)
            response = view(request, link, *args, **kwargs)
            response["Referrer-Policy"] = "no-referrer"
            response["X-Robots-Tag"] = "noindex"
            return response

        return wrapped

    return decorate


def token_in(request: HttpRequest) -> str:
    """Return the token in the URL, which `for_bearer` has checked."""
    return str(request.resolver_match.kwargs["token"]) if request.resolver_match else ""
