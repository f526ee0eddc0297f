"""The webhook for reports from mail providers, which sign them or send our shared secret."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from partnerships.outbox.providers import PROVIDERS, report_view


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def receive_reports(request: HttpRequest, provider: str) -> HttpResponse:
    """Receive the reports of a provider; 404 if no secret is set, 400 if the provider's secret is wrong."""
    if not settings.EMAIL_WEBHOOK_SECRET or provider not in PROVIDERS:
        raise Http404
    return report_view(provider)(request)
