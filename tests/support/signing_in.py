"""Sign in Django's test client as a person."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest
from django.test import Client

from partnerships.people.models import User

_djangos_login = Client._login  # type: ignore[attr-defined]  # private in Django


def signed_in(person: User, **settings: Any) -> Client:
    """Return a client signed in as this person.

    The settings are those of `Client`, such as `raise_request_exception`.
    """
    client = Client(**settings)
    client.force_login(person)
    return client


def log_in(client: Client, user: User, backend: str | None = None) -> None:
    """Sign in a client that has no session yet, in half of the queries.

    Django creates a session of nobody first, reads it twice and deletes it.
    """
    if settings.SESSION_COOKIE_NAME in client.cookies:
        _djangos_login(client, user, backend)
        return
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, backend)
    request.session.save()
    client._set_login_cookies(request)  # type: ignore[attr-defined]  # the same
