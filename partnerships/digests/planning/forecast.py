"""Who gets a plan's next version, and when digests go out next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Min, Q, QuerySet

from partnerships.agreements.models import Partnership
from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    DeliveryKind,
    DeliverySubject,
    Following,
    InboxItem,
    MatchNotice,
    Preference,
    Slot,
    SubjectFollowing,
    SubjectWatermark,
    Subscription,
    SubscriptionStatus,
    Watermark,
)
from partnerships.digests.models.targets import Piece, Target, fields_of, title_of
from partnerships.digests.planning.timing import settle_time
from partnerships.digests.queries.readers import OUTSIDE, reading_classes
from partnerships.digests.schedule import AT_ONCE, HOME, due, in_words, zone_in_words
from partnerships.kit.bank_holidays import holidays
from partnerships.organisations.models import Membership, Organisation
from partnerships.outbox.models import OPEN
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class Forecast:
    """A person who would get a plan's next version: when and why."""

    person: User
    reading_class: str
    at: dt.datetime
    why: str
    organisation: str = ""
    zone: str = HOME

    @property
    def is_outside(self) -> bool:
        """Whether confidential parts are hidden from them."""
        return self.reading_class == OUTSIDE

    @property
    def when(self) -> str:
        """The time in the site's zone, and in the person's own if different."""
        here, there = (self.at.astimezone(ZoneInfo(zone)) for zone in (settings.TIME_ZONE, self.zone))
        moment_words = in_words(self.at, settings.TIME_ZONE)
        return (
            moment_words
            if here.utcoffset() == there.utcoffset()
            else f"{moment_words}; {there:%H:%M}{zone_in_words(self.zone)}"
        )


def who_will_get(plan: Plan, *, author: User | None, now: dt.datetime) -> list[Forecast]:
    """Everyone who would get this plan if it was published now."""
    classes = reading_classes([plan.pk], now=now, once_open=True)
    people = User.objects.in_bulk([person for person, _ in classes])
    following: dict[int, Following] = {}
    frequency: dict[int, str] = {}  # of the closest subscription that has one of its own
    for row in Following.objects.filter(plan=plan, person__in=people).order_by("rank", "subscription_id"):
        following.setdefault(row.person_id, row)
        frequency[row.person_id] = frequency.get(row.person_id) or row.frequency
    subscriptions = Subscription.objects.for_listing().in_bulk([row.subscription_id for row in following.values()])
    acting_for = _organisations_of(people)
    next_dates = _next_dates(plan, people, frequency, now)
    forecasts = []
    for pk, person in people.items():
        if author is not None and pk == author.pk:
            continue
        why = subscriptions[following[pk].subscription_id]
        forecasts.append(
            Forecast(
                person=person,
                reading_class=classes[pk, plan.pk],
                at=next_dates[pk],
                why=title_of(why.target),
                organisation=acting_for.get(pk, "") or _added_by(why),
                zone=person.time_zone,
            )
        )
    return sorted(forecasts, key=lambda forecast: (forecast.at, forecast.person.display_name, forecast.person.pk))


def _organisations_of(people: Iterable[int]) -> dict[int, str]:
    """The organisation that each person acts for, the first of several."""
    memberships = Membership.objects.current().filter(person__in=people).order_by("person", "-pk")
    return dict(memberships.values_list("person_id", "organisation__name"))


def _next_dates(
    plan: Plan, people: Mapping[int, User], frequency: Mapping[int, str], now: dt.datetime
) -> dict[int, dt.datetime]:
    """When each person's next digest with this plan would come.

    At its usual time, or at the end of a pause.
    """
    preferences = {person.person_id: person for person in Preference.objects.filter(person__in=people)}
    waiting = Watermark.objects.filter(plan=plan, recipient__in=people, due_at__gt=now)
    watermarks = {person.recipient_id: person for person in waiting}
    taken = _dates_taken(people, now)
    after_pause = _ends_of_pauses(preferences.values(), now)
    settle = settle_time()
    dates = {}
    for pk, person in people.items():
        watermark = watermarks.get(pk)
        if watermark is not None and watermark.slotted and watermark.due_at:
            # An earlier change waits for that hour already; the new version goes with it.
            dates[pk] = watermark.due_at
            continue
        rhythm = (preferences.get(pk) or Preference(person=person)).rhythm(person.time_zone, frequency[pk])
        at = due(
            rhythm,
            waiting_since=watermark.waiting_since if watermark is not None and watermark.waiting_since else now,
            latest=now,
            settle=settle,
            holidays=holidays(rhythm.working_days_of),
            taken=taken.get(pk, ()),
        )
        # The email at the end of a pause takes the version with it, if it goes out first.
        dates[pk] = max(min(at, after_pause.get(pk, at)), now)
    return dates


def _ends_of_pauses(preferences: Iterable[Preference], now: dt.datetime) -> dict[int, dt.datetime]:
    """When the email at the end of each person's pause is due."""
    paused = [
        preference.person_id
        for preference in preferences
        if preference.paused_until and preference.paused_until >= now.date()
    ]
    first: dict[int, dt.datetime] = {}
    if not paused:
        return first
    for watermarks in (Watermark.objects, SubjectWatermark.objects):
        rows = watermarks.filter(recipient__in=paused, due_at__gt=now).values("recipient").annotate(first=Min("due_at"))
        for person, at in rows.values_list("recipient", "first"):
            first[person] = min(first.get(person, at), at)
    return first


def _added_by(subscription: Subscription) -> str:
    """The organisation that added a stakeholder, in words; empty if none did."""
    return f"added by {subscription.added_for.name}" if subscription.added_for else ""


@dataclass(frozen=True, slots=True)
class When:
    """When a person's next digest goes out, in their own time zone.

    `waits` says that something is waiting to be sent. `sooner` says that new plans would be announced earlier.
    """

    at: dt.datetime | None
    zone: str
    waits: bool
    follows: bool
    no_digest: str = ""  # why nothing comes although something is followed
    sooner: bool = False

    @property
    def moment(self) -> str:
        """`Tuesday 24 November 2026, 08:00`; empty for as soon as possible."""
        return in_words(self.at, self.zone) if self.at else ""

    @property
    def words(self) -> str:
        """The sentence shown to the person."""
        if self.at is None:
            if self.follows:
                return "Next digest: as soon as something changes."
            return self.no_digest or "You do not follow anything, so you get no digests."
        if self.waits:
            return f"Next digest: {self.moment}."
        sooner = "; earlier for a new plan" if self.sooner else ""
        return f"Next digest: {self.moment}, if something has changed by then{sooner}."


def when_next(person: User, now: dt.datetime, *, about: Target | None = None) -> When:
    """When this person's next digest goes out, or the next about one target.

    If nothing waits, it is the first time at which a change made now would be sent.
    """
    watermarks = Watermark.objects.filter(recipient=person, due_at__isnull=False)
    matches = MatchNotice.objects.filter(recipient=person, told_at=None, due_at__isnull=False)
    changed = SubjectWatermark.objects.filter(recipient=person, due_at__isnull=False)
    notices = InboxItem.objects.for_summary().filter(person=person)
    emails = Delivery.objects.filter(recipient=person, kind=DeliveryKind.DIGEST, status__in=OPEN)
    subscriptions = Subscription.objects.live().filter(person=person)
    following = Following.objects.filter(person=person)
    if about is not None:
        plans = _plans_of(about).values("pk")
        watermarks, matches, notices = watermarks.filter(plan__in=plans), matches.none(), notices.none()
        subjects = list(_subjects_of(about, person).values_list("subject", flat=True))
        changed = changed.filter(subject__in=subjects)
        emails = emails.filter(
            Q(pk__in=DeliveryItem.objects.included().filter(plan__in=plans).values("delivery"))
            | Q(pk__in=DeliverySubject.objects.included().filter(subject__in=subjects).values("delivery"))
        )
        subscriptions = subscriptions.filter(**fields_of(about))
        following = following.filter(plan__in=plans)
    waiting = watermarks.values_list("due_at").union(
        changed.values_list("due_at"),
        matches.values_list("due_at"),
        notices.values_list("due_at"),
        emails.values_list("available_at"),
    )
    zone = person.time_zone
    live = set(subscriptions.values_list("status", "frequency", "plan"))
    confirmed = [(frequency, plan) for status, frequency, plan in live if status == SubscriptionStatus.CONFIRMED]
    due_times = [at for (at,) in waiting if at is not None]
    if due_times:
        return When(max(min(due_times), now), zone, waits=True, follows=bool(confirmed))
    if not confirmed:
        return When(None, zone, waits=False, follows=False, no_digest=_why_no_digest({one for one, *_ in live}))
    present = _frequencies_of_plans(following) or {frequency for frequency, _ in confirmed}
    to_come = {frequency for frequency, plan in confirmed if plan is None}
    moments = _first_moments(person, present | to_come, now)
    at = min(moments[frequency] for frequency in present)
    sooner = min(moments.values()) < at
    return When(None if at == now else at, zone, waits=False, follows=True, sooner=sooner)


def _plans_of(target: Target) -> QuerySet[Plan]:
    """The plans covered by following this."""
    if isinstance(target, Plan):
        return Plan.objects.filter(pk=target.pk)
    if isinstance(target, Piece):
        return Plan.objects.filter(pk=target.plan.pk)
    if isinstance(target, Partnership):
        return Plan.objects.filter(partnership=target)
    if isinstance(target, Organisation):
        return Plan.objects.owned_by(target)
    return Plan.objects.none()


def _subjects_of(target: Target, person: User) -> QuerySet[SubjectFollowing]:
    """The subjects whose changes following this tells."""
    return SubjectFollowing.objects.filter(
        person=person, subscription__in=Subscription.objects.filter(person=person, **fields_of(target))
    )


def _frequencies_of_plans(following: QuerySet[Following]) -> set[str]:
    """The frequencies of the plans that a person follows, as in `watermarks`.

    The closest subscription with its own frequency decides; empty means the person's preference.
    """
    frequencies: dict[int, str] = {}
    for plan, frequency in following.order_by("rank", "subscription_id").values_list("plan", "frequency"):
        frequencies[plan] = frequencies.get(plan) or frequency
    return set(frequencies.values())


def _first_moments(person: User, frequencies: Collection[str], now: dt.datetime) -> dict[str, dt.datetime]:
    """For each frequency, when a change made now would be sent.

    `now` means as soon as the plan has settled.
    """
    preference = Preference.objects.filter(person=person).first() or Preference(person=person)
    rhythms = {frequency: preference.rhythm(person.time_zone, frequency) for frequency in frequencies}
    slotted = any(rhythm.frequency != AT_ONCE for rhythm in rhythms.values())
    taken = _dates_taken([person.pk], now).get(person.pk, ()) if slotted else ()
    settle = settle_time()
    moments: dict[str, dt.datetime] = {}
    for one, rhythm in rhythms.items():
        at = due(
            rhythm, waiting_since=now, latest=now, settle=settle, holidays=holidays(rhythm.working_days_of), taken=taken
        )
        moments[one] = now if rhythm.frequency == AT_ONCE and at == now + settle else at
    return moments


def _why_no_digest(statuses: Collection[str]) -> str:
    """Why no digest comes although something is followed; empty if nothing is."""
    if SubscriptionStatus.PAUSED in statuses:
        return "What you follow is paused. You get no digests until you resume it."
    if SubscriptionStatus.ASKED in statuses:
        return "You get no digests until you confirm in the email we sent you."
    return ""


def _dates_taken(people: Collection[int], now: dt.datetime) -> dict[int, set[dt.date]]:
    """Each person's local dates that already had a daily or weekly digest."""
    rows = Slot.objects.filter(recipient__in=people, slot_on__gte=now.date() - dt.timedelta(days=1))
    taken: dict[int, set[dt.date]] = {}
    for person, day in rows.values_list("recipient", "slot_on"):
        taken.setdefault(person, set()).add(day)
    return taken
