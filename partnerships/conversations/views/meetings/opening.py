"""Fetches the partnership or meeting of a page, with the rights of the person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.models import Partnership
from partnerships.conversations.models import Meeting
from partnerships.conversations.queries.meetings import with_seats
from partnerships.conversations.rights import MeetingRights, rights_over_meetings
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import show_names_of_day
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def open_partnership(request: HttpRequest, pk: int) -> tuple[User, Partnership, MeetingRights]:
    """Return the person, a partnership that the person reads in full, and their rights over its meetings.

    Raises Http404 if there is no such partnership.
    """
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.readable_by(user), pk=pk)
    rights = rights_over_meetings(partnership, user, timezone.now())
    return user, partnership_as_read_by(user, partnership), rights


def open_meeting(request: HttpRequest, pk: int) -> tuple[User, Meeting, MeetingRights]:
    """Return the person, a meeting that the person may see with its seats, and their rights over meetings.

    Raises Http404 if there is no such meeting.
    """
    user = signed_in(request)
    meeting = get_object_or_404(with_seats(Meeting.objects.visible_to(user)), pk=pk)
    rights = rights_over_meetings(meeting.partnership, user, timezone.now())
    meeting.partnership = partnership_as_read_by(user, meeting.partnership)
    return user, meeting, rights


def name_as_at(meetings: Iterable[Meeting]) -> None:
    """Name the organisations of each meeting as on its day, with one query.

    Only for pages that show the names: such organisations must not be saved.
    """
    dated_organisations: list[tuple[dt.date, Organisation | None]] = []
    for meeting in meetings:
        day = timezone.localdate(meeting.starts_at)
        dated_organisations.append((day, meeting.organisation))
        dated_organisations += [(day, seat.organisation) for seat in meeting.seats.all()]
    show_names_of_day(dated_organisations)


def acting_party(rights: MeetingRights) -> Organisation:
    """Return the party for which the person acts on the pages of meetings.

    A person who edits for several parties acts for the first by name. Call this only for a person who edits for one.
    """
    return Organisation.objects.filter(pk__in=rights.edits_for).order_by("name", "pk")[0]
