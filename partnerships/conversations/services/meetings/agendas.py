"""Services that collect the items of an agenda, edit the agenda and circulate it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

from partnerships.conversations.event_kinds import EventKind
from partnerships.conversations.models import AgendaItem, ItemPurpose, Meeting
from partnerships.conversations.queries.agendas import suggestions_for
from partnerships.conversations.queries.meetings import people_who_may_come
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
    current = lock_meeting(meeting)
    require(rights_over_meetings(current.partnership, author, now).may_edit_for(organisation), _ONLY_EDITORS)
    if current.partnership.is_over:
        raise UnableToChangeAgenda("This partnership has ended, so you can no longer change the agenda.")
    if not current.is_planned:
        raise UnableToChangeAgenda(f"The meeting {current.ended_words}, so you can no longer change its agenda.")
    if current.is_frozen:
        raise UnableToChangeAgenda("The agenda has been circulated, so you can no longer change it.")
    return current


@transaction.atomic
def gather_agenda(*, meeting: Meeting, organisation: Organisation, author: User, now: dt.datetime) -> list[AgendaItem]:
    """Add the items that other rooms suggest and the author may read, and return the new items.

    Items that are on the agenda already, or were dropped, are not added again. Raises `UnableToChangeAgenda`.
    """
    current = _lock_editable(meeting, organisation, author, now)
    suggestions = suggestions_for(current, author, now)
    free_places = max(MAX_ITEMS - current.agenda.filter(dropped_at=None).count(), 0)
    last_position = _last_position(current)
    created = AgendaItem.objects.bulk_create(
        AgendaItem(
            meeting=current,
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
        for offset, proposal in enumerate(suggestions[:free_places], start=1)
    )
    if created:
        _raise_revision(current)
        record_event(
            current,
            EventKind.AGENDA_CHANGED,
            author=author,
            organisation=organisation,
            now=now,
            after={"items added": len(created)},
        )
    return created


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
    current = _lock_editable(meeting, organisation, author, now)
    if revision != current.revision:
        raise UnableToChangeAgenda(
            "Someone changed the agenda while you were editing. Check the changes before you save."
        )
    possible_presenter_ids = set(people_who_may_come(current.partnership).values_list("pk", flat=True))
    items_by_id = {item.pk: item for item in AgendaItem.objects.visible_to(author).filter(meeting=current)}
    if sum(line.is_kept for line in lines) > MAX_ITEMS:
        raise UnableToChangeAgenda(f"An agenda can have up to {MAX_ITEMS} items. Remove some first.")
    saved_ids: list[int] = []
    for position, line in enumerate(lines, start=1):
        if not line.title.strip():
            raise UnableToChangeAgenda("Enter a title for each item.")
        item = (
            items_by_id.get(line.item.pk)
            if line.item
            else AgendaItem(meeting=current, added_by=author, added_for=organisation, added_at=now)
        )
        if item is None:
            raise UnableToChangeAgenda(
                "Someone removed an item while you were editing. Check the agenda before you save."
            )
        # A presenter who has since left the partnership stays with the item, but cannot be chosen for another item.
        may_present = (
            line.presenter is None
            or line.presenter.pk in possible_presenter_ids
            or line.presenter.pk == item.presenter_id
        )
        if line.presenter is not None and not may_present:
            raise UnableToChangeAgenda(
                f"{line.presenter.display_name} does not act for an organisation in this partnership. "
                "Choose someone who does."
            )
        if not item.subject_kind:
            item.title = line.title.strip()[:300]
        item.position, item.purpose, item.minutes, item.presenter = position, line.purpose, line.minutes, line.presenter
        item.dropped_at = None if line.is_kept else item.dropped_at or now
        item.save()
        saved_ids.append(item.pk)
    unreadable_items = current.agenda.exclude(pk__in=[*items_by_id, *saved_ids]).order_by("position", "pk")
    for position, item in enumerate(unreadable_items, start=len(lines) + 1):
        item.position = position
        item.save(update_fields=["position"])
    _raise_revision(current)
    record_event(current, EventKind.AGENDA_CHANGED, author=author, organisation=organisation, now=now)
    return current


@transaction.atomic
def circulate_agenda(
    *, meeting: Meeting, organisation: Organisation, revision: int, author: User, now: dt.datetime
) -> Meeting:
    """Freeze the agenda and email it to the people invited. Raises `UnableToChangeAgenda`.

    Each email contains only the items that its recipient may read. `revision` is the revision that the author saw.
    """
    current = _lock_editable(meeting, organisation, author, now)
    if revision != current.revision:
        raise UnableToChangeAgenda(
            "Someone has changed the agenda since you opened it. Check the changes before you circulate it."
        )
    if not current.agenda.filter(dropped_at=None).exists():
        raise UnableToChangeAgenda("The agenda is empty. Add an item first.")
    current.agenda_sent_at = now
    current.save(update_fields=["agenda_sent_at"])
    record_event(current, EventKind.AGENDA_CIRCULATED, author=author, organisation=organisation, now=now)
    email_people("meeting_agenda", current, author=author, now=now)
    return current


def _raise_revision(meeting: Meeting) -> None:
    meeting.revision += 1
    meeting.save(update_fields=["revision"])


def _last_position(meeting: Meeting) -> int:
    return meeting.agenda.aggregate(last=Max("position"))["last"] or 0
