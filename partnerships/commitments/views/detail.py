"""The page of one commitment."""

from __future__ import annotations

from dataclasses import replace

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.activity.seen import note_events_seen
from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.queries import leads_a_party
from partnerships.commitments import queries, services
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import links_lookup, origin_links_of
from partnerships.commitments.rights import organisations_to_act, rights_over
from partnerships.organisations.statements import lookup, read_ahead, row_or_404, rows_for
from partnerships.organisations.timeline import TimelineLine, newest_events, newest_events_lookup, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import is_reading_page, signed_in

#: Limit of events in the timeline on the page.
_MAX_EVENTS = 100


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a commitment with its terms, next step, deliveries and timeline."""
    user = signed_in(request)
    # Run these queries as one. The functions that are called below then use the rows.
    read_ahead(
        [
            lookup(_commitment_shown, user, pk),
            lookup(_replacements, user, pk),
            lookup(queries.slippages_of, pk),
            lookup(queries.progress_of, pk),
            lookup(queries.evidence_of, pk),
            links_lookup(pk),
            newest_events_lookup(user, kind="commitment", record_id=pk, count=_MAX_EVENTS),
        ]
    )
    commitment = queries.with_people(row_or_404(_commitment_shown, user, pk))
    progress = rows_for(queries.progress_of, pk)
    # Giver and receiver have their names of the day of the proposal, and others the names of the day of their report.
    reporters = [(timezone.localdate(report.at), report.organisation) for report in progress]
    queries.name_as_at([commitment], beside=reporters)
    if commitment.partnership is not None:
        commitment.partnership = partnership_as_read_by(user, commitment.partnership)
    context = {
        "commitment": commitment,
        "slippages": rows_for(queries.slippages_of, pk),
        "progress": progress,
        "evidence": rows_for(queries.evidence_of, pk),
        "rights": rights_over(commitment, user, timezone.now()),
        "organisations_to_act": organisations_to_act(commitment),
        "origins": origin_links_of(commitment, user),
        "replacements": rows_for(_replacements, user, pk),
        "overdue": commitment.is_overdue(timezone.localdate()),
        "may_tell_stakeholders": leads_a_party(user, commitment.partnership_id),
        "lines": _timeline(request, user, commitment),
    }
    return render(request, "commitments/detail.html", context)


def _commitment_shown(user: User, pk: int) -> QuerySet[Commitment]:
    """Return the commitment of this page, if the person may see it."""
    return queries.with_related_rows(Commitment.objects.visible_to(user)).filter(pk=pk)


def _replacements(user: User, commitment_id: int) -> QuerySet[Commitment]:
    """Return proposals to replace this commitment that the person may see."""
    return Commitment.objects.visible_to(user).filter(replaces=commitment_id).order_by("pk")


@require_POST
def stakeholders(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether stakeholders without an account get emails about the commitment."""
    user = signed_in(request)
    commitment = get_object_or_404(Commitment.objects.visible_to(user), pk=pk)
    tell = request.POST.get("tell") == "yes"
    commitment = services.mark_for_stakeholders(commitment=commitment, tell=tell, author=user, now=timezone.now())
    if tell:
        message = "We will tell stakeholders about this commitment from now on."
    else:
        message = "We will no longer tell stakeholders about this commitment."
    messages.success(request, message)
    return redirect(commitment)


def _timeline(request: HttpRequest, user: User, commitment: Commitment) -> list[TimelineLine]:
    """Return the lines of the timeline, newest first, and record that the reader has seen their events.

    The lines have no subject, because the whole page is about one commitment.
    """
    events = newest_events(user, kind="commitment", record_id=commitment.pk, count=_MAX_EVENTS)
    if is_reading_page(request):
        note_events_seen(
            person_id=user.pk,
            kind="commitment",
            record_id=commitment.pk,
            event_ids=[event.pk for event in events],
            now=timezone.now(),
        )
    return [replace(line, subject="") for line in timeline_lines(events)]
