"""Remind leads of the dates of their partnerships."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TypeAlias

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    LONGEST_LEAD_TIME,
    DateChoice,
    DateKind,
    DateReminder,
    Party,
    PartyRole,
)
from partnerships.agreements.queries.dates import dates_ahead, people_to_remind, with_dates_within
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.kit.rights import require
from partnerships.outbox.restoring import untold
from partnerships.outbox.services import record_email
from partnerships.people.lead_times import everybodys_lead_times
from partnerships.people.models import ReminderKind, User
from partnerships.people.retention import delete_in_batches


class UnableToChooseReminders(Exception):
    """The party does not take part, or a lead time is out of range."""


@transaction.atomic
def choose_date_reminders(
    *, party: Party, days: Iterable[int], dates: Iterable[str], author: User | None, now: dt.datetime
) -> DateChoice:
    """Choose which dates a party's leads are reminded of, and how long before. Raises `UnableToChooseReminders`."""
    locked = lock_partnership(party.partnership_id)
    own = Party.objects.select_related("organisation").get(pk=party.pk)
    require(rights_over(locked, author, now).may_leave(own))
    if not own.is_present:
        raise UnableToChooseReminders(f"{own.organisation.name} does not take part in this partnership.")
    chosen, kinds = sorted(set(days), reverse=True), [kind for kind in DateKind.values if kind in set(dates)]
    if any(not 0 <= day <= LONGEST_LEAD_TIME for day in chosen):
        raise UnableToChooseReminders(f"Choose 0 to {LONGEST_LEAD_TIME} days.")
    choice, _ = DateChoice.objects.update_or_create(party=own, defaults={"days": chosen, "dates": kinds})
    record_event(
        locked,
        EventKind.REMINDERS_CHOSEN,
        author=author,
        now=now,
        organisation=own.organisation,
        data={"after": {"days": chosen, "dates": [str(DateKind(kind).label) for kind in kinds]}},
    )
    return choice


def remind_of_dates(*, now: dt.datetime) -> int:
    """Record today's reminders and one email for each person.

    Returns the number of emails. If several lead times have passed, because the job did not run, only the shortest
    counts. A date that moves gets reminders of its own.
    """
    today = timezone.localdate(now)
    reminders = _wanted(today)
    people = sorted({person for person, *_ in reminders})
    return sum(
        _remind(person, [reminder for reminder in reminders if reminder[0] == person], now=now) for person in people
    )


def drop_old_reminders(now: dt.datetime, dry_run: bool) -> int:
    """Delete reminders of dates that passed 12 months ago; how many."""
    before = timezone.localdate(now) - dt.timedelta(days=366)
    return delete_in_batches(DateReminder.objects.filter(on__lt=before), dry_run=dry_run)


#: Person, partnership, kind of date, day, lead time.
_Wanted: TypeAlias = tuple[int, int, DateKind, dt.date, int]


def _wanted(today: dt.date) -> list[_Wanted]:
    """What each person may be reminded of today.

    Most of it was sent on an earlier day. Each party chooses the dates and days for its leads; people may choose their
    own days.
    """
    own = everybodys_lead_times(ReminderKind.DATES, usual=())
    days_to_remind: dict[tuple[int, int, DateKind, dt.date], int] = {}
    partnerships = list(with_dates_within(LONGEST_LEAD_TIME, today).order_by("pk"))
    parties = (
        Party.objects.present()
        .filter(partnership__in=partnerships)
        .exclude(role=PartyRole.OBSERVER)
        .select_related("date_choice", "organisation")
        .order_by("pk")
    )
    of: dict[int, list[Party]] = defaultdict(list)
    for party in parties:
        of[party.partnership_id].append(party)
    for partnership in partnerships:
        ahead = dates_ahead(partnership, today)
        for party in of[partnership.pk]:
            choice = getattr(party, "date_choice", None)
            days = partnership.kind.reminder_days if choice is None else choice.days
            dates = DateKind.values if choice is None else choice.dates
            own_dates = {kind: day for kind, day in ahead.items() if kind in dates}
            if not _come(own_dates, own.any_days.union(days), today):
                continue
            for person in people_to_remind(party, partnership, today):
                for (kind, day), lead in _come(own_dates, own.chosen.get(person, days), today).items():
                    key = (person, partnership.pk, kind, day)
                    days_to_remind[key] = min(lead, days_to_remind.get(key, lead))
    return [(*key, lead) for key, lead in days_to_remind.items()]


def _come(
    dates: Mapping[DateKind, dt.date], days: Collection[int], today: dt.date
) -> dict[tuple[DateKind, dt.date], int]:
    """The dates for which a lead time has come, with the shortest such lead time."""
    reached: dict[tuple[DateKind, dt.date], int] = {}
    for kind, day in dates.items():
        come = [lead for lead in days if day - dt.timedelta(days=lead) <= today]
        if come:
            reached[kind, day] = min(come)
    return reached


@transaction.atomic
def _remind(person: int, reminders: list[_Wanted], *, now: dt.datetime) -> bool:
    """Write what is new with one email; whether there was anything.

    Two runs at once send one email: the second waits for the person's row.
    """
    User.objects.select_for_update(no_key=True).get(pk=person)
    sent = {
        (row.partnership_id, row.kind, row.on, row.days_before)
        for row in DateReminder.objects.filter(person=person, on__gte=timezone.localdate(now))
    }
    new = [reminder for reminder in reminders if reminder[1:] not in sent]
    if not new:
        return False
    DateReminder.objects.bulk_create(
        DateReminder(person_id=person, partnership_id=pk, kind=kind, on=day, days_before=lead, created_at=now)
        for _, pk, kind, day, lead in new
    )
    dates = [
        {"partnership": pk, "kind": str(kind), "on": day.isoformat(), "days_before": lead}
        for _, pk, kind, day, lead in sorted(new, key=lambda reminder: (reminder[3], reminder[1], reminder[2]))
    ]
    dates = untold(kind="agreements.dates_ahead", person_id=person, things=dates)
    if dates:
        record_email(kind="agreements.dates_ahead", person_id=person, params={"dates": dates}, now=now)
    return bool(dates)
