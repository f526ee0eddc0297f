"""The page of one ask or offer."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from partnerships.activity.seen import note_events_seen
from partnerships.agreements.models import Partnership
from partnerships.agreements.origin import origin_links_of, origin_lookups
from partnerships.agreements.queries import leads_a_party
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.commitments.queries import name_as_at as commitments_as_at
from partnerships.exchange import services
from partnerships.exchange.models import (
    Entry,
    Fulfilment,
)
from partnerships.exchange.queries.listings import name_as_at
from partnerships.exchange.queries.matches import count_matches
from partnerships.exchange.queries.permission_sql import reader_of
from partnerships.exchange.rights import Rights, rights_over
from partnerships.exchange.sections import ON_ENTRIES
from partnerships.exchange.views.rows import KINDS_OF_ROWS, Rows, lookups_of_rows, rows_about
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import (
    functions_with_rows,
    lookup,
    read_ahead,
    row_or_404,
    rows_for,
    rows_lookup,
)
from partnerships.organisations.timeline import TimelineLine, newest_events, newest_events_lookup, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import is_reading_page, signed_in

#: The page shows this many events, the newest.
_MAX_EVENTS = 30
#: Statuses of commitments that are no longer binding.
_ENDED = (CommitmentStatus.CANCELLED, CommitmentStatus.SUPERSEDED)


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one ask or offer with its answers, questions, commitments and history."""
    user = signed_in(request)
    # Each `read_ahead` makes several queries in one statement. `rows_for` and others then return these results.
    read_ahead(
        [
            lookup(_entry, user, pk),
            rows_lookup(pk, *KINDS_OF_ROWS),
            newest_events_lookup(user, kind="entry", record_id=pk, count=_MAX_EVENTS),
        ]
    )
    entry = row_or_404(_entry, user, pk)

    rights = rights_over(entry, user, timezone.now())
    existing_kinds = functions_with_rows(pk, *KINDS_OF_ROWS)
    lookups = list(lookups_of_rows(entry, user, existing_kinds, rights))
    if entry.partnership_id is not None:
        lookups += [lookup(_visible_partnership, user, entry.partnership_id), *origin_lookups(Entry, pk)]
    read_ahead(lookups)

    rows = rows_about(entry, user, rights, existing_kinds)
    _name_as_at(entry, rows)
    context = {
        "entry": entry,
        "is_own": rights.is_own,
        **rows,
        **_permissions(entry, user, rights, rows),
        "promised_ids": _fully_promised(rows["fulfilments"]),
        "partnership": _partnership(entry, user),
        "matches": count_matches(reader_of(user), [entry]).get(entry.pk),
        "today": timezone.localdate(),
        "lines": _timeline(request, entry, user),
        "sections": ON_ENTRIES.of(user, entry),
        "origin_links": origin_links_of(entry, user) if entry.partnership_id else [],
    }
    return render(request, "exchange/detail.html", context)


@require_POST
def stakeholders(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose whether digests tell stakeholders without an account about the ask or offer."""
    user = signed_in(request)
    entry = get_object_or_404(Entry.objects.visible_to(user), pk=pk)
    tell = request.POST.get("tell") == "yes"
    services.mark_for_stakeholders(entry=entry, tell=tell, author=user, now=timezone.now())
    if tell:
        messages.success(request, f"We will tell stakeholders about this {entry.noun} from now on.")
    else:
        messages.success(request, f"We will no longer tell stakeholders about this {entry.noun}.")
    return redirect(entry)


def _name_as_at(entry: Entry, rows: Rows) -> None:
    """Give each organisation on the page the name that it had on the day of its answer, question and so on."""
    dated_organisations: list[tuple[dt.datetime | None, Organisation]] = []
    dated_organisations += [(response.made_at, response.organisation) for response in rows["responses"]]
    dated_organisations += [(question.asked_at, question.organisation) for question in rows["questions"]]
    for receipt in rows["receipts"]:
        answered_at = receipt.acknowledged_at or receipt.declined_at
        dated_organisations.append((answered_at, receipt.organisation))
    for introduction in rows["introductions"]:
        sides = (introduction.organisation, introduction.ask.organisation, introduction.offer.organisation)
        dated_organisations += [(introduction.at, organisation) for organisation in sides]

    commitments_as_at(row.commitment for row in rows["fulfilments"])
    name_as_at(
        [entry],
        beside=((timezone.localdate(at) if at else None, organisation) for at, organisation in dated_organisations),
        asked=((entry, organisation) for organisation in rows["addressees"]),
    )


def _permissions(entry: Entry, user: User, rights: Rights, rows: Rows) -> dict[str, Any]:
    """Return what the reader may do with the entry, and how many questions they still have to answer."""
    responses = rows["responses"]
    answering_ids = {organisation.pk for organisation in rows["answering"]}
    answered_ids = {response.organisation_id for response in responses if response.is_waiting}
    receipt_ids = {receipt.organisation_id for receipt in rows["receipts"]}
    responding_ids = {response.organisation_id for response in responses}
    edited_ids = rights.roles.edited_among(rights.roles.by_organisation)
    is_editor = entry.organisation_id in edited_ids
    leads_a_side = bool(responses) and bool(rights.roles.led_ids & {entry.organisation_id, *responding_ids})
    return {
        "may_edit": rights.may_edit,
        "may_name_facilitator": rights.may_edit and not entry.is_draft and not entry.is_over,
        "edited_ids": edited_ids,
        # An organisation cannot answer again until its answer is accepted, declined or withdrawn.
        "may_respond": entry.is_open and bool(answering_ids - answered_ids),
        "may_decline": entry.is_open and not entry.is_for_network and bool(answering_ids),
        "may_acknowledge": bool(answering_ids - receipt_ids),
        "may_commit": is_editor or bool(responding_ids & edited_ids),
        "may_start_group": entry.partnership_id is not None and leads_a_side,
        "questions_waiting": sum(not question.is_answered for question in rows["questions"]) if is_editor else 0,
        "may_tell_stakeholders": not entry.is_draft and leads_a_party(user, entry.partnership_id),
    }


def _entry(user: User, pk: int) -> QuerySet[Entry]:
    """Return the entry of the page, if the person may see it."""
    entries = Entry.objects.visible_to(user).select_related("organisation", "partnership", "created_by")
    return entries.filter(pk=pk)


def _fully_promised(fulfilments: Iterable[Fulfilment]) -> set[int]:
    """Return the ids of the accepted answers whose whole quantity has been promised.

    Cancelled and replaced commitments are left out.
    """
    agreed_by_answer: dict[int, Decimal] = {}
    promised_by_answer: defaultdict[int, Decimal] = defaultdict(Decimal)
    for fulfilment in fulfilments:
        answer_id, response = fulfilment.answer_id, fulfilment.response
        if answer_id is None or response is None or fulfilment.commitment.status in _ENDED:
            continue
        agreed_by_answer[answer_id] = response.agreed_quantity or Decimal(0)
        promised_by_answer[answer_id] += fulfilment.share or Decimal(0)
    return {answer_id for answer_id, agreed in agreed_by_answer.items() if promised_by_answer[answer_id] >= agreed}


def _timeline(request: HttpRequest, entry: Entry, user: User) -> list[TimelineLine]:
    """Return the events of the entry and its answers, newest first, without the entry's title.

    Unless a program reads the page, the events are recorded as seen, so that digests do not repeat them.
    """
    events = newest_events(user, kind="entry", record_id=entry.pk, count=_MAX_EVENTS)
    if is_reading_page(request):
        event_ids = [event.pk for event in events]
        note_events_seen(person_id=user.pk, kind="entry", record_id=entry.pk, event_ids=event_ids, now=timezone.now())
    return [replace(line, subject="") for line in timeline_lines(events)]


def _partnership(entry: Entry, user: User) -> Partnership | None:
    """Return the partnership of the entry, if the reader can see it."""
    if entry.partnership_id is None:
        return None
    partnerships = rows_for(_visible_partnership, user, entry.partnership_id)
    return partnerships[0] if partnerships else None


def _visible_partnership(user: User, pk: int) -> QuerySet[Partnership]:
    """Return the partnership, if the person may see it."""
    return Partnership.objects.visible_to(user).filter(pk=pk)
