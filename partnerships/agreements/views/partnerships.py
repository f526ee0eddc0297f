"""The pages on which a partnership is started, shown, changed and renewed, and its history.

`post_data` returns None on GET, so that the form is unbound. A search for an organisation or area by name posts the
form too, and `searching_form` then returns an unbound form with the matches.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.activity.models import Event
from partnerships.activity.queries import timeline
from partnerships.activity.seen import note_events_seen
from partnerships.agreements.former_parties import areas_when_left, as_party_left_it, former_party, parties_when_left
from partnerships.agreements.forms import PartnershipSettingsForm, StartPartnershipForm, StatusForm
from partnerships.agreements.models import Partnership, Party, Status
from partnerships.agreements.queries import (
    acting_party,
    whose_turn,
)
from partnerships.agreements.queries.parties import name_as_at
from partnerships.agreements.rights import rights_lookup, rights_over
from partnerships.agreements.sections import ON_PARTNERSHIPS
from partnerships.agreements.services import (
    UnableToChangeStatus,
    UnableToCreatePartnership,
    UnableToEditSettings,
    UnableToRenew,
    change_status,
    create_partnership,
    edit_settings,
    renew,
    requirements_missing_for,
)
from partnerships.agreements.views.access import get_led, get_readable, get_visible, is_readable, visible_lookup
from partnerships.kit.forms import searching_form
from partnerships.kit.http import form_page, keyset_page, post_data, show_refusal
from partnerships.organisations.models import Area, Membership, Organisation, Role
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.organisations.timeline import newest_events, newest_events_lookup, timeline_lines, timeline_lookups
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import is_reading_page, signed_in

#: How many of the newest events the overview shows.
_NEWEST_EVENTS = 6


@require_http_methods(["GET", "HEAD", "POST"])
def partnership_create(request: HttpRequest) -> HttpResponse:
    """Start a partnership for an organisation that the reader leads.

    People who lead no organisation get 403.
    """
    user = signed_in(request)
    organisations = Organisation.objects.of_person(user, Role.LEAD).current().order_by("name", "pk")
    if not organisations:
        raise PermissionDenied
    initial = {"kind": request.GET.get("kind", "")}
    form = searching_form(request, StartPartnershipForm, organisations=organisations, initial=initial)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToCreatePartnership):
            partnership = create_partnership(author=user, now=timezone.now(), starter=True, **form.cleaned_data)
            message = f"{partnership.title} has been created. Invite the organisations you want to work with."
            messages.success(request, message)
            return redirect("agreements:members", partnership.pk)

    return form_page(request, "agreements/create.html", form)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the overview to people who may read the partnership in full, and the outline to others."""
    user, now = signed_in(request), timezone.now()
    if not is_readable(user, pk):
        return _outline(request, get_visible(user, pk))

    _read_overview_ahead(user, pk, now)
    partnership = get_visible(user, pk)
    # Read this id before `as_party_left_it` replaces the fields by their values on the day on which the party left.
    predecessor_id = partnership.redefines_id
    former = former_party(user, partnership)
    left_at = former.left_at if former else None
    if former is None:
        all_parties, areas = rows_for(_parties, pk), rows_for(_areas, pk)
    else:
        # The page shows the partnership as it was when the reader's organisation left.
        all_parties, areas = parties_when_left(former), areas_when_left(partnership, former)
        as_party_left_it(partnership, former)
    parties = [party for party in all_parties if party.is_present or party.is_waiting]
    name_as_at(partnership, parties, left_at=left_at)

    rights = rights_over(partnership, user, now)
    successors = rows_for(_successors, user, pk)
    events = newest_events(user, kind="partnership", record_id=pk, count=_NEWEST_EVENTS)
    _note_seen(request, user, pk, events)
    # Compose the sections before the lines of the timeline, because their queries also read the names in these lines.
    sections = [] if former else ON_PARTNERSHIPS.of(user, partnership, also=timeline_lookups(events))

    context = {
        "partnership": partnership,
        "parties": parties,
        "areas": areas,
        "may_lead": rights.leads,
        "successors": successors,
        "predecessor": _predecessor(user, predecessor_id),
        "lines": timeline_lines(events),
        "left_at": left_at,
    }
    if former is None:
        open_successor = next((successor for successor in successors if not successor.is_over), None)
        context |= {
            "reader_organisation_ids": Membership.objects.roles_of(user).keys(),
            "sections": sections,
            "turn": whose_turn(
                partnership, parties, led_organisation_ids=rights.roles.led_ids, successor=open_successor
            ),
        }
    return render(request, "agreements/detail.html", context)


def _read_overview_ahead(user: User, pk: int, now: dt.datetime) -> None:
    """Run the queries of the overview as one. The functions that the view calls then use the rows."""
    read_ahead(
        [
            visible_lookup(user, pk),
            lookup(_parties, pk),
            lookup(_areas, pk),
            lookup(_successors, user, pk),
            rights_lookup(pk, now),
            newest_events_lookup(user, kind="partnership", record_id=pk, count=_NEWEST_EVENTS),
            ON_PARTNERSHIPS.rows_lookup(pk),
        ]
    )


def _note_seen(request: HttpRequest, user: User, pk: int, events: Iterable[Event]) -> None:
    """Record that the person saw these events of the partnership, if a person is reading the page."""
    if is_reading_page(request):
        event_ids = [event.pk for event in events]
        note_events_seen(person_id=user.pk, kind="partnership", record_id=pk, event_ids=event_ids, now=timezone.now())


def _outline(request: HttpRequest, partnership: Partnership) -> HttpResponse:
    """Show the page for people who may read only the outline."""
    parties = [party for party in rows_for(_parties, partnership.pk) if party.is_present]
    name_as_at(partnership, parties)
    return render(request, "agreements/outline.html", {"partnership": partnership, "parties": parties})


def _predecessor(user: User, pk: int | None) -> Partnership | None:
    """Return the partnership that this one renews, if the reader may see it."""
    return Partnership.objects.visible_to(user).filter(pk=pk).first() if pk else None


def _parties(partnership_id: int) -> QuerySet[Party]:
    """Return all parties of a partnership, by role and name."""
    return Party.objects.filter(partnership=partnership_id).by_role_and_name()


def _areas(partnership_id: int) -> QuerySet[Area, str]:
    """Return the names of the areas of a partnership."""
    return Area.objects.filter(partnerships=partnership_id).order_by("name", "pk").values_list("name", flat=True)


def _successors(user: User, partnership_id: int) -> QuerySet[Partnership]:
    """Return the successors of a partnership that the reader may see, newest first."""
    return Partnership.objects.visible_to(user).filter(redefines=partnership_id).order_by("-created_at", "pk")


@require_http_methods(["GET", "HEAD", "POST"])
def partnership_settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what leads may change without signatures, such as the title and who can see the partnership."""
    user = signed_in(request)
    partnership = get_led(user, pk)
    form = searching_form(request, PartnershipSettingsForm, partnership=partnership)

    if request.method == "POST" and form.is_valid():
        party = acting_party(user, partnership, Role.LEAD)
        with show_refusal(form, UnableToEditSettings):
            changed_fields = edit_settings(
                partnership=partnership,
                author=user,
                organisation=party.organisation if party else None,
                now=timezone.now(),
                **form.cleaned_data,
            )
            message = "The settings have been saved." if changed_fields else "Nothing was changed."
            messages.success(request, message)
            return redirect("agreements:detail", pk)

    return form_page(request, "agreements/edit.html", form, partnership=partnership)


@require_http_methods(["GET", "HEAD", "POST"])
def partnership_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the status of the partnership, or renew it.

    The page lists what is still missing for each status.
    """
    user = signed_in(request)
    partnership = get_led(user, pk)
    successor = next((row for row in rows_for(_successors, user, pk) if row.state != Status.ENDED), None)
    form = StatusForm(post_data(request), partnership=partnership, is_renewed=successor is not None)

    if request.method == "POST" and form.is_valid():
        with show_refusal(form, UnableToChangeStatus, UnableToRenew, field="status"):
            with collect_recipients() as recipients:
                message, next_partnership = _renew_or_change_status(partnership, form.cleaned_data, user)
            messages.success(request, f"{message}{recipients.sentence()}")
            return redirect(next_partnership)

    today = timezone.localdate()
    missing_by_status = [
        (status, requirements_missing_for(partnership, status, today)) for status in form.selectable_statuses
    ]
    return form_page(
        request,
        "agreements/status.html",
        form,
        partnership=partnership,
        successor=successor,
        missing_by_status=[(status.label, missing) for status, missing in missing_by_status if missing],
    )


def _renew_or_change_status(partnership: Partnership, choice: dict[str, Any], user: User) -> tuple[str, Partnership]:
    """Renew the partnership or change its status, and return a message and the partnership to show next."""
    party = acting_party(user, partnership, Role.LEAD)
    organisation = party.organisation if party else None
    if choice["status"] == "renew" and organisation is not None:
        new_partnership = renew(
            partnership=partnership,
            organisation=organisation,
            reason=choice["reason"],
            author=user,
            now=timezone.now(),
            title=choice["title"],
        )
        return "The successor has been created with the same terms, and every party has been invited.", new_partnership

    change_status(
        partnership=partnership,
        status=choice["status"],
        reason=choice["reason"],
        author=user,
        organisation=organisation,
        now=timezone.now(),
    )
    return f"{partnership.title} is now {partnership.get_status_display().lower()}.", partnership


@require_safe
def partnership_history(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the timeline of the partnership, newest first, and record that the reader saw the events."""
    user = signed_in(request)
    partnership = get_readable(user, pk)
    page = keyset_page(
        request,
        partial(timeline, user=user, kind="partnership", record_id=pk),
        order=("-at", "-pk"),
        size=50,
        read_first_rows=lambda count: newest_events(user, kind="partnership", record_id=pk, count=count),
    )
    _note_seen(request, user, pk, page.rows)
    return render(
        request,
        "agreements/history.html",
        {"partnership": partnership, "page": page, "lines": timeline_lines(page.rows)},
    )
