"""Middleware of the project, for logs, limits, outages, health probes, privacy, exports and row history."""

from __future__ import annotations

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
from partnerships.kit.exports import export_description, exported_row_count
from partnerships.kit.masking import has_secret
from partnerships.people.limits import refuse_too_many
from partnerships.people.requests import PrefetchRefused

GetResponse = Callable[[HttpRequest], HttpResponse]
log = structlog.get_logger(__name__)

#: Names of the routes whose views send a file. `ExportLimitMiddleware` counts and records their downloads.
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
    """Log each request by the name of its route, never by its path, which may contain a token or search words.

    Requests that match no route are logged only if they fail with 500 or more, because most of them are scans by
    strangers.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex)
        started_at = time.monotonic()
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
                milliseconds=round((time.monotonic() - started_at) * 1000),
            )
        return response


def _user_id(request: HttpRequest) -> int | None:
    """Return the id of the signed-in user, or None for other visitors, and during an outage of the database."""
    # The user is read from the database when it is first used, which may be here.
    try:
        user_id: int | None = getattr(getattr(request, "user", None), "pk", None)
    except (OperationalError, InterfaceError):
        return None
    return user_id


class RequestSizeMiddleware:
    """Refuse requests larger than `MAX_REQUEST_BYTES` with 413, before Django reads them.

    A few pages accept larger uploads, because they filter the file while it arrives and do not store it.
    """

    #: Limits in bytes by route, for a file of lettings of 150 MB, or three files of 4 MB. The form may need another MB.
    LIMITS_BY_ROUTE = {
        "nominations:upload": 151 * 1024 * 1024,
        "admin:transfer_importrun_add": 13 * 1024 * 1024,
        "transfer:own-upload": 13 * 1024 * 1024,
    }

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or self._is_too_large(request, int(length)):
            return too_large()
        return self.get_response(request)

    def _is_too_large(self, request: HttpRequest, length: int) -> bool:
        if length <= settings.MAX_REQUEST_BYTES:  # true of nearly every request, whose path is then not resolved
            return False
        if request.method != "POST":
            return True
        return length > self.LIMITS_BY_ROUTE.get(route_name(request.path_info), settings.MAX_REQUEST_BYTES)


#: The key in `request.META` of an error that was an outage of the database.
_OUTAGE = "housing.outage"


@receiver(got_request_exception)
def remember_outage(request: HttpRequest | None = None, **kwargs: object) -> None:
    """Store an outage on the request, so that `DatabaseOutageMiddleware` can answer 503.

    Django turns an error in other middleware into a response with status 500, which does not contain the error.
    """
    error = sys.exc_info()[1]
    if request is not None and error is not None and is_outage(error):
        request.META[_OUTAGE] = error


class DatabaseOutageMiddleware:
    """Answer 503 with Retry-After if the database is down, whether a view or other middleware needed it."""

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
        outage = request.META.get(_OUTAGE)
        if outage and response.status_code == 500:
            return self.unavailable(outage)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if is_outage(exception):
            return self.unavailable(exception)
        return None

    def unavailable(self, error: Exception) -> HttpResponse:
        """Return the page for 503, after logging the outage and alerting the operators."""
        # In PostgreSQL, 55P03 is a wait for a lock that took too long, 57014 is a statement that took too long, and
        # 25006 is a read-only database. None means that there is no connection.
        code = getattr(error.__cause__, "pgcode", None)
        log.error("database_unavailable", kind=type(error).__name__, code=code)
        alert_about_outage(error)
        response = HttpResponse(render_to_string("503.html"), status=503)
        response["Retry-After"] = str(self.RETRY_AFTER_SECONDS)
        response["Cache-Control"] = "no-store"
        return response


class HealthMiddleware:
    """Answer health probes before ALLOWED_HOSTS is checked, because load balancers call them by IP address.

    This is safe, because their responses do not depend on the host.
    """

    PATH_PREFIX = "/health/"

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(self.PATH_PREFIX):
            return self.get_response(request)
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self.get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request)
        return response


class AnonymousSurveyMiddleware:
    """Remove the session cookie from requests to answer a survey, before any other middleware reads it.

    Without this, the database would show which session was renewed at the moment of each answer.
    """

    PATH_PREFIX = "/surveys/"
    ROUTES = frozenset({"surveys:answer", "surveys:answer-by-name", "surveys:thanks"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(self.PATH_PREFIX) and route_name(request.path_info) in self.ROUTES:
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)


class PrivatePagesMiddleware:
    """Prevent caches of pages of signed-in people, and secrets from addresses in the Referer header.

    No cache may store a page that a signed-in person sees, not even the browser's own. A page whose address contains a
    secret sends only our origin as Referer. `no-referrer` would be stricter, but browsers would then send
    `Origin: null` with the page's forms, which Django's CSRF check refuses.
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
    """Answer 503 if a browser prefetches a page whose opening is recorded.

    The browser then requests the page again on a real click. Views of these pages raise `PrefetchRefused`.
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
    """Limit exports per minute for each person, or each IP address if signed out, and record each export."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if self._is_export_route(request) and request.method == "GET" and response.status_code == 200:
            self._record(request, response)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Answer 429 over the limit, before the view does any work.

        HEAD requests are counted too, because they cost as much as GET.
        """
        if not self._is_export_route(request) or request.method not in ("GET", "HEAD"):
            return None
        return refuse_too_many(request, "exports", limit=settings.EXPORTS_PER_MINUTE, stretch=dt.timedelta(minutes=1))

    def _is_export_route(self, request: HttpRequest) -> bool:
        match = request.resolver_match
        return match is not None and match.view_name in EXPORT_ROUTES

    def _record(self, request: HttpRequest, response: HttpResponse) -> None:
        """Record the export, with the list and the rows that the view described."""
        match = request.resolver_match
        assert match is not None  # `_is_export_route` has checked this
        # If an administrator views the site as another person, the administrator gets the file.
        view_as = getattr(request, "view_as", None)
        record_export(
            actor_id=view_as.administrator_id if view_as else request.user.pk,
            seen_as_id=view_as.person_id if view_as else None,
            what=match.view_name,
            record_id=match.kwargs.get("pk"),
            asked=export_description(response),
            rows=exported_row_count(response),
            now=timezone.now(),
        )


class HistoryMiddleware(PgHistoryMiddleware):
    """Add the user, the page and the reason of a change to row history.

    Pages are recorded by the name of their route, because a path may contain a token.
    """

    MAX_REASON = 1_000

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request)
        context["url"] = route_with_ids(request.path_info)
        return context

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: list[Any], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Add the reason that a form gives.

        Views exempt from the CSRF check are left out, because they read their request themselves, some as a stream.
        """
        if request.method != "POST" or getattr(view, "csrf_exempt", False):
            return None
        reason = request.POST.get("reason", "").replace("\x00", "").strip()
        if reason:
            pghistory.context(reason=reason[: self.MAX_REASON])
        return None


def route_name(path: str) -> str:
    """Return the name of a path's route, such as "plans:detail", or "" if no route matches."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""


def route_with_ids(path: str) -> str:
    """Return the name of a path's route and the ids in the path, such as "plans:detail 5".

    Returns "" if no route matches.
    """
    try:
        match = resolve(path)
    except Resolver404:
        return ""
    ids = [str(value) for value in match.kwargs.values() if isinstance(value, int)]
    if match.namespace == "admin":
        # The ids in URLs of Django admin are strings.
        ids += [value for value in match.kwargs.values() if isinstance(value, str) and value.isdecimal()]
    return " ".join([match.view_name, *ids])
