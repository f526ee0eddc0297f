"""Stopping all digests, by a link of a letter and signed in: asked first, and told with the way back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import Preference
from partnerships.digests.queries.naming import named_for
from partnerships.digests.queries.subscriptions import subscriptions_of
from partnerships.people.models import User


def ask_and_stop(request: HttpRequest, person: User, *, reason: str, by_link: bool) -> HttpResponse:
    """Ask whether to stop all of a person's digests, or one of them; a POST does it."""
    following, now = subscriptions_of(person), timezone.now()
    ways = {"by_link": by_link, "way_back": reverse("digests:new-links" if by_link else "digests:manage")}
    if request.method == "POST":
        chosen = request.POST.get("subscription", "")
        if chosen.isdecimal() and len(chosen) < 19:
            services.stop(subscriptions=following.filter(pk=int(chosen)), author=person, reason=reason, now=now)
        else:
            services.stop_everything(person=person, author=person, reason=reason, now=now)
        left = named_for(person, subscriptions_of(person), now)
        return render(request, "digests/stopped.html", {"left": left, **ways})
    not_told = person.is_stakeholder or Preference.objects.filter(person=person, tells_matches=False).exists()
    context = {
        "person": person,
        "subscriptions": named_for(person, following, now),
        "tells_matches": not not_told,
        **ways,
    }
    return render(request, "digests/stop.html", context)
