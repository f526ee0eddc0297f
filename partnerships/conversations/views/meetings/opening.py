"""Fetch the partnership or meeting of a page, with the rights of the person."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.past import as_read_by
from partnerships.conversations.models import Meeting
from partnerships.conversations.queries.meetings import with_seats
from partnerships.conversations.rights import MeetingRights, rights_over_meetings
from partnerships.organisations.models import Organisation
from partnerships.organisations.naming import show_as_at
from partnerships.people.models import User
from partnerships.people.requests import signed_in


def open_partnership(request: HttpRequest, pk: int) -> tuple[User, Partnership, MeetingRights]:
    """The person, a partnership they read in full, and their rights over its meetings."""
    user = signed_in(request)
    partnership = get_object_or_404(Partnership.objects.held_by(user), pk=pk)
    rights = rights_over_meetings(partnership, user, timezone.now())
    return user, as_read_by(user, partnership), rights


def open_meeting(request: HttpRequest, pk: int) -> tuple[User, Meeting, MeetingRights]:
    """The person, a meeting they may see with its seats, and their rights."""
    user = signed_in(request)
    meeting = get_object_or_404(with_seats(Meeting.objects.visible_to(user)), pk=pk)
    rights = rights_over_meetings(meeting.partnership, user, timezone.now())
    meeting.partnership = as_read_by(user, meeting.partnership)
    return user, meeting, rights


def name_as_at(meetings: Iterable[Meeting]) -> None:
    """Let meetings, for a page that only shows them, name organisations as on their day; one query."""
    show_as_at(
        (timezone.localdate(meeting.starts_at), body)
        for meeting in meetings
        for body in (meeting.organisation, *(seat.organisation for seat in meeting.seats.all()))
    )


def acting_side(rights: MeetingRights) -> Organisation:
    """The party for which the person acts on these pages. Call after `require`."""
    return Organisation.objects.filter(pk__in=rights.edits_for).order_by("name", "pk")[0]
