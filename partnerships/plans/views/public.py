"""The page of public plans, which anyone may read."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from partnerships.kit.http import keyset_page
from partnerships.people.limits import refuse_too_many
from partnerships.plans.models import Plan

#: The most pages that one network address may open in a minute.
PAGES_PER_MINUTE = 60


@login_not_required
@require_safe
def public_plans(request: HttpRequest) -> HttpResponse:
    """Show all plans that anyone may read without signing in, sorted by title.

    The query parameter `q` searches titles.
    """
    refused = refuse_too_many(request, "public plans", limit=PAGES_PER_MINUTE, stretch=dt.timedelta(minutes=1))
    if refused is not None:
        return refused
    words = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    plans = Plan.objects.public()
    if words:
        plans = plans.filter(title__icontains=words)
    page = keyset_page(request, plans.for_listing(), order=("title", "id"))
    return render(request, "plans/public.html", {"page": page, "words": words})
