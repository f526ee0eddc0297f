"""Services that open the reports of periods that have ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from partnerships.agreements.departures import PartnershipEnding
from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Report, ReportingRound
from partnerships.conversations.reporting import periods, periods_with_rest, working_days_after
from partnerships.conversations.services.reports.recording import record_reporting
from partnerships.organisations.nations import holidays_of


def open_due_reports(*, now: dt.datetime) -> int:
    """Open the reports of all periods that have ended, and return the number of new reports.

    Each round has its own transaction. This may run twice, and after a pause of any length.
    """
    today = timezone.localdate(now)
    rounds = ReportingRound.objects.filter(
        Q(ends_on=None) | Q(opened_until=None) | Q(ends_on__gt=F("opened_until")),
        partnership__in=Partnership.objects.live(),
        starts_on__lt=today,
    )
    opened_count = 0
    for reporting_round in rounds.order_by("pk"):
        with transaction.atomic():
            if lock_partnership(reporting_round.partnership_id).is_over_on(today):
                continue
            opened_count += open_reports(ReportingRound.objects.get(pk=reporting_round.pk), now=now)
    return opened_count


def open_last_reports(ending: PartnershipEnding) -> None:
    """Open the reports up to the last day of a partnership that has ended, and end its rounds on that day."""
    partnership = ending.partnership
    last_day = partnership.ends_on or timezone.localdate(ending.now)
    first_day_after = last_day + dt.timedelta(days=1)
    rounds = ReportingRound.objects.filter(Q(ends_on=None) | Q(ends_on__gt=first_day_after), partnership=partnership)
    running_rounds = list(rounds.order_by("starts_on", "pk"))
    for reporting_round in running_rounds:
        reporting_round.ends_on = max(first_day_after, reporting_round.opened_until or reporting_round.starts_on)
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
    """Open the reports of a round's periods that have ended, and return the number of new reports.

    Call this with the partnership locked.
    """
    today = timezone.localdate(now)
    until = today if reporting_round.ends_on is None else min(today, reporting_round.ends_on)
    return open_periods(reporting_round, periods(reporting_round.starts_on, reporting_round.period, until), now=now)


def open_periods(
    reporting_round: ReportingRound, periods: Iterable[tuple[dt.date, dt.date]], *, now: dt.datetime
) -> int:
    """Open the reports of these periods that are not open yet, and return the number of new reports.

    Every present party reports, except observers, exempt parties, and parties that joined after the period.
    """
    new_periods = [
        (start, end)
        for start, end in periods
        if reporting_round.opened_until is None or end > reporting_round.opened_until
    ]
    if not new_periods:
        return 0

    parties = _reporting_parties(reporting_round)
    holidays_by_party = {party.pk: holidays_of(party.organisation) for party in parties}
    reports = [
        Report(
            round=reporting_round,
            party=party,
            starts_on=start,
            ends_on=end,
            due_on=_due_on(reporting_round, end, holidays_by_party[party.pk]),
            questions=reporting_round.questions,
            opened_at=now,
        )
        for start, end in new_periods
        for party in parties
        if party.joined_on is None or party.joined_on < end
    ]
    existing_reports = Report.objects.filter(party__in=parties, starts_on__in=[start for start, _end in new_periods])
    existing_keys = set(existing_reports.values_list("party_id", "starts_on"))
    new_reports = [report for report in reports if (report.party_id, report.starts_on) not in existing_keys]
    Report.objects.bulk_create(new_reports)

    reporting_round.opened_until = new_periods[-1][1]
    reporting_round.save(update_fields=["opened_until"])
    return len(new_reports)


def _reporting_parties(reporting_round: ReportingRound) -> list[Party]:
    """Return the present parties that report in this round."""
    parties = reporting_round.partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    reporting_parties = parties.exclude(pk__in=reporting_round.exemptions.values("party"))
    return list(reporting_parties.select_related("organisation").order_by("pk"))


def _due_on(reporting_round: ReportingRound, end: dt.date, holidays: Collection[dt.date]) -> dt.date:
    """Return the due day of a report.

    The working days are counted from the end of the period, or from the set-up of the round if that was later.
    """
    last_day = max(end - dt.timedelta(days=1), timezone.localdate(reporting_round.set_up_at))
    return max(end, working_days_after(last_day, reporting_round.due_days, holidays))
