"""What wraps every request: its log line, who acts for row history, and a plain answer while the database is away."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
import time
import uuid
from collections.abc import Callable
from typing import Any

import pghistory
import structlog
from django.conf import settings
from django.core.signals import got_request_exception
from django.db import InterfaceError, InternalError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils import timezone
from pghistory.middleware import HistoryMiddleware as PgHistoryMiddleware
from psycopg2 import errorcodes

from housing.alerts import tell_of_outage
from housing.errors import too_large
from partnerships.activity.services import note_export
from partnerships.kit.exports import rows_of
from partnerships.people.limits import too_many

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
            log.info(
                "request",
                method=request.method,
                route=route,
                status=response.status_code,
                user=_number_of_user(request),
                milliseconds=round((time.monotonic() - started) * 1000),
            )
        return response


def is_outage(error: BaseException) -> bool:
    """Whether the database cannot answer now and may later.

    It is away, a time limit ended a statement or a wait for a lock, or it ended a transaction that had paused.
    """
    if isinstance(error, InternalError):
        return getattr(error.__cause__, "pgcode", "") == errorcodes.IDLE_IN_TRANSACTION_SESSION_TIMEOUT
    return isinstance(error, OperationalError | InterfaceError)


def _number_of_user(request: HttpRequest) -> int | None:
    """Whose request it was, as far as that is known: who has not been looked up yet is not while the database is
    away."""
    try:
        number: int | None = getattr(getattr(request, "user", None), "pk", None)
    except (OperationalError, InterfaceError):
        return None
    return number


class RequestSizeMiddleware:
    """Refuse what is larger than any form of ours before it is read: files are judged one by one only afterwards."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > settings.MAX_REQUEST_BYTES:
            return too_large()
        return self.get_response(request)


@receiver(got_request_exception)
def note_outage(request: HttpRequest | None = None, **kwargs: object) -> None:
    """Django turns what middleware raises into a 500 before any middleware of ours sees it: remember why."""
    error = sys.exc_info()[1]
    if request is not None and error is not None and is_outage(error):
        request.META["housing.outage"] = error


class DatabaseOutageMiddleware:
    """Answer 503 with a hint when to try again while PostgreSQL is away or makes a page wait too long.

    A view may have noticed it, or another middleware.
    """

    RETRY_AFTER_SECONDS = 10

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self.get_response(request)
        except (OperationalError, InterfaceError, InternalError) as error:
            if not is_outage(error):
                raise
            return self.unavailable(error)
        noticed = request.META.get("housing.outage")
        return self.unavailable(noticed) if noticed and response.status_code == 500 else response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if is_outage(exception):
            return self.unavailable(exception)
        return None

    def unavailable(self, error: Exception) -> HttpResponse:
        code = getattr(error.__cause__, "pgcode", None)  # 55P03: a lock; 57014: a statement; none: no connection
        log.error("database_unavailable", kind=type(error).__name__, code=code)
        tell_of_outage(error)
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = str(self.RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response


class HealthMiddleware:
    """Answer health probes before anything reads the Host header: load balancers ask by IP address.

    Nothing in these answers depends on the host. Every other address goes on to Django's check of ALLOWED_HOSTS.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/health/"):
            with contextlib.suppress(Resolver404):
                match = resolve(request.path_info)
                request.resolver_match = match
                answer: HttpResponse = match.func(request)
                return answer
        return self.get_response(request)


class PrivatePagesMiddleware:
    """No cache keeps what was shown to somebody who is signed in, nor the browser after they have gone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        return response


class ExportLimitMiddleware:
    """So many files a minute for each person, or for each address of the signed-out; then 429. Each is written down
    before it leaves."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if match is not None and match.view_name in settings.EXPORT_ROUTES and self._hands_out(request, response):
            view = getattr(request, "view_as", None)
            note_export(
                actor_id=view.administrator_id if view else request.user.pk,
                seen_as_id=view.person_id if view else None,
                what=match.view_name,
                record_id=match.kwargs.get("pk"),
                rows=rows_of(response),
                now=timezone.now(),
            )
        return response

    def _hands_out(self, request: HttpRequest, response: HttpResponse) -> bool:
        return request.method == "GET" and response.status_code == 200

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Count, and refuse what is too much, before the work is done: HEAD costs as much as GET."""
        match = request.resolver_match
        if match is None or match.view_name not in settings.EXPORT_ROUTES or request.method not in ("GET", "HEAD"):
            return None
        return too_many(request, "exports", limit=settings.EXPORTS_PER_MINUTE, stretch=dt.timedelta(minutes=1))


class HistoryMiddleware(PgHistoryMiddleware):
    """Note who acts, on which page and for what reason in the context of row history: never the address, which may
    hold a token."""

    #: Reasons are a sentence or two.
    LONGEST = 1_000

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request)
        context["url"] = place(request.path_info)
        return context

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Once the form has been read (and its token judged), the reason that it gives."""
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            reason = request.POST.get("reason", "").replace("\x00", "").strip()
            if reason:
                pghistory.context(reason=reason[: self.LONGEST])
        return None


def place(path: str) -> str:
    """The name of the page at an address, with the numbers in it: enough to say where, good for nothing else."""
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    numbers = [str(value) for value in match.kwargs.values() if isinstance(value, int)]
    if match.namespace == "admin":
        numbers += [value for value in match.kwargs.values() if isinstance(value, str) and value.isdecimal()]
    return " ".join([match.view_name, *numbers])
