"""Error pages for requests that cannot be read."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the page for 400, or for 413 if the request was too large. It repeats no part of the request."""
    if isinstance(exception, TooManyFieldsSent):
        boxes = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        return HttpResponse(render_to_string("413_boxes.html", {"boxes": boxes}), status=413)
    if isinstance(exception, RequestDataTooBig | TooManyFilesSent):
        return too_large()
    return HttpResponse(render_to_string("400.html"), status=400)


def too_large() -> HttpResponse:
    """Return the page for 413."""
    return HttpResponse(render_to_string("413.html"), status=413)
