"""What a date box understands of what was typed."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.views.decorators.http import require_safe

from partnerships.kit.dates import NotADate
from partnerships.kit.value_fields import understood


@login_not_required
@require_safe
def read_date(request: HttpRequest) -> HttpResponse:
    """The date that the box named in `box` holds, in words, or what to write instead; nothing for an empty box."""
    text = request.GET.get(request.GET.get("box", ""), "").strip()
    if not text:
        return HttpResponse("", content_type="text/plain")
    try:
        words = understood(text, whole_days=bool(request.GET.get("whole_days"))).words
    except NotADate as error:
        words = f"Not clear: {error}."
    # Escaped, because htmx shows it as HTML.
    return HttpResponse(escape(words), content_type="text/plain")
