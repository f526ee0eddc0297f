"""What a nominations agreement says on a day, and on which days of a quarter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from django.utils import timezone

from partnerships.agreements.models import OVER, Partnership, Status, TermsVersion, last_day
from partnerships.agreements.queries.terms import in_force_from, version_in_force
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import Agreed, agreed_in


def agreement_of(partnership: Partnership) -> NominationsAgreement | None:
    """The nominations agreement of a partnership, ready for pages."""
    agreement = NominationsAgreement.objects.for_pages().filter(partnership=partnership).first()
    if agreement is not None:
        agreement.partnership = partnership
    return agreement


def agreed_on(agreement: NominationsAgreement, day: dt.date) -> Agreed | None:
    """What the terms in force on the day say.

    None before the first, or if they leave out a figure.
    """
    version = version_in_force(agreement.partnership, day)
    return agreed_in(version.content) if version else None


#: The first and the last day of a time.
Days: TypeAlias = tuple[dt.date, dt.date]


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
    suspended: tuple[Days, ...] = ()

    @property
    def is_suspended(self) -> bool:
        """Whether it was suspended on all of its days."""
        return is_suspended(self.first, self.last, self.suspended)


def period_of(agreement: NominationsAgreement, quarter: Quarter) -> Period | None:
    """The part of a quarter in which the agreement was in force; None without."""
    return periods_of(agreement, [quarter]).get(quarter)


def periods_of(agreement: NominationsAgreement, quarters: Iterable[Quarter]) -> dict[Quarter, Period]:
    """The part of each quarter in which the agreement was in force, without quarters in which it was not.

    It begins when terms with shares first came into force, and ends with the partnership. It is not in force while the
    partnership is suspended.
    """
    begun = in_force_from(agreement.partnership)
    versions = TermsVersion.objects.in_bulk({version for _, version in begun})
    terms = [(day, versions[version], agreed_in(versions[version].content)) for day, version in begun]
    ended = last_day(agreement.partnership) or dt.date.max
    period_by_quarter = {quarter: _period(quarter, min(quarter.last_day, ended), terms) for quarter in quarters}
    times = suspensions_of(agreement.partnership)
    periods = {
        quarter: replace(period, suspended=tuple(_within(period, times)))
        for quarter, period in period_by_quarter.items()
        if period is not None
    }
    return {quarter: period for quarter, period in periods.items() if not period.is_suspended}


def is_suspended(first: dt.date, last: dt.date, times: Iterable[Days]) -> bool:
    """Whether all days from the first to the last are in these times of suspension."""
    days = sum((min(end, last) - max(begun, first)).days + 1 for begun, end in times if begun <= last and end >= first)
    return days > (last - first).days


def suspensions_of(partnership: Partnership) -> list[Days]:
    """The first and the last day of each time that the partnership was suspended."""
    return suspensions_of_each([partnership.pk])[partnership.pk]


def suspensions_of_each(partnerships: Collection[int]) -> dict[int, list[Days]]:
    """The same for each of these (ids), from their row histories; one query.

    A partnership counts as suspended on the day of the suspension, and not on the day on which it goes on. One that
    ends while it is suspended does not go on for a day.
    """
    history = Partnership.pgh_event_model.objects.filter(pgh_obj__in=partnerships).order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    suspensions: dict[int, list[Days]] = {pk: [] for pk in partnerships}
    begun: dict[int, dt.date] = {}
    for pk, status, moment in dict.fromkeys(history.values_list("pgh_obj", "status", "status_since")):
        day = timezone.localdate(moment)
        if status == Status.SUSPENDED:
            begun.setdefault(pk, day)
        elif status not in OVER and pk in begun:
            first = begun.pop(pk)
            suspensions[pk] += [(first, day - dt.timedelta(days=1))] if first < day else []
    for pk, first in begun.items():
        suspensions[pk].append((first, dt.date.max))
    return suspensions


def suspended_since(partnership: Partnership) -> dt.date | None:
    """The day since which the partnership is suspended; None if it is not."""
    times = suspensions_of(partnership) if partnership.status == Status.SUSPENDED else []
    return times[-1][0] if times and times[-1][1] == dt.date.max else None


def _within(period: Period, times: Iterable[Days]) -> Iterator[Days]:
    """The parts of these times that are in the period."""
    for first, last in times:
        if first <= period.last and last >= period.first:
            yield max(first, period.first), min(last, period.last)


def _period(
    quarter: Quarter, last: dt.date, terms: Sequence[tuple[dt.date, TermsVersion, Agreed | None]]
) -> Period | None:
    """The days up to `last` on which terms with shares were in force without a break."""
    period: Period | None = None
    for day, version, agreed in reversed([term for term in terms if term[0] <= last and quarter.starts_on <= last]):
        if agreed is None:
            break
        first = max(day, quarter.starts_on)
        period = replace(period, first=first) if period else Period(first, last, agreed, version)
        if first == quarter.starts_on:
            break
    return period


def sides_in(agreement: NominationsAgreement, period: Period) -> tuple[set[int], set[int]]:
    """Ids of the council and of the provider.

    They are those of today, and those that the terms of the period name. They differ once a successor has taken the
    place of one.
    """
    ids = {line["name"]: line["organisation"] for line in period.version.parties}
    councils, providers = {agreement.council.organisation_id}, {agreement.provider.organisation_id}
    councils |= {ids[name] for name in (period.agreed.council,) if name in ids}
    providers |= {ids[name] for name in (period.agreed.provider,) if name in ids}
    return councils, providers
