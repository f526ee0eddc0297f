"""Helpers of the services for meetings: locks, events and emails."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from partnerships.activity.services import record
from partnerships.agreements.models import PartyRole, PartyStatus
from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import Meeting
from partnerships.conversations.queries.meetings import possible_attendees, seated_people
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def lock_meeting(meeting: Meeting) -> Meeting:
    """Lock a meeting, and return it as stored with its partnership, organisation and minutes."""
    return (
        Meeting.objects.select_for_update(of=("self",))
        .select_related("partnership", "organisation", "conversation")
        .get(pk=meeting.pk)
    )


def ids_in_quorum_at(meeting: Meeting) -> set[int]:
    """Return the ids of the organisations that can make a quorum at the meeting.

    These are the parties on the meeting's day, except observers. A party that has left since is included.
    """
    took_part = Q(status=PartyStatus.ACCEPTED) | Q(left_on__gte=meeting.day)
    parties = meeting.partnership.parties.filter(took_part).exclude(role=PartyRole.OBSERVER)
    return set(parties.values_list("organisation_id", flat=True))


def record_event(
    meeting: Meeting,
    event: EventKind,
    *,
    author: User | None,
    organisation: Organisation | None,
    now: dt.datetime,
    **data: Any,
) -> None:
    """Record an event about the meeting on its partnership. The event must not name items of the agenda."""
    record(
        actor_id=author.pk if author else None,
        organisation_id=organisation.pk if organisation else None,
        kind=event,
        target_kind="meeting",
        target_id=meeting.pk,
        within_kind="partnership",
        within_id=meeting.partnership_id,
        now=now,
        data={"title": meeting.title, **data},
    )


def email_people(
    kind: str,
    meeting: Meeting,
    *,
    author: User | None,
    now: dt.datetime,
    only: Iterable[int] | None = None,
    with_author: bool = False,
    **params: Any,
) -> None:
    """Email the people invited who may read the meeting, or only those of them whose ids are in `only`.

    The author gets the email only if `with_author` is set.
    """
    people = seated_people(meeting)
    if only is not None:
        people = people.filter(pk__in=list(only))
    if author is not None and not with_author:
        people = people.exclude(pk=author.pk)
    _record_emails(kind, meeting, people, author=author, now=now, **params)


def email_uninvited(meeting: Meeting, person_ids: Iterable[int], *, author: User, now: dt.datetime, when: str) -> None:
    """Email the people with these ids that they are no longer invited to the meeting at the time `when`.

    The attached file removes the meeting from their calendars.
    """
    recipients = possible_attendees(meeting.partnership).filter(pk__in=list(person_ids))
    _record_emails("meeting_uninvited", meeting, recipients, author=author, now=now, when=when)


def _record_emails(
    kind: str, meeting: Meeting, people: QuerySet[User], *, author: User | None, now: dt.datetime, **params: Any
) -> None:
    record_emails(
        kind=f"conversations.{kind}",
        people=people.values_list("pk", flat=True),
        params={"meeting": meeting.pk, "author": author.pk if author else None, **params},
        sender_id=meeting.organisation_id,
        now=now,
    )
