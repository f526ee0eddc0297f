"""Events of conversations and meetings that a person may see."""

from __future__ import annotations

from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.activity.registry import Records
from partnerships.agreements.models import Party
from partnerships.conversations.models import Conversation, Meeting
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def events_of_own_side(user: User, records: Records) -> Q:
    """Return the condition on events that only one side may see.

    These are events about points, and events with names that the record leaves out.
    """
    return Q(organisation_id__in=Organisation.objects.of_person(user).values("pk"))


def events_of_conversations(user: User, records: Records) -> Q:
    """Return the condition on events that every side may see.

    What the person's own side did is stored twice. The version without names is left out here,
    because the person sees the version with names.
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
    about_side = Q(target_kind="conversation_side", target_id=conversation.pk)
    about_conversation = Q(target_kind="conversation", target_id=conversation.pk)
    within = Q(within_kind="conversation", within_id=conversation.pk)
    return visible_events(user, about_side | about_conversation | within).order_by("-at", "-id")
