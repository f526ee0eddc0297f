"""Services that set up the progress reports of a partnership, and end them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Period, ReportingExemption, ReportingRound
from partnerships.conversations.reporting import (
    MAX_DUE_DAYS,
    MAX_PERIODS_BACK,
    MONTHS_IN,
    Question,
    add_months,
)
from partnerships.conversations.services.reports.opening import open_reports
from partnerships.conversations.services.reports.recording import record_reporting
from partnerships.kit.rights import require
from partnerships.people.models import User


class UnableToSetUpReporting(Exception):
    """Raised if the partnership has ended, or the settings of the round are invalid."""


@transaction.atomic
def set_up_reporting(
    *,
    partnership: Partnership,
    period: str,
    starts_on: dt.date,
    due_days: int,
    questions: Sequence[Question],
    exempt: Collection[Party],
    author: User | None,
    now: dt.datetime,
) -> ReportingRound:
    """Set up progress reports, or change their settings. Raises `UnableToSetUpReporting`.

    If the open round has the same period and start, its settings change for reports that are not open yet. Otherwise
    the open round ends on the day when the new round begins. Reports of periods that have ended are opened at once.
    """
    partnership = lock_partnership(partnership.pk)
    require(rights_over(partnership, author, now).leads)
    _check(partnership, period, starts_on, due_days, questions, timezone.localdate(now))
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    if not parties.exclude(pk__in=[party.pk for party in exempt]).exists():
        raise UnableToSetUpReporting("Choose at least one organisation that reports.")

    reporting_round = ReportingRound.objects.filter(partnership=partnership, ends_on=None).first()
    if reporting_round is not None and (reporting_round.period, reporting_round.starts_on) != (period, starts_on):
        _end(reporting_round, starts_on, "A new round begins.")
        reporting_round = None
    if reporting_round is not None:
        event = EventKind.REPORTING_CHANGED
    else:
        event = EventKind.REPORTING_SET_UP
        reporting_round = ReportingRound(
            partnership=partnership, period=period, starts_on=starts_on, set_up_by=author, set_up_at=now
        )
    reporting_round.due_days = due_days
    reporting_round.questions = list(questions)
    reporting_round.save()
    reporting_round.exemptions.exclude(party__in=[party.pk for party in exempt]).delete()
    for party in exempt:
        ReportingExemption.objects.get_or_create(round=reporting_round, party=party)

    after = {"period": period, "from": starts_on.isoformat(), "working days": due_days}
    record_reporting(partnership, event, author=author, now=now, after=after)
    open_reports(reporting_round, now=now)
    return reporting_round


def _check(
    partnership: Partnership,
    period: str,
    starts_on: dt.date,
    due_days: int,
    questions: Sequence[Question],
    today: dt.date,
) -> None:
    """Raise `UnableToSetUpReporting` for the first fault in the settings."""
    if partnership.is_over_on(today):
        raise UnableToSetUpReporting("This partnership has ended, so it needs no more progress reports.")
    if period not in Period.values:
        raise UnableToSetUpReporting("Choose how often the partners report.")
    if not 1 <= due_days <= MAX_DUE_DAYS:
        raise UnableToSetUpReporting(f"Enter 1 to {MAX_DUE_DAYS} working days until a report is due.")
    if not questions:
        raise UnableToSetUpReporting("Ask at least one question.")
    if starts_on < add_months(today, -MAX_PERIODS_BACK * MONTHS_IN[period]):
        raise UnableToSetUpReporting(f"Choose a first day that is at most {MAX_PERIODS_BACK} periods ago.")


def _end(reporting_round: ReportingRound, day: dt.date, reason: str) -> None:
    """End a round on a day. Raises `UnableToSetUpReporting` if reports of a later period are open already."""
    if reporting_round.opened_until is not None and day < reporting_round.opened_until:
        raise UnableToSetUpReporting("There are already reports for this period. Choose a day after the period ends.")
    reporting_round.ends_on = max(day, reporting_round.starts_on)
    reporting_round.end_reason = reason
    reporting_round.save(update_fields=["ends_on", "end_reason"])


@transaction.atomic
def end_reporting(*, partnership: Partnership, reason: str, author: User | None, now: dt.datetime) -> None:
    """End progress reports. Reports that are open already remain due. Raises `UnableToSetUpReporting`."""
    partnership = lock_partnership(partnership.pk)
    require(rights_over(partnership, author, now).leads)
    if partnership.is_over_on(timezone.localdate(now)):
        raise UnableToSetUpReporting("This partnership has ended, so it needs no more progress reports.")
    reporting_round = ReportingRound.objects.filter(partnership=partnership, ends_on=None).first()
    if reporting_round is None:
        raise UnableToSetUpReporting(
            "This partnership has no progress reports at the moment, so you do not need to stop them."
        )
    if not reason.strip():
        raise UnableToSetUpReporting("Enter a reason.")

    open_reports(reporting_round, now=now)
    first_possible_day = reporting_round.opened_until or reporting_round.starts_on
    _end(reporting_round, max(timezone.localdate(now), first_possible_day), reason.strip())
    record_reporting(partnership, EventKind.REPORTING_ENDED, author=author, now=now, reason=reason.strip())
