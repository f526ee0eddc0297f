"""The search page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.people.requests import signed_in
from partnerships.search.queries import search


@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Search results for the reader."""
    text = request.GET.get("q", "").replace("\x00", "").strip()
    groups = search(user=signed_in(request), text=text)
    return render(request, "search/results.html", {"text": text, "groups": groups})
