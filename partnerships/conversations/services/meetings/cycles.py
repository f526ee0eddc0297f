"""Services that set and stop the meeting cycle of a partnership."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from partnerships.activity.services import record
from partnerships.agreements.models import Partnership
from partnerships.agreements.services.recording import lock_partnership
from partnerships.conversations.cycle import MAX_INTERVAL, Cycle, Unit
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Format, HolidayChoice, MeetingCycle
from partnerships.conversations.rights import rights_over_meetings
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: The lengths that a meeting can have, in minutes.
LENGTHS = range(5, 24 * 60 + 1)
_ONLY_LEADS = "Only leads of the chair or of a lead organisation can set the meeting cycle."


class UnableToSetCycle(Exception):
    """Raised if the partnership has ended, the cycle is incomplete, or there is no cycle to stop."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """The time, the length and the place of each meeting of a cycle."""

    time: dt.time
    minutes: int
    format: str = Format.VIDEO
    place: str = ""
    link: str = ""


@transaction.atomic
def set_cycle(
    *,
    partnership: Partnership,
    cycle: Cycle,
    sitting: Sitting,
    organisation: Organisation | None,
    author: User,
    now: dt.datetime,
    on_holiday: str = HolidayChoice.LATER,
) -> MeetingCycle:
    """Set or change the meeting cycle; planned meetings stay as they are. Raises `UnableToSetCycle`."""
    partnership = lock_partnership(partnership.pk)
    require(rights_over_meetings(partnership, author, now).may_set_cycle, _ONLY_LEADS)
    if partnership.is_over:
        raise UnableToSetCycle("This partnership has ended, so you cannot set a meeting cycle.")
    _check(cycle, sitting)

    meeting_cycle = MeetingCycle.objects.filter(partnership=partnership).first()
    before = meeting_cycle.cycle.words if meeting_cycle and meeting_cycle.is_running else ""
    if meeting_cycle is None:
        meeting_cycle = MeetingCycle(partnership=partnership)
    _set_fields(meeting_cycle, cycle, sitting)
    meeting_cycle.on_holiday = on_holiday
    meeting_cycle.set_by = author
    meeting_cycle.set_for = organisation
    meeting_cycle.set_at = now
    meeting_cycle.stopped_at = None
    meeting_cycle.save()

    _record(
        meeting_cycle,
        EventKind.CYCLE_SET,
        author=author,
        organisation=organisation,
        now=now,
        before=before,
        after=cycle.words,
    )
    return meeting_cycle


def _check(cycle: Cycle, sitting: Sitting) -> None:
    """Raise `UnableToSetCycle` if the cycle is incomplete, or its meetings have an impossible length."""
    if not 1 <= cycle.interval <= MAX_INTERVAL:
        raise UnableToSetCycle(f"Enter a number of weeks or months from 1 to {MAX_INTERVAL}.")
    if (cycle.unit == Unit.MONTHS) != bool(cycle.position):
        raise UnableToSetCycle(
            "For a monthly meeting, choose which week of the month. For a weekly meeting, choose none."
        )
    if sitting.minutes not in LENGTHS:
        raise UnableToSetCycle("Enter a length between 5 minutes and 24 hours.")


def _set_fields(meeting_cycle: MeetingCycle, cycle: Cycle, sitting: Sitting) -> None:
    """Set when and where the meetings of a stored cycle take place."""
    meeting_cycle.unit = cycle.unit.value
    meeting_cycle.interval = cycle.interval
    meeting_cycle.weekday = cycle.weekday
    meeting_cycle.position = cycle.position
    meeting_cycle.starts_on = cycle.starts_on
    meeting_cycle.time = sitting.time
    meeting_cycle.minutes = sitting.minutes
    meeting_cycle.format = sitting.format
    meeting_cycle.place = sitting.place.strip()
    meeting_cycle.link = sitting.link.strip()


@transaction.atomic
def stop_cycle(
    *, partnership: Partnership, reason: str, organisation: Organisation | None, author: User, now: dt.datetime
) -> MeetingCycle:
    """Stop the meeting cycle, with a reason, so that it proposes no more meetings. Raises `UnableToSetCycle`."""
    partnership = lock_partnership(partnership.pk)
    require(rights_over_meetings(partnership, author, now).may_set_cycle, _ONLY_LEADS)
    meeting_cycle = MeetingCycle.objects.filter(partnership=partnership, stopped_at=None).first()
    if meeting_cycle is None:
        raise UnableToSetCycle("This partnership has no meeting cycle, so you do not need to stop it.")
    if not reason.strip():
        raise UnableToSetCycle("Enter a reason.")

    meeting_cycle.stopped_at = now
    meeting_cycle.save(update_fields=["stopped_at"])
    _record(
        meeting_cycle,
        EventKind.CYCLE_STOPPED,
        author=author,
        organisation=organisation,
        now=now,
        before=meeting_cycle.cycle.words,
        after="",
        reason=reason.strip(),
    )
    return meeting_cycle


def _record(
    cycle: MeetingCycle,
    event: EventKind,
    *,
    author: User,
    organisation: Organisation | None,
    now: dt.datetime,
    before: str,
    after: str,
    reason: str = "",
) -> None:
    """Record a change of the meeting cycle in the partnership's history."""
    record(
        actor_id=author.pk,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="partnership",
        target_id=cycle.partnership_id,
        now=now,
        data={
            "title": cycle.partnership.title,
            "before": {"cycle": before},
            "after": {"cycle": after},
            "reason": reason,
        },
    )
