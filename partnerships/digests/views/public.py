"""Pages for visitors: follow a public plan by email, and get new links.

Neither page shows whether we know an address: the answer and the work are the same for every address. Each page writes
one row, which the sweep processes; everything else is in the email.
"""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from partnerships.digests import services
from partnerships.digests.emails.links import BadLink, Purpose
from partnerships.digests.emails.links import read as read_link
from partnerships.digests.forms import AddressForm, FollowForm
from partnerships.digests.models import Subscription
from partnerships.digests.services.email_requests import record_request
from partnerships.people.limits import refuse_too_many
from partnerships.plans.models import Plan

#: The most emails that may be requested from one internet address in an hour.
MAX_PER_HOUR = 30


def _too_many_requests(request: HttpRequest) -> HttpResponse | None:
    """Count another request from this internet address; returns a page with status 429 if there are too many."""
    return refuse_too_many(request, "email requests", limit=MAX_PER_HOUR, stretch=dt.timedelta(hours=1))


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def follow_public_plan(request: HttpRequest, plan: int) -> HttpResponse:
    """Ask for digests about a public plan; the owner of the address is asked by email to confirm."""
    target = get_object_or_404(Plan.objects.public(), pk=plan)
    if request.user.is_authenticated:
        return redirect(target.get_absolute_url())
    form = FollowForm(request.POST or None, cancel=target.get_absolute_url())
    if request.method == "POST" and form.is_valid():
        refusal = _too_many_requests(request)
        if refusal is not None:
            return refusal
        record_request(plan=target, now=timezone.now(), **form.cleaned_data)
        return render(request, "digests/email_sent.html", {"email": form.cleaned_data["email"], "target": target})
    context = {"form": form, "target": target, "back": target.get_absolute_url()}
    return render(request, "digests/follow.html", context, status=422 if request.method == "POST" else 200)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_links(request: HttpRequest) -> HttpResponse:
    """Ask for new links by email."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        refusal = _too_many_requests(request)
        if refusal is not None:
            return refusal
        record_request(email=form.cleaned_data["email"], now=timezone.now())
        return render(request, "digests/email_sent.html", {"email": form.cleaned_data["email"]})
    return render(request, "digests/new_links.html", {"form": form}, status=422 if request.method == "POST" else 200)


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def renew_links(request: HttpRequest, purpose: str, token: str) -> HttpResponse:
    """Send new links to the person for whom an expired link was made.

    For a link to confirm a subscription, send the confirmation email again.
    """
    try:
        now = timezone.now()
        link_purpose = Purpose(purpose)
        link = read_link(link_purpose, token, now=now, allow_expired=True)
    except (ValueError, BadLink) as error:
        raise Http404 from error
    refusal = _too_many_requests(request)
    if refusal is not None:
        return refusal
    if link_purpose is Purpose.CONFIRM:
        subscription = get_object_or_404(Subscription, pk=link.record_id, person=link.person)
        services.remind(subscription=subscription, now=now)
    else:
        services.send_links(person=link.person, now=now, by_own_link=True)
    response = render(request, "digests/email_sent.html", {"again": reverse("digests:new-links")})
    response["Referrer-Policy"] = "no-referrer"
    return response
