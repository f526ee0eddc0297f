"""What a nominations agreement says on a day, and on which days of a quarter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from partnerships.agreements.models import Partnership, Status, TermsVersion, last_day
from partnerships.agreements.queries.terms import in_force_from, version_in_force
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import Agreed, agreed_in


def agreement_of(partnership: Partnership) -> NominationsAgreement | None:
    """The nominations agreement of a partnership, ready for pages."""
    found = NominationsAgreement.objects.for_pages().filter(partnership=partnership).first()
    if found is not None:
        found.partnership = partnership
    return found


def agreed_on(agreement: NominationsAgreement, day: dt.date) -> Agreed | None:
    """What the terms in force on the day say; None before the first, or if they leave out a figure."""
    version = version_in_force(agreement.partnership, day)
    return agreed_in(version.content) if version else None


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a quarter on which an agreement was in force, first and last included.

    `agreed` is what the terms in force on the last of them say: it counts for all. `suspended` are the times between in
    which the partnership was suspended, each with its first and last day.
    """

    first: dt.date
    last: dt.date
    agreed: Agreed
    version: TermsVersion
    suspended: tuple[tuple[dt.date, dt.date], ...] = ()

    @property
    def is_suspended(self) -> bool:
        """Whether it was suspended on all of its days."""
        days = sum((last - first).days + 1 for first, last in self.suspended)
        return days > (self.last - self.first).days


def period_of(agreement: NominationsAgreement, quarter: Quarter) -> Period | None:
    """The part of a quarter in which the agreement was in force; None without."""
    return periods_of(agreement, [quarter]).get(quarter)


def periods_of(agreement: NominationsAgreement, quarters: Iterable[Quarter]) -> dict[Quarter, Period]:
    """The part of each quarter in which the agreement was in force, without quarters in which it was not.

    It begins when terms with shares first took force, and ends with the partnership. It is not in force while the
    partnership is suspended.
    """
    begun = in_force_from(agreement.partnership)
    versions = TermsVersion.objects.in_bulk({version for _, version in begun})
    terms = [(day, versions[version], agreed_in(versions[version].content)) for day, version in begun]
    ended = last_day(agreement.partnership) or dt.date.max
    found = {one: _period(one, min(one.last_day, ended), terms) for one in quarters}
    times = suspensions_of(agreement.partnership)
    periods = {
        quarter: replace(period, suspended=tuple(_within(period, times)))
        for quarter, period in found.items()
        if period is not None
    }
    return {quarter: period for quarter, period in periods.items() if not period.is_suspended}


def suspensions_of(partnership: Partnership) -> list[tuple[dt.date, dt.date]]:
    """The first and the last day of each time that the partnership was suspended, from its row history.

    It counts as suspended on the day of the suspension, and not on the day on which it goes on.
    """
    history = Partnership.pgh_event_model.objects.filter(pgh_obj=partnership.pk).order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    since = dict.fromkeys(history.values_list("status", "status_since"))
    found: list[tuple[dt.date, dt.date]] = []
    begun: dt.date | None = None
    for status, moment in since:
        day = timezone.localdate(moment)
        if status == Status.SUSPENDED:
            begun = begun or day
        elif begun is not None:
            found += [(begun, day - dt.timedelta(days=1))] if begun < day else []
            begun = None
    return found + ([(begun, dt.date.max)] if begun is not None else [])


def suspended_since(partnership: Partnership) -> dt.date | None:
    """The day since which the partnership is suspended; None if it is not."""
    times = suspensions_of(partnership) if partnership.status == Status.SUSPENDED else []
    return times[-1][0] if times and times[-1][1] == dt.date.max else None


def _within(period: Period, times: Iterable[tuple[dt.date, dt.date]]) -> Iterator[tuple[dt.date, dt.date]]:
    """The parts of these times that are in the period."""
    for first, last in times:
        if first <= period.last and last >= period.first:
            yield max(first, period.first), min(last, period.last)


def _period(
    quarter: Quarter, last: dt.date, terms: Sequence[tuple[dt.date, TermsVersion, Agreed | None]]
) -> Period | None:
    """The days up to `last` on which terms with shares were in force without a break."""
    found: Period | None = None
    for day, version, agreed in reversed([one for one in terms if one[0] <= last and quarter.starts_on <= last]):
        if agreed is None:
            break
        first = max(day, quarter.starts_on)
        found = replace(found, first=first) if found else Period(first, last, agreed, version)
        if first == quarter.starts_on:
            break
    return found


def sides_in(agreement: NominationsAgreement, period: Period) -> tuple[set[int], set[int]]:
    """Ids of the council and of the provider: those of today, and those that the terms of the period name.

    They differ once a successor has taken the place of one.
    """
    ids = {line["name"]: line["organisation"] for line in period.version.parties}
    councils, providers = {agreement.council.organisation_id}, {agreement.provider.organisation_id}
    councils |= {ids[name] for name in (period.agreed.council,) if name in ids}
    providers |= {ids[name] for name in (period.agreed.provider,) if name in ids}
    return councils, providers
