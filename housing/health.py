"""Health probes: whether this process is alive, and whether it can serve."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from housing.heartbeats import BEAT, heartbeat_age


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
    """Answer 200 if the database answers, else 503; with the seconds since beat last ticked."""
    try:
        beat = heartbeat_age(BEAT)
    except (OperationalError, InterfaceError):
        return JsonResponse({"ready": False}, status=503, headers={"Retry-After": "10"})
    return JsonResponse({"ready": True, "beat_seconds": None if beat is None else round(beat, 1)})
