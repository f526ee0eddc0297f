"""Handlers of allauth's signals, which write to the security log and end sessions."""

from __future__ import annotations

import time
from typing import Any

from allauth.account import signals as accounts
from allauth.mfa import signals as factors
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from partnerships.people.addresses import client_address
from partnerships.people.models import SecurityEventKind, User
from partnerships.people.security import record_security_event, record_sign_in
from partnerships.people.services import find_person, record_address_change
from partnerships.people.sessions import SIGNED_IN_AT, end_sessions
from partnerships.people.sign_in_journal import journal_factors, journal_password


def _client(request: HttpRequest) -> dict[str, Any]:
    """Return the IP address and browser of a request, as fields of the security log."""
    return {"ip": client_address(request), "user_agent": request.META.get("HTTP_USER_AGENT", "")}


@receiver(user_logged_in)
def store_session_start(request: HttpRequest, **kwargs: object) -> None:
    """Store in the session the time at which it began."""
    request.session[SIGNED_IN_AT] = time.time()


@receiver(accounts.user_logged_in)
def log_sign_in(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Log a sign-in."""
    record_sign_in(person=user, now=timezone.now(), **_client(request))


@receiver(user_login_failed)
def log_refused_sign_in(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: object) -> None:
    """Log a wrong password.

    Known and unknown addresses both add one row, so that both take the same time.
    """
    person = find_person(str(credentials.get("email") or credentials.get("username") or ""))
    if request is not None:
        account = None if person is None or person.is_stakeholder else person
        record_security_event(person=account, kind=SecurityEventKind.REFUSED, now=timezone.now(), **_client(request))


@receiver([accounts.password_changed, accounts.password_reset, accounts.password_set])
def handle_password_change(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Log a new password, and end all other sessions."""
    now = timezone.now()
    end_sessions(user, kept_session_key=request.session.session_key or "")
    record_security_event(person=user, kind=SecurityEventKind.PASSWORD_CHANGED, now=now, **_client(request))
    journal_password(user, now=now)


@receiver([factors.authenticator_added, factors.authenticator_removed, factors.authenticator_reset])
def log_second_factor_change(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Log a second factor that was added, removed or replaced."""
    now = timezone.now()
    record_security_event(person=user, kind=SecurityEventKind.SECOND_FACTOR_CHANGED, now=now, **_client(request))
    journal_factors(user, now=now)


@receiver(accounts.email_changed)
def handle_email_change(request: HttpRequest, user: User, **kwargs: object) -> None:
    """Log a new main address."""
    record_address_change(person=user, now=timezone.now())
    record_security_event(person=user, kind=SecurityEventKind.ADDRESS_CHANGED, now=timezone.now(), **_client(request))
