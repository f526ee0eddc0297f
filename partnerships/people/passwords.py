"""Refusing passwords that are known from breaches: whoever guesses begins with those."""

from __future__ import annotations

import hashlib

import requests
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.crypto import constant_time_compare

log = structlog.get_logger(__name__)

#: The service says how often a password was seen in breaches, for every hash that begins with these five digits.
_PREFIX = 5
_SECONDS = 2


class BreachedPasswordValidator:
    """Ask a list of breached passwords (the range protocol of Have I Been Pwned), which learns five digits of a hash.

    Off where `BREACHED_PASSWORDS_URL` is empty. When the list does not answer in time, the password passes: nobody is
    kept out because somebody else's server is away.
    """

    def validate(self, password: str, user: object = None) -> None:
        """Refuse a password that the list knows."""
        if settings.BREACHED_PASSWORDS_URL and self._is_known(password):
            raise ValidationError(self.refusal(), code="password_breached")

    def refusal(self) -> str:
        """What the person reads."""
        return "This password is known from a breach of another site. Choose one that you use nowhere else."

    def get_help_text(self) -> str:
        """What is said before."""
        return "Your password can’t be one that is known from a breach of another site."

    def _is_known(self, password: str) -> bool:
        # The protocol's hash, not ours: nothing is kept by it.
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
