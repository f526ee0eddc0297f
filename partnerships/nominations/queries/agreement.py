"""Read the terms of a nominations agreement on a day, and when it was in force in a quarter."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from django.utils import timezone

from partnerships.agreements.models import FINAL_STATUSES, Partnership, Status, TermsVersion, last_day
from partnerships.agreements.queries.terms import first_days_in_force, version_in_force
from partnerships.nominations.lettings.quarters import Quarter
from partnerships.nominations.models import NominationsAgreement
from partnerships.nominations.schedule import NominationTerms, nomination_terms_in


def agreement_of(partnership: Partnership) -> NominationsAgreement | None:
    """Return the nominations agreement of a partnership with the related rows for pages, or None."""
    agreement = NominationsAgreement.objects.for_pages().filter(partnership=partnership).first()
    if agreement is not None:
        # Use the caller's object, so that there is only one copy of the partnership in memory.
        agreement.partnership = partnership
    return agreement


def nomination_terms_on(agreement: NominationsAgreement, day: dt.date) -> NominationTerms | None:
    """Return the terms on nominations in force on a day, or None if they do not give all figures."""
    version = version_in_force(agreement.partnership, day)
    return nomination_terms_in(version.content) if version else None


#: The first and the last day of a period.
Days: TypeAlias = tuple[dt.date, dt.date]


@dataclass(frozen=True, slots=True)
class Period:
    """The part of a quarter in which an agreement was in force, from its first to its last day."""

    first_day: dt.date
    last_day: dt.date
    #: The terms on nominations of the last day, which apply to the whole period.
    agreed: NominationTerms
    version: TermsVersion
    #: Times in the period when the partnership was suspended.
    suspended: tuple[Days, ...] = ()

    @property
    def is_suspended(self) -> bool:
        """Return whether the partnership was suspended on every day of the period."""
        return is_suspended(self.first_day, self.last_day, self.suspended)


def period_in_force(agreement: NominationsAgreement, quarter: Quarter) -> Period | None:
    """Return the part of a quarter in which the agreement was in force, or None if it was not."""
    return periods_in_force(agreement, [quarter]).get(quarter)


def periods_in_force(agreement: NominationsAgreement, quarters: Iterable[Quarter]) -> dict[Quarter, Period]:
    """Return the part of each quarter in which the agreement was in force. Other quarters are left out.

    The agreement begins when terms with shares first come into force, and ends with the partnership. It is not in force
    while the partnership is suspended.
    """
    starts = first_days_in_force(agreement.partnership)
    version_by_pk = TermsVersion.objects.in_bulk({version_id for _, version_id in starts})
    terms = [_Terms(day, version_by_pk[pk], nomination_terms_in(version_by_pk[pk].content)) for day, pk in starts]
    final_day = last_day(agreement.partnership) or dt.date.max
    suspensions = suspensions_of(agreement.partnership)

    period_by_quarter = {}
    for quarter in quarters:
        period = _period_with_terms(quarter, min(quarter.last_day, final_day), terms)
        if period is None:
            continue
        period = replace(period, suspended=tuple(_suspensions_within(period, suspensions)))
        if not period.is_suspended:
            period_by_quarter[quarter] = period
    return period_by_quarter


@dataclass(frozen=True, slots=True)
class _Terms:
    """A version of the terms, the day on which it comes into force, and its terms on nominations."""

    day: dt.date
    version: TermsVersion
    agreed: NominationTerms | None


def is_suspended(first_day: dt.date, final_day: dt.date, suspensions: Iterable[Days]) -> bool:
    """Return whether every day from the first to the final one is in one of the suspensions, which do not overlap."""
    suspended_days = 0
    for suspended_from, suspended_to in suspensions:
        overlap = min(suspended_to, final_day) - max(suspended_from, first_day)
        suspended_days += max(overlap.days + 1, 0)
    return suspended_days > (final_day - first_day).days


def suspensions_of(partnership: Partnership) -> list[Days]:
    """Return the times when a partnership was suspended."""
    return suspensions_by_partnership([partnership.pk])[partnership.pk]


def suspensions_by_partnership(partnership_ids: Collection[int]) -> dict[int, list[Days]]:
    """Return the times when these partnerships (by id) were suspended, from their row histories. This needs one query.

    A suspension includes the day on which it begins, but not the day on which the partnership resumes. For a
    partnership that is still suspended, or ended while suspended, the last day is `date.max`.
    """
    history = Partnership.pgh_event_model.objects.filter(pgh_obj__in=partnership_ids).order_by("pgh_id")  # type: ignore[attr-defined]  # made by pghistory
    suspensions: dict[int, list[Days]] = {pk: [] for pk in partnership_ids}
    suspended_from: dict[int, dt.date] = {}
    for pk, status, status_since in dict.fromkeys(history.values_list("pgh_obj", "status", "status_since")):
        day = timezone.localdate(status_since)
        if status == Status.SUSPENDED:
            suspended_from.setdefault(pk, day)
        elif status not in FINAL_STATUSES and pk in suspended_from:
            first_day = suspended_from.pop(pk)
            if first_day < day:
                suspensions[pk].append((first_day, day - dt.timedelta(days=1)))
    for pk, first_day in suspended_from.items():
        suspensions[pk].append((first_day, dt.date.max))
    return suspensions


def suspended_since(partnership: Partnership) -> dt.date | None:
    """Return the day on which the partnership was suspended, or None if it is not suspended today."""
    if partnership.status != Status.SUSPENDED:
        return None
    suspensions = suspensions_of(partnership)
    if not suspensions:
        return None
    suspended_from, suspended_to = suspensions[-1]
    return suspended_from if suspended_to == dt.date.max else None


def _suspensions_within(period: Period, suspensions: Iterable[Days]) -> Iterator[Days]:
    """Yield the parts of the suspensions that are in the period."""
    for suspended_from, suspended_to in suspensions:
        if suspended_from <= period.last_day and suspended_to >= period.first_day:
            yield max(suspended_from, period.first_day), min(suspended_to, period.last_day)


def _period_with_terms(quarter: Quarter, final_day: dt.date, terms: Sequence[_Terms]) -> Period | None:
    """Return the period of a quarter, up to a final day, in which terms with shares were in force without a break.

    Returns None if no such terms were in force on the final day.
    """
    if final_day < quarter.starts_on:
        return None
    period: Period | None = None
    for row in reversed([row for row in terms if row.day <= final_day]):
        if row.agreed is None:
            break
        first_day = max(row.day, quarter.starts_on)
        if period is None:
            period = Period(first_day=first_day, last_day=final_day, agreed=row.agreed, version=row.version)
        else:
            period = replace(period, first_day=first_day)
        if first_day == quarter.starts_on:
            break
    return period


def council_and_provider_ids(agreement: NominationsAgreement, period: Period) -> tuple[set[int], set[int]]:
    """Return the ids of the councils and of the providers whose lettings a return of the period includes.

    These are today's council and provider, and those that the terms of the period name. For example, after a merger
    the terms still name the council that has ended.
    """
    organisation_by_name = {party["name"]: party["organisation"] for party in period.version.parties}
    council_ids, provider_ids = {agreement.council.organisation_id}, {agreement.provider.organisation_id}
    if period.agreed.council in organisation_by_name:
        council_ids.add(organisation_by_name[period.agreed.council])
    if period.agreed.provider in organisation_by_name:
        provider_ids.add(organisation_by_name[period.agreed.provider])
    return council_ids, provider_ids
