"""Health probes, which show whether this process is alive and whether it can serve pages."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from housing.heartbeats import BEAT, heartbeat_age
from housing.upgrades import is_read_only, unapplied_migrations


@login_not_required
@require_safe
@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """Answer that the process is alive."""
    return JsonResponse({"live": True})


@login_not_required
@require_safe
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if this process can serve pages, else 503 with the condition that is not met.

    The database must answer, accept writes, and have all migrations of this code. It may have later migrations too,
    because old code continues to serve while a new version migrates. The response also says how many seconds ago
    beat ticked.
    """
    try:
        waits_for = _missing_condition()
        beat_age = None if waits_for else heartbeat_age(BEAT)
    except (OperationalError, InterfaceError):
        waits_for, beat_age = "database", None
    except ProgrammingError:  # there are no tables yet
        waits_for, beat_age = "migrations", None
    if waits_for:
        return JsonResponse({"ready": False, "waits_for": waits_for}, status=503, headers={"Retry-After": "10"})
    return JsonResponse({"ready": True, "beat_seconds": None if beat_age is None else round(beat_age, 1)})


def _missing_condition() -> str:
    """Return the condition for serving pages that the database does not meet, or "" if it meets all."""
    if is_read_only():
        return "read-only"
    return "migrations" if unapplied_migrations() else ""
