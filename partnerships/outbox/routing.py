"""How a notice reaches each recipient: by email at once, or another way.

An upper room registers one router; without one, everybody gets an email.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from partnerships.outbox.kinds import EmailKind
from partnerships.outbox.models import Email


class Router:
    """Base class that emails everybody at once."""

    def route(self, *, kind: EmailKind, emails: Sequence[Email], now: dt.datetime) -> list[Email]:
        """The emails to record; the other recipients get the notice otherwise.

        Called in the transaction that records. The emails are of one kind and not yet saved.
        """
        return list(emails)


_registered: list[Router] = [Router()]


def register_router(router: Router) -> None:
    """Use this router from now on."""
    _registered[:] = [router]


def router() -> Router:
    """The router in use."""
    return _registered[0]
