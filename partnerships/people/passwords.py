"""Refuse passwords that have appeared in data breaches."""

from __future__ import annotations

import hashlib

import requests
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

log = structlog.get_logger(__name__)

#: The number of digits of a hash that are sent. The service returns every breached hash that begins with these digits.
_PREFIX_LENGTH = 5
#: How long to wait for the service, in seconds.
_TIMEOUT = 2


class BreachedPasswordValidator:
    """Refuses passwords on a list of breached passwords.

    The validator uses the range protocol of Have I Been Pwned, so the service receives only five digits of a hash. If
    `BREACHED_PASSWORDS_URL` is empty or the service does not respond in time, passwords are not checked, so that an
    outage blocks nobody.
    """

    def validate(self, password: str, user: object = None) -> None:
        """Raise `ValidationError` if the password is on the list."""
        if settings.BREACHED_PASSWORDS_URL and self._is_known(password):
            raise ValidationError(self.refusal(), code="password_breached")

    def refusal(self) -> str:
        """Return the error message."""
        return "This password appeared in a data breach of another site. Choose a password that you use nowhere else."

    def get_help_text(self) -> str:
        """Return the hint that the form shows with the password field."""
        return "Your password can’t be one that appeared in a data breach of another site."

    def _is_known(self, password: str) -> bool:
        """Return True if the password was breached; False if the service does not respond."""
        # SHA-1 is the protocol's choice; the hash is not stored.
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()
        try:
            response = requests.get(
                f"{settings.BREACHED_PASSWORDS_URL.rstrip('/')}/{digest[:_PREFIX_LENGTH]}",
                headers={"Add-Padding": "true", "User-Agent": settings.SITE_NAME},
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
            response.raise_for_status()
        except requests.RequestException as error:
            log.warning("breached_passwords_not_asked", kind=type(error).__name__)
            return False
        for line in response.text.splitlines():
            suffix, _, count = line.partition(":")
            is_same = constant_time_compare(suffix.strip().upper(), digest[_PREFIX_LENGTH:])
            # The service adds padding lines, which have the count 0.
            if is_same and count.strip() not in ("", "0"):
                return True
        return False
