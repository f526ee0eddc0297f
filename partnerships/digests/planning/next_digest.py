"""Forecasts when a person's next digest is sent, for the pages that show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

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
    SubjectFollowing,
    SubjectWatermark,
    Subscription,
    SubscriptionStatus,
    Watermark,
)
from partnerships.digests.models.targets import Piece, Target, fields_of
from partnerships.digests.planning.timing import days_with_digest, settle_time
from partnerships.digests.schedule import AT_ONCE, due, in_words
from partnerships.kit.bank_holidays import holidays
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import rows_for
from partnerships.outbox.models import UNSETTLED_STATUSES
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class NextDigest:
    """When a person's next digest is sent, or why the person gets none."""

    #: None if the digest is sent as soon as something changes, or if there is none.
    at: dt.datetime | None
    zone: str
    #: Something has changed already, so there will be a digest in any case.
    has_news: bool = False
    #: The person has a confirmed subscription.
    has_confirmed: bool = False
    #: Why the person gets no digests, although they have subscriptions.
    why_none: str = ""
    #: A new plan would be announced before this digest.
    is_sooner_for_new_plans: bool = False

    @property
    def moment(self) -> str:
        """Return the time in words, such as `Tuesday 24 November 2026, 08:00`; "" without a time."""
        return in_words(self.at, self.zone) if self.at else ""

    @property
    def words(self) -> str:
        """Return the sentence shown to the person."""
        if self.at is None and self.has_confirmed:
            return "Next digest: as soon as something changes."
        if self.at is None:
            return self.why_none or "You do not follow anything, so you get no digests."
        if self.has_news:
            return f"Next digest: {self.moment}."
        sooner = ", or earlier for a new plan" if self.is_sooner_for_new_plans else ""
        return f"Next digest: {self.moment}, if something has changed by then{sooner}."


class _LiveSubscription(NamedTuple):
    """One row of `live_subscriptions`."""

    status: str
    #: "" if the person's preference applies.
    frequency: str
    #: None for a subscription to another record than a plan.
    plan_id: int | None


def forecast_next_digest(
    person: User, now: dt.datetime, *, about: Target | None = None, preference: Preference | None = None
) -> NextDigest:
    """Return when this person's next digest is sent or, with `about`, the next digest about one target.

    If nothing has changed yet, the time is that of a digest about a change made now. `preference` saves a query if the
    caller has read the person's preference already.
    """
    subscriptions = _live_subscriptions_about(person, about)
    confirmed = [row for row in subscriptions if row.status == SubscriptionStatus.CONFIRMED]
    due_times = _due_times(person, about)
    if due_times:
        due_at = max(min(due_times), now)
        return NextDigest(due_at, person.time_zone, has_news=True, has_confirmed=bool(confirmed))
    if not confirmed:
        why_none = _why_no_digest({row.status for row in subscriptions})
        return NextDigest(None, person.time_zone, why_none=why_none)

    present_frequencies = _frequencies_of_plans(_followed_plans_about(person, about))
    if not present_frequencies:
        present_frequencies = {row.frequency for row in confirmed}
    # A followed partnership or organisation may get new plans, with the frequency of that subscription.
    future_frequencies = {row.frequency for row in confirmed if row.plan_id is None}
    moment_by_frequency = _first_moments(person, present_frequencies | future_frequencies, now, preference)
    sent_at = min(moment_by_frequency[frequency] for frequency in present_frequencies)
    return NextDigest(
        None if sent_at == now else sent_at,
        person.time_zone,
        has_confirmed=True,
        is_sooner_for_new_plans=min(moment_by_frequency.values()) < sent_at,
    )


def _live_subscriptions_about(person: User, about: Target | None) -> list[_LiveSubscription]:
    """Return a person's live subscriptions, or those to one target."""
    if about is None:
        return [_LiveSubscription(*row) for row in rows_for(live_subscriptions, person)]
    return [_LiveSubscription(*row) for row in live_subscriptions(person).filter(**fields_of(about))]


def live_subscriptions(person: User) -> QuerySet[Subscription, tuple[str, str, int | None]]:
    """Return the status, the frequency and the plan, if any, of each of a person's live subscriptions."""
    return Subscription.objects.live().filter(person=person).values_list("status", "frequency", "plan")


def _followed_plans_about(person: User, about: Target | None) -> list[tuple[int, str]]:
    """Return the rows of `followed_plans`, or those of the plans that belong to one target."""
    if about is None:
        return rows_for(followed_plans, person)
    return list(followed_plans(person).filter(plan__in=_plans_of(about).values("pk")))


def followed_plans(person: User) -> QuerySet[Following, tuple[int, str]]:
    """Return the plans that a person follows, each with its frequency; the closest subscription to a plan first."""
    followings = Following.objects.filter(person=person)
    return followings.order_by("rank", "subscription_id").values_list("plan", "frequency")


def _frequencies_of_plans(plans_and_frequencies: Iterable[tuple[int, str]]) -> set[str]:
    """Return the frequencies of the plans that a person follows; "" where the person's preference applies.

    A person may follow a plan through several subscriptions, which come closest first. The first one that sets a
    frequency decides.
    """
    frequency_by_plan: dict[int, str] = {}
    for plan_id, frequency in plans_and_frequencies:
        frequency_by_plan[plan_id] = frequency_by_plan.get(plan_id) or frequency
    return set(frequency_by_plan.values())


def _due_times(person: User, about: Target | None) -> list[dt.datetime]:
    """Return when the person's unsent news is due, or the news about one target."""
    rows = rows_for(times_due, person) if about is None else list(_times_due(person, about))
    return [due_at for (due_at,) in rows if due_at is not None]


def times_due(person: User) -> QuerySet[Any, tuple[dt.datetime | None]]:
    """Return the times at which a person's unsent news is due."""
    return _times_due(person, None)


def _times_due(person: User, about: Target | None) -> QuerySet[Any, tuple[dt.datetime | None]]:
    """Return the times at which a person's unsent news is due; with `about`, only news about that target.

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


def _first_moments(
    person: User, frequencies: Collection[str], now: dt.datetime, preference: Preference | None
) -> dict[str, dt.datetime]:
    """Return when a change made now would be sent, by frequency; `now` means as soon as the plan has settled."""
    preference = preference or Preference.objects.filter(person=person).first() or Preference(person=person)
    rhythms = {frequency: preference.rhythm(person.time_zone, frequency) for frequency in frequencies}
    has_schedule = any(rhythm.frequency != AT_ONCE for rhythm in rhythms.values())
    taken_days = days_with_digest([person.pk], now).get(person.pk, ()) if has_schedule else ()
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
    """Return why a person gets no digests, although they have subscriptions with these statuses; "" without any."""
    if SubscriptionStatus.PAUSED in statuses:
        return "What you follow is paused. You get no digests until you resume it."
    if SubscriptionStatus.ASKED in statuses:
        return "You get no digests until you confirm in the email we sent you."
    return ""
