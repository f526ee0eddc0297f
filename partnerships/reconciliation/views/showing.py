"""Public pages: what the service is, and each body.

A preview to show in a frame.
"""

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

from partnerships.reconciliation.presenting import facts
from partnerships.reconciliation.queries import bodies_of, kept_ids, lineage_of
from partnerships.reconciliation.reading import clean
from partnerships.reconciliation.views.service import limited, public_service
from partnerships.reconciliation.vocabulary import PROPERTIES

#: Any site may frame a preview, which has its own style and loads or runs nothing.
_framed: Callable[..., Any] = csp(
    {"default-src": [NONE], "style-src": [NONCE], "frame-ancestors": ["*"], "base-uri": [NONE]}
)


@login_not_required
@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What the service does, and its addresses."""
    context = {
        "old": settings.SITE_ORIGIN + reverse("reconciliation:root-old"),
        "draft": settings.SITE_ORIGIN + reverse("reconciliation:root"),
        "asked": [prop for prop in PROPERTIES.values() if prop.asked],
        "batch": settings.RECONCILIATION_SIZES["BATCH"],
        "per_minute": settings.RECONCILIATION_NAMES_PER_MINUTE,
    }
    return render(request, "reconciliation/about.html", context)


@login_not_required
@require_safe
def body(request: HttpRequest, body: str) -> HttpResponse:
    """The public page of a body."""
    return limited(request) or render(request, "reconciliation/body.html", _context(body))


@public_service("GET")
@xframe_options_exempt
@_framed
def preview(request: HttpRequest, version: str) -> HttpResponse:
    """A body in a small frame, as OpenRefine shows it beside a cell."""
    return render(request, "reconciliation/preview.html", _context(clean(request.GET.get("id", ""))))


def _context(code: str) -> dict[str, Any]:
    """What is shown of the body; 404 if it is not public."""
    bodies = bodies_of(kept_ids([code]).values())
    if not bodies:
        raise Http404
    [one] = bodies.values()
    lineage = lineage_of([one.pk], timezone.localdate(), before=True)
    after, before = lineage.after.get(one.pk, ()), lineage.before.get(one.pk, ())
    return {
        **facts(one),
        "successors": [lineage.bodies[pk] for pk in after if pk in lineage.bodies],
        "predecessors": [lineage.bodies[pk] for pk in before if pk in lineage.bodies],
    }
