"""Pages on which people set up their calendars, and the feeds that calendar apps read."""

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
from partnerships.kit.http import form_page, post_data
from partnerships.outbox.content import link
from partnerships.people.limits import refuse_too_many
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: How many of the next dates the page of a calendar shows.
_MAX_NEXT_DATES = 8
#: How often apps may read one address in an hour. An app that reads once a minute is allowed.
MAX_READINGS_AN_HOUR = 90
#: How many wrong addresses one client may request in an hour before it is refused.
MAX_WRONG_ADDRESSES_AN_HOUR = 60
_HOUR = dt.timedelta(hours=1)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Show the person's calendars of their own dates, of each partnership and of saved views."""
    person = signed_in(request)
    addresses = list(CalendarAddress.objects.visible_to(person).order_by("pk"))
    address_by_partnership = {address.partnership_id: address for address in addresses if address.view_number is None}
    partnerships_with_address = [
        (partnership, address_by_partnership.get(partnership.pk)) for partnership in partnerships_of(person)
    ]
    views_with_address = [(view_of(address), address) for address in addresses]
    context = {
        # The address of the person's own dates has no partnership.
        "own_address": address_by_partnership.get(None),
        "partnerships": partnerships_with_address,
        # Most addresses are not of a saved view, and a saved view may have been deleted.
        "views": [(view, address) for view, address in views_with_address if view is not None],
    }
    return render(request, "calendars/index.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def own_calendar(request: HttpRequest) -> HttpResponse:
    """Show and change the calendar of the person's own dates."""
    return _address_page(request, signed_in(request))


@require_http_methods(["GET", "HEAD", "POST"])
def partnership_calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change the person's calendar of a partnership."""
    person = signed_in(request)
    partnership = get_object_or_404(partnerships_of(person), pk=pk)
    return _address_page(request, person, partnership=partnership)


@require_http_methods(["GET", "HEAD", "POST"])
def saved_view_calendar(request: HttpRequest, pk: int) -> HttpResponse:
    """Show and change the person's calendar of a saved view."""
    person = signed_in(request)
    view = find_view(person, pk)
    if view is None:
        raise Http404
    return _address_page(request, person, view=view)


def _address_page(
    request: HttpRequest, person: User, *, partnership: Partnership | None = None, view: DatedView | None = None
) -> HttpResponse:
    """Show the page of one calendar, or make, renew, change or end its address.

    This is the calendar of a partnership or a saved view, or without either of the person's own dates.
    """
    subject: dict[str, Any] = {"partnership": partnership, "view_number": view.number if view else None}
    address = CalendarAddress.objects.visible_to(person).filter(**subject).first()
    if request.method == "POST" and "end" in request.POST:
        return _end_address(request, person, address)

    form = KindsForm(
        post_data(request),
        address=address,
        has_kinds=view is None,
        initial={"kinds": address.kinds if address else None},
    )

    if request.method == "POST" and form.is_valid():
        kinds = form.cleaned_data.get("kinds", CalendarKind.values)
        # The form of a saved view has no kinds to choose, so it only makes or renews the address.
        wants_new_address = view is not None or "renew" in request.POST
        if address is None or wants_new_address:
            new_address = services.make_address(
                **subject, person=person, kinds=kinds, author=person, now=timezone.now()
            )
            return _new_address_page(request, new_address, renewed=address is not None)
        services.choose_kinds(address=address, kinds=kinds, author=person, now=timezone.now())
        messages.success(
            request, "Your choice has been saved. Your calendar will change when your app next reads the address."
        )
        return redirect(address)

    if view is not None:
        entries = entries_of_view(person, view)
    else:
        entries = entries_for(person, partnership.pk if partnership else None, form["kinds"].value() or [])
    today = timezone.localdate()
    next_entries = [entry for entry in entries if entry.day >= today and not entry.is_cancelled]

    return form_page(
        request,
        "calendars/address.html",
        form,
        address=address,
        partnership=partnership,
        view=view,
        next_entries=next_entries[:_MAX_NEXT_DATES],
        hidden_count=len(next_entries) - _MAX_NEXT_DATES,
    )


def _new_address_page(request: HttpRequest, new_address: services.NewAddress, *, renewed: bool) -> HttpResponse:
    """Show a new address to its owner. It cannot be shown again, because the database has only a hash of its secret."""
    href = link("calendars:feed", token=new_address.secret)
    context = {
        "address": new_address.address,
        "href": href,
        "webcal": f"webcal://{href.partition('://')[2]}",
        "renewed": renewed,
    }
    return render(request, "calendars/made.html", context)


def _end_address(request: HttpRequest, person: User, address: CalendarAddress | None) -> HttpResponse:
    """End the address, if the person has one, and return to the list of calendars."""
    if address is not None:
        services.end_address(address=address, author=person, now=timezone.now())
    messages.success(request, "The address no longer works. Remove the calendar from your app too.")
    return redirect("calendars:index")


@login_not_required
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """Return the dates at a secret address as a calendar file, without cookies or a session.

    Raises Http404 if the address has ended or never existed.
    """
    address = find_address(token)
    too_many_response = _too_many_readings(request, address)
    if too_many_response is not None:
        return too_many_response
    if address is None:
        raise Http404

    view = view_of(address)
    entries = entries_of(address, view)
    name = _calendar_name(address, view)
    note = view.limit_text if view else ""
    services.note_reading(address=address, now=timezone.now())

    # Most readings find nothing new. The ETag is made from the entries, so that no file is written then.
    content_of_file = repr((name, note, settings.SITE_ORIGIN, entries))
    digest = hashlib.sha256(content_of_file.encode()).hexdigest()[:32]
    etag = f'"{digest}"'
    response = get_conditional_response(request, etag=etag)
    if response is None:
        response = HttpResponse(write_feed(entries, name=name, note=note), content_type="text/calendar; charset=utf-8")
    response["ETag"] = etag
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = 'inline; filename="dates.ics"'
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def _too_many_readings(request: HttpRequest, address: CalendarAddress | None) -> HttpResponse | None:
    """Return a response with status 429 if the address is read too often, or the client requests wrong addresses."""
    if address is None:
        return refuse_too_many(request, "wrong calendar addresses", limit=MAX_WRONG_ADDRESSES_AN_HOUR, stretch=_HOUR)
    return refuse_too_many(
        request,
        "calendar readings",
        limit=MAX_READINGS_AN_HOUR,
        stretch=_HOUR,
        who=f"calendar address {address.pk}",
    )


def _calendar_name(address: CalendarAddress, view: DatedView | None) -> str:
    """Return the name that the calendar has in an app, such as "Estuary Partnership (Common Ground)"."""
    if view is not None:
        return f"{view.name} ({settings.SITE_NAME})"
    if address.partnership is not None:
        return f"{address.partnership.title} ({settings.SITE_NAME})"
    return settings.SITE_NAME
