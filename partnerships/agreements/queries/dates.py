"""Find dates of partnerships that are coming up, days without cover, and the people who get reminders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import (
    DECIDING_ROLES,
    ENDABLE_STATUSES,
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
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.queries import leads_with_account
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User

#: How long before a start, an end or the last day to give notice it appears in My work.
NOTED_AHEAD = dt.timedelta(days=90)


def leads_who_decide(partnership: Partnership) -> QuerySet[User]:
    """Return the leads of the present parties who have an account, except the leads of observers."""
    parties = partnership.parties.accepted().exclude(role=PartyRole.OBSERVER)
    return leads_with_account(list(parties.values_list("organisation_id", flat=True)))


def people_to_remind(party: Party, partnership: Partnership, day: dt.date) -> set[int]:
    """Return the ids of the people who get reminders of dates for a party.

    These are the party's leads, and the holders of its lead and deputy posts.
    """
    person_ids = set(leads_with_account([party.organisation_id]).values_list("pk", flat=True))
    for role in (PostRole.LEAD, PostRole.DEPUTY):
        holders = people_in_post(party.organisation_id, role, partnership=partnership, day=day)
        person_ids.update(person.pk for person in holders)
    return person_ids


def last_day_for_notice(partnership: Partnership) -> dt.date | None:
    """Return the last day on which notice can be given that runs out by the end date.

    Returns None if the partnership has no end date or no notice period.
    """
    if partnership.ends_on is None or not partnership.notice_days:
        return None
    return partnership.ends_on - dt.timedelta(days=partnership.notice_days)


def dates_ahead(partnership: Partnership, today: dt.date) -> dict[DateKind, dt.date]:
    """Return the dates that are still to come, including today."""
    state = partnership.state_on(today)
    if state not in ENDABLE_STATUSES:
        return {}
    dates = {DateKind.END: last_day(partnership) or partnership.ends_on}
    if state == Status.AGREED:
        dates[DateKind.START] = partnership.starts_on
    if state in (Status.AGREED, Status.ACTIVE):
        dates[DateKind.REVIEW] = partnership.review_on
    if not partnership.notice_ends_on:
        dates[DateKind.NOTICE] = last_day_for_notice(partnership)
    # Return the dates in the order of `DateKind`, not of their days.
    days_in_order = [(kind, dates.get(kind)) for kind in DateKind]
    return {kind: day for kind, day in days_in_order if day is not None and day >= today}


def partnerships_with_dates_within(days: int, today: dt.date) -> PartnershipQuerySet:
    """Return partnerships that are agreed or in force and have a date within this many days."""
    until = today + dt.timedelta(days=days)
    starts = Q(starts_on__range=(today, until))
    is_reviewed = Q(review_on__range=(today, until))
    ends = Q(ends_on__range=(today, until)) | Q(notice_ends_on__range=(today, until))
    # The last day to give notice may be two years before the end date, so any later end date may have one.
    may_need_notice = Q(ends_on__gte=today, notice_days__isnull=False)
    has_date = starts | is_reviewed | ends | may_need_notice
    return Partnership.objects.filter(has_date, status__in=ENDABLE_STATUSES).exclude(has_run_out(today))


def reminder_choices_of(party: Party) -> tuple[list[int], list[str]]:
    """Return the days before a date on which a party gets reminders, longest first, and the kinds of date.

    A party that has not chosen gets the reminders of its kind of partnership.
    """
    choice = DateChoice.objects.filter(party=party).first()
    if choice is None:
        return sorted(party.partnership.kind.reminder_days, reverse=True), list(DateKind.values)
    return list(choice.days), list(choice.dates)


def gaps_of(user: User, partnership_ids: Collection[int], today: dt.date) -> dict[int, Gap]:
    """Return the days without cover before or after these partnerships, by id. Makes one query.

    Only gaps between agreements that the person reads in full are returned.
    """
    readable_partnerships = Partnership.objects.readable_today_by(user).values("pk")
    successors = (
        Partnership.objects.filter(
            Q(pk__in=partnership_ids) | Q(redefines__in=partnership_ids), redefines__isnull=False
        )
        .filter(pk__in=readable_partnerships, redefines__in=readable_partnerships)
        .exclude(status=Status.ENDED, starts_on=None)
        .select_related("redefines")
        .order_by("pk")
    )
    gaps: dict[int, Gap] = {}
    for successor in successors:
        assert successor.redefines is not None
        gap = gap_between(successor.redefines, successor, today)
        if gap is not None:
            gaps[successor.pk] = gap
            gaps[successor.redefines.pk] = gap
    return gaps


def has_gap(user: User, today: dt.date) -> Q:
    """Return a condition for partnerships for which `gaps_of` returns days without cover."""
    readable_partnerships = Partnership.objects.readable_today_by(user).values("pk")
    successors = Partnership.objects.filter(pk__in=readable_partnerships, redefines__in=readable_partnerships).exclude(
        status=Status.ENDED, starts_on=None
    )

    # The conditions are about a successor; `redefines` is its predecessor.
    ends_on_its_date = Q(redefines__goes_on=False) | Q(redefines__status__in=(Status.ENDED, Status.RENEWED))
    day_before_start = F("starts_on") - dt.timedelta(days=1)
    ended_too_early = ends_on_its_date & Q(redefines__ends_on__lt=day_before_start)
    notice_ran_out_too_early = Q(redefines__notice_ends_on__lt=day_before_start)
    has_ended = (ends_on_its_date & Q(redefines__ends_on__lt=today)) | Q(redefines__notice_ends_on__lt=today)
    is_not_dated = Q(starts_on=None)

    after_gap = successors.filter(ended_too_early | notice_ran_out_too_early | (is_not_dated & has_ended))
    return Q(pk__in=after_gap.values("pk")) | Q(pk__in=after_gap.values("redefines"))


@dataclass(frozen=True, slots=True)
class ChainLink:
    """An agreement in a chain of predecessors and successors."""

    partnership: Partnership
    #: Whether the chain is shown on the page of this agreement.
    is_this: bool
    ends: dt.date | None
    #: Days without cover before this agreement starts.
    gap: Gap | None


#: The limit of earlier agreements in a chain, and also of later agreements.
MAX_CHAIN_LENGTH = 10


def chain_of_agreements(user: User, partnership: Partnership, today: dt.date) -> list[ChainLink]:
    """Return the agreement with its predecessors and successors that the person reads in full, in order.

    Returns an empty list if the agreement has neither.
    """
    chain = _agreements_in_chain(user, partnership)
    if len(chain) == 1:
        return []
    predecessors = [None, *chain[:-1]]
    return [
        ChainLink(
            partnership=agreement,
            is_this=agreement.pk == partnership.pk,
            ends=last_day(agreement),
            gap=gap_between(predecessor, agreement, today) if predecessor is not None else None,
        )
        for predecessor, agreement in zip(predecessors, chain, strict=True)
    ]


def _agreements_in_chain(user: User, partnership: Partnership) -> list[Partnership]:
    """Return the readable predecessors of the agreement, the agreement itself and its readable successors."""
    chain = [partnership]
    readable = Partnership.objects.readable_today_by(user)
    for _ in range(MAX_CHAIN_LENGTH):
        predecessor_id = chain[0].redefines_id
        predecessor = readable.filter(pk=predecessor_id).first() if predecessor_id else None
        if predecessor is None:
            break
        chain.insert(0, predecessor)
    for _ in range(MAX_CHAIN_LENGTH):
        successors = rows_for(_next_in_chain, user, chain[-1].pk)
        if not successors:
            break
        chain.append(successors[0])
    return chain


def chain_lookup(user: User, partnership: Partnership) -> Lookup:
    """Return the query for the next agreement in the chain, so that `read_ahead` can run it with others."""
    return lookup(_next_in_chain, user, partnership.pk)


def _next_in_chain(user: User, partnership_id: int) -> QuerySet[Partnership]:
    """Return the newest successor of the partnership, without successors that ended before they started."""
    successors = Partnership.objects.readable_today_by(user).filter(redefines=partnership_id)
    return successors.exclude(status=Status.ENDED, starts_on=None).order_by("-pk")[:1]


#: Routes to the leads of parties that decide.
_DECIDING = (
    Organisations(
        "parties__organisation",
        when=Q(parties__status=PartyStatus.ACCEPTED, parties__role__in=DECIDING_ROLES),
        roles=("lead",),
    ),
)
#: The action that leads are asked to take before each date.
_ACTIONS = {
    DateKind.START: "Prepare the start",
    DateKind.END: "Renew it, or let it end",
    DateKind.NOTICE: "Decide whether to give notice",
}


def _coming_dates_reach(now: dt.datetime) -> Reach:
    """Return the partnerships with dates coming up, and the routes to the leads who must act."""
    today = timezone.localdate(now)
    return Reach(partnerships_with_dates_within(NOTED_AHEAD.days, today), _DECIDING)


def _partnerships_with_coming_dates(user: User, now: dt.datetime) -> QuerySet[Partnership]:
    """Return the partnerships with dates coming up for the person."""
    return _coming_dates_reach(now).of(user).order_by("pk")


def _waiting_dates(user: User, now: dt.datetime) -> list[WaitingTask]:
    """Return the tasks about starts, ends and last days to give notice that are coming up."""
    today = timezone.localdate(now)
    tasks = []
    for partnership in rows_for(_partnerships_with_coming_dates, user, now):
        for kind, day in dates_ahead(partnership, today).items():
            # Reviews are separate tasks in My work.
            if kind not in _ACTIONS or day > today + NOTED_AHEAD:
                continue
            action = _ACTIONS[kind]
            if kind == DateKind.END and partnership.goes_on and not partnership.notice_ends_on:
                action = "End it, or let it continue after its end date"
            tasks.append(
                WaitingTask(
                    action=action,
                    title=partnership.title,
                    path=reverse("agreements:dates", kwargs={"pk": partnership.pk}),
                    due=day,
                    partnership_title=partnership.title,
                    status=str(partnership.state),
                    status_label=partnership.state_label,
                )
            )
    return tasks


#: The tasks in My work about dates that are coming up, for the leads of parties that decide.
COMING_DATES = TaskSource(
    _waiting_dates,
    lambda now: (_coming_dates_reach(now),),
    lookups=lambda user, now: (lookup(_partnerships_with_coming_dates, user, now),),
)


def date_event_in_words(kind: DateKind, partnership: Partnership) -> str:
    """Return what happens on a date, in words that follow the title of the partnership.

    For example, "comes up for review".
    """
    if kind == DateKind.END and partnership.goes_on and not partnership.notice_ends_on:
        return "reaches its end date and continues until a party ends it"
    words_by_kind = {
        DateKind.START: "starts",
        DateKind.REVIEW: "comes up for review",
        DateKind.END: "ends",
        DateKind.NOTICE: "reaches the last day on which a party can give notice",
    }
    return words_by_kind[kind]
