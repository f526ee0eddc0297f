"""Public pages about the service and about each body, and the preview of a body in a frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from csp.constants import NONCE, NONE
from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from partnerships.reconciliation.matching import Body
from partnerships.reconciliation.presenting import facts_for_page
from partnerships.reconciliation.queries import bodies_by_id, current_pks, lineage_of
from partnerships.reconciliation.reading import clean
from partnerships.reconciliation.views.service import public_service, too_many_names
from partnerships.reconciliation.vocabulary import PROPERTIES

#: Allows every site to show a preview in a frame. The preview has inline style, but cannot load or run anything.
_framed: Callable[..., Any] = csp(
    {"default-src": [NONE], "style-src": [NONCE], "frame-ancestors": ["*"], "base-uri": [NONE]}
)


@login_not_required
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """Show the page about the service, its addresses and its limits."""
    context = {
        "old": settings.SITE_ORIGIN + reverse("reconciliation:root-old"),
        "draft": settings.SITE_ORIGIN + reverse("reconciliation:root"),
        "asked": [prop for prop in PROPERTIES.values() if prop.can_narrow],
        "batch": settings.RECONCILIATION_SIZES["BATCH"],
        "per_minute": settings.RECONCILIATION_NAMES_PER_MINUTE,
    }
    return render(request, "reconciliation/about.html", context)


@login_not_required
@require_safe
def body(request: HttpRequest, body: str) -> HttpResponse:
    """Show the public page of a body."""
    return too_many_names(request) or render(request, "reconciliation/body.html", _context(body))


@public_service("GET")
@xframe_options_exempt
@_framed
def preview(request: HttpRequest, version: str) -> HttpResponse:
    """Show a body in a small frame. For example, OpenRefine shows it next to a cell."""
    return render(request, "reconciliation/preview.html", _context(clean(request.GET.get("id", ""))))


def _context(body_id: str) -> dict[str, Any]:
    """Return the template context of a body. Raises `Http404` if the body is unknown or not public."""
    body = body_or_404(body_id)
    lineage = lineage_of([body.pk], timezone.localdate(), with_predecessors=True)
    successor_pks, predecessor_pks = lineage.after.get(body.pk, ()), lineage.before.get(body.pk, ())
    return {
        **facts_for_page(body),
        "successors": [lineage.bodies[pk] for pk in successor_pks if pk in lineage.bodies],
        "predecessors": [lineage.bodies[pk] for pk in predecessor_pks if pk in lineage.bodies],
    }


def body_or_404(body_id: str) -> Body:
    """Return the body that an id means today. Raises `Http404`."""
    bodies = bodies_by_id(current_pks([body_id]).values())
    if not bodies:
        raise Http404
    [body] = bodies.values()
    return body
