"""Figures for Prometheus: those of every web process on this machine, and what the database says of the rest."""

from __future__ import annotations

import os

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from partnerships.digests.metrics import QueueCollector
from partnerships.people.metrics import RetentionCollector


def all_figures() -> bytes:
    """Each web process's own figures added up where they share `PROMETHEUS_MULTIPROC_DIR` (else this process's), and
    the database's figures once."""
    shared, stored = CollectorRegistry(), CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]  # it has no types
    for collector in (QueueCollector(), RetentionCollector()):
        stored.register(collector)
    own = shared if "PROMETHEUS_MULTIPROC_DIR" in os.environ else REGISTRY
    return generate_latest(own) + generate_latest(stored)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For requests with the token of the settings."""
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    return HttpResponse(all_figures(), content_type=CONTENT_TYPE_LATEST)
