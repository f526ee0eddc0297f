"""Pages that show what a person's digests of the last month would have said, for each choice of changes."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.digests.emails.links import Link, Purpose
from partnerships.digests.emails.pages import digests_since
from partnerships.digests.models import ChangeFilter
from partnerships.digests.signed_links import for_bearer
from partnerships.people.models import User
from partnerships.people.requests import signed_in

_MONTH = dt.timedelta(days=30)


@require_safe
def last_month(request: HttpRequest) -> HttpResponse:
    """Show what the signed-in person's digests would have said in the last month."""
    return _last_month(request, signed_in(request), back=reverse("digests:manage"), by_link=False)


@require_safe
@for_bearer(Purpose.PREFERENCES)
def last_month_by_link(request: HttpRequest, link: Link) -> HttpResponse:
    """Show what a person's digests would have said in the last month, for people with a signed link."""
    back_url = request.path.removesuffix("last-month/")
    return _last_month(request, link.person, back=back_url, by_link=True)


def _last_month(request: HttpRequest, person: User, *, back: str, by_link: bool) -> HttpResponse:
    """Return the page for the choice in the query string, or otherwise for the person's own choice."""
    hears = request.GET.get("hears", "")
    if hears not in ChangeFilter.values:
        hears = ""
    now = timezone.now()
    context = {
        "reading": digests_since(person, now - _MONTH, now=now, hears=hears),
        "choices": [("", "What I have chosen"), *ChangeFilter.choices],
        "hears": hears,
        "back": back,
        "by_link": by_link,
        "person": person,
    }
    return render(request, "digests/last_month.html", context)
