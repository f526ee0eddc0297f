"""The tasks of moderators in My work, who agree to read comments and then read them."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.kit.addresses import page_address
from partnerships.kit.waiting import WaitingTask
from partnerships.organisations.audience import People, Reach
from partnerships.organisations.statements import lookup, rows_for
from partnerships.organisations.waiting import TaskSource
from partnerships.people.models import User
from partnerships.surveys.models import Comment, CommentStatus, Round, RoundStatus


def _unread_comments() -> QuerySet[Comment]:
    """Return the comments that their moderator has not decided on."""
    return Comment.objects.filter(status=CommentStatus.WAITING)


def _rounds_with_unread_comments(now: dt.datetime) -> tuple[Reach, ...]:
    """Return closed rounds with comments that nobody has decided on, and the people who must decide."""
    closed = Round.objects.filter(status=RoundStatus.CLOSED, pk__in=_unread_comments().values("round"))
    return (Reach(closed, (People("moderator"),)),)


def _rounds_to_moderate(user: User) -> QuerySet[Round]:
    """Return the closed rounds whose comments the person must read, the oldest first."""
    rounds = Round.objects.moderated_by(user).filter(pk__in=_unread_comments().values("round"))
    return rounds.select_related("partnership").order_by("closed_at", "pk")


def _moderating_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    return [
        WaitingTask(
            action="Read the comments from this survey",
            title=survey_round.title,
            path=page_address("surveys:moderate", survey_round.pk),
            since=survey_round.closed_at,
            partnership_title=survey_round.partnership.title,
        )
        for survey_round in rows_for(_rounds_to_moderate, user)
    ]


def _drafts_asking_moderators(now: dt.datetime) -> tuple[Reach, ...]:
    """Return drafts whose moderator has been asked and has not answered, and the people who must answer."""
    drafts = Round.objects.filter(
        status=RoundStatus.DRAFT, moderator_asked_at__isnull=False, moderator_agreed_at__isnull=True
    )
    return (Reach(drafts, (People("moderator"),)),)


def _drafts_to_agree_to(user: User) -> QuerySet[Round]:
    return Round.objects.asking_to_moderate(user).select_related("partnership").order_by("moderator_asked_at", "pk")


def _agreement_tasks(user: User, now: dt.datetime) -> list[WaitingTask]:
    return [
        WaitingTask(
            action="Say whether you will read the comments from this survey",
            title=survey_round.title,
            path=page_address("surveys:agree", survey_round.pk),
            since=survey_round.moderator_asked_at,
            partnership_title=survey_round.partnership.title,
        )
        for survey_round in rows_for(_drafts_to_agree_to, user)
    ]


#: Where My work finds the tasks of this room.
TASK_SOURCES = (
    TaskSource(
        _moderating_tasks,
        _rounds_with_unread_comments,
        lookups=lambda user, _: (lookup(_rounds_to_moderate, user),),
    ),
    TaskSource(
        _agreement_tasks, _drafts_asking_moderators, lookups=lambda user, _: (lookup(_drafts_to_agree_to, user),)
    ),
)
