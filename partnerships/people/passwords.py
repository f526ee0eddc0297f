"""Refuses passwords that are known from data breaches."""

from __future__ import annotations

import hashlib

import requests
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

log = structlog.get_logger(__name__)

#: The service returns, for every hash that begins with these five digits, how often it was seen in breaches.
_PREFIX = 5
_SECONDS = 2


class BreachedPasswordValidator:
    """Checks a password against a list of breached passwords.

    Uses the range protocol of Have I Been Pwned: the list gets only five digits of a hash. Off where
    `BREACHED_PASSWORDS_URL` is empty. If the list does not answer in time, the password passes, so that an outage
    there blocks nobody.
    """

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` for a password that is on the list."""
        if settings.BREACHED_PASSWORDS_URL and self._is_known(password):
            raise ValidationError(self.refusal(), code="password_breached")

    def refusal(self) -> str:
        """The error message."""
        return "This password is known from a breach of another site. Choose one that you use nowhere else."

    def get_help_text(self) -> str:
        """The hint beside the password field."""
        return "Your password can’t be one that is known from a breach of another site."

    def _is_known(self, password: str) -> bool:
        """Whether the password was breached. False if the service does not answer."""
        # SHA-1 is the protocol's choice; the hash is not stored.
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            answer = requests.get(
                f"{settings.BREACHED_PASSWORDS_URL.rstrip('/')}/{digest[:_PREFIX]}",
                headers={"Add-Padding": "true", "User-Agent": settings.SITE_NAME},
                timeout=_SECONDS,
                allow_redirects=False,
            )
            answer.raise_for_status()
        except requests.RequestException as error:
            log.warning("breached_passwords_not_asked", kind=type(error).__name__)
            return False
        return any(
            constant_time_compare(line.partition(":")[0].strip().upper(), digest[_PREFIX:])
            and line.partition(":")[2].strip() not in ("", "0")
            for line in answer.text.splitlines()
        )
