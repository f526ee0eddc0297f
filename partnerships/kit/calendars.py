"""Dates of records as entries of a calendar, and iCalendar files of such entries (RFC 5545).

Rooms create entries in their `queries`. Feeds (`partnerships.calendars`) and emails write the entries to files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet, TextChoices

from partnerships.kit.late import late

if TYPE_CHECKING:
    import icalendar
else:
    icalendar = late("icalendar")

#: The time zone of all times in files. `_time_zone` returns its rules since 1996.
LONDON = "Europe/London"


class CalendarKind(TextChoices):
    """The kinds of calendar entry. People choose which kinds their calendar shows."""

    MEETING = "meeting", "Meetings"
    SIGNATURE = "signature", "Signatures"
    DUE = "due", "Due dates of commitments, reports, asks and offers"
    MILESTONE = "milestone", "Milestones of plans, and targets of objectives"
    REVIEW = "review", "Reviews of partnerships, and of responses to recommendations"
    END = "end", "Starts and ends of partnerships, and last days to give notice"
    EMBARGO = "embargo", "Embargoes that end"


class Method(StrEnum):
    """The method of a file, by which a calendar program shows, adds or removes its entries (RFC 5546)."""

    PUBLISH = "PUBLISH"
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """One date of one record, such as the due date of a commitment."""

    kind: CalendarKind
    #: An identifier such as `meeting-12`. It never changes, so that programs update an entry instead of adding another.
    key: str
    title: str
    #: The address of the record on our site.
    path: str
    #: A day, or a moment if the entry lasts `minutes`.
    starts: dt.date | dt.datetime
    #: When the record last changed. This is stored with the record, so that an unchanged entry gives the same file.
    changed_at: dt.datetime
    #: How often the record has changed.
    sequence: int = 0
    minutes: int = 0
    place: str = ""
    note: str = ""
    #: The present title of the record's partnership. Feeds omit the title for people who have left the partnership.
    within: str = ""
    #: The partnership's id.
    partnership: int | None = None
    is_cancelled: bool = False

    @property
    def day(self) -> dt.date:
        """Return the day of the entry in London."""
        if isinstance(self.starts, dt.datetime):
            return self.starts.astimezone(ZoneInfo(LONDON)).date()
        return self.starts

    @property
    def in_order(self) -> tuple[dt.date, float, str]:
        """Return a sort key for the order by day and time. On each day, all-day entries are first."""
        time = self.starts.timestamp() if isinstance(self.starts, dt.datetime) else 0.0
        return self.day, time, self.key


@dataclass(frozen=True, slots=True)
class CalendarSource:
    """Records of a room that have dates.

    `rows(person, partnerships)` returns the query of the records that the person may read in the partnerships with
    these ids. Without ids, it returns the query of those that concern the person. `entries` makes the entries of these
    rows.
    """

    rows: Callable[..., QuerySet[Any, Any]]
    entries: Callable[[list[Any]], list[CalendarEntry]]


@dataclass(frozen=True, slots=True)
class CalendarFile:
    """A calendar file to send with an email."""

    method: Method
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class InvitationParties:
    """The organiser and the attendee of a meeting, each as name and email address."""

    organiser: tuple[str, str]
    attendee: tuple[str, str]


def write_feed(entries: Iterable[CalendarEntry], *, name: str, note: str = "") -> bytes:
    """Return the file of a calendar to which people subscribe.

    Calendar programs fetch the file again every few hours, and some show the note (RFC 7986, 5.2).
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
    return _to_bytes(calendar, [(entry, None) for entry in entries])


def write_file(entry: CalendarEntry, *, invited: InvitationParties | None = None) -> CalendarFile:
    """Return a file with one entry, to attach to an email.

    Without `invited`, the file only adds a date. With `invited`, it is an invitation to a meeting or its cancellation.
    A calendar program that has an earlier version of the entry then changes or removes it.
    """
    method = Method.PUBLISH
    if invited is not None:
        method = Method.CANCEL if entry.is_cancelled else Method.REQUEST
    text = _to_bytes(_calendar(method), [(entry, invited)]).decode()
    return CalendarFile(method=method, name=f"{entry.kind.value}.ics", text=text)


def _calendar(method: Method) -> icalendar.Calendar:
    """Return an empty calendar with the properties that RFC 5545 requires."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", f"-//{settings.SITE_NAME}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method.value)
    return calendar


def _to_bytes(calendar: icalendar.Calendar, entries: Sequence[tuple[CalendarEntry, InvitationParties | None]]) -> bytes:
    """Add the entries to the calendar, and return the calendar as the bytes of a file."""
    if any(isinstance(entry.starts, dt.datetime) for entry, _ in entries):
        calendar.add_component(_time_zone())
    for entry, invited in entries:
        calendar.add_component(_event(entry, invited))
    return bytes(calendar.to_ical())


def _event(entry: CalendarEntry, invited: InvitationParties | None) -> icalendar.Event:
    """Return the entry as an event (RFC 5545, 3.6.1), with organiser and attendee if it is an invitation."""
    address = f"{settings.SITE_ORIGIN}{entry.path}"
    event = icalendar.Event()
    event.add("uid", f"{entry.key}@{urlsplit(settings.SITE_ORIGIN).hostname}")
    # This is not the present time, because an unchanged record must give the same bytes. Feeds can then answer "not
    # modified".
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

    event.add("description", "\n".join(_printable(line) for line in (entry.within, entry.note, address) if line))
    event.add("url", address)
    if entry.place:
        event.add("location", _printable(entry.place))
    event.add("categories", [str(entry.kind.label)])

    if invited is not None:
        event["organizer"] = _person(*invited.organiser)
        # There is no RSVP, because people reply on the meeting's page, and nobody would read a reply by email.
        attendee = _person(*invited.attendee)
        attendee.params |= {"CUTYPE": "INDIVIDUAL", "ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION"}
        attendee.params["RSVP"] = "FALSE"
        event["attendee"] = attendee
    return event


def _local(moment: dt.datetime) -> dt.datetime:
    """Return the moment in London time, or in UTC if it falls into the hour that clocks show twice.

    Programs disagree on which of the two hours a local time means.
    """
    london_time = moment.astimezone(ZoneInfo(LONDON))
    is_shown_twice = london_time.replace(fold=0).utcoffset() != london_time.replace(fold=1).utcoffset()
    return moment.astimezone(dt.UTC) if is_shown_twice else london_time


def _person(name: str, address: str) -> icalendar.vCalAddress:
    """Return a person's address as a property of an event, with the person's name."""
    person = icalendar.vCalAddress(f"mailto:{address}")
    # RFC 5545 (3.2) does not allow a double quote or a control character in a parameter.
    person.params["CN"] = _printable(name).replace('"', "’").replace("\n", " ")
    return person


def _printable(text: str) -> str:
    """Return the text without control characters except line breaks. A calendar file must not contain them."""
    return "".join(
        character
        for character in text.replace("\r\n", "\n")
        if (character >= " " and character != "\x7f") or character == "\n"
    )


@lru_cache(maxsize=1)
def _time_zone() -> icalendar.Timezone:
    """Return the rules of London time since 1996.

    Summer time lasts from the last Sunday of March to the last Sunday of October, and changes at 01:00 UTC.
    Source: Summer Time Act 1972 as amended in 2002.
    """
    summer = icalendar.TimezoneDaylight()
    summer.add("dtstart", dt.datetime.fromisoformat("1996-03-31T01:00"))
    summer.add("tzname", "BST")
    summer.add("tzoffsetfrom", dt.timedelta(hours=0))
    summer.add("tzoffsetto", dt.timedelta(hours=1))
    summer.add("rrule", {"freq": "yearly", "bymonth": 3, "byday": "-1su"})

    winter = icalendar.TimezoneStandard()
    winter.add("dtstart", dt.datetime.fromisoformat("1996-10-27T02:00"))
    winter.add("tzname", "GMT")
    winter.add("tzoffsetfrom", dt.timedelta(hours=1))
    winter.add("tzoffsetto", dt.timedelta(hours=0))
    winter.add("rrule", {"freq": "yearly", "bymonth": 10, "byday": "-1su"})

    zone = icalendar.Timezone()
    zone.add("tzid", LONDON)
    zone.add_component(summer)
    zone.add_component(winter)
    return zone
