"""Figures for Prometheus, which web processes give: what workers did stands in the ledger."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from partnerships.digests.metrics import register

register()


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever brings the token of the settings."""
    given = request.headers.get("Authorization", "")
    if not settings.METRICS_TOKEN or not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        raise Http404
    figures: HttpResponse = ExportToDjangoView(request)
    return figures
