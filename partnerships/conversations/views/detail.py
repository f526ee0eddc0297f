"""The page of one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from partnerships.agreements.former_parties import partnership_as_read_by
from partnerships.agreements.origin import origin_links_of
from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import name_as_at as commitments_as_at
from partnerships.conversations import queries
from partnerships.conversations.models import Conversation, Meeting, PrivateNote
from partnerships.conversations.queries.points import SidePoints
from partnerships.conversations.rights import Rights, rights_over
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.organisations.timeline import TimelineLine, timeline_lines
from partnerships.people.models import User
from partnerships.people.requests import signed_in


@require_safe
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one conversation: attendees, record, points, next steps and status, as far as the person may read them."""
    user = signed_in(request)
    conversation = get_object_or_404(queries.with_related_rows(Conversation.objects.visible_to(user)), pk=pk)
    rights = rights_over(conversation, user, timezone.now())
    own_ids = set(Organisation.objects.of_person(user).values_list("pk", flat=True))
    _hide_unknown_partnership(conversation, user)

    visible_commitments = Commitment.objects.visible_to(user)
    actions = list(visible_commitments.filter(next_step__conversation=conversation).for_listing().order_by("pk"))
    commitments = list(visible_commitments.filter(from_conversations__conversation=conversation).for_listing())
    notes = queries.private_notes_of(conversation, user)
    _name_as_at(conversation, notes, [*actions, *commitments])

    shown_action_ids = {action.pk for action in actions}
    context = {
        "conversation": conversation,
        "rights": rights,
        "own_ids": own_ids,
        "origin_links": origin_links_of(conversation, user) if conversation.partnership else [],
        "meeting": Meeting.objects.visible_to(user).filter(conversation=conversation).first(),
        # The record
        "seats": queries.side_attendees(conversation, own_ids),
        "sides": _sides_with_points(conversation, user, rights, own_ids),
        "entries": Entry.objects.visible_to(user).filter(from_points__point__conversation=conversation),
        "corrections": conversation.corrections.all(),
        "nobody_can_agree": _nobody_can_agree(conversation, rights),
        # What follows from it
        "actions": actions,
        "steps": [step for step in conversation.next_steps.all() if step.action_id not in shown_action_ids],
        "commitments": commitments,
        # Notes, files and history
        "notes": notes,
        "files": conversation.attachments.filter(removed_at=None).order_by("pk"),
        "may_attach": rights.may_edit,
        "removable_for": {conversation.organisation_id} if rights.may_edit else set(),
        "lines": _lines(user, conversation),
    }
    return render(request, "conversations/detail.html", context)


def _nobody_can_agree(conversation: Conversation, rights: Rights) -> bool:
    """Return whether the keeper of the record can lock it alone, because no other side has a person who can agree."""
    if not rights.may_answer or rights.to_agree_for:
        return False
    return not queries.ids_of_sides_to_ask(conversation)


def _hide_unknown_partnership(conversation: Conversation, user: User) -> None:
    """Remove the partnership from the conversation if the reader may not know of it.

    People who may read a conversation may not always know of its partnership. The changed row is never saved.
    """
    if not queries.partnership_titles_of(user, [conversation]):
        conversation.partnership = None
    elif conversation.partnership is not None:
        conversation.partnership = partnership_as_read_by(user, conversation.partnership)


def _sides_with_points(
    conversation: Conversation, user: User, rights: Rights, own_organisation_ids: set[int]
) -> list[SidePoints]:
    """Return the points of each side, with the asks and offers from them, and what the reader may do with them."""
    sides = queries.points_by_side(conversation, own_organisation_ids)
    queries.set_point_entries(sides, user)
    queries.set_point_actions(sides, {side.pk for side in rights.sides})
    return sides


def _name_as_at(conversation: Conversation, notes: Sequence[PrivateNote], commitments: Sequence[Commitment]) -> None:
    """Name each organisation as on the day of what it did. One query fetches all names of the page."""
    organisations = queries.organisations_shown(conversation)
    dated_organisations = [(conversation.held_on, organisation) for organisation in organisations]
    corrections = conversation.corrections.all()
    dated_organisations += [(timezone.localdate(row.made_at), row.organisation) for row in corrections]
    dated_organisations += [(timezone.localdate(note.written_at), note.organisation) for note in notes]
    commitments_as_at(commitments, beside=dated_organisations)


def _lines(user: User, conversation: Conversation) -> list[TimelineLine]:
    """Return the newest 100 events, newest first, without the conversation's title, which is the page's heading."""
    newest_events = queries.story_of(conversation, user)[:100]
    return [replace(line, subject="") for line in timeline_lines(newest_events)]
