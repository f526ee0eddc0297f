"""Asks and offers that are stuck, for the list of facilitators and leads."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.stuck import StuckRecord
from partnerships.exchange.models import Entry, EntryFacilitator, EntryQuerySet, Response
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User

#: An ask or offer is stuck after this many days without an answer or a decision.
UNANSWERED_DAYS = 14


def stuck_unanswered_entries(user: User, partnership_ids: list[int], now: dt.datetime) -> list[StuckRecord]:
    """Return the asks and offers shared with these partnerships that nobody has answered for two weeks, as lines."""
    return [_stuck_entry(entry) for entry in rows_for(unanswered_rows, user, partnership_ids, now)]


def unanswered_rows(user: User, partnership_ids: list[int], now: dt.datetime) -> EntryQuerySet:
    """Return the asks and offers shared with these partnerships that nobody has answered for two weeks."""
    shared_before = now - dt.timedelta(days=UNANSWERED_DAYS)
    entries = (
        Entry.objects.visible_to(user)
        .unanswered()
        .filter(partnership__in=partnership_ids, is_open=True, standing=False, shared_at__lte=shared_before)
    )
    return entries.order_by("shared_at", "pk")


def _stuck_entry(entry: Entry) -> StuckRecord:
    """Return the line about an ask or offer that nobody has answered."""
    return StuckRecord(
        partnership_id=entry.partnership_id,
        what="No answer to an ask" if entry.is_ask else "No answer to an offer",
        title=entry.title,
        path=entry.get_absolute_url(),
        since=timezone.localdate(entry.shared_at),
        waits_for="the partners",
    )


def stuck_facilitated_entries(user: User, now: dt.datetime) -> list[StuckRecord]:
    """Return the entries that the person facilitates and that have had no answer or decision for two weeks."""
    two_weeks_ago = now - dt.timedelta(days=UNANSWERED_DAYS)
    facilitated_ids = EntryFacilitator.objects.active().filter(person=user).values("entry")
    entries = Entry.objects.visible_to(user).filter(pk__in=facilitated_ids, is_open=True)
    unanswered = entries.unanswered().filter(shared_at__lte=two_weeks_ago).order_by("shared_at", "pk")
    responses = Response.objects.visible_to(user).waiting().filter(entry__in=entries.values("pk"))
    undecided = responses.filter(made_at__lte=two_weeks_ago).select_related("entry__organisation")

    stuck_records = [_stuck_entry(entry) for entry in unanswered]
    stuck_records += [_stuck_response(response) for response in undecided.order_by("made_at", "pk")]
    return stuck_records


def _stuck_response(response: Response) -> StuckRecord:
    """Return the line about an answer that nobody has accepted or declined."""
    return StuckRecord(
        partnership_id=response.entry.partnership_id,
        what="No decision on an answer",
        title=response.entry.title,
        path=response.entry.get_absolute_url(),
        since=timezone.localdate(response.made_at),
        waits_for=response.entry.organisation.display_name,
    )
