"""The origin "conversation" of commitments: it suggests a commitment, and links the commitment to its conversation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db.models import QuerySet

from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import CommitmentSuggestion, Origin, OriginLink
from partnerships.commitments.services import UnableToPropose
from partnerships.conversations.models import Conversation, ConversationCommitment, NextStep, Side
from partnerships.kit.dates import long_date
from partnerships.organisations.models import EDITING_ROLES, Organisation
from partnerships.people.models import User


def suggest_commitment(*, user: User, record_id: int) -> CommitmentSuggestion | None:
    """Suggest a commitment of the person's own organisation to the other organisation in the conversation.

    If several others took part, the suggestion has no receiver. Returns None if the person may not read the
    conversation, or edits for none of its organisations.
    """
    conversation = Conversation.objects.visible_to(user).for_listing().filter(pk=record_id).first()
    if conversation is None:
        return None
    organisations = [side.organisation for side in conversation.sides.all()]
    edited_organisations = Organisation.objects.of_person(user, *EDITING_ROLES)
    giver = edited_organisations.filter(pk__in=[organisation.pk for organisation in organisations]).first()
    if giver is None:
        return None
    other_organisations = [organisation for organisation in organisations if organisation != giver]
    return CommitmentSuggestion(
        words=conversation_in_words(conversation),
        href=conversation.get_absolute_url(),
        giver=giver,
        receiver=other_organisations[0] if len(other_organisations) == 1 else None,
        partnership=conversation.partnership,
    )


def link_commitment(*, commitment: Commitment, record_id: int, author: User, now: dt.datetime) -> None:
    """Link the commitment to the conversation.

    Raises `UnableToPropose` unless the commitment is between two organisations that took part.
    """
    sides = Side.objects.filter(conversation=record_id, organisation__in=[commitment.giver_id, commitment.receiver_id])
    if sides.count() != 2:
        raise UnableToPropose("A commitment from a conversation must be between two organisations that took part.")
    ConversationCommitment.objects.create(conversation_id=record_id, commitment=commitment, made_at=now)


def conversation_links_of(*, commitment: Commitment, user: User) -> Sequence[OriginLink]:
    """Return links to the conversations that a commitment came from and that the person may see."""
    linked_ids = _commitment_links(commitment.pk).order_by().values("conversation")
    ids_of_step = _steps_with_action(commitment.pk).order_by().values("conversation")
    conversations = Conversation.objects.visible_to(user).filter(pk__in=linked_ids.union(ids_of_step))
    return [
        OriginLink(conversation_in_words(conversation), conversation.get_absolute_url())
        for conversation in conversations.order_by("held_on", "pk")
    ]


def copy_links(*, old: Commitment, new: Commitment) -> None:
    """Copy the links of a commitment to the commitment that replaces it."""
    links = ConversationCommitment.objects.filter(commitment=old).order_by("pk")
    copies = [
        ConversationCommitment(conversation_id=link.conversation_id, commitment=new, made_at=link.made_at)
        for link in links
    ]
    ConversationCommitment.objects.bulk_create(copies, ignore_conflicts=True)


def conversation_in_words(conversation: Conversation) -> str:
    """Name the conversation in a sentence: `the conversation “Quayside” of 12 November 2026`."""
    return f"the conversation “{conversation.subject}” of {long_date(conversation.held_on)}"


def _commitment_links(commitment_id: int) -> QuerySet[ConversationCommitment]:
    """Return the links from conversations to a commitment."""
    return ConversationCommitment.objects.filter(commitment=commitment_id)


def _steps_with_action(commitment_id: int) -> QuerySet[NextStep]:
    """Return the next step that became this commitment, as a queryset."""
    return NextStep.objects.filter(action=commitment_id)


CONVERSATION = Origin(
    name="conversation",
    suggest=suggest_commitment,
    link=link_commitment,
    links_of=conversation_links_of,
    copy_links=copy_links,
    rows=(_commitment_links, _steps_with_action),
)
