"""Decides whether each recipient of a notice gets an email at once, or gets the notice another way.

An upper room registers the router. Without a registered router, everybody gets an email.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from partnerships.outbox.kinds import EmailKind
from partnerships.outbox.models import Email


class Router:
    """The router that emails everyone at once, and the base class of other routers."""

    def route(self, *, kind: EmailKind, emails: Sequence[Email], now: dt.datetime) -> list[Email]:
        """Return the emails to record. The recipients of the others get the notice another way, such as a summary.

        The emails are of one kind and not saved yet. This runs in the transaction that records them.
        """
        return list(emails)


_router_in_use: list[Router] = [Router()]


def register_router(router: Router) -> None:
    """Use this router from now on, instead of the previous one."""
    _router_in_use[:] = [router]


def current_router() -> Router:
    """Return the router in use."""
    return _router_in_use[0]
