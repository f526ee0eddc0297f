"""Public plans, for anyone."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.kit.http import keyset_page
from partnerships.plans.models import Plan


@login_not_required
@require_safe
def public_plans(request: HttpRequest) -> HttpResponse:
    """All plans that anyone may read without signing in, by title; `q` finds words in titles."""
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    plans = Plan.objects.public()
    if words:
        plans = plans.filter(title__icontains=words)
    page = keyset_page(request, plans.for_listing(), order=("title", "id"))
    return render(request, "plans/public.html", {"page": page, "words": words})
