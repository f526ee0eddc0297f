"""Refuses settings of email that do not fit together, at start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

#: Connecting, greeting, securing and signing in, and MAIL with RCPT and DATA, may each take EMAIL_TIMEOUT.
_COMMANDS = 5
_MARGIN = 10


@register
def lease_outlasts_commands(app_configs: Sequence[Any] | None, **kwargs: Any) -> list[CheckMessage]:
    """A lease must outlast what the sender may wait without renewing it: else two senders send one email."""
    found: list[CheckMessage] = []
    needed = _COMMANDS * settings.EMAIL_TIMEOUT + _MARGIN
    if needed > settings.EMAIL_LEASE_SECONDS:
        found.append(
            Error(
                f"EMAIL_LEASE_SECONDS is {settings.EMAIL_LEASE_SECONDS}, less than {needed}: {_COMMANDS} times "
                f"EMAIL_TIMEOUT and {_MARGIN} s.",
                hint="A sender that waits for a slow mail server would lose its lease and the email would go twice.",
                id="outbox.E001",
            )
        )
    if settings.EMAIL_DATA_TIMEOUT < settings.EMAIL_TIMEOUT:
        found.append(
            Error(
                f"EMAIL_DATA_TIMEOUT is {settings.EMAIL_DATA_TIMEOUT}, less than EMAIL_TIMEOUT.",
                hint="RFC 5321 (4.5.3.2.6) asks clients to wait 600 s for the answer to the end of DATA.",
                id="outbox.E002",
            )
        )
    return found
