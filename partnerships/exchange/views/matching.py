"""Matches: of one entry, of all one's own, and putting a pair aside."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from partnerships.exchange import services
from partnerships.exchange.forms import DismissForm
from partnerships.exchange.models import Entry
from partnerships.exchange.queries.candidates import best_for_reader
from partnerships.exchange.queries.matches import fit_in_words, matches_for
from partnerships.exchange.queries.rights import may_edit
from partnerships.exchange.views.writing import answer
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.requests import signed_in


@require_safe
def matches(request: HttpRequest) -> HttpResponse:
    """The counterparts of everything one's own organisations ask and offer, best first."""
    user = signed_in(request)
    return render(request, "exchange/matches.html", {"matches": matches_for(user)})


@require_safe
def entry_matches(request: HttpRequest, pk: int) -> HttpResponse:
    """The best counterparts of one entry, each with its reasons, found as one looks."""
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user).select_related("organisation"), pk=pk)
    found = best_for_reader(entry, user, timezone.localdate()) if entry.is_open else []
    entries = Entry.objects.for_listing().in_bulk([one.entry_id for one in found])
    pairs = [
        {"counterpart": entries[one.entry_id], "reasons": one.fit.reasons, "fit": fit_in_words(one.fit.points)}
        for one in found
        if one.entry_id in entries
    ]
    context = {
        "entry": entry,
        "pairs": pairs,
        "own_acts": may_edit(entry, user),
    }
    return render(request, "exchange/entry_matches.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def dismiss(request: HttpRequest, pk: int, other: int) -> HttpResponse:
    """Say that two entries are no match for one's organisation, and why."""
    user = signed_in(request)
    seen = Entry.objects.visible_to(user).select_related("organisation")
    entry, counterpart = get_object_or_404(seen, pk=pk), get_object_or_404(seen, pk=other)
    sides = Organisation.objects.of_person(user, *EDITING_ROLES).filter(
        pk__in=[entry.organisation_id, counterpart.organisation_id]
    )
    if not sides.exists():
        raise PermissionDenied
    form = DismissForm(request.POST if request.method == "POST" else None, entry=entry, organisations=sides)
    if form.is_valid():
        try:
            services.dismiss_match(
                entry=entry, counterpart=counterpart, author=user, now=timezone.now(), **form.cleaned_data
            )
        except services.UnableToChangeEntry as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"“{counterpart.title}” is no longer shown as a match.")
            return redirect("exchange:entry-matches", pk=entry.pk)
    return answer(request, "exchange/act.html", form, entry=entry, title="Not a match", quoted=counterpart.title)
