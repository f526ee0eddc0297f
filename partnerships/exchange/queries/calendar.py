"""The closing dates of asks and offers as calendar entries."""

from __future__ import annotations

from collections.abc import Collection

from partnerships.activity.queries import Revision, revisions_of
from partnerships.exchange.models import Entry, EntryQuerySet, Status
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.people.models import User


def _closing_entries(user: User, partnership_ids: list[int]) -> EntryQuerySet:
    """Return the asks and offers of these partnerships that have a closing date.

    Without partnerships, return those from and to the person's organisations.
    """
    entries = _readable_closing_entries(user)
    if partnership_ids:
        return entries.filter(partnership__in=partnership_ids)
    own_entries = Entry.objects.of_person(user) | Entry.objects.asking_organisations_of(user)
    return entries.filter(pk__in=own_entries.values("pk"))


def closing_dates_of(user: User, entry_ids: Collection[int]) -> list[CalendarEntry]:
    """Return the closing dates of the entries with these ids that the person may read."""
    return _calendar_entries(list(_readable_closing_entries(user).filter(pk__in=entry_ids)))


def _readable_closing_entries(user: User) -> EntryQuerySet:
    """Return the entries with a closing date that the person may read now."""
    entries = Entry.objects.followed_by(user).filter(closes_on__isnull=False).exclude(status=Status.DRAFT)
    # A calendar shows no areas, so the prefetch of `for_listing` is dropped.
    return entries.for_listing().select_related("partnership").prefetch_related(None).order_by("pk")


def _calendar_entries(entries: list[Entry]) -> list[CalendarEntry]:
    """Return the calendar entries of these asks and offers."""
    revisions = revisions_of([entry.pk for entry in entries], "entry")
    calendar_entries = []
    for entry in entries:
        revision = revisions.get(entry.pk, Revision(number=0, at=entry.created_at))
        calendar_entries.append(_closing_date_entry(entry, revision))
    return calendar_entries


def _closing_date_entry(entry: Entry, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of a closing date. The entry of a withdrawn ask or offer is cancelled."""
    assert entry.closes_on is not None  # the query leaves out entries without a closing date
    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"{entry.direction}-{entry.pk}",
        title=f"{entry.get_direction_display()} closes: {entry.title}",
        path=entry.get_absolute_url(),
        starts=entry.closes_on,
        note=f"{entry.organisation.display_name}: {entry.status_words.lower()}",
        within=entry.partnership.title if entry.partnership else "",
        partnership=entry.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=entry.status == Status.WITHDRAWN,
    )


SOURCES = (CalendarSource(_closing_entries, _calendar_entries),)
