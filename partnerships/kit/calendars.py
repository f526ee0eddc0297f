"""Dated entries of records, and calendar files made of them (RFC 5545).

Rooms make entries in their `queries`. Feeds (`partnerships.calendars`) and emails write them as files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import TextChoices

from partnerships.kit.late import late

if TYPE_CHECKING:
    import icalendar
else:
    icalendar = late("icalendar")

#: Times are written in this zone; its rules in `_time_zone` hold since 1996.
LONDON = "Europe/London"


class CalendarKind(TextChoices):
    """What an entry is about; people choose which kinds their calendar shows."""

    MEETING = "meeting", "Meetings"
    SIGNATURE = "signature", "Signatures"
    DUE = "due", "Due dates of commitments, reports, asks and offers"
    MILESTONE = "milestone", "Milestones of plans, and targets of objectives"
    REVIEW = "review", "Reviews of partnerships, and of responses to recommendations"
    END = "end", "Starts and ends of partnerships, and last days to give notice"
    EMBARGO = "embargo", "Embargoes that end"


class Method(StrEnum):
    """What a file asks of the program that reads it (RFC 5546)."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One date of one record.

    `key`, such as `meeting-12`, never changes. `starts` is a day, or a moment for entries of `minutes`. `changed_at`
    and `sequence` come from the record's stored changes, so that the same entry is always written the same. `within` is
    the title of its `partnership` (an id) today: feeds leave it out for people who are not inside of that any more.
    """

    kind: CalendarKind
    key: str
    title: str
    path: str
    starts: dt.date | dt.datetime
    changed_at: dt.datetime
    sequence: int = 0
    minutes: int = 0
    place: str = ""
    note: str = ""
    within: str = ""
    partnership: int | None = None
    is_cancelled: bool = False

    @property
    def day(self) -> dt.date:
        """The day it is on, in London."""
        if isinstance(self.starts, dt.datetime):
            return self.starts.astimezone(ZoneInfo(LONDON)).date()
        return self.starts

    @property
    def in_order(self) -> tuple[dt.date, float, str]:
        """A sort key: by day and time, whole days first."""
        return self.day, self.starts.timestamp() if isinstance(self.starts, dt.datetime) else 0.0, self.key


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar file to send with an email."""

    method: Method
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Invited:
    """Who invites to a meeting and who is invited: name and address of each."""

    organiser: tuple[str, str]
    attendee: tuple[str, str]


def write_feed(entries: Iterable[CalendarEntry], *, name: str, note: str = "") -> bytes:
    """A calendar to subscribe to.

    Programs read it again every few hours, and some show the note (RFC 7986, 5.2).
    """
    calendar = _calendar(Method.PUBLISH)
    name = " ".join(_printable(name).split())
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    if note:
        calendar.add("description", note)
        calendar.add("x-wr-caldesc", note)
    calendar.add("x-wr-timezone", LONDON)
    calendar.add("refresh-interval", dt.timedelta(hours=4), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT4H")
    return _written(calendar, [(entry, None) for entry in entries])


def write_file(entry: CalendarEntry, *, invited: Invited | None = None) -> CalendarFile:
    """One entry as the file of an email.

    With `invited` it invites somebody to a meeting or cancels it, and calendar programs move or remove their entry.
    Without, it only adds a date.
    """
    method = Method.PUBLISH
    if invited is not None:
        method = Method.CANCEL if entry.is_cancelled else Method.REQUEST
    text = _written(_calendar(method), [(entry, invited)]).decode()
    return CalendarFile(method, f"{entry.kind.value}.ics", text)


def _calendar(method: Method) -> icalendar.Calendar:
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{settings.SITE_NAME}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    return calendar


def _written(calendar: icalendar.Calendar, entries: Sequence[tuple[CalendarEntry, Invited | None]]) -> bytes:
    if any(isinstance(entry.starts, dt.datetime) for entry, _ in entries):
        calendar.add_component(_time_zone())
    for entry, invited in entries:
        calendar.add_component(_event(entry, invited))
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry, invited: Invited | None) -> icalendar.Event:
    """The entry as RFC 5545 says.

    An invitation also names organiser and attendee.
    """
    address = f"{settings.SITE_ORIGIN}{entry.path}"
    event = icalendar.Event()
    event.add("uid", f"{entry.key}@{urlsplit(settings.SITE_ORIGIN).hostname}")
    # Not the present time: the same record gives the same bytes, so feeds can say "not modified".
    event.add("dtstamp", entry.changed_at.astimezone(dt.UTC))
    event.add("last-modified", entry.changed_at.astimezone(dt.UTC))
    event.add("sequence", entry.sequence)
    event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
    event.add("summary", _printable(entry.title))
    if isinstance(entry.starts, dt.datetime):
        event.add("dtstart", _local(entry.starts))
        if entry.minutes:
            event.add("dtend", _local(entry.starts + dt.timedelta(minutes=entry.minutes)))
    else:
        event.add("dtstart", entry.starts)
        event.add("dtend", entry.starts + dt.timedelta(days=1))
    event.add("transp", "OPAQUE" if entry.minutes else "TRANSPARENT")
    event.add("description", "\n".join(_printable(words) for words in (entry.within, entry.note, address) if words))
    event.add("url", address)
    if entry.place:
        event.add("location", _printable(entry.place))
    event.add("categories", [str(entry.kind.label)])
    if invited is not None:
        event["organizer"] = _person(*invited.organiser)
        # Answers are given on the meeting's page: a reply by email would reach nobody.
        attendee = _person(*invited.attendee)
        attendee.params |= {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION"}
        attendee.params["RSVP"] = "FALSE"
        event["attendee"] = attendee
    return event


def _local(moment: dt.datetime) -> dt.datetime:
    """The moment in London's time; in UTC where clocks show that time twice, which programs read differently."""
    local = moment.astimezone(ZoneInfo(LONDON))
    is_shown_twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    return moment.astimezone(dt.UTC) if is_shown_twice else local


def _person(name: str, address: str) -> icalendar.vCalAddress:
    person = icalendar.vCalAddress(f"mailto:{address}")
    # RFC 5545 (3.2) has no way to write a double quote or a control character in a parameter.
    person.params["CN"] = _printable(name).replace('"', "’").replace("\n", " ")
    return person


def _printable(words: str) -> str:
    """Words without control characters, which a calendar file cannot hold."""
    return "".join(word for word in words.replace("\r\n", "\n") if (word >= " " and word != "\x7f") or word == "\n")


@lru_cache(maxsize=1)
def _time_zone() -> icalendar.Timezone:
    """London's rules: summer time from the last Sunday of March to that of October, at 01:00 UTC.

    Source: Summer Time Act 1972 as amended in 2002.
    """
    zone = icalendar.Timezone()
    zone.add("tzid", LONDON)
    parts: tuple[tuple[Any, ...], ...] = (
        (icalendar.TimezoneDaylight, "BST", 0, 1, "1996-03-31T01:00", 3),
        (icalendar.TimezoneStandard, "GMT", 1, 0, "1996-10-27T02:00", 10),
    )
    for part, name, before, after, first, month in parts:
        rules = part()
        rules.add("dtstart", dt.datetime.fromisoformat(first))
        rules.add("tzname", name)
        rules.add("tzoffsetfrom", dt.timedelta(hours=before))
        rules.add("tzoffsetto", dt.timedelta(hours=after))
        rules.add("rrule", {"freq": "yearly", "bymonth": month, "byday": "-1su"})
        zone.add_component(rules)
    return zone
