"""Alerts and reports to operators about pages that fail."""

from __future__ import annotations

import sys
import traceback

import structlog
from django.core.signals import got_request_exception
from django.db import InterfaceError, InternalError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest
from psycopg2 import errorcodes

from housing.error_reports import report_error
from partnerships.kit.operators import alert_operators

#: PostgreSQL's internal errors for which trying again later may help.
_TEMPORARY = frozenset({errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT, errorcodes.READ_ONLY_SQL_TRANSACTION})


def is_outage(error: BaseException) -> bool:
    """Return whether the database could not answer now but may answer later.

    This is so if the connection failed, or if a time limit ended a statement, a wait for a lock or an idle
    transaction. It is also so if the database refuses writes because its disk is full or it is a standby.
    """
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "pgcode", "") in _TEMPORARY
    return isinstance(error, OperationalError | InterfaceError)


@receiver(got_request_exception)
def alert_about_error(request: HttpRequest | None = None, **kwargs: object) -> None:
    """Alert operators to an error in a page.

    The alert has the page's route, the request's id and a masked traceback, but never form data. Outages of the
    database have a different alert.
    """
    error = sys.exc_info()[1]
    if error is None or is_outage(error):
        return
    match = request.resolver_match if request else None
    route = match.view_name if match else "(no page)"
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    report_error(error, page=route, request_id=request_id)
    alert_operators(
        f"{type(error).__name__} on {route}",
        f"Request {request_id} for {route} failed with status 500.\n\n{''.join(traceback.format_exception(error))}",
    )


def alert_about_outage(error: Exception) -> None:
    """Alert operators that pages answer 503 because of the database."""
    alert_operators(
        f"The database is unavailable: {type(error).__name__}",
        f"Pages say that the service is unavailable (503) until the database is back.\n\n{error}",
    )
