"""Events of conversations and meetings that a person may see."""

from __future__ import annotations

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from partnerships.activity.models import Event
from partnerships.activity.queries import kinds_of_records, visible_events_of_kinds
from partnerships.activity.registry import Records
from partnerships.agreements.models import Party
from partnerships.conversations.models import Conversation, Meeting
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User


def events_of_own_side(user: User, records: Records) -> Q:
    """Return the condition that an event is of the reader's own organisation.

    It applies to events about points, and to events with names that the record leaves out.
    """
    return Q(organisation_id__in=Organisation.objects.of_person(user).values("pk"))


def events_of_conversations(user: User, records: Records) -> Q:
    """Return the condition on events that all organisations that took part may see.

    An event of a record without names is stored twice. People of the organisation that acted see the version with
    names, so the version without names is left out for them.
    """
    own_side = Organisation.objects.of_person(user).filter(
        pk=Cast(KeyTextTransform("side", OuterRef("data")), BigIntegerField())
    )
    return ~Q(Exists(own_side))


def events_of_meetings(user: User, records: Records) -> Q:
    """Return the condition on events about meetings; people of a former party see the events before it left."""
    own_meetings = Meeting.objects.with_party_of(user).filter(pk__in=records)
    meeting = Meeting.objects.filter(pk=OuterRef(OuterRef("target_id")))
    former_parties = Party.objects.left_after("at", user).filter(partnership__in=meeting.values("partnership"))
    return Q(target_id__in=own_meetings.values("pk")) | Q(Exists(former_parties))


def story_of(conversation: Conversation, user: User) -> QuerySet[Event]:
    """Return the events of a conversation that the person may see, the newest first."""
    kind_names = rows_for(kinds_in_story, conversation.pk)
    return visible_events_of_kinds(user, _is_in_story(conversation.pk), kind_names).order_by("-at", "-id")


def kinds_in_story(conversation_id: int) -> QuerySet[Event, str]:
    """Return the kinds of record that the events of a conversation are about, for `lookup`."""
    return kinds_of_records(_is_in_story(conversation_id))


def _is_in_story(conversation_id: int) -> Q:
    """Return the condition for the events of a conversation and of the records that belong to it."""
    about_side = Q(target_kind="conversation_side", target_id=conversation_id)
    about_conversation = Q(target_kind="conversation", target_id=conversation_id)
    return about_side | about_conversation | Q(within_kind="conversation", within_id=conversation_id)
