"""The page of one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.origin import origin_links_of, origin_lookups
from partnerships.commitments.models import Commitment, CommitmentQuerySet
from partnerships.commitments.queries import name_as_at as commitments_as_at
from partnerships.conversations import queries
from partnerships.conversations.models import Attachment, Conversation, Meeting, PrivateNote
from partnerships.conversations.queries.events import kinds_in_story
from partnerships.conversations.queries.listings import private_notes, titles_lookup
from partnerships.conversations.queries.people import editors_still_to_agree
from partnerships.conversations.queries.points import SidePoints
from partnerships.conversations.rights import Rights, rights_over
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Membership
from partnerships.organisations.statements import Lookup, lookup, read_ahead, rows_for
from partnerships.organisations.timeline import TimelineLine, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one conversation: attendees, record, points, next steps and status, as far as the person may read them."""
    user = signed_in(request)
    conversation = get_object_or_404(queries.with_related_rows(Conversation.objects.visible_to(user)), pk=pk)
    rights = rights_over(conversation, user, timezone.now(), sides=conversation.sides.all())
    own_ids = set(Membership.objects.roles_of(user))
    read_ahead(_lookups(conversation, user))
    _hide_unknown_partnership(conversation, user)

    meetings = rows_for(_meetings, user, pk)
    actions = rows_for(_actions, user, pk)
    commitments = rows_for(_commitments, user, pk)
    notes = queries.private_notes_of(conversation, user)
    _name_as_at(conversation, notes, [*actions, *commitments])

    shown_action_ids = {action.pk for action in actions}
    context = {
        "conversation": conversation,
        "rights": rights,
        "own_ids": own_ids,
        "origin_links": origin_links_of(conversation, user) if conversation.partnership else [],
        "meeting": meetings[0] if meetings else None,
        # The record
        "seats": queries.side_attendees(conversation, own_ids),
        "sides": _sides_with_points(conversation, user, rights, own_ids),
        "entries": rows_for(_entries, user, pk),
        "corrections": conversation.corrections.all(),
        "can_lock_alone": _can_lock_alone(conversation, rights),
        # What follows from it
        "actions": actions,
        "steps": [step for step in conversation.next_steps.all() if step.action_id not in shown_action_ids],
        "commitments": commitments,
        # Notes, files and history
        "notes": notes,
        "files": rows_for(_files, pk),
        "may_attach": rights.may_edit,
        "removable_for": {conversation.organisation_id} if rights.may_edit else set(),
        "lines": _timeline(user, conversation),
    }
    return render(request, "conversations/detail.html", context)


def _lookups(conversation: Conversation, user: User) -> list[Lookup]:
    """Return the queries of the page that only need the conversation, to read them together."""
    pk = conversation.pk
    partnership_ids = [conversation.partnership_id] if conversation.partnership_id else []
    return [
        titles_lookup(user, partnership_ids),
        *origin_lookups(Conversation, pk),
        lookup(_actions, user, pk),
        lookup(_commitments, user, pk),
        lookup(_meetings, user, pk),
        lookup(_entries, user, pk),
        lookup(_files, pk),
        lookup(private_notes, user, pk),
        lookup(editors_still_to_agree, pk),
        lookup(kinds_in_story, pk),
    ]


def _actions(user: User, conversation_id: int) -> CommitmentQuerySet:
    """Return the actions from the conversation's next steps that the person may see."""
    return (
        Commitment.objects.visible_to(user).filter(next_step__conversation=conversation_id).for_listing().order_by("pk")
    )


def _commitments(user: User, conversation_id: int) -> CommitmentQuerySet:
    """Return the commitments from the conversation that the person may see."""
    return Commitment.objects.visible_to(user).filter(from_conversations__conversation=conversation_id).for_listing()


def _meetings(user: User, conversation_id: int) -> QuerySet[Meeting]:
    """Return the meeting whose minutes are the conversation, if the person may see it."""
    return Meeting.objects.visible_to(user).filter(conversation=conversation_id).order_by("pk")[:1]


def _entries(user: User, conversation_id: int) -> QuerySet[Entry]:
    """Return the asks and offers from the conversation that the person may see."""
    return Entry.objects.visible_to(user).filter(from_points__point__conversation=conversation_id)


def _files(conversation_id: int) -> QuerySet[Attachment]:
    """Return the files of the conversation that were not removed."""
    return Attachment.objects.filter(conversation=conversation_id, removed_at=None).order_by("pk")


def _can_lock_alone(conversation: Conversation, rights: Rights) -> bool:
    """Return whether the organisation that keeps the record can lock it without the agreement of others.

    It can if no other organisation has a person who can agree.
    """
    if not rights.may_answer or rights.to_agree_for:
        return False
    return not queries.ids_still_to_agree(conversation)


def _hide_unknown_partnership(conversation: Conversation, user: User) -> None:
    """Remove the partnership from the conversation if the reader may not know of it.

    A person of a former party sees the partnership as it was when their party left. The page never saves the
    conversation, so the change stays in memory.
    """
    if not queries.partnership_titles_of(user, [conversation]):
        conversation.partnership = None
    elif conversation.partnership is not None:
        conversation.partnership = partnership_as_read_by(user, conversation.partnership)


def _sides_with_points(
    conversation: Conversation, user: User, rights: Rights, own_organisation_ids: set[int]
) -> list[SidePoints]:
    """Return the points of each organisation, with their asks and offers, and what the reader may do with them."""
    sides = queries.points_by_side(conversation, own_organisation_ids)
    queries.set_point_entries(sides, user)
    queries.set_point_actions(sides, {side.pk for side in rights.sides})
    return sides


def _name_as_at(conversation: Conversation, notes: Sequence[PrivateNote], commitments: Sequence[Commitment]) -> None:
    """Give each organisation on the page the name that it had on the day when it acted. Makes one query.

    For example, an organisation that was renamed since appears in the record under its name on that day.
    """
    organisations = queries.organisations_shown(conversation)
    dated_organisations = [(conversation.held_on, organisation) for organisation in organisations]
    corrections = conversation.corrections.all()
    dated_organisations += [(timezone.localdate(row.made_at), row.organisation) for row in corrections]
    dated_organisations += [(timezone.localdate(note.written_at), note.organisation) for note in notes]
    commitments_as_at(commitments, beside=dated_organisations)


def _timeline(user: User, conversation: Conversation) -> list[TimelineLine]:
    """Return the newest 100 events, newest first. They leave out the title, which is the heading of the page."""
    newest_events = queries.story_of(conversation, user)[:100]
    return [replace(line, subject="") for line in timeline_lines(newest_events)]
