"""Calendar entries of nominations returns, on the first day on which each can be sent. Terms set no deadline."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.utils import timezone

from partnerships.activity.queries import Revision, revisions_of
from partnerships.agreements.models import last_day
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement, NominationsReturn
from partnerships.nominations.queries.agreement import Days, is_suspended, suspensions_by_partnership
from partnerships.nominations.queries.pages import QUARTERS
from partnerships.people.models import User


def _agreements(user: User, partnership_ids: list[int]) -> QuerySet[NominationsAgreement]:
    """Return the agreements of the person's organisations, in these partnerships or in all."""
    agreements = NominationsAgreement.objects.with_side_of(user).for_pages().order_by("pk")
    return agreements.filter(partnership__in=partnership_ids) if partnership_ids else agreements


def _entries(agreements: list[NominationsAgreement]) -> list[CalendarEntry]:
    """Return the entries of the latest quarters of these agreements."""
    if not agreements:
        return []
    returns = list(NominationsReturn.objects.filter(agreement__in=agreements).order_by("pk"))
    return_by_quarter = {(row.agreement_id, row.starts_on): row for row in returns}
    revisions = revisions_of([row.pk for row in returns], "nominations_return")
    suspensions = suspensions_by_partnership({agreement.partnership_id for agreement in agreements})
    today = timezone.localdate()
    return [
        _entry(agreement, quarter, return_by_quarter.get((agreement.pk, quarter.starts_on)), revisions)
        for agreement in agreements
        for quarter in _quarters(agreement, today, suspensions[agreement.partnership_id])
    ]


def _quarters(agreement: NominationsAgreement, today: dt.date, suspensions: Sequence[Days]) -> Iterator[Quarter]:
    """Yield the latest quarters in which the agreement was in force, newest first, as many as its page offers."""
    agreement_starts = timezone.localdate(agreement.begun_at)
    agreement_ends = last_day(agreement.partnership) or dt.date.max
    quarter = Quarter.of(today)
    for _ in range(QUARTERS + 1):
        if quarter.ends_on <= agreement_starts:
            return
        first_day = max(quarter.starts_on, agreement_starts)
        final_day = min(quarter.last_day, agreement_ends)
        if first_day <= final_day and not is_suspended(first_day, final_day, suspensions):
            yield quarter
        quarter = quarter.previous()


def _entry(
    agreement: NominationsAgreement,
    quarter: Quarter,
    nominations_return: NominationsReturn | None,
    revisions: dict[int, Revision],
) -> CalendarEntry:
    """Return the calendar entry for a quarter's return.

    It is on the first day on which the return can be sent. This is the day after the quarter, or after the end of the
    partnership if that is earlier.
    """
    # A return without events has not changed since the agreement began.
    revision = Revision(0, agreement.begun_at)
    path = agreement.get_absolute_url()
    note = "Not started"
    if nominations_return is not None:
        nominations_return.agreement = agreement  # Saves a query in get_absolute_url.
        revision = revisions.get(nominations_return.pk, revision)
        path = nominations_return.get_absolute_url()
        note = nominations_return.get_status_display()

    can_be_sent_from = quarter.ends_on
    partnership_ends = last_day(agreement.partnership)
    if partnership_ends is not None:
        can_be_sent_from = min(can_be_sent_from, partnership_ends + dt.timedelta(days=1))

    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"nominations-{agreement.pk}-{quarter.starts_on}",
        title=f"Nominations return of {agreement.provider_body.display_name} for {quarter} can be sent",
        path=path,
        starts=can_be_sent_from,
        note=note,
        within=agreement.partnership.title,
        partnership=agreement.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
    )


SOURCES = (CalendarSource(_agreements, _entries),)
