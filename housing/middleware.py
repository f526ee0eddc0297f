"""What wraps every request: its log line, who acts for row history, and a plain answer while the database is away."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from pghistory.middleware import HistoryMiddleware as PgHistoryMiddleware

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)


class RequestLogMiddleware:
    """One line a request with the route's name and ids: never the address, which may hold a token or a search."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex)
        started = time.monotonic()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name if match else ""
        if route or response.status_code >= 500:
            user = getattr(request, "user", None)
            log.info(
                "request",
                method=request.method,
                route=route,
                status=response.status_code,
                user=getattr(user, "pk", None),
                milliseconds=round((time.monotonic() - started) * 1000),
            )
        return response


class DatabaseOutageMiddleware:
    """Answer 503 with a hint when to try again while PostgreSQL cannot be reached."""

    RETRY_AFTER_SECONDS = 10

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            return self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            return self.unavailable(error)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, OperationalError | InterfaceError):
            return self.unavailable(exception)
        return None

    def unavailable(self, error: Exception) -> HttpResponse:
        log.error("database_unavailable", kind=type(error).__name__)
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = str(self.RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response


class HistoryMiddleware(PgHistoryMiddleware):
    """Note who acts, and at which address, in the context of row history; a signed-out address may hold a token."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request)
        if context["user"] is None:
            context["url"] = ""
        return context
