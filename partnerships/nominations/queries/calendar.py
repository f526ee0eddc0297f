"""Nominations returns for calendars.

The first day on which each can be sent. Terms give no last day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils import timezone

from partnerships.activity.queries import Revision, revisions_of
from partnerships.agreements.models import last_day
from partnerships.kit.calendars import CalendarEntry, CalendarKind
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement, NominationsReturn
from partnerships.nominations.queries.agreement import Days, is_suspended, suspensions_of_each
from partnerships.nominations.queries.pages import QUARTERS
from partnerships.people.models import User


def return_entries(user: User, partnership: int | None) -> list[CalendarEntry]:
    """Returns of the person's councils and providers, in a partnership or in all: this quarter's and the last ones'."""
    seen = NominationsAgreement.objects.of_sides(user).for_pages()
    if partnership is not None:
        seen = seen.filter(partnership=partnership)
    agreements = list(seen.order_by("pk"))
    begun = {
        (begun_return.agreement_id, begun_return.starts_on): begun_return
        for begun_return in NominationsReturn.objects.filter(agreement__in=agreements).order_by("pk")
    }
    revisions = revisions_of([begun_return.pk for begun_return in begun.values()], "nominations_return")
    times = suspensions_of_each({agreement.partnership_id for agreement in agreements}) if agreements else {}
    today = timezone.localdate()
    return [
        _entry(agreement, quarter, begun.get((agreement.pk, quarter.starts_on)), revisions)
        for agreement in agreements
        for quarter in _quarters(agreement, today, times[agreement.partnership_id])
    ]


def _quarters(agreement: NominationsAgreement, today: dt.date, times: Sequence[Days]) -> Iterator[Quarter]:
    """The quarters in which the agreement was in force, newest first; as many as its page offers.

    Without those in which it was suspended all `times`.
    """
    first, last = timezone.localdate(agreement.begun_at), last_day(agreement.partnership)
    quarter = Quarter.of(today)
    for _ in range(QUARTERS + 1):
        if quarter.ends_on <= first:
            return
        days = max(quarter.starts_on, first), min(quarter.last_day, last or dt.date.max)
        if days[0] <= days[1] and not is_suspended(*days, times):
            yield quarter
        quarter = quarter.previous()


def _entry(
    agreement: NominationsAgreement,
    quarter: Quarter,
    nominations_return: NominationsReturn | None,
    revisions: dict[int, Revision],
) -> CalendarEntry:
    """The day from which the return of a quarter can be sent, at the latest when the partnership ends."""
    if nominations_return is not None:
        nominations_return.agreement = agreement
    revision = (revisions.get(nominations_return.pk) if nominations_return else None) or Revision(0, agreement.begun_at)
    last = last_day(agreement.partnership)
    ends_on = quarter.ends_on if last is None else min(quarter.ends_on, last + dt.timedelta(days=1))
    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"nominations-{agreement.pk}-{quarter.starts_on}",
        title=f"Nominations return of {agreement.provider_body.display_name} for {quarter} can be sent",
        path=nominations_return.get_absolute_url() if nominations_return else agreement.get_absolute_url(),
        starts=ends_on,
        note=nominations_return.get_status_display() if nominations_return else "Not started",
        within=agreement.partnership.title,
        partnership=agreement.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
    )


ENTRIES = (return_entries,)
