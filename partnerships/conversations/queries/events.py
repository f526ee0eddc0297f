"""Which events about conversations a person may see."""

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
    """Condition on events that only one's own side may see.

    Events about points, and events with names that the record does not give.
    """
    return Q(organisation_id__in=Organisation.objects.of_person(user).values("pk"))


def events_of_conversations(user: User, records: Records) -> Q:
    """Condition on events that every side may see.

    Without the nameless version of what one's own side did.
    """
    shown_in_full = Organisation.objects.of_person(user).filter(
        pk=Cast(KeyTextTransform("side", OuterRef("data")), BigIntegerField())
    )
    return ~Q(Exists(shown_in_full))


def events_of_meetings(user: User, records: Records) -> Q:
    """Condition on events about meetings that the person may see.

    For a former party: events up to the moment it left.
    """
    own_meetings = Meeting.objects.open_to(user).filter(pk__in=records)
    meeting = Meeting.objects.filter(pk=OuterRef(OuterRef("target_id")))
    former = Party.objects.left_after("at", user).filter(partnership__in=meeting.values("partnership"))
    return Q(target_id__in=own_meetings.values("pk")) | Q(Exists(former))


def story_of(conversation: Conversation, user: User) -> QuerySet[Event]:
    """Timeline of a conversation, newest first, as the person may see it."""
    own_line = Q(target_kind="conversation_side", target_id=conversation.pk)
    here = own_line | Q(target_kind="conversation", target_id=conversation.pk)
    within = Q(within_kind="conversation", within_id=conversation.pk)
    return visible_events(user, here | within).order_by("-at", "-id")
