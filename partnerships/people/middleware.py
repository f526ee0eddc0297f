"""Middleware for session limits, for viewing the site as another person, and for sign-in rules."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pghistory
import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from partnerships.people.models import User
from partnerships.people.second_factor import has_second_factor, requires_second_factor
from partnerships.people.sessions import FACTOR_SEEN_AT, OWN_SIGN_IN_SEEN_AT, SEEN_AT, SIGNED_IN_AT
from partnerships.people.sign_in_policy import meets_sign_in_policy
from partnerships.people.view_as import live_view

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)

#: The session key of the id of the view (`ViewAs`) as another person.
VIEW_AS_KEY = "view_as"
#: The namespaces of pages that administrators see as themselves, even while they view the site as another person.
_ADMINISTRATORS_OWN = frozenset({"admin", "people"})


def _redirect_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Return a redirect to the sign-in page, which leads back to this page afterwards."""
    return redirect_to_login(request.get_full_path() if request.method in ("GET", "HEAD") else "/")


def _is_account_page(request: HttpRequest) -> bool:
    """Return True on allauth's pages for signing in, second factors and sessions."""
    match = request.resolver_match
    return (
        match is not None
        and not match.namespace
        and (match.url_name or "").startswith(
            ("account_", "mfa_", "usersessions_", "socialaccount_", "openid_connect_")
        )
    )


class SessionLimitMiddleware:
    """Ends a session twelve hours after signing in, even in constant use.

    Idle sessions expire after sixty minutes.
    """

    #: How often, in seconds, the expiry of an idle session is renewed.
    SECONDS = 60

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.user.is_authenticated:
            return self.get_response(request)

        now = time.time()
        age = now - request.session.get(SIGNED_IN_AT, 0)
        # A negative age ends the session, too. If the clock was set back, sessions must not become endless.
        is_within_limit = -self.SECONDS <= age < settings.SESSION_HARD_LIMIT.total_seconds()
        if not is_within_limit:
            logout(request)
            return _redirect_to_sign_in(request)

        was_renewed_recently = 0 <= now - request.session.get(SEEN_AT, 0) < self.SECONDS
        if not was_renewed_recently:
            request.session[SEEN_AT] = now
        return self.get_response(request)


class ViewAsMiddleware:
    """Shows an administrator the site as another person sees it. The view is read-only, and every page is logged."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Replace the administrator with the person once the URL is resolved."""
        view_id = request.session.get(VIEW_AS_KEY)
        if view_id is None or not isinstance(request.user, User):
            return None
        match = request.resolver_match
        if match is not None and (match.namespace in _ADMINISTRATORS_OWN or _is_account_page(request)):
            return None

        view_as = live_view(pk=view_id, administrator=request.user, now=timezone.now())
        if view_as is None:
            del request.session[VIEW_AS_KEY]
            return None
        if request.method not in ("GET", "HEAD"):
            return render(request, "people/view_as_reads_only.html", {"view": view_as}, status=403)

        log.info(
            "viewed_as",
            administrator=request.user.pk,
            person=view_as.person_id,
            view=view_as.pk,
            route=match.view_name if match else "",
            ids=[value for value in kwargs.values() if isinstance(value, int)],
        )

        request.view_as = view_as  # type: ignore[attr-defined]  # for the banner
        administrator_id = request.user.pk
        request.user = view_as.person
        # Row history attributes changes that a page makes during the view to the administrator.
        pghistory.context(user=administrator_id, seen_as=view_as.person_id)
        return None


class _SessionCheck(ABC):
    """A requirement of every session, checked again every ten minutes."""

    #: How long, in seconds, a passed check is valid.
    SECONDS = 600
    #: The session key with the time of the last passed check.
    key: str

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Return the redirect if the requirement is not met; None if it is met."""
        user = request.user
        if not isinstance(user, User) or hasattr(request, "view_as") or self.is_exempt(request):
            return None
        if 0 <= time.time() - request.session.get(self.key, 0) < self.SECONDS:
            return None

        redirection = self.redirect_unless_met(request, user)
        if redirection is None:
            request.session[self.key] = time.time()
        return redirection

    def is_exempt(self, request: HttpRequest) -> bool:
        """Return True if people may open the page without the check."""
        return False

    @abstractmethod
    def redirect_unless_met(self, request: HttpRequest, user: User) -> HttpResponse | None:
        """Return a redirect to the page where the person can meet the requirement; None if it is met."""


class OwnSignInMiddleware(_SessionCheck):
    """Ends a session that was not started through the sign-in page that the organisation requires.

    No page is exempt, because people must not change a password on account pages either.
    """

    key = OWN_SIGN_IN_SEEN_AT

    def redirect_unless_met(self, request: HttpRequest, user: User) -> HttpResponse | None:
        """Sign the person out, and return a redirect to the sign-in page; None if the requirement is met."""
        if meets_sign_in_policy(request, user, now=timezone.now()):
            return None
        logout(request)
        messages.warning(request, "Your organisation requires you to sign in through its own sign-in page.")
        return _redirect_to_sign_in(request)


class SecondFactorMiddleware(_SessionCheck):
    """Redirects people who must add a second factor to the page for adding one."""

    key = FACTOR_SEEN_AT

    def is_exempt(self, request: HttpRequest) -> bool:
        """Return True on account pages, where people can add a second factor."""
        match = request.resolver_match
        return _is_account_page(request) or (match is not None and match.view_name == "people:account")

    def redirect_unless_met(self, request: HttpRequest, user: User) -> HttpResponse | None:
        """Return a redirect to the page of second factors; None if the person has one or needs none."""
        if not requires_second_factor(user) or has_second_factor(user):
            return None
        messages.warning(request, "You need a second factor to continue. Add a passkey or an authenticator app.")
        return redirect("mfa_index")
