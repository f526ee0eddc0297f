"""Authenticate people by email address and password."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest

from partnerships.people.models import User
from partnerships.people.services import find_person


class AddressBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth carries no types
    """Sign-in by email address and password.

    allauth's own backend searches for an unknown address a second time, in a column without an index. Here, known and
    unknown addresses take the same time, which is that of one indexed lookup and one password hash.
    """

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Return the person, or None if the address or password is wrong or the account is closed."""
        password = credentials.get("password")
        if not password:
            return None
        person = find_person(str(credentials.get("email") or credentials.get("username") or ""))
        if person is None:
            User().set_password(password)  # hash the password, so that an unknown address takes as long as a known one
            return None
        return person if person.check_password(password) and self.user_can_authenticate(person) else None
