"""Lead times, which say how many days before a date a person gets a reminder.

For example, with the lead times 14, 3 and 0, a person is reminded of a due date two weeks and three days before it, and
on the day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from partnerships.activity.services import record
from partnerships.kit.rights import require
from partnerships.people.event_kinds import EventKind
from partnerships.people.models import LeadTimes, ReminderKind, User

#: The longest lead time that a person can choose, in days.
LONGEST_LEAD_TIME = 90
#: The lead times, in days, of people who have not chosen any. Dates of partnerships are missing, because each party
#: chooses lead times for its leads.
USUAL_LEAD_TIMES: Mapping[str, tuple[int, ...]] = {
    ReminderKind.COMMITMENTS: (14, 3, 0),
    ReminderKind.REPORTS: (5,),
    ReminderKind.SIGNATURES: (7, 0),
    ReminderKind.ASKS: (7,),
}


def chosen_lead_times(person: User) -> dict[str, list[int] | None]:
    """Return a person's lead times of each kind, the longest first; None if the person follows each party's choice."""
    return with_usual_lead_times(dict(LeadTimes.objects.filter(person=person).values_list("kind", "days")))


def with_usual_lead_times(chosen: Mapping[str, list[int]]) -> dict[str, list[int] | None]:
    """Return a person's chosen lead times of each kind, and the usual lead times of the other kinds."""
    return {kind: chosen.get(kind, _usual_lead_times(kind)) for kind in ReminderKind.values}


def _usual_lead_times(kind: str) -> list[int] | None:
    return list(USUAL_LEAD_TIMES[kind]) if kind in USUAL_LEAD_TIMES else None


@transaction.atomic
def choose_lead_times(*, person: User, days: Mapping[str, Collection[int] | None], now: dt.datetime) -> None:
    """Save how many days before a date a person gets each kind of reminder.

    An empty list means no reminders; None means the usual lead times. Days out of range are ignored.
    """
    open_accounts = User.objects.select_for_update(no_key=True).filter(is_active=True, account_since__isnull=False)
    require(open_accounts.filter(pk=person.pk).first() is not None)
    old_days = chosen_lead_times(person)
    new_days_by_kind = {kind: _in_range(chosen_days, before=old_days[kind]) for kind, chosen_days in days.items()}
    changed_days = {kind: new_days for kind, new_days in new_days_by_kind.items() if new_days != old_days[kind]}
    for kind, new_days in changed_days.items():
        if new_days is None:
            LeadTimes.objects.filter(person=person, kind=kind).delete()
        else:
            LeadTimes.objects.update_or_create(person=person, kind=kind, defaults={"days": new_days})
    if changed_days:
        record(
            actor_id=person.pk,
            kind=EventKind.LEAD_TIMES_CHOSEN,
            target_kind="person",
            target_id=person.pk,
            now=now,
            data={"before": {kind: old_days[kind] for kind in changed_days}, "after": changed_days},
        )


def _in_range(days: Collection[int] | None, *, before: Collection[int] | None) -> list[int] | None:
    """Return the days that are in range or were chosen `before`, the longest first."""
    if days is None:
        return None
    allowed = {day for day in days if 0 <= day <= LONGEST_LEAD_TIME or day in (before or ())}
    return sorted(allowed, reverse=True)


@dataclass(frozen=True, slots=True)
class LeadTimesByPerson:
    """The lead times of all people for one kind of reminder.

    `chosen` has lead times by the person's id. `usual` are the lead times of everybody else.
    """

    usual: Sequence[int]
    chosen: Mapping[int, Sequence[int]]

    def of(self, person_id: int) -> Sequence[int]:
        """Return the lead times of one person."""
        return self.chosen.get(person_id, self.usual)

    @property
    def any_days(self) -> set[int]:
        """Return all lead times that at least one person has."""
        return set(self.usual).union(*self.chosen.values())


def lead_times_by_person(kind: ReminderKind, *, usual: Sequence[int] | None = None) -> LeadTimesByPerson:
    """Return all people's lead times of one kind, in one query. `usual` replaces `USUAL_LEAD_TIMES`."""
    days_by_person = dict(LeadTimes.objects.filter(kind=kind).values_list("person", "days"))
    return LeadTimesByPerson(usual=USUAL_LEAD_TIMES[kind] if usual is None else usual, chosen=days_by_person)


def is_time_to_remind(
    lead_times: Collection[int],
    day: dt.date,
    *,
    last_reminder: dt.date | None,
    today: dt.date,
    even_after: bool = False,
) -> bool:
    """Return True if a lead time of this day has begun since the last reminder, so that a reminder is due.

    Returns False after the day itself, unless `even_after` is set.
    """
    if today > day and not even_after:
        return False
    reminder_days = [day - dt.timedelta(days=lead_time) for lead_time in lead_times]
    return any(
        reminder_day <= today and (last_reminder is None or reminder_day > last_reminder)
        for reminder_day in reminder_days
    )
