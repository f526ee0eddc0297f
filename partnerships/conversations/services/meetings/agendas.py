"""Services that collect the items of an agenda, edit the agenda and circulate it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import AgendaItem, ItemPurpose, Meeting
from partnerships.conversations.queries.agendas import look_back_of, suggestions_for
from partnerships.conversations.queries.meetings import possible_attendees
from partnerships.conversations.rights import rights_over_meetings
from partnerships.conversations.services.meetings.recording import email_people, lock_meeting, record_event
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: An agenda can have at most this many items.
MAX_ITEMS = 60
_ONLY_EDITORS = "Only editors and leads of the partners can change the agenda. Observers cannot."


class UnableToChangeAgenda(Exception):
    """Raised if the agenda is circulated, another person has changed it, or an item is incomplete."""


@dataclass(frozen=True, slots=True)
class AgendaLine:
    """An item of the agenda as it should be after editing; `item` is None for a new item."""

    item: AgendaItem | None
    title: str
    purpose: str = ItemPurpose.DISCUSSION
    minutes: int | None = None
    presenter: User | None = None
    is_kept: bool = True


def _lock_editable(meeting: Meeting, organisation: Organisation, author: User, now: dt.datetime) -> Meeting:
    """Lock a meeting and return it if the author may change its agenda. Raises `UnableToChangeAgenda`."""
    meeting = lock_meeting(meeting)
    require(rights_over_meetings(meeting.partnership, author, now).may_edit_for(organisation), _ONLY_EDITORS)
    if meeting.partnership.is_over:
        raise UnableToChangeAgenda("This partnership has ended, so you can no longer change the agenda.")
    if not meeting.is_planned:
        raise UnableToChangeAgenda(f"The meeting {meeting.ended_words}, so you can no longer change its agenda.")
    if meeting.is_frozen:
        raise UnableToChangeAgenda("The agenda has been circulated, so you can no longer change it.")
    return meeting


@transaction.atomic
def gather_agenda(*, meeting: Meeting, organisation: Organisation, author: User, now: dt.datetime) -> list[AgendaItem]:
    """Add the items that other rooms suggest and the author may read, and return the new items.

    Items that are on the agenda already, or were dropped, are not added again. Raises `UnableToChangeAgenda`.
    """
    meeting = _lock_editable(meeting, organisation, author, now)
    free_places = max(MAX_ITEMS - meeting.agenda.filter(dropped_at=None).count(), 0)
    suggestions = suggestions_for(meeting, author, look_back_of(meeting, now))[:free_places]
    last_position = _last_position(meeting)
    new_items = AgendaItem.objects.bulk_create(
        AgendaItem(
            meeting=meeting,
            position=last_position + offset,
            source=proposal.source,
            subject_kind=proposal.suggestion.subject_kind,
            subject_id=proposal.suggestion.subject_id,
            title=proposal.suggestion.title[:300],
            detail=proposal.suggestion.detail[:300],
            path=proposal.suggestion.path,
            purpose=proposal.suggestion.purpose.value,
            added_by=author,
            added_for=organisation,
            added_at=now,
        )
        for offset, proposal in enumerate(suggestions, start=1)
    )
    if new_items:
        _raise_revision(meeting)
        record_event(
            meeting,
            EventKind.AGENDA_CHANGED,
            author=author,
            organisation=organisation,
            now=now,
            after={"items added": len(new_items)},
        )
    return new_items


@transaction.atomic
def edit_agenda(
    *,
    meeting: Meeting,
    lines: Sequence[AgendaLine],
    organisation: Organisation,
    revision: int,
    author: User,
    now: dt.datetime,
) -> Meeting:
    """Save the items of an agenda in this order. Raises `UnableToChangeAgenda`.

    `revision` is the revision that the author edited. Items that the author may not read follow after these lines,
    in their present order.
    """
    meeting = _lock_editable(meeting, organisation, author, now)
    if revision != meeting.revision:
        raise UnableToChangeAgenda(
            "Someone changed the agenda while you were editing. Check the changes before you save."
        )
    if sum(line.is_kept for line in lines) > MAX_ITEMS:
        raise UnableToChangeAgenda(f"An agenda can have up to {MAX_ITEMS} items. Remove some first.")

    presenter_ids = set(possible_attendees(meeting.partnership).values_list("pk", flat=True))
    items_by_id = {item.pk: item for item in AgendaItem.objects.visible_to(author).filter(meeting=meeting)}
    saved_ids: list[int] = []
    for position, line in enumerate(lines, start=1):
        item: AgendaItem | None
        if line.item is None:
            item = AgendaItem(meeting=meeting, added_by=author, added_for=organisation, added_at=now)
        else:
            item = items_by_id.get(line.item.pk)
        item = _checked_item(item, line, presenter_ids)
        _save_item(item, line, position, now)
        saved_ids.append(item.pk)

    unreadable_items = meeting.agenda.exclude(pk__in=[*items_by_id, *saved_ids]).order_by("position", "pk")
    for position, unreadable_item in enumerate(unreadable_items, start=len(lines) + 1):
        unreadable_item.position = position
        unreadable_item.save(update_fields=["position"])

    _raise_revision(meeting)
    record_event(meeting, EventKind.AGENDA_CHANGED, author=author, organisation=organisation, now=now)
    return meeting


def _checked_item(item: AgendaItem | None, line: AgendaLine, presenter_ids: set[int]) -> AgendaItem:
    """Return the item if it still exists and the line is complete. Raises `UnableToChangeAgenda` otherwise.

    A presenter who has since left the partnership stays with the item, but cannot be chosen for another item.
    """
    if not line.title.strip():
        raise UnableToChangeAgenda("Enter a title for each item.")
    if item is None:
        raise UnableToChangeAgenda("Someone removed an item while you were editing. Check the agenda before you save.")
    presenter = line.presenter
    if presenter is not None and presenter.pk not in presenter_ids and presenter.pk != item.presenter_id:
        raise UnableToChangeAgenda(
            f"{presenter.display_name} does not act for an organisation in this partnership. Choose someone who does."
        )
    return item


def _save_item(item: AgendaItem, line: AgendaLine, position: int, now: dt.datetime) -> None:
    """Save an item as its line says. The title of an item about a record of another room does not change."""
    if not item.subject_kind:
        item.title = line.title.strip()[:300]
    item.position = position
    item.purpose = line.purpose
    item.minutes = line.minutes
    item.presenter = line.presenter
    item.dropped_at = None if line.is_kept else item.dropped_at or now
    item.save()


@transaction.atomic
def circulate_agenda(
    *, meeting: Meeting, organisation: Organisation, revision: int, author: User, now: dt.datetime
) -> Meeting:
    """Freeze the agenda and email it to the people invited. Raises `UnableToChangeAgenda`.

    Each email contains only the items that its recipient may read. `revision` is the revision that the author saw.
    """
    meeting = _lock_editable(meeting, organisation, author, now)
    if revision != meeting.revision:
        raise UnableToChangeAgenda(
            "Someone has changed the agenda since you opened it. Check the changes before you circulate it."
        )
    if not meeting.agenda.filter(dropped_at=None).exists():
        raise UnableToChangeAgenda("The agenda is empty. Add an item first.")

    meeting.agenda_sent_at = now
    meeting.save(update_fields=["agenda_sent_at"])
    record_event(meeting, EventKind.AGENDA_CIRCULATED, author=author, organisation=organisation, now=now)
    email_people("meeting_agenda", meeting, author=author, now=now)
    return meeting


def _raise_revision(meeting: Meeting) -> None:
    """Count a change of the agenda, so that an edit that began before it is refused."""
    meeting.revision += 1
    meeting.save(update_fields=["revision"])


def _last_position(meeting: Meeting) -> int:
    return meeting.agenda.aggregate(last=Max("position"))["last"] or 0
