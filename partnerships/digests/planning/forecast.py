"""Forecasts who would get a plan's next version, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Min, QuerySet

from partnerships.digests.models import Following, Preference, SubjectWatermark, Subscription, Watermark
from partnerships.digests.models.targets import title_of
from partnerships.digests.planning.timing import days_with_digest, settle_time
from partnerships.digests.queries.readers import OUTSIDE, reading_classes
from partnerships.digests.schedule import HOME, due, in_words, zone_in_words
from partnerships.kit.bank_holidays import holidays
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.people.models import User
from partnerships.plans.models import Plan


@dataclass(frozen=True, slots=True)
class Forecast:
    """A person who would get a plan's next version if it were published now."""

    person: User
    reading_class: str
    #: When the email with the version would be sent.
    at: dt.datetime
    #: The name of the record that the person follows, which may be the plan, a partnership or an organisation.
    followed_name: str
    #: The person's organisation, or the organisation that added a stakeholder; "" if unknown.
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
    _read_forecasts_ahead(plan, reader_ids, now)
    people = {person.pk: person for person in rows_for(_people, reader_ids)}
    followings = rows_for(_followings, plan.pk, reader_ids)
    subscription_by_person = _closest_subscriptions(followings)
    # Newest first: later entries of the dictionary replace earlier ones, so the oldest membership is used.
    organisation_names = dict(rows_for(_names_of_organisations, reader_ids))
    date_by_person = _next_dates(plan, people, _frequencies(followings), now)

    forecasts: list[Forecast] = []
    for pk, person in people.items():
        if author is not None and pk == author.pk:
            continue
        subscription = subscription_by_person[pk]
        forecasts.append(
            Forecast(
                person=person,
                reading_class=class_by_reader[pk, plan.pk],
                at=date_by_person[pk],
                followed_name=title_of(subscription.target),
                organisation=organisation_names.get(pk, "") or _added_by(subscription),
                zone=person.time_zone,
            )
        )
    return sorted(forecasts, key=lambda forecast: (forecast.at, forecast.person.display_name, forecast.person.pk))


def _read_forecasts_ahead(plan: Plan, reader_ids: list[int], now: dt.datetime) -> None:
    """Run the queries of `who_will_get` as one. The functions that it calls then use the rows."""
    read_ahead(
        [
            lookup(_people, reader_ids),
            lookup(_followings, plan.pk, reader_ids),
            lookup(_names_of_organisations, reader_ids),
            lookup(_preferences, reader_ids),
            lookup(_waiting_watermarks, plan.pk, reader_ids, now),
        ]
    )


def _people(person_ids: list[int]) -> QuerySet[User]:
    """Return the people with these ids."""
    return User.objects.filter(pk__in=person_ids)


def _followings(plan: int, people: list[int]) -> QuerySet[Following]:
    """Return through which subscriptions these people (ids) follow a plan, the closest subscription first."""
    return Following.objects.filter(plan=plan, person__in=people).order_by("rank", "subscription_id")


def _names_of_organisations(person_ids: list[int]) -> QuerySet[Membership, tuple[int, str]]:
    """Return each person (id) with the names of the organisations that they act for, the one joined last first."""
    memberships = Membership.objects.current().filter(person__in=person_ids).order_by("person", "-pk")
    return memberships.values_list("person_id", "organisation__name")


def _preferences(person_ids: list[int]) -> QuerySet[Preference]:
    """Return the preferences of these people."""
    return Preference.objects.filter(person__in=person_ids)


def _waiting_watermarks(plan_id: int, person_ids: list[int], now: dt.datetime) -> QuerySet[Watermark]:
    """Return the watermarks of a plan of these people whose digest is due later."""
    return Watermark.objects.filter(plan=plan_id, recipient__in=person_ids, due_at__gt=now)


def _closest_subscriptions(followings: Iterable[Following]) -> dict[int, Subscription]:
    """Return the first subscription through which each person follows the plan, by person."""
    subscription_id_by_person: dict[int, int] = {}
    for following in followings:
        subscription_id_by_person.setdefault(following.person_id, following.subscription_id)
    subscription_by_id = Subscription.objects.for_listing().in_bulk(list(subscription_id_by_person.values()))
    return {person_id: subscription_by_id[pk] for person_id, pk in subscription_id_by_person.items()}


def _frequencies(followings: Iterable[Following]) -> dict[int, str]:
    """Return the first frequency that one of a person's subscriptions sets, by person; "" if none sets one."""
    frequency_by_person: dict[int, str] = {}
    for following in followings:
        frequency_by_person[following.person_id] = frequency_by_person.get(following.person_id) or following.frequency
    return frequency_by_person


def _added_by(subscription: Subscription) -> str:
    """Return "added by" and the organisation that added a stakeholder; "" for other subscriptions."""
    return f"added by {subscription.added_for.name}" if subscription.added_for else ""


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
    taken_days_by_person = days_with_digest(people, now)
    pause_end_by_person = _ends_of_pauses(preference_by_person.values(), now)
    settle = settle_time()

    date_by_person: dict[int, dt.datetime] = {}
    for pk, person in people.items():
        watermark = watermark_by_person.get(pk)
        if watermark is not None and watermark.slotted and watermark.due_at:
            # An earlier change already waits for that hour, and the new version will be in the same digest.
            date_by_person[pk] = watermark.due_at
            continue
        preference = preference_by_person.get(pk) or Preference(person=person)
        rhythm = preference.rhythm(person.time_zone, frequencies[pk])
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
