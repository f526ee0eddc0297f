"""Services that set how often and when digests are sent, for a person or for one subscription."""

from __future__ import annotations

import datetime as dt
from typing import TypedDict, Unpack
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import transaction

from partnerships.activity.services import record
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import (
    ChangeFilter,
    DeliveryItem,
    DeliveryKind,
    DeliverySubject,
    Frequency,
    MatchNotice,
    Preference,
    SubjectWatermark,
    Subscription,
    Watermark,
)
from partnerships.digests.planning.matches import reclaim_matches, schedule_matches
from partnerships.digests.planning.notices import reclaim_notices, reschedule_notices
from partnerships.digests.planning.timing import lock_planning
from partnerships.digests.planning.together import join_waiting
from partnerships.digests.planning.watermarks import reschedule
from partnerships.digests.rights import may_choose_for, rights_over
from partnerships.digests.services.journal_lines import journal_matches
from partnerships.digests.services.recording import UnableToChangeSubscription, lock_subscription, record_event
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.outbox.models import Email, EmailStatus
from partnerships.outbox.services import drop_email
from partnerships.people.models import User


@transaction.atomic
def set_frequency(*, subscription: Subscription, frequency: str, author: User | None, now: dt.datetime) -> None:
    """Set the frequency of one subscription; "" for the person's own. Raises `UnableToChangeSubscription`."""
    if frequency and frequency not in Frequency.values:
        raise UnableToChangeSubscription("Choose from the list how often to send digests.")
    lock_planning()
    locked_subscription = lock_subscription(subscription)
    require(rights_over(locked_subscription, author, now).may_change)

    frequency_before = locked_subscription.frequency
    locked_subscription.frequency = frequency
    locked_subscription.save(update_fields=["frequency"])
    subscription.frequency = frequency
    record_event(
        subscription, EventKind.FREQUENCY_CHANGED, author=author, now=now, before=frequency_before, after=frequency
    )
    reschedule(person_ids=[subscription.person_id], now=now)


@transaction.atomic
def set_hears(*, subscription: Subscription, hears: str, author: User | None, now: dt.datetime) -> None:
    """Set which changes the digests of one subscription include. Raises `UnableToChangeSubscription`.

    Changes that were left out before are not included later.
    """
    if hears not in ChangeFilter.values:
        raise UnableToChangeSubscription("Choose an option from the list.")
    locked_subscription = lock_subscription(subscription)
    require(rights_over(locked_subscription, author, now).may_change)

    hears_before = locked_subscription.hears
    locked_subscription.hears = hears
    locked_subscription.save(update_fields=["hears"])
    subscription.hears = hears
    record_event(subscription, EventKind.HEARS_CHANGED, author=author, now=now, before=hears_before, after=hears)


class _RequiredChoices(TypedDict):
    """The choices that every call must contain. A pause without a first day begins at once."""

    frequency: str
    hour: int
    weekday: int
    working_days_of: str
    paused_until: dt.date | None


class Choices(_RequiredChoices, total=False):
    """How often and when a person wants digests; a choice that is missing or None is not changed.

    `days` and `more_hours` are sums as in `Preference`.
    """

    days: int | None
    more_hours: int | None
    paused_from: dt.date | None
    tells_matches: bool | None


#: The fields of a preference that `prefer` sets.
_CHOSEN_FIELDS = (
    "frequency",
    "hour",
    "weekday",
    "working_days_of",
    "days",
    "more_hours",
    "paused_from",
    "paused_until",
    "tells_matches",
)


@transaction.atomic
def prefer(
    *,
    person: User,
    time_zone: str,
    for_everything: bool = False,
    author: User | None,
    now: dt.datetime,
    **choices: Unpack[Choices],
) -> Preference:
    """Save how often and when a person wants digests, and reschedule their news. Raises `UnableToChangeSubscription`.

    * `for_everything` removes the frequencies of single subscriptions.
    * If a pause begins, the queued digest is withdrawn and its content waits.
    * If a pause ends, a single email contains everything that waited.
    """
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise UnableToChangeSubscription("Choose a time zone from the list.") from error
    lock_planning()
    require(may_choose_for(person, roles_of(author, now)))
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    preferences_before = _as_text(preference, person)
    was_paused = preference.current_pause_end(now, person.time_zone) is not None

    _set_choices(preference, person, choices, now=now)
    try:
        preference.full_clean(exclude=["person"])
    except ValidationError as error:
        raise UnableToChangeSubscription("Choose from the lists how often and when to send digests.") from error
    preference.save(update_fields=_CHOSEN_FIELDS)
    if for_everything:
        Subscription.objects.live().filter(person=person).exclude(frequency="").update(frequency="")
    if person.time_zone != time_zone:
        person.time_zone = time_zone
        person.save(update_fields=["time_zone"])

    _reschedule_everything(preference, person, was_paused=was_paused, now=now)
    record(
        actor_id=author.pk if author else None,
        kind=EventKind.PERSON_FREQUENCY_CHANGED,
        target_kind="person",
        target_id=person.pk,
        now=now,
        data={"before": preferences_before, "after": _as_text(preference, person)},
    )
    return preference


def _as_text(preference: Preference, person: User) -> dict[str, str]:
    """Return the preferences and the time zone as texts, for the event about a change."""
    return {name: str(getattr(preference, name)) for name in _CHOSEN_FIELDS} | {"time_zone": person.time_zone}


def _reschedule_everything(preference: Preference, person: User, *, was_paused: bool, now: dt.datetime) -> None:
    """Schedule digests, notices and matches again, by the saved preferences."""
    is_paused = preference.current_pause_end(now, person.time_zone) is not None
    if is_paused or was_paused:
        _withdraw_queued(person, now=now)
    if was_paused and not is_paused:
        held_emails = Email.objects.filter(person_id=person.pk, kind__in=[DeliveryKind.DIGEST, DeliveryKind.SUCCESSION])
        held_emails.filter(status=EmailStatus.QUEUED).update(available_at=now)
    reschedule(person_ids=[person.pk], now=now)
    reschedule_notices(person, preference, now=now)
    if not preference.tells_matches:
        MatchNotice.objects.filter(recipient=person, told_at=None).delete()
    schedule_matches(now=now, person_ids=[person.pk])
    if is_paused or was_paused:
        join_waiting(person_ids=[person.pk])


def _set_choices(preference: Preference, person: User, choices: Choices, *, now: dt.datetime) -> None:
    """Set the chosen fields without saving them.

    If the choice about matches changes, it is written to the journal.
    """
    preference.frequency = choices["frequency"]
    preference.hour = choices["hour"]
    preference.weekday = choices["weekday"]
    preference.working_days_of = choices["working_days_of"]
    preference.paused_until = choices["paused_until"]
    preference.paused_from = choices.get("paused_from") if preference.paused_until else None
    if (days := choices.get("days")) is not None:
        preference.days = days
    if (more_hours := choices.get("more_hours")) is not None:
        preference.more_hours = more_hours
    tells_matches = choices.get("tells_matches")
    if tells_matches is not None and tells_matches != preference.tells_matches:
        journal_matches(person, now=now, undone=tells_matches)
        preference.tells_matches = tells_matches


@transaction.atomic
def end_pause(*, person: User, author: User | None, now: dt.datetime) -> None:
    """End a pause early; a single digest then contains everything that changed."""
    lock_planning()
    require(may_choose_for(person, roles_of(author, now)))
    preference, _ = Preference.objects.select_for_update().get_or_create(person=person)
    prefer(
        person=person,
        frequency=preference.frequency,
        hour=preference.hour,
        weekday=preference.weekday,
        working_days_of=preference.working_days_of,
        paused_until=None,
        time_zone=person.time_zone,
        author=author,
        now=now,
    )


def _withdraw_queued(person: User, *, now: dt.datetime) -> None:
    """Withdraw queued digests, so that their content waits again.

    Digests in doubt are not withdrawn, because they may have arrived and must not change.
    """
    queued_digests = Email.objects.select_for_update(skip_locked=True).filter(
        person_id=person.pk,
        kind=DeliveryKind.DIGEST,
        status=EmailStatus.QUEUED,
        repeat_of_id=None,
        in_doubt=False,
    )
    for email in queued_digests:
        items = DeliveryItem.objects.filter(delivery=email.pk)
        Watermark.objects.filter(recipient=person, plan__in=items.included().values("plan")).update(
            due_at=now, waiting_since=email.created_at
        )
        subjects = DeliverySubject.objects.filter(delivery=email.pk)
        SubjectWatermark.objects.filter(recipient=person, subject__in=subjects.included().values("subject")).update(
            due_at=now, waiting_since=email.created_at
        )
        subjects.delete()
        reclaim_matches(email.pk)
        reclaim_notices(email.pk, due_at=now)
        items.delete()
        drop_email(email=email, reason="The recipient paused their digests.", now=now)
