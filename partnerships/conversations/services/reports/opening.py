"""Services that open the reports of periods that have ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.models import Partnership, PartyRole
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Report, ReportingRound
from partnerships.conversations.reporting import periods, periods_with_rest, working_days_after
from partnerships.conversations.services.reports.recording import record_reporting
from partnerships.organisations.nations import holidays_of


def open_due_reports(*, now: dt.datetime) -> int:
    """Open the reports of all periods that have ended; the number of new ones.

    Each round in its own transaction. May run twice, and after any pause.
    """
    today, opened = timezone.localdate(now), 0
    rounds = ReportingRound.objects.filter(
        Q(ends_on=None) | Q(opened_until=None) | Q(ends_on__gt=F("opened_until")),
        partnership__in=Partnership.objects.live(),
        starts_on__lt=today,
    )
    for reporting_round in rounds.order_by("pk"):
        with transaction.atomic():
            if lock_partnership(reporting_round.partnership_id).is_over_on(today):
                continue
            opened += open_reports(ReportingRound.objects.get(pk=reporting_round.pk), now=now)
    return opened


def open_last_reports(ending: PartnershipEnding) -> None:
    """Open the reports up to the last day of a partnership that is over, and end its round.

    Where another round was to begin after that day, the one before it goes on up to that day.
    """
    partnership = ending.partnership
    last_day = partnership.ends_on or timezone.localdate(ending.now)
    after = last_day + dt.timedelta(days=1)
    rounds = ReportingRound.objects.filter(Q(ends_on=None) | Q(ends_on__gt=after), partnership=partnership)
    running_rounds = list(rounds.order_by("starts_on", "pk"))
    for reporting_round in running_rounds:
        reporting_round.ends_on = max(after, reporting_round.opened_until or reporting_round.starts_on)
        reporting_round.end_reason = ending.reason
        reporting_round.save(update_fields=["ends_on", "end_reason"])
        open_periods(
            reporting_round,
            periods_with_rest(reporting_round.starts_on, reporting_round.period, reporting_round.ends_on),
            now=ending.now,
        )
    if running_rounds:
        record_reporting(
            partnership, EventKind.REPORTING_ENDED, author=ending.author, now=ending.now, reason=ending.reason
        )


def open_reports(reporting_round: ReportingRound, *, now: dt.datetime) -> int:
    """Open what is due of one round.

    Returns the number of new reports. Call with the partnership locked.
    """
    today = timezone.localdate(now)
    until = today if reporting_round.ends_on is None else min(today, reporting_round.ends_on)
    return open_periods(reporting_round, periods(reporting_round.starts_on, reporting_round.period, until), now=now)


def open_periods(reporting_round: ReportingRound, ended: Iterable[tuple[dt.date, dt.date]], *, now: dt.datetime) -> int:
    """Open the reports of these periods that are not open yet.

    Returns the number of new reports. Parties report that take part now, joined before the period ended and are not
    observers. One that joins later gets no reports of earlier periods.
    """
    due = [
        (start, end)
        for start, end in ended
        if reporting_round.opened_until is None or end > reporting_round.opened_until
    ]
    if not due:
        return 0
    parties = reporting_round.partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    reporting = list(
        parties.exclude(pk__in=reporting_round.exemptions.values("party")).select_related("organisation").order_by("pk")
    )
    holidays = {party.pk: holidays_of(party.organisation) for party in reporting}
    reports = [
        Report(
            round=reporting_round,
            party=party,
            starts_on=start,
            ends_on=end,
            due_on=_due_on(reporting_round, end, holidays[party.pk]),
            questions=reporting_round.questions,
            opened_at=now,
        )
        for start, end in due
        for party in reporting
        if party.joined_on is None or party.joined_on < end
    ]
    existing = set(
        Report.objects.filter(party__in=reporting, starts_on__in=[start for start, _end in due]).values_list(
            "party_id", "starts_on"
        )
    )
    new = [report for report in reports if (report.party_id, report.starts_on) not in existing]
    Report.objects.bulk_create(new)
    reporting_round.opened_until = due[-1][1]
    reporting_round.save(update_fields=["opened_until"])
    return len(new)


def _due_on(reporting_round: ReportingRound, end: dt.date, holidays: Collection[dt.date]) -> dt.date:
    """The due day; for a period that ended before the round was set up, counted from that day."""
    last = max(end - dt.timedelta(days=1), timezone.localdate(reporting_round.set_up_at))
    return max(end, working_days_after(last, reporting_round.due_days, holidays))
