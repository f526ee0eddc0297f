"""A browser of Django's test client, signed in."""

from __future__ import annotations

from typing import Any

from django.test import Client

from partnerships.people.models import User


def signed_in(person: User, **settings: Any) -> Client:
    """A client signed in as this person; settings as `Client` takes them, such as `raise_request_exception`."""
    client = Client(**settings)
    client.force_login(person)
    return client
