"""Telling the operators of pages that failed by an error of ours."""

from __future__ import annotations

import sys
import traceback

import structlog
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest

from partnerships.kit.operators import alert_operators


@receiver(got_request_exception)
def tell_of_error(request: HttpRequest | None = None, **kwargs: object) -> None:
    """Route, request and masked traceback, never what was sent; an outage has an alert of its own."""
    error = sys.exc_info()[1]
    if error is None or isinstance(error, OperationalError | InterfaceError):
        return
    match = request.resolver_match if request else None
    route = match.view_name if match else "(no page)"
    number = structlog.contextvars.get_contextvars().get("request_id", "")
    alert_operators(
        f"{type(error).__name__} on {route}",
        f"Request {number} for {route} was answered with 500.\n\n{''.join(traceback.format_exception(error))}",
    )


def tell_of_outage(error: Exception) -> None:
    """Pages are answered with 503, for the database does not answer in time or not at all."""
    alert_operators(
        f"The database is unavailable: {type(error).__name__}",
        f"Pages are answered with 503 until it is back.\n\n{error}",
    )
