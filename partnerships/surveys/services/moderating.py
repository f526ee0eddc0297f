"""Records the moderator's decision to show or withhold each comment."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from django.db import transaction

from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.people.retention import delete_in_batches
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import UNREAD_KEPT, Comment, CommentStatus, Round
from partnerships.surveys.queries.results import shown_comments
from partnerships.surveys.questions import MAX_COMMENT
from partnerships.surveys.rights import may_moderate
from partnerships.surveys.services.recording import lock_round, record_event


class UnableToModerate(Exception):
    """Raised if a comment has no text to show, or was decided on before."""


@transaction.atomic
def decide_comments(
    *, survey_round: Round, shown: Mapping[uuid.UUID, str], withheld: set[uuid.UUID], author: User, now: dt.datetime
) -> None:
    """Show comments with the texts in `shown`, and withhold those in `withheld`. Raises `UnableToModerate`.

    The original texts are deleted. Once no comment of the round is waiting, an event says that comments are published.
    """
    survey_round = lock_round(survey_round)
    require(may_moderate(survey_round, author))
    waiting_comments = Comment.objects.filter(round=survey_round, status=CommentStatus.WAITING)
    comment_by_pk = {comment.pk: comment for comment in waiting_comments.select_for_update()}
    if not (shown.keys() | withheld) <= comment_by_pk.keys():
        raise UnableToModerate(
            "You have already decided on some of these comments. Open the page again to see the rest."
        )
    if any(not text.strip() or len(text) > MAX_COMMENT for text in shown.values()):
        raise UnableToModerate("Enter the words to show, or withhold the comment.")

    for pk, text in shown.items():
        _save_decision(comment_by_pk[pk], CommentStatus.SHOWN, text.strip())
    for pk in withheld:
        _save_decision(comment_by_pk[pk], CommentStatus.WITHHELD, "")

    has_decided = bool(shown or withheld)
    if has_decided and not waiting_comments.exists() and shown_comments(survey_round):
        record_event(survey_round, EventKind.COMMENTS_PUBLISHED, author=None, now=now)


def delete_unread_comments(now: dt.datetime, dry_run: bool) -> int:
    """Delete comments that no moderator has read in time, for example because the moderator joined a party."""
    unread = Comment.objects.filter(status=CommentStatus.WAITING, round__closed_at__lte=now - UNREAD_KEPT)
    return delete_in_batches(unread, dry_run=dry_run)


def _save_decision(comment: Comment, status: CommentStatus, shown_text: str) -> None:
    """Save the decision on a comment, and delete the text that the person wrote."""
    comment.status = status
    comment.shown = shown_text
    comment.text = ""
    comment.save(update_fields=["status", "shown", "text"])
