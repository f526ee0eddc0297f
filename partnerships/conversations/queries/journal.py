"""Notes of the journal that a person may read or write."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from partnerships.agreements.former_parties import former_parties, restore_past_values
from partnerships.agreements.models import Partnership
from partnerships.conversations.models import JournalNote
from partnerships.conversations.models.journal import JournalNoteQuerySet
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User


def journal_notes(
    user: User, *, text: str = "", partnership_id: int | None = None, organisation_id: int | None = None
) -> JournalNoteQuerySet:
    """Return the notes of the person's organisations that contain every word of `text`, without an order.

    With `partnership_id`, only notes on this partnership are returned. With `organisation_id`, only notes about this
    organisation are returned.
    """
    notes = JournalNote.objects.visible_to(user).for_listing()
    if partnership_id is not None:
        notes = notes.filter(partnership=partnership_id)
    if organisation_id is not None:
        notes = notes.filter(about=organisation_id)
    condition = Q()
    for word in text.split():
        condition &= Q(text__icontains=word)
    return notes.filter(condition)


def show_titles_at_departure(notes: Iterable[JournalNote], user: User) -> None:
    """Show people of a former party the title that a partnership had when their party left.

    The `partnership` of each such note is changed in memory, for a page. It must not be saved.
    """
    partnerships = [note.partnership for note in notes if note.partnership is not None]
    former_party_by_partnership = former_parties(user, [partnership.pk for partnership in partnerships])
    restore_past_values(partnerships, former_party_by_partnership)


def organisation_writing_about(user: User, *, partnership: Partnership | None = None) -> Organisation | None:
    """Return the organisation for which the person writes notes, or None.

    For notes about a partnership, the organisation must be a party of it.
    """
    own_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    if partnership is not None:
        own_organisations = own_organisations.filter(pk__in=partnership.parties.accepted().values("organisation"))
    return own_organisations.order_by("name", "pk").first()
