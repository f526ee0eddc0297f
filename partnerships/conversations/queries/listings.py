"""Queries for conversations, with the related rows that their pages show."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from partnerships.agreements.models import Partnership, Party
from partnerships.conversations.models import (
    Attendee,
    Conversation,
    ConversationQuerySet,
    Correction,
    NextStep,
    Point,
    PrivateNote,
    RecordedDecision,
    Side,
)
from partnerships.organisations.holdings import for_a_few_records, id_is_among
from partnerships.organisations.lineage import organisation_ids_by_name
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.organisations.naming import AsAt, show_names_of_day
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


def only_shared_partnership(user: User, organisations: Collection[Organisation]) -> Partnership | None:
    """Return the only live partnership of the person in which all these organisations take part.

    The person must edit for one of its parties. Returns None if there is no such partnership, or more than one.
    """
    shared = Partnership.objects.with_party_of(user, *EDITING_ROLES).live()
    for organisation in organisations:
        parties = Party.objects.accepted().filter(partnership=OuterRef("pk"), organisation=organisation)
        shared = shared.filter(Exists(parties))
    # Two are enough to know that there is more than one.
    first_partnerships = list(shared.order_by("pk")[:2])
    return first_partnerships[0] if len(first_partnerships) == 1 else None


def conversations_kept_by(user: User) -> ConversationQuerySet:
    """Return the conversations with a record that an organisation of the person keeps."""
    return Conversation.objects.filter(organisation__in=Organisation.objects.of_person(user))


def newest_first(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Order conversations by date, newest first, and by id, because pages need a unique order."""
    return conversations.order_by("-held_on", "-pk")


def with_record(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Fetch all parts of the records of conversations: attendees, points, next steps and decisions."""
    steps = NextStep.objects.select_related("organisation", "owner", "action").order_by("due_on", "pk")
    points = Point.objects.select_related("organisation", "became__entry").order_by("kind", "pk")
    attendees = Attendee.objects.select_related("organisation", "person").order_by("pk")
    return conversations.for_listing().prefetch_related(
        Prefetch("attendees", queryset=attendees),
        Prefetch("points", queryset=points),
        Prefetch("next_steps", queryset=steps),
        Prefetch("decisions", queryset=RecordedDecision.objects.order_by("position", "pk")),
    )


def with_related_rows(conversations: ConversationQuerySet) -> ConversationQuerySet:
    """Fetch everything that the page of a conversation shows, except private notes."""
    corrections = Correction.objects.select_related("organisation", "author", "answered_by").order_by("made_at", "pk")
    return with_record(conversations).prefetch_related(Prefetch("corrections", queryset=corrections))


def organisations_shown(conversation: Conversation) -> list[Organisation]:
    """Return every organisation object on the page of a conversation that `with_related_rows` fetched.

    The list can contain several objects for the same organisation.
    """
    organisations = [conversation.organisation]
    for relation in (conversation.sides, conversation.attendees, conversation.points, conversation.next_steps):
        organisations += [row.organisation for row in relation.all()]
    return organisations


def name_as_at(conversations: Iterable[Conversation]) -> None:
    """Give the organisations of each conversation the names that they had on its day. Makes one query.

    Use this only for lists that show the names, because such organisations must not be saved.
    """
    dated_organisations: list[AsAt] = []
    for conversation in conversations:
        dated_organisations.append((conversation.held_on, conversation.organisation))
        sides = conversation.sides.all()
        dated_organisations += [(conversation.held_on, side.organisation) for side in sides]
    show_names_of_day(dated_organisations)


def matching_words(conversations: ConversationQuerySet, words: str) -> ConversationQuerySet:
    """Return the conversations with these words in their subject, or in a name of an organisation that took part."""
    sides = Side.objects.filter(organisation__in=organisation_ids_by_name(words))
    return conversations.filter(Q(subject__icontains=words) | Q(pk__in=sides.values("conversation")))


def private_notes_of(conversation: Conversation, user: User) -> list[PrivateNote]:
    """Return the private notes of the person's own organisations about a conversation."""
    return rows_for(private_notes, user, conversation.pk)


def private_notes(user: User, conversation_id: int) -> QuerySet[PrivateNote]:
    """Return the query for the private notes of the person's own organisations, without notes that were cleared."""
    own_private_notes = PrivateNote.objects.visible_to(user).filter(conversation=conversation_id).exclude(text="")
    return own_private_notes.select_related("organisation", "written_by").order_by("pk")


def partnership_titles_of(user: User, conversations: Iterable[Conversation]) -> dict[int, str]:
    """Return the titles of the partnerships of these conversations that the reader may see, by the partnership's id.

    For example, an organisation that took part but is not in the partnership reads the record, but not the title.
    """
    partnership_ids = {conversation.partnership_id for conversation in conversations if conversation.partnership_id}
    return partnership_titles(user, partnership_ids)


def partnership_titles(user: User, partnership_ids: Collection[int]) -> dict[int, str]:
    """Return the titles of those of these partnerships that the reader may see, by id."""
    if not partnership_ids:
        return {}
    return dict(rows_for(_titles, user, sorted(partnership_ids)))


def titles_lookup(user: User, partnership_ids: Collection[int]) -> Lookup:
    """Return the lookup of the partnerships' titles, for `read_ahead`."""
    return lookup(_titles, user, sorted(partnership_ids))


def _titles(user: User, ids: list[int]) -> QuerySet[Partnership, tuple[int, str]]:
    """Return the query for the id and title of each of these partnerships that the reader may see."""
    with for_a_few_records():
        visible = Partnership.objects.visible_to(user)
    return visible.filter(id_is_among("pk", ids)).values_list("pk", "title")


def last_conversation_between(
    *, user: User, own_side: Organisation, other_side: Organisation, today: dt.date
) -> Conversation | None:
    """Return the last conversation of the two organisations that the person may read, with sides and attendees."""
    last_conversations = rows_for(_last_conversation, user, own_side.pk, other_side.pk, today=today)
    return last_conversations[0] if last_conversations else None


def last_conversation_lookup(*, user: User, own_side: Organisation, other_side: Organisation, today: dt.date) -> Lookup:
    """Return the lookup of `last_conversation_between` with the same arguments, for `read_ahead`."""
    return lookup(_last_conversation, user, own_side.pk, other_side.pk, today=today)


def _last_conversation(user: User, own_side: int, other_side: int, *, today: dt.date) -> QuerySet[Conversation]:
    """Return the last conversation of two organisations that the person may read, as a query with one row or none."""
    attendees = Attendee.objects.select_related("organisation", "person").order_by("pk")
    held_conversations = conversations_held_between(user, own_side, other_side, today=today)
    return held_conversations.for_listing().prefetch_related(Prefetch("attendees", queryset=attendees))[:1]


def conversations_held_between(user: User, own_side: int, other_side: int, *, today: dt.date) -> ConversationQuerySet:
    """Return the conversations that two organisations have held and the person may read, the newest first."""
    conversations = Conversation.objects.visible_to(user).with_organisation(own_side).with_organisation(other_side)
    return newest_first(conversations.held().filter(held_on__lte=today))
