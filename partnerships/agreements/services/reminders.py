"""Remind leads of the dates of their partnerships, on the days that each party has chosen."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    LONGEST_LEAD_TIME,
    DateChoice,
    DateKind,
    DateReminder,
    Partnership,
    Party,
    PartyRole,
)
from partnerships.agreements.queries.dates import dates_ahead, partnerships_with_dates_within, people_to_remind
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.kit.rights import require
from partnerships.outbox.restoring import unreported_facts
from partnerships.outbox.services import record_email
from partnerships.people.lead_times import lead_times_by_person
from partnerships.people.models import ReminderKind, User
from partnerships.people.retention import delete_in_batches


class UnableToChooseReminders(Exception):
    """The party does not take part, or a lead time is out of range."""


@transaction.atomic
def choose_date_reminders(
    *, party: Party, days: Iterable[int], dates: Iterable[str], author: User | None, now: dt.datetime
) -> DateChoice:
    """Choose the dates about which a party's leads get reminders, and how many days before.

    Raises `UnableToChooseReminders`.
    """
    locked_partnership = lock_partnership(party.partnership_id)
    fresh_party = Party.objects.select_related("organisation").get(pk=party.pk)
    organisation = fresh_party.organisation
    require(rights_over(locked_partnership, author, now).may_leave(fresh_party))
    if not fresh_party.is_present:
        raise UnableToChooseReminders(
            f"{organisation.name} does not take part in this partnership, so it gets no reminders."
        )
    lead_times = sorted(set(days), reverse=True)
    if any(not 0 <= days_before <= LONGEST_LEAD_TIME for days_before in lead_times):
        raise UnableToChooseReminders(f"Enter a number of days from 0 to {LONGEST_LEAD_TIME}.")

    chosen_dates = set(dates)
    kinds = [kind for kind in DateKind if kind in chosen_dates]
    choice, _is_new = DateChoice.objects.update_or_create(
        party=fresh_party, defaults={"days": lead_times, "dates": [kind.value for kind in kinds]}
    )
    record_event(
        locked_partnership,
        EventKind.REMINDERS_CHOSEN,
        author=author,
        now=now,
        organisation=organisation,
        data={"after": {"days": lead_times, "dates": [str(kind.label) for kind in kinds]}},
    )
    return choice


def remind_of_dates(*, now: dt.datetime) -> int:
    """Send each person one email with the reminders that are due, and return the number of emails.

    People are reminded of a date once for each lead time, for example 30 and 7 days before. If the job did not run for
    weeks, they get only the reminder with the shortest lead time. If the date moves, its reminders start again.
    """
    reminders_by_person: dict[int, list[_Reminder]] = defaultdict(list)
    for reminder in _due_reminders(timezone.localdate(now)):
        reminders_by_person[reminder.person_id].append(reminder)
    return sum(_remind(person_id, reminders, now=now) for person_id, reminders in sorted(reminders_by_person.items()))


def drop_old_reminders(now: dt.datetime, dry_run: bool) -> int:
    """Delete the reminders of dates that passed more than a year ago, and return how many."""
    first_kept_day = timezone.localdate(now) - dt.timedelta(days=366)
    return delete_in_batches(DateReminder.objects.filter(on__lt=first_kept_day), dry_run=dry_run)


class _Reminder(NamedTuple):
    """A date about which one person is to get a reminder."""

    person_id: int
    partnership_id: int
    kind: DateKind
    day: dt.date
    days_before: int


def _due_reminders(today: dt.date) -> list[_Reminder]:
    """Return the reminders whose lead time has come, including those that were sent on earlier days.

    Each party chooses dates and days for its leads. People may choose other days for themselves.
    """
    personal_lead_times = lead_times_by_person(ReminderKind.DATES, usual=())
    partnerships = list(partnerships_with_dates_within(LONGEST_LEAD_TIME, today).order_by("pk"))
    parties_by_partnership = _parties_by_partnership(partnerships)

    # A person may be a lead of several parties. The shortest of their lead times then decides.
    shortest_lead_times: dict[tuple[int, int, DateKind, dt.date], int] = {}
    for partnership in partnerships:
        dates = dates_ahead(partnership, today)
        for party in parties_by_partnership[partnership.pk]:
            choice = getattr(party, "date_choice", None)
            lead_times = partnership.kind.reminder_days if choice is None else choice.days
            kinds = DateKind.values if choice is None else choice.dates
            chosen_dates = {kind: day for kind, day in dates.items() if kind in kinds}
            # Skip the query for people if no lead time that anybody may have chosen has come.
            if not _shortest_due(chosen_dates, personal_lead_times.any_days.union(lead_times), today):
                continue
            for person_id in people_to_remind(party, partnership, today):
                own_lead_times = personal_lead_times.chosen.get(person_id, lead_times)
                for (kind, day), days_before in _shortest_due(chosen_dates, own_lead_times, today).items():
                    key = (person_id, partnership.pk, kind, day)
                    shortest_lead_times[key] = min(days_before, shortest_lead_times.get(key, days_before))
    return [_Reminder(*key, days_before) for key, days_before in shortest_lead_times.items()]


def _parties_by_partnership(partnerships: Collection[Partnership]) -> Mapping[int, list[Party]]:
    """Return the present parties of these partnerships that are not observers, with their choices of reminders."""
    parties = Party.objects.accepted().filter(partnership__in=partnerships).exclude(role=PartyRole.OBSERVER)
    parties_by_partnership: dict[int, list[Party]] = defaultdict(list)
    for party in parties.select_related("date_choice", "organisation").order_by("pk"):
        parties_by_partnership[party.partnership_id].append(party)
    return parties_by_partnership


def _shortest_due(
    dates: Mapping[DateKind, dt.date], lead_times: Collection[int], today: dt.date
) -> dict[tuple[DateKind, dt.date], int]:
    """Return, for each date with a lead time that has come, the shortest such lead time in days."""
    shortest_lead_times: dict[tuple[DateKind, dt.date], int] = {}
    for kind, day in dates.items():
        due_lead_times = [days_before for days_before in lead_times if day - dt.timedelta(days=days_before) <= today]
        if due_lead_times:
            shortest_lead_times[kind, day] = min(due_lead_times)
    return shortest_lead_times


@transaction.atomic
def _remind(person_id: int, reminders: list[_Reminder], *, now: dt.datetime) -> bool:
    """Record the new reminders of one person, and email them. Return whether an email was due.

    Locks the person first. If the job runs twice at the same time, the second run finds the reminders of the first.
    """
    User.objects.select_for_update(no_key=True).get(pk=person_id)
    new_reminders = _new_reminders(person_id, reminders, timezone.localdate(now))
    if not new_reminders:
        return False
    DateReminder.objects.bulk_create(
        DateReminder(
            person_id=person_id,
            partnership_id=reminder.partnership_id,
            kind=reminder.kind,
            on=reminder.day,
            days_before=reminder.days_before,
            created_at=now,
        )
        for reminder in new_reminders
    )

    dates = [
        {
            "partnership": reminder.partnership_id,
            "kind": str(reminder.kind),
            "on": reminder.day.isoformat(),
            "days_before": reminder.days_before,
        }
        for reminder in new_reminders
    ]
    # After a restore, some of the dates may have been emailed already.
    dates = unreported_facts(kind="agreements.dates_ahead", person_id=person_id, facts=dates)
    if dates:
        record_email(kind="agreements.dates_ahead", person_id=person_id, params={"dates": dates}, now=now)
    return bool(dates)


def _new_reminders(person_id: int, reminders: Iterable[_Reminder], today: dt.date) -> list[_Reminder]:
    """Return the reminders that the person has not got yet, sorted by day."""
    sent_reminders = {
        _Reminder(person_id, row.partnership_id, DateKind(row.kind), row.on, row.days_before)
        for row in DateReminder.objects.filter(person=person_id, on__gte=today)
    }
    new_reminders = [reminder for reminder in reminders if reminder not in sent_reminders]
    return sorted(new_reminders, key=lambda reminder: (reminder.day, reminder.partnership_id, reminder.kind))
