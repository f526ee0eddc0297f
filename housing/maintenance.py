"""Maintenance mode, in which pages answer 503 while a file exists. Health probes and metrics still work."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from housing.unsubscribes import keep, token_in

#: The Retry-After header if no end of maintenance was given.
RETRY_AFTER_SECONDS = 300
#: Paths that still work. So do health probes, because their middleware comes earlier.
STILL_ANSWERED = ("/metrics",)


def is_on() -> bool:
    """Return whether this machine is in maintenance mode."""
    return Path(settings.MAINTENANCE_FILE).exists()


def turn_on(*, until: dt.datetime | None) -> None:
    """Answer 503 from the next request on.

    The page asks people to try again at `until`, but maintenance does not end then.
    """
    path = Path(settings.MAINTENANCE_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(until.isoformat() if until else "", encoding="utf-8")


def turn_off() -> bool:
    """Serve pages again, and return whether maintenance was on."""
    was_on = is_on()
    Path(settings.MAINTENANCE_FILE).unlink(missing_ok=True)
    return was_on


class MaintenanceMiddleware:
    """Answer 503 during maintenance, and save one-click unsubscribes for later. The database is not needed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info in STILL_ANSWERED or not is_on():
            return self.get_response(request)
        if token := token_in(request):
            if keep(token):
                return HttpResponse(
                    "Your request is saved. We will stop these emails when maintenance ends.",
                    status=202,
                    content_type="text/plain",
                )
            if not is_on():  # maintenance has just ended
                return self.get_response(request)
        now, until = timezone.now(), _until()
        if until is not None and until <= now:  # maintenance takes longer than planned
            until = None
        seconds = int((until - now).total_seconds()) if until else RETRY_AFTER_SECONDS
        return HttpResponse(
            render_to_string("503_maintenance.html", {"until": until}),
            status=503,
            headers={"Retry-After": str(seconds), "Cache-Control": "no-store"},
        )


def _until() -> dt.datetime | None:
    """Return when people should try again, or None if the file has no time."""
    try:
        moment = parse_datetime(Path(settings.MAINTENANCE_FILE).read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return moment if moment and timezone.is_aware(moment) else None
