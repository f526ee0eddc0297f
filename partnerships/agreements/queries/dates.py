"""Read the dates of partnerships: what is coming, gaps in cover, and who is emailed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import (
    DECIDING_ROLES,
    ENDING,
    DateChoice,
    DateKind,
    Gap,
    Partnership,
    PartnershipQuerySet,
    Party,
    PartyRole,
    PartyStatus,
    PostRole,
    Status,
    gap_between,
    has_run_out,
    last_day,
)
from partnerships.agreements.queries.posts import people_in_post
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.queries import leads_with_account
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User

#: How long before an end, a start or the last day to give notice it is in My work.
NOTED_AHEAD = dt.timedelta(days=90)


def leads_who_decide(partnership: Partnership) -> QuerySet[User]:
    """Leads with an account of its present parties, without observers."""
    parties = partnership.parties.present().exclude(role=PartyRole.OBSERVER)
    return leads_with_account(list(parties.values_list("organisation_id", flat=True)))


def people_to_remind(party: Party, partnership: Partnership, day: dt.date) -> set[int]:
    """Ids of the people who are reminded of dates for a party.

    These are its leads, and the holders of its posts as lead and deputy.
    """
    holders = (
        person.pk
        for role in (PostRole.LEAD, PostRole.DEPUTY)
        for person in people_in_post(party.organisation_id, role, partnership=partnership, day=day)
    )
    return {*leads_with_account([party.organisation_id]).values_list("pk", flat=True), *holders}


def last_day_for_notice(partnership: Partnership) -> dt.date | None:
    """The last day on which notice runs out by the end date, or None."""
    if partnership.ends_on is None or not partnership.notice_days:
        return None
    return partnership.ends_on - dt.timedelta(days=partnership.notice_days)


def dates_ahead(partnership: Partnership, today: dt.date) -> dict[DateKind, dt.date]:
    """The dates that are still to come, today included."""
    state = partnership.state_on(today)
    if state not in ENDING:
        return {}
    dates = {
        DateKind.START: partnership.starts_on if state == Status.AGREED else None,
        DateKind.REVIEW: partnership.review_on if state in (Status.AGREED, Status.ACTIVE) else None,
        DateKind.END: last_day(partnership) or partnership.ends_on,
        DateKind.NOTICE: None if partnership.notice_ends_on else last_day_for_notice(partnership),
    }
    return {kind: day for kind, day in dates.items() if day is not None and day >= today}


def with_dates_within(days: int, today: dt.date) -> PartnershipQuerySet:
    """Partnerships in force or agreed with a date in the next days."""
    until = today + dt.timedelta(days=days)
    soon = Q(starts_on__range=(today, until)) | Q(review_on__range=(today, until))
    soon |= Q(notice_ends_on__range=(today, until))
    # The last day to give notice comes up to two years before the end.
    soon |= Q(ends_on__gte=today) & (Q(ends_on__lte=until) | Q(notice_days__isnull=False))
    return Partnership.objects.filter(soon, status__in=ENDING).exclude(has_run_out(today))


def choice_of(party: Party) -> tuple[list[int], list[str]]:
    """A party's lead times, longest first, and the dates it wants."""
    choice = DateChoice.objects.filter(party=party).first()
    if choice is None:
        return sorted(party.partnership.kind.reminder_days, reverse=True), list(DateKind.values)
    return list(choice.days), list(choice.dates)


def gaps_of(user: User, partnerships: Collection[int], today: dt.date) -> dict[int, Gap]:
    """The days without cover before or after each of these, by id; one query.

    Only between agreements that the person reads in full.
    """
    inside = Partnership.objects.inside_for(user).values("pk")
    pairs = (
        Partnership.objects.filter(Q(pk__in=partnerships) | Q(redefines__in=partnerships), redefines__isnull=False)
        .filter(pk__in=inside, redefines__in=inside)
        .exclude(status=Status.ENDED, starts_on=None)
        .select_related("redefines")
        .order_by("pk")
    )
    gaps: dict[int, Gap] = {}
    for later in pairs:
        assert later.redefines is not None
        gap = gap_between(later.redefines, later, today)
        if gap is not None:
            gaps |= {later.pk: gap, later.redefines.pk: gap}
    return gaps


def has_gap(user: User, today: dt.date) -> Q:
    """Condition: `gaps_of` gives it days without cover."""
    inside = Partnership.objects.inside_for(user).values("pk")
    ended = Q(redefines__goes_on=False) | Q(redefines__status__in=(Status.ENDED, Status.RENEWED))
    later = Partnership.objects.filter(pk__in=inside, redefines__in=inside).exclude(status=Status.ENDED, starts_on=None)
    by_end_date = ended & Q(redefines__ends_on__lt=F("starts_on") - dt.timedelta(days=1))
    by_notice = Q(redefines__notice_ends_on__lt=F("starts_on") - dt.timedelta(days=1))
    not_started = Q(starts_on=None) & (
        (ended & Q(redefines__ends_on__lt=today)) | Q(redefines__notice_ends_on__lt=today)
    )
    gaps = later.filter(by_end_date | by_notice | not_started)
    return Q(pk__in=gaps.values("pk")) | Q(pk__in=gaps.values("redefines"))


@dataclass(frozen=True, slots=True)
class Link:
    """One agreement in a chain, with the days without cover before it."""

    partnership: Partnership
    is_this: bool
    ends: dt.date | None
    gap: Gap | None


#: Longer chains are cut: earlier and later ones beside the agreement itself.
CHAIN = 10


def chain_of(user: User, partnership: Partnership, today: dt.date) -> list[Link]:
    """Earlier and later agreements that the person reads in full, in order.

    Without the agreement's own line if there are no others.
    """
    chain, at = [partnership], partnership
    for _ in range(CHAIN):
        earlier = Partnership.objects.inside_for(user).filter(pk=at.redefines_id).first() if at.redefines_id else None
        if earlier is None:
            break
        chain.insert(0, earlier)
        at = earlier
    at = partnership
    for _ in range(CHAIN):
        later = next(iter(rows_for(_next_in_chain, user, at.pk)), None)
        if later is None:
            break
        chain.append(later)
        at = later
    if len(chain) == 1:
        return []
    links = []
    for before, current in zip([None, *chain[:-1]], chain, strict=True):
        gap = gap_between(before, current, today) if before is not None else None
        links.append(Link(current, current.pk == partnership.pk, last_day(current), gap))
    return links


def chain_lookup(user: User, partnership: Partnership) -> Lookup:
    """What `chain_of` is going to ask about what follows, for `read_ahead`."""
    return lookup(_next_in_chain, user, partnership.pk)


def _next_in_chain(user: User, partnership: int) -> QuerySet[Partnership]:
    later = Partnership.objects.inside_for(user).filter(redefines=partnership)
    return later.exclude(status=Status.ENDED, starts_on=None).order_by("-pk")[:1]


#: Routes to the leads of parties that decide.
_DECIDING = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status=PartyStatus.ACCEPTED, parties__role__in=DECIDING_ROLES),
        roles=("lead",),
    ),
)
_WHAT = {
    DateKind.START: "Prepare the start",
    DateKind.END: "Renew it, or let it end",
    DateKind.NOTICE: "Decide whether to give notice",
}


def _coming(now: dt.datetime) -> Reach:
    today = timezone.localdate(now)
    return Reach(with_dates_within(NOTED_AHEAD.days, today), _DECIDING)


def _coming_for(user: User, now: dt.datetime) -> QuerySet[Partnership]:
    return _coming(now).of(user).order_by("pk")


def _coming_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    """Starts, ends and notices of partnerships that the person leads, within `NOTED_AHEAD`."""
    today = timezone.localdate(now)
    waiting = []
    for partnership in rows_for(_coming_for, user, now):
        for kind, day in dates_ahead(partnership, today).items():
            if kind not in _WHAT or day > today + NOTED_AHEAD:
                continue  # a review is work of its own
            waiting.append(
                Waiting(
                    what="End it, or let it continue after its end date"
                    if kind == DateKind.END and partnership.goes_on and not partnership.notice_ends_on
                    else _WHAT[kind],
                    title=partnership.title,
                    path=reverse("agreements:dates", kwargs={"pk": partnership.pk}),
                    due=day,
                    within=partnership.title,
                    status=str(partnership.state),
                    status_label=partnership.state_label,
                )
            )
    return waiting


#: Dates that are coming, for the leads of parties that decide.
COMING = Source(
    _coming_wanted, lambda now: (_coming(now),), lookups=lambda user, now: (lookup(_coming_for, user, now),)
)


def words_of(kind: DateKind, partnership: Partnership) -> str:
    """What happens on the date, to follow the partnership's title."""
    if kind == DateKind.END and partnership.goes_on and not partnership.notice_ends_on:
        return "reaches its end date and continues until a party ends it"
    return {
        DateKind.START: "starts",
        DateKind.REVIEW: "comes up for review",
        DateKind.END: "has its last day",
        DateKind.NOTICE: "has its last day to give notice",
    }[kind]
