"""What a request that cannot be read is answered."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, or 413 where the request was too large; both say nothing of what was in it."""
    if isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent):
        return too_large()
    return HttpResponse(render_to_string("400.html"), status=400)


def too_large() -> HttpResponse:
    """413 in the product's look."""
    return HttpResponse(render_to_string("413.html"), status=413)
