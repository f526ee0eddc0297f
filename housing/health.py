"""Health probes: whether this process is alive, and whether it can serve."""

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
    """Answer 200 if this code can serve, else 503 with the reason.

    The database must answer, take writes, and have every migration of this code. It may have later ones: old code goes
    on serving while a new version migrates. Also says how many seconds ago beat ticked.
    """
    try:
        beat = heartbeat_age(BEAT)
        waiting = "read-only" if is_read_only() else "migrations" if unapplied_migrations() else ""
    except (OperationalError, InterfaceError):
        waiting, beat = "database", None
    except ProgrammingError:  # no tables yet
        waiting, beat = "migrations", None
    if waiting:
        return JsonResponse({"ready": False, "waits_for": waiting}, status=503, headers={"Retry-After": "10"})
    return JsonResponse({"ready": True, "beat_seconds": None if beat is None else round(beat, 1)})
