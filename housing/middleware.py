"""Middleware of the project.

It logs requests, limits their size, answers outages, health probes and prefetches, and notes exports and row history.
"""

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

from housing.alerts import alert_about_outage, is_outage
from housing.errors import too_large
from partnerships.activity.services import record_export
from partnerships.kit.exports import asked_of, rows_of
from partnerships.kit.masking import has_secret
from partnerships.people.limits import too_many
from partnerships.people.requests import PrefetchRefused

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)

#: Views that send a file, by route.
EXPORT_ROUTES = frozenset(
    {
        "people:own-data",
        "agreements:terms-pdf",
        "agreements:terms-word",
        "conversations:reports-csv",
        "exchange:export",
        "lists:export",
        "lists:file-download",
        "nominations:csv",
        "nominations:record",
        "nominations:rows",
        "surveys:pdf",
        "digests:export-stakeholders",
        "plans:pdf",
        "plans:word",
        "plans:draft-pdf",
        "plans:compare-pdf",
        "plans:compare-csv",
        "web:brief-pdf",
        "reports:file",
        "reports:frozen-file",
        "reports:made-file-download",
        "organisations:pending-csv",
        "organisations:pending-feed",
        "open_data:file",
        "admin:transfer_importrun_set_aside",
        "transfer:own-set-aside",
        "spreadsheets:export",
        "spreadsheets:set-aside",
    }
)


class RequestLogMiddleware:
    """Logs each request by the name of its route, never by its path, which may hold a token or a search."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Log route, status and time of the request, never its address or content."""
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
                user=_user_id(request),
                milliseconds=round((time.monotonic() - started) * 1000),
            )
        return response


def _user_id(request: HttpRequest) -> int | None:
    """The id of the signed-in user.

    None if there is none or the database is away.
    """
    try:
        user_id: int | None = getattr(getattr(request, "user", None), "pk", None)
    except (OperationalError, InterfaceError):
        return None
    return user_id


class RequestSizeMiddleware:
    """Refuses requests larger than any form of ours, before Django reads them.

    Some pages take larger ones, which they do not keep: they filter them as they come in.
    """

    #: Bytes by page: 150 MB of lettings, three files of 4 MB of one list, and what a form adds.
    LARGER = {
        "nominations:upload": 151 * 1024 * 1024,
        "admin:transfer_importrun_add": 13 * 1024 * 1024,
        "transfer:own-upload": 13 * 1024 * 1024,
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > self._limit(request, int(length)):
            return too_large()
        return self.get_response(request)

    def _limit(self, request: HttpRequest, length: int) -> int:
        if length <= settings.MAX_REQUEST_BYTES or request.method != "POST":
            return settings.MAX_REQUEST_BYTES
        return self.LARGER.get(route_name(request.path_info), settings.MAX_REQUEST_BYTES)


@receiver(got_request_exception)
def remember_outage(request: HttpRequest | None = None, **kwargs: object) -> None:
    """Keep the error, because Django turns an error in middleware into a 500 that does not name it."""
    error = sys.exc_info()[1]
    if request is not None and error is not None and is_outage(error):
        request.META["housing.outage"] = error


class DatabaseOutageMiddleware:
    """Answers 503 with Retry-After during an outage of the database, in a view or in other middleware."""

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
        remembered = request.META.get("housing.outage")
        return self.unavailable(remembered) if remembered and response.status_code == 500 else response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if is_outage(exception):
            return self.unavailable(exception)
        return None

    def unavailable(self, error: Exception) -> HttpResponse:
        code = getattr(
            error.__cause__, "pgcode", None
        )  # 55P03: lock; 57014: statement; 25006: read-only; None: no connection
        log.error("database_unavailable", kind=type(error).__name__, code=code)
        alert_about_outage(error)
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = str(self.RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response


class HealthMiddleware:
    """Answers health probes before ALLOWED_HOSTS is checked, because load balancers use IP addresses.

    These answers do not depend on the host.
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


class AnonymousSurveyMiddleware:
    """Removes the session cookie from pages where somebody answers a survey, before anything reads it.

    Otherwise a session that is renewed at the moment of an answer would show who answered.
    """

    PATH_PREFIX = "/surveys/"
    PAGES = frozenset({"surveys:answer", "surveys:answer-by-name", "surveys:thanks"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self.PATH_PREFIX) and route_name(request.path_info) in self.PAGES:
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)


class PrivatePagesMiddleware:
    """Keeps pages of signed-in people out of every cache, including the browser's, and secrets in links out of Referer.

    A page whose address has a secret sends only our origin as Referer. (With `no-referrer`, browsers would send
    `Origin: null` with its forms, which the CSRF check refuses.)
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        if has_secret(request.path_info):
            response.headers.setdefault("Referrer-Policy", "strict-origin")
        return response


class PrefetchMiddleware:
    """Refuses a browser's prefetch of a page whose opening is recorded: 503, so it asks again on a real click.

    Views of such pages raise `PrefetchRefused`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, PrefetchRefused):
            return None
        return HttpResponse(status=503, headers={"Cache-Control": "no-store"})


class ExportLimitMiddleware:
    """Limits exports per minute for each person or signed-out IP address, and records each export."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if match is not None and match.view_name in EXPORT_ROUTES and self._is_export(request, response):
            view = getattr(request, "view_as", None)
            record_export(
                actor_id=view.administrator_id if view else request.user.pk,
                seen_as_id=view.person_id if view else None,
                what=match.view_name,
                record_id=match.kwargs.get("pk"),
                asked=asked_of(response),
                rows=rows_of(response),
                now=timezone.now(),
            )
        return response

    def _is_export(self, request: HttpRequest, response: HttpResponse) -> bool:
        return request.method == "GET" and response.status_code == 200

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Count the request and answer 429 over the limit, before the work.

        HEAD costs as much as GET.
        """
        match = request.resolver_match
        if match is None or match.view_name not in EXPORT_ROUTES or request.method not in ("GET", "HEAD"):
            return None
        return too_many(request, "exports", limit=settings.EXPORTS_PER_MINUTE, stretch=dt.timedelta(minutes=1))


class HistoryMiddleware(PgHistoryMiddleware):
    """Adds user, page and reason to row history.

    The page by name, because its path may hold a token.
    """

    MAX_REASON = 1_000

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request)
        context["url"] = route_with_ids(request.path_info)
        return context

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Add the form's reason, after the CSRF check has read the form."""
        if request.method == "POST" and not getattr(view, "csrf_exempt", False):
            reason = request.POST.get("reason", "").replace("\x00", "").strip()
            if reason:
                pghistory.context(reason=reason[: self.MAX_REASON])
        return None


def route_name(path: str) -> str:
    """The name of the route of a path, such as "plans:detail"; "" if there is none."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def route_with_ids(path: str) -> str:
    """The name of the route of a path and the ids in the path, such as "plans:detail 5"; "" if there is none."""
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    ids = [str(value) for value in match.kwargs.values() if isinstance(value, int)]
    if match.namespace == "admin":
        # Django admin takes ids as strings.
        ids += [value for value in match.kwargs.values() if isinstance(value, str) and value.isdecimal()]
    return " ".join([match.view_name, *ids])
