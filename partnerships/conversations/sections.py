"""Sections on pages of organisations and partnerships: the last conversation, the journal, and facilitators."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party
from partnerships.agreements.rights import rights_over
from partnerships.conversations.models import Facilitator, JournalNote
from partnerships.conversations.models.journal import JournalNoteQuerySet
from partnerships.conversations.queries import conversations_held_between
from partnerships.conversations.queries.journal import journal_notes
from partnerships.kit.sections import Section
from partnerships.organisations.models import EDITING_ROLES, Membership, Organisation
from partnerships.organisations.queries import acting_memberships
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


def meeting_section(user: User, organisation: Organisation) -> Section | None:
    """Return the last conversation with the organisation, and links to its brief and to record the next conversation.

    Returns None for people who act for no other organisation.
    """
    other_memberships = [
        membership for membership in acting_memberships(user) if membership.organisation_id != organisation.pk
    ]
    if not other_memberships:
        return None
    own_organisation = other_memberships[0].organisation
    return Section(
        "conversations/_meeting.html",
        {
            "organisation": organisation,
            "ours": own_organisation,
            "last": conversations_held_between(
                user, own_organisation.pk, organisation.pk, today=timezone.localdate()
            ).first(),
            "may_record": any(membership.role in EDITING_ROLES for membership in other_memberships),
        },
    )


#: A section shows at most this many journal notes.
_NOTES = 3


def notes_on_partnership(partnership_id: int) -> JournalNoteQuerySet:
    """Return the notes of all organisations on a partnership."""
    return JournalNote.objects.filter(partnership=partnership_id)


def journal_of_partnership(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the notes of the reader's own organisations on a partnership, for people of present parties."""
    writes = Party.objects.person_takes_part(user, partnership.pk, *EDITING_ROLES)
    return _journal(user, "partnership", partnership.pk, writes=writes, has_notes=has_rows)


def partnership_journal_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookup of the notes on a partnership, for `read_ahead`."""
    return [lookup(_notes, user, partnership.pk, column="partnership")]


def notes_on_organisation(organisation_id: int) -> JournalNoteQuerySet:
    """Return the notes of all organisations on an organisation."""
    return JournalNote.objects.filter(about=organisation_id)


def journal_of_organisation(user: User, organisation: Organisation, *, has_rows: bool) -> Section | None:
    """Return the notes of the reader's own organisations on an organisation."""
    writes = bool(Membership.objects.organisations_of(user, *EDITING_ROLES))
    return _journal(user, "about", organisation.pk, writes=writes, has_notes=has_rows)


def organisation_journal_lookups(user: User, organisation: Organisation) -> list[Lookup]:
    """Return the lookup of the notes on an organisation, for `read_ahead`."""
    return [lookup(_notes, user, organisation.pk, column="about")]


def _notes(user: User, record_id: int, *, column: str) -> JournalNoteQuerySet:
    """Return the newest notes whose `column` refers to a partnership or organisation."""
    return journal_notes(user).filter(**{column: record_id}).order_by("-dated_on", "-pk")[:_NOTES]


def _journal(user: User, column: str, record_id: int, *, writes: bool, has_notes: bool) -> Section | None:
    """Return the section with the newest notes, or None if there are no notes and the person may not write any."""
    newest = rows_for(_notes, user, record_id, column=column) if has_notes else []
    if not (newest or writes):
        return None
    address = reverse("conversations:journal")
    context = {
        "notes": newest,
        "all_href": f"{address}?{column}={record_id}",
        "write_href": f"{address}new/?{column}={record_id}" if writes else "",
    }
    return Section("conversations/journal/_section.html", context)


def _facilitators(user: User, partnership_id: int) -> QuerySet[Facilitator]:
    facilitators = Facilitator.objects.visible_to(user).not_ended().filter(partnership=partnership_id)
    return facilitators.for_listing().order_by("person__name", "pk")


def facilitators_of(partnership_id: int) -> QuerySet[Facilitator]:
    """Return the present and former facilitators of a partnership."""
    return Facilitator.objects.filter(partnership=partnership_id)


def facilitators_lookups(user: User, partnership: Partnership) -> list[Lookup]:
    """Return the lookup of the partnership's facilitators, for `read_ahead`."""
    return [lookup(_facilitators, user, partnership.pk)]


def facilitators_section(user: User, partnership: Partnership, *, has_rows: bool) -> Section | None:
    """Return the facilitators of the partnership, and for leads the link to name a facilitator.

    Returns None if there are no facilitators and the person may not name one.
    """
    facilitators = rows_for(_facilitators, user, partnership.pk) if has_rows else []
    may_lead = rights_over(partnership, user, timezone.now()).leads and not partnership.is_over
    if not (facilitators or may_lead):
        return None
    context = {
        "partnership": partnership,
        "facilitators": facilitators,
        "may_lead": may_lead,
        "watches": may_lead
        or any(facilitator.person_id == user.pk and not facilitator.is_waiting for facilitator in facilitators),
    }
    return Section("conversations/facilitating/_section.html", context)
