"""A short text below a date field that shows which date we understand while a person types."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.html import escape
from django.views.decorators.http import require_safe

from partnerships.kit.dates import NotADate
from partnerships.kit.value_fields import read_precise_date


@login_not_required
@require_safe
def read_date(request: HttpRequest) -> HttpResponse:
    """Return the date that we understand in the field named by `box`, for example "31 March 2030".

    Returns what to enter instead if the date is not clear, and "" for an empty field.
    """
    text = request.GET.get(request.GET.get("box", ""), "").strip()
    if not text:
        return HttpResponse("", content_type="text/plain")
    try:
        answer = read_precise_date(text, whole_days=bool(request.GET.get("whole_days"))).words
    except NotADate as error:
        answer = f"This date is not clear. {error}"
    # The answer is escaped, because htmx shows it as HTML.
    return HttpResponse(escape(answer), content_type="text/plain")
