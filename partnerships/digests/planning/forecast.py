"""Forecasts who would get a plan's next version, and when each person's next digest is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
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
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.outbox.models import UNSETTLED_STATUSES
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class Forecast:
    """A person who would get a plan's next version, when, and the name of the record that they follow (`why`)."""

    person: User
    reading_class: str
    at: dt.datetime
    why: str
    organisation: str = ""
    zone: str = HOME

    @property
    def is_outside(self) -> bool:
        """Return True if the person gets the version without its confidential parts."""
        return self.reading_class == OUTSIDE

    @property
    def when(self) -> str:
        """Return the time in the site's time zone and, if the person's clock differs, also in the person's."""
        site_time = self.at.astimezone(ZoneInfo(settings.TIME_ZONE))
        own_time = self.at.astimezone(ZoneInfo(self.zone))
        words = in_words(self.at, settings.TIME_ZONE)
        if site_time.utcoffset() == own_time.utcoffset():
            return words
        return f"{words}; {own_time:%H:%M}{zone_in_words(self.zone)}"


def who_will_get(plan: Plan, *, author: User | None, now: dt.datetime) -> list[Forecast]:
    """Return everyone except its author who would get this plan if it were published now, the earliest first."""
    class_by_reader = reading_classes([plan.pk], now=now, once_open=True)
    reader_ids = sorted(person_id for person_id, _ in class_by_reader)
    read_ahead(
        [
            lookup(_people, reader_ids),
            lookup(_followings, plan.pk, reader_ids),
            lookup(_names_of_organisations, reader_ids),
            lookup(_preferences, reader_ids),
            lookup(_waiting_watermarks, plan.pk, reader_ids, now),
        ]
    )
    people = {person.pk: person for person in rows_for(_people, reader_ids)}
    closest_by_person: dict[int, Following] = {}
    frequency_by_person: dict[int, str] = {}  # of the closest subscription that has a frequency of its own
    for following in rows_for(_followings, plan.pk, reader_ids):
        closest_by_person.setdefault(following.person_id, following)
        frequency_by_person[following.person_id] = frequency_by_person.get(following.person_id) or following.frequency

    subscription_ids = [following.subscription_id for following in closest_by_person.values()]
    subscriptions = Subscription.objects.for_listing().in_bulk(subscription_ids)
    # Newest first: later entries of the dictionary replace earlier ones, so the oldest membership is used.
    organisation_names = dict(rows_for(_names_of_organisations, reader_ids))
    date_by_person = _next_dates(plan, people, frequency_by_person, now)
    forecasts: list[Forecast] = []
    for pk, person in people.items():
        if author is not None and pk == author.pk:
            continue
        subscription = subscriptions[closest_by_person[pk].subscription_id]
        forecasts.append(
            Forecast(
                person=person,
                reading_class=class_by_reader[pk, plan.pk],
                at=date_by_person[pk],
                why=title_of(subscription.target),
                organisation=organisation_names.get(pk, "") or _added_by(subscription),
                zone=person.time_zone,
            )
        )
    return sorted(forecasts, key=lambda forecast: (forecast.at, forecast.person.display_name, forecast.person.pk))


def _people(people: list[int]) -> QuerySet[User]:
    """Return the people with these ids."""
    return User.objects.filter(pk__in=people)


def _followings(plan: int, people: list[int]) -> QuerySet[Following]:
    """Return through which subscriptions these people (ids) follow a plan, the closest subscription first."""
    return Following.objects.filter(plan=plan, person__in=people).order_by("rank", "subscription_id")


def _names_of_organisations(people: list[int]) -> QuerySet[Membership, tuple[int, str]]:
    """Return each person (id) with the names of the organisations that they act for, the one joined last first."""
    memberships = Membership.objects.current().filter(person__in=people).order_by("person", "-pk")
    return memberships.values_list("person_id", "organisation__name")


def _preferences(people: list[int]) -> QuerySet[Preference]:
    """Return the preferences of these people (ids)."""
    return Preference.objects.filter(person__in=people)


def _waiting_watermarks(plan: int, people: list[int], now: dt.datetime) -> QuerySet[Watermark]:
    """Return the watermarks of a plan of these people (ids) whose digest is due later."""
    return Watermark.objects.filter(plan=plan, recipient__in=people, due_at__gt=now)


def _next_dates(
    plan: Plan, people: Mapping[int, User], frequencies: Mapping[int, str], now: dt.datetime
) -> dict[int, dt.datetime]:
    """Return when each person's next digest with this plan would be sent, by person.

    It is the usual time, or the end of a pause. `frequencies` has the frequency of each person's subscription, "" if
    the person's own preference applies.
    """
    reader_ids = sorted(people)
    preference_by_person = {preference.person_id: preference for preference in rows_for(_preferences, reader_ids)}
    waiting_watermarks = rows_for(_waiting_watermarks, plan.pk, reader_ids, now)
    watermark_by_person = {watermark.recipient_id: watermark for watermark in waiting_watermarks}
    taken_days_by_person = _taken_days(people, now)
    pause_end_by_person = _ends_of_pauses(preference_by_person.values(), now)
    settle = settle_time()

    date_by_person: dict[int, dt.datetime] = {}
    for pk, person in people.items():
        watermark = watermark_by_person.get(pk)
        if watermark is not None and watermark.slotted and watermark.due_at:
            # An earlier change already waits for that hour, and the new version will be in the same digest.
            date_by_person[pk] = watermark.due_at
            continue
        rhythm = (preference_by_person.get(pk) or Preference(person=person)).rhythm(person.time_zone, frequencies[pk])
        due_at = due(
            rhythm,
            waiting_since=watermark.waiting_since if watermark is not None and watermark.waiting_since else now,
            latest=now,
            settle=settle,
            holidays=holidays(rhythm.working_days_of),
            taken=taken_days_by_person.get(pk, ()),
        )
        # If the email at the end of a pause is sent first, it will contain the version.
        date_by_person[pk] = max(min(due_at, pause_end_by_person.get(pk, due_at)), now)
    return date_by_person


def _ends_of_pauses(preferences: Iterable[Preference], now: dt.datetime) -> dict[int, dt.datetime]:
    """Return when the email at the end of each person's pause is due, by person, for the people who have paused."""
    paused_ids = [
        preference.person_id
        for preference in preferences
        if preference.paused_until and preference.paused_until >= now.date()
    ]
    if not paused_ids:
        return {}
    earliest_by_person: dict[int, dt.datetime] = {}
    for watermarks in (Watermark.objects, SubjectWatermark.objects):
        waiting_watermarks = watermarks.filter(recipient__in=paused_ids, due_at__gt=now)
        first_due_times = waiting_watermarks.values("recipient").annotate(first=Min("due_at"))
        for person_id, due_at in first_due_times.values_list("recipient", "first"):
            earliest_by_person[person_id] = min(earliest_by_person.get(person_id, due_at), due_at)
    return earliest_by_person


def _added_by(subscription: Subscription) -> str:
    """Return "added by" and the organisation that added a stakeholder; "" for other subscriptions."""
    return f"added by {subscription.added_for.name}" if subscription.added_for else ""


@dataclass(frozen=True, slots=True)
class NextDigest:
    """When a person's next digest is sent (`at`), in their own time zone; None for as soon as something changes.

    * `waits`: news is waiting to be sent, so there will be a digest in any case.
    * `follows`: the person has a confirmed subscription.
    * `no_digest`: why there will be no digest although there are subscriptions.
    * `sooner`: a new plan would be announced earlier.
    """

    at: dt.datetime | None
    zone: str
    waits: bool
    follows: bool
    no_digest: str = ""
    sooner: bool = False

    @property
    def moment(self) -> str:
        """Return the time in words, such as `Tuesday 24 November 2026, 08:00`; "" for as soon as something changes."""
        return in_words(self.at, self.zone) if self.at else ""

    @property
    def words(self) -> str:
        """Return the sentence shown to the person."""
        if self.at is None:
            if self.follows:
                return "Next digest: as soon as something changes."
            return self.no_digest or "You do not follow anything, so you get no digests."
        if self.waits:
            return f"Next digest: {self.moment}."
        sooner = "; earlier for a new plan" if self.sooner else ""
        return f"Next digest: {self.moment}, if something has changed by then{sooner}."


def forecast_next_digest(
    person: User, now: dt.datetime, *, about: Target | None = None, preference: Preference | None = None
) -> NextDigest:
    """Return when this person's next digest is sent or, with `about`, the next digest about one target.

    If no news is waiting, it is the time at which a change made now would be sent. `preference` is the person's, if the
    caller has read it already.
    """
    zone = person.time_zone
    if about is None:
        live = set(rows_for(live_subscriptions, person))
    else:
        live = set(live_subscriptions(person).filter(**fields_of(about)))
    confirmed = [(frequency, plan_id) for status, frequency, plan_id in live if status == SubscriptionStatus.CONFIRMED]

    due_times = _due_times(person, about)
    if due_times:
        return NextDigest(max(min(due_times), now), zone, waits=True, follows=bool(confirmed))
    if not confirmed:
        reason = _why_no_digest({status for status, _, _ in live})
        return NextDigest(None, zone, waits=False, follows=False, no_digest=reason)

    # The frequencies of the plans that the person follows now, and of plans that a followed partnership or organisation
    # may get later.
    if about is None:
        frequencies_by_closeness = rows_for(followed_plans, person)
    else:
        frequencies_by_closeness = list(followed_plans(person).filter(plan__in=_plans_of(about).values("pk")))
    present_frequencies = _frequencies_of_plans(frequencies_by_closeness) or {frequency for frequency, _ in confirmed}
    future_frequencies = {frequency for frequency, plan_id in confirmed if plan_id is None}
    moment_by_frequency = _first_moments(person, present_frequencies | future_frequencies, now, preference)
    sent_at = min(moment_by_frequency[frequency] for frequency in present_frequencies)
    is_sooner = min(moment_by_frequency.values()) < sent_at
    return NextDigest(None if sent_at == now else sent_at, zone, waits=False, follows=True, sooner=is_sooner)


def live_subscriptions(person: User) -> QuerySet[Subscription, tuple[str, str, int | None]]:
    """Return the status, the frequency and the plan, if any, of each of a person's live subscriptions."""
    return Subscription.objects.live().filter(person=person).values_list("status", "frequency", "plan")


def followed_plans(person: User) -> QuerySet[Following, tuple[int, str]]:
    """Return the plans that a person follows, each with its frequency; the closest subscription to a plan first."""
    following = Following.objects.filter(person=person)
    return following.order_by("rank", "subscription_id").values_list("plan", "frequency")


def _due_times(person: User, about: Target | None) -> list[dt.datetime]:
    """Return the times at which news that waits for a person is due; with `about`, only news about this target."""
    due_times = rows_for(times_due, person) if about is None else list(_times_due(person, about))
    return [due_at for (due_at,) in due_times if due_at is not None]


def times_due(person: User) -> QuerySet[Any, tuple[dt.datetime | None]]:
    """Return the times at which news that waits for a person is due."""
    return _times_due(person, None)


def _times_due(person: User, about: Target | None) -> QuerySet[Any, tuple[dt.datetime | None]]:
    """Return the times at which news about a target, or without one all news, is due for a person.

    Matches and notices are about no target.
    """
    watermarks = Watermark.objects.filter(recipient=person, due_at__isnull=False)
    subject_watermarks = SubjectWatermark.objects.filter(recipient=person, due_at__isnull=False)
    matches = MatchNotice.objects.filter(recipient=person, told_at=None, due_at__isnull=False)
    notices = InboxItem.objects.for_summary().filter(person=person)
    emails = Delivery.objects.filter(recipient=person, kind=DeliveryKind.DIGEST, status__in=UNSETTLED_STATUSES)
    if about is not None:
        plans = _plans_of(about).values("pk")
        subject_ids = list(_subjects_of(about, person).values_list("subject", flat=True))
        watermarks = watermarks.filter(plan__in=plans)
        subject_watermarks = subject_watermarks.filter(subject__in=subject_ids)
        matches, notices = matches.none(), notices.none()
        emails = emails.filter(
            Q(pk__in=DeliveryItem.objects.included().filter(plan__in=plans).values("delivery"))
            | Q(pk__in=DeliverySubject.objects.included().filter(subject__in=subject_ids).values("delivery"))
        )
    return watermarks.values_list("due_at").union(
        subject_watermarks.values_list("due_at"),
        matches.values_list("due_at"),
        notices.values_list("due_at"),
        emails.values_list("available_at"),
    )


def _plans_of(target: Target) -> QuerySet[Plan]:
    """Return the plans that a follower of this target follows."""
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
    """Return a row for each subject that a person follows by following this target."""
    return SubjectFollowing.objects.filter(
        person=person, subscription__in=Subscription.objects.filter(person=person, **fields_of(target))
    )


def _frequencies_of_plans(frequencies_by_closeness: Iterable[tuple[int, str]]) -> set[str]:
    """Return the frequencies of the plans that a person follows; "" where the person's own preference applies.

    The pairs are those of `followed_plans`. As in `watermarks`, the closest subscription with a frequency of its own
    decides.
    """
    frequency_by_plan: dict[int, str] = {}
    for plan_id, frequency in frequencies_by_closeness:
        frequency_by_plan[plan_id] = frequency_by_plan.get(plan_id) or frequency
    return set(frequency_by_plan.values())


def _first_moments(
    person: User, frequencies: Collection[str], now: dt.datetime, preference: Preference | None
) -> dict[str, dt.datetime]:
    """Return when a change made now would be sent, by frequency; `now` means as soon as the plan has settled."""
    preference = preference or Preference.objects.filter(person=person).first() or Preference(person=person)
    rhythms = {frequency: preference.rhythm(person.time_zone, frequency) for frequency in frequencies}
    has_slots = any(rhythm.frequency != AT_ONCE for rhythm in rhythms.values())
    taken_days = _taken_days([person.pk], now).get(person.pk, ()) if has_slots else ()
    settle = settle_time()
    moment_by_frequency: dict[str, dt.datetime] = {}
    for frequency, rhythm in rhythms.items():
        due_at = due(
            rhythm,
            waiting_since=now,
            latest=now,
            settle=settle,
            holidays=holidays(rhythm.working_days_of),
            taken=taken_days,
        )
        moment_by_frequency[frequency] = now if rhythm.frequency == AT_ONCE and due_at == now + settle else due_at
    return moment_by_frequency


def _why_no_digest(statuses: Collection[str]) -> str:
    """Return why there will be no digest although there are subscriptions with these statuses; "" without any."""
    if SubscriptionStatus.PAUSED in statuses:
        return "What you follow is paused. You get no digests until you resume it."
    if SubscriptionStatus.ASKED in statuses:
        return "You get no digests until you confirm in the email we sent you."
    return ""


def _taken_days(people: Collection[int], now: dt.datetime) -> dict[int, set[dt.date]]:
    """Return the local dates, from yesterday on, on which each person already has a scheduled digest, by person."""
    slots = Slot.objects.filter(recipient__in=people, slot_on__gte=now.date() - dt.timedelta(days=1))
    days_by_person: dict[int, set[dt.date]] = {}
    for person_id, day in slots.values_list("recipient", "slot_on"):
        days_by_person.setdefault(person_id, set()).add(day)
    return days_by_person
