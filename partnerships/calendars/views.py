"""Pages on which people set up their calendars, and the feeds that calendar programs read."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.agreements.models import Partnership
from partnerships.calendars import services
from partnerships.calendars.forms import KindsForm
from partnerships.calendars.models import CalendarAddress
from partnerships.calendars.queries import (
    entries_for,
    entries_of,
    entries_of_view,
    find_address,
    partnerships_of,
    view_of,
)
from partnerships.calendars.registry import DatedView, find_view
from partnerships.kit.calendars import CalendarKind, write_feed
from partnerships.kit.http import form_page
from partnerships.outbox.content import link
from partnerships.people.limits import too_many
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: How many of the next dates the page of a calendar shows.
SHOWN = 8
#: How often an hour a calendar can be read: programs that ask every minute stay below.
READINGS_AN_HOUR = 90
#: Requests an hour for calendars that do not exist, from one address of the internet.
WRONG_ADDRESSES_AN_HOUR = 60
_HOUR = dt.timedelta(hours=1)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The person's calendars: their own, and one for each partnership."""
    person = signed_in(request)
    every = list(CalendarAddress.objects.visible_to(person).order_by("pk"))
    addresses = {address.partnership_id: address for address in every if address.view_number is None}
    partnerships = [(address, addresses.get(address.pk)) for address in partnerships_of(person)]
    views_with_addresses = [
        (find_view(person, address.view_number), address) for address in every if address.view_number is not None
    ]
    views = [(view, address_of_view) for view, address_of_view in views_with_addresses if view is not None]
    context = {"own": addresses.get(None), "partnerships": partnerships, "views": views}
    return render(request, "calendars/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest) -> HttpResponse:
    """The calendar of the person's own dates."""
    return _address_page(request, signed_in(request), None)


@require_http_methods(["GET", "HEAD", "POST"])
def of_partnership(request: HttpRequest, pk: int) -> HttpResponse:
    """The person's calendar of a partnership."""
    person = signed_in(request)
    return _address_page(request, person, get_object_or_404(partnerships_of(person), pk=pk))


@require_http_methods(["GET", "HEAD", "POST"])
def of_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The person's calendar of a saved view."""
    person = signed_in(request)
    view = find_view(person, pk)
    if view is None:
        raise Http404
    return _address_page(request, person, None, view)


def _address_page(
    request: HttpRequest, person: User, partnership: Partnership | None, view: DatedView | None = None
) -> HttpResponse:
    """Make, renew, end or narrow the address of a person, of one partnership of theirs, or of a saved view."""
    subject: dict[str, Any] = {"partnership": partnership, "view_number": view.number if view else None}
    address = CalendarAddress.objects.visible_to(person).filter(**subject).first()
    if request.method == "POST" and "end" in request.POST:
        return _end(request, person, address)
    form = KindsForm(
        request.POST if request.method == "POST" else None,
        address=address,
        chooses=view is None,
        initial={"kinds": address.kinds if address else None},
    )
    if request.method == "POST" and form.is_valid():
        kinds = form.cleaned_data.get("kinds", CalendarKind.values)
        if address is None or "renew" in request.POST or view is not None:
            made = services.make_address(**subject, person=person, kinds=kinds, author=person, now=timezone.now())
            return _show_once(request, made, renewed=address is not None)
        services.choose_kinds(address=address, kinds=kinds, author=person, now=timezone.now())
        messages.success(
            request, "Your choice has been saved. Your calendar will change when your program next reads it."
        )
        return redirect(address)
    today = timezone.localdate()
    if view is not None:
        entries = entries_of_view(person, view)
    else:
        entries = entries_for(person, partnership.pk if partnership else None, form["kinds"].value() or [])
    ahead = [entry for entry in entries if entry.day >= today and not entry.is_cancelled]
    context: dict[str, Any] = {"address": address, "partnership": partnership, "view": view}
    return form_page(request, "calendars/address.html", form, **context, ahead=ahead[:SHOWN], more=len(ahead) - SHOWN)


def _show_once(request: HttpRequest, made: services.Made, *, renewed: bool) -> HttpResponse:
    """The page with the new address; nobody can see it again."""
    href = link("calendars:feed", token=made.secret)
    context = {
        "address": made.address,
        "href": href,
        "webcal": f"webcal://{href.partition('://')[2]}",
        "renewed": renewed,
    }
    return render(request, "calendars/made.html", context)


def _end(request: HttpRequest, person: User, address: CalendarAddress | None) -> HttpResponse:
    if address is not None:
        services.end_address(address=address, author=person, now=timezone.now())
    messages.success(request, "The address no longer works. Remove the calendar from your program too.")
    return redirect("calendars:index")


@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The dates at a secret address, as its owner may read them now.

    404 for an address that has ended or never existed. Without cookies and session.
    """
    address = find_address(token)
    if address is None:
        refused = too_many(request, "wrong calendar addresses", limit=WRONG_ADDRESSES_AN_HOUR, stretch=_HOUR)
        if refused is not None:
            return refused
        raise Http404
    refused = too_many(
        request,
        "calendar readings",
        limit=READINGS_AN_HOUR,
        stretch=_HOUR,
        who=f"calendar address {address.pk}",
    )
    if refused is not None:
        return refused
    now = timezone.now()
    view = view_of(address)
    entries = entries_of(address, view)
    note = view.limit_words if view else ""
    subject = view.name if view else address.partnership.title if address.partnership else ""
    name = f"{subject} ({settings.SITE_NAME})" if subject else settings.SITE_NAME
    services.note_reading(address=address, now=now)
    # Without writing the file: most readings find nothing new.
    etag = f'"{hashlib.sha256(repr((name, note, settings.SITE_ORIGIN, entries)).encode()).hexdigest()[:32]}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        write_feed(entries, name=name, note=note), content_type="text/calendar; charset=utf-8"
    )
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = 'inline; filename="dates.ics"'
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
