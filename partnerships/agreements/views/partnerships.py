"""Pages of partnerships: list, overview, terms, status and history."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.activity.queries import timeline
from partnerships.activity.seen import note_events_seen
from partnerships.agreements.forms import SettingsForm, StartForm, StatusForm
from partnerships.agreements.models import Partnership, Party, Status
from partnerships.agreements.past import areas_then, as_then, former_party, parties_then
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
    missing_for,
    renew,
)
from partnerships.agreements.views.access import held, is_held, led, seen, seen_lookup
from partnerships.kit.forms import searching_form
from partnerships.kit.http import keyset_page, posted
from partnerships.organisations.models import Area, Membership, Organisation, Role
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.organisations.timeline import newest_events, newest_events_lookup, timeline_lines
from partnerships.people.form_steps import take_step
from partnerships.people.models import User
from partnerships.people.recipients import collect_recipients
from partnerships.people.requests import is_reading, signed_in

#: Newest events on the overview.
_EVENTS = 6


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Open a partnership for an organisation that the reader leads."""
    user = signed_in(request)
    organisations = Organisation.objects.of_person(user, Role.LEAD).current().order_by("name", "pk")
    if not organisations:
        raise PermissionDenied
    form_kwargs: dict[str, Any] = {"organisations": organisations, "initial": {"kind": request.GET.get("kind", "")}}
    form = searching_form(request, lambda data: StartForm(data, **form_kwargs))

    def step() -> tuple[str, str]:
        partnership = create_partnership(author=user, now=timezone.now(), starter=True, **form.cleaned_data)
        words = f"{partnership.title} has been created. Invite the organisations you want to work with."
        return words, reverse("agreements:members", args=[partnership.pk])

    return take_step(request, "agreements/create.html", form, step, {UnableToCreatePartnership: None})


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The overview; people of organisations that are no party see only the outline."""
    user, now = signed_in(request), timezone.now()
    inside = is_held(user, pk)
    if inside:
        read_ahead(
            [
                seen_lookup(user, pk),
                lookup(_parties, pk),
                lookup(_areas, pk),
                lookup(_successors, user, pk),
                rights_lookup(pk, now),
                newest_events_lookup(user, kind="partnership", record_id=pk, count=_EVENTS),
                ON_PARTNERSHIPS.rows_lookup(pk),
            ]
        )
    partnership = seen(user, pk)
    former = former_party(user, partnership)
    current = rows_for(_parties, pk)
    if not inside:
        present = [party for party in current if party.is_present]
        name_as_at(partnership, present)
        return render(request, "agreements/outline.html", {"partnership": partnership, "parties": present})
    redefines = partnership.redefines_id
    if former is None:
        parties, areas = current, rows_for(_areas, pk)
    else:  # the partnership as it was when the reader's organisation left
        parties, areas = parties_then(former), areas_then(partnership, former)
        as_then(partnership, former)
    present = [party for party in parties if party.is_present or party.is_waiting]
    name_as_at(partnership, present, left_at=former.left_at if former else None)
    rights = rights_over(partnership, user, now)
    successors = rows_for(_successors, user, pk)
    renewing = next((successor for successor in successors if not successor.is_over), None)
    newest = newest_events(user, kind="partnership", record_id=pk, count=_EVENTS)
    if is_reading(request):
        note_events_seen(
            person_id=user.pk, kind="partnership", record_id=pk, events=[event.pk for event in newest], now=now
        )
    turn = None if former else whose_turn(partnership, present, mine=rights.roles.led, successor=renewing)
    return render(
        request,
        "agreements/detail.html",
        {
            "partnership": partnership,
            "parties": present,
            "ours": () if former else Membership.objects.roles_of(user).keys(),
            "areas": areas,
            "left_at": former.left_at if former else None,
            "sections": [] if former else ON_PARTNERSHIPS.of(user, partnership),
            "turn": turn,
            "may_lead": rights.leads,
            "successors": successors,
            "predecessor": Partnership.objects.visible_to(user).filter(pk=redefines).first() if redefines else None,
            "lines": timeline_lines(newest),
        },
    )


def _parties(partnership: int) -> QuerySet[Party]:
    parties = Party.objects.filter(partnership=partnership).select_related("organisation")
    return parties.order_by("role", "organisation__name", "pk")


def _areas(partnership: int) -> QuerySet[Area, str]:
    return Area.objects.filter(partnerships=partnership).order_by("name", "pk").values_list("name", flat=True)


def _successors(user: User, partnership: int) -> QuerySet[Partnership]:
    return Partnership.objects.visible_to(user).filter(redefines=partnership).order_by("-created_at", "pk")


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Edit the settings: title, kind, areas, who sees it, contact rhythm."""
    user = signed_in(request)
    partnership = led(user, pk)
    form = searching_form(request, lambda data: SettingsForm(data, partnership=partnership))

    def step() -> tuple[str, str]:
        party = acting_party(user, partnership, Role.LEAD)
        changed = edit_settings(
            partnership=partnership,
            author=user,
            organisation=party.organisation if party else None,
            now=timezone.now(),
            **form.cleaned_data,
        )
        return "The settings have been saved." if changed else "Nothing was changed.", reverse(
            "agreements:detail", args=[pk]
        )

    return take_step(request, "agreements/edit.html", form, step, {UnableToEditSettings: None}, partnership=partnership)


@require_http_methods(["GET", "HEAD", "POST"])
def status(request: HttpRequest, pk: int) -> HttpResponse:
    """Change the status, or renew."""
    user = signed_in(request)
    partnership = led(user, pk)
    successor = next((row for row in rows_for(_successors, user, pk) if row.state != Status.ENDED), None)
    form = StatusForm(posted(request), partnership=partnership, is_renewed=successor is not None)
    if request.method == "POST" and form.is_valid():
        now, chosen, reason = timezone.now(), form.cleaned_data["status"], form.cleaned_data["reason"]
        party = acting_party(user, partnership, Role.LEAD)
        organisation = party.organisation if party else None
        try:
            if chosen == "renew" and organisation is not None:
                with collect_recipients() as recipients:
                    successor = renew(
                        partnership=partnership,
                        organisation=organisation,
                        reason=reason,
                        author=user,
                        now=now,
                        title=form.cleaned_data["title"],
                    )
                invited = "The successor has been created with the same terms, and everybody has been invited."
                messages.success(request, f"{invited}{recipients.sentence()}")
                return redirect("agreements:detail", pk=successor.pk)
            with collect_recipients() as recipients:
                change_status(
                    partnership=partnership,
                    status=chosen,
                    reason=reason,
                    author=user,
                    organisation=organisation,
                    now=now,
                )
        except (UnableToChangeStatus, UnableToRenew) as error:
            form.add_error("status", str(error))
        else:
            changed = f"{partnership.title} is now {partnership.get_status_display().lower()}."
            messages.success(request, f"{changed}{recipients.sentence()}")
            return redirect("agreements:detail", pk=pk)
    today = timezone.localdate()
    needs = [(step.label, missing) for step in form.offered if (missing := missing_for(partnership, step, today))]
    return render(
        request,
        "agreements/status.html",
        {"form": form, "partnership": partnership, "needs": needs, "successor": successor},
        status=422 if form.is_bound else 200,
    )


@require_safe
def history(request: HttpRequest, pk: int) -> HttpResponse:
    """Timeline of the partnership, newest first."""
    user = signed_in(request)
    partnership = held(user, pk)
    page = keyset_page(
        request,
        timeline(user=user, kind="partnership", record_id=pk),
        order=("-at", "-pk"),
        size=50,
        first=lambda count: newest_events(user, kind="partnership", record_id=pk, count=count),
    )
    if is_reading(request):
        shown = [event.pk for event in page.rows]
        note_events_seen(person_id=user.pk, kind="partnership", record_id=pk, events=shown, now=timezone.now())
    return render(
        request,
        "agreements/history.html",
        {"partnership": partnership, "page": page, "lines": timeline_lines(page.rows)},
    )
