"""Work that waits for a person in surveys: comments to read before the parties do, and requests to do so."""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet

from partnerships.kit.addresses import page_address
from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import People, Reach
from partnerships.organisations.statements import rows_for
from partnerships.organisations.waiting import Source
from partnerships.people.models import User
from partnerships.surveys.models import Comment, CommentStatus, Round, RoundStatus


def _unread() -> QuerySet[Comment]:
    return Comment.objects.filter(status=CommentStatus.WAITING)


def _waits(now: dt.datetime) -> tuple[Reach, ...]:
    closed = Round.objects.filter(status=RoundStatus.CLOSED, pk__in=_unread().values("round"))
    return (Reach(closed, (People("moderator"),)),)


def _to_moderate(user: User) -> QuerySet[Round]:
    waiting = Round.objects.moderated_by(user).filter(pk__in=_unread().values("round"))
    return waiting.select_related("partnership").order_by("closed_at", "pk")


def _comments_to_read(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what="Read the comments from this survey",
            title=survey_round.title,
            path=page_address("surveys:moderate", survey_round.pk),
            since=survey_round.closed_at,
            within=survey_round.partnership.title,
        )
        for survey_round in rows_for(_to_moderate, user)
    ]


def _asks(now: dt.datetime) -> tuple[Reach, ...]:
    drafts = Round.objects.filter(
        status=RoundStatus.DRAFT, moderator_asked_at__isnull=False, moderator_agreed_at__isnull=True
    )
    return (Reach(drafts, (People("moderator"),)),)


def _asked(user: User) -> QuerySet[Round]:
    return Round.objects.asking(user).select_related("partnership").order_by("moderator_asked_at", "pk")


def _to_agree(user: User, now: dt.datetime) -> list[Waiting]:
    return [
        Waiting(
            what="Say whether you will read the comments from this survey",
            title=survey_round.title,
            path=page_address("surveys:agree", survey_round.pk),
            since=survey_round.moderator_asked_at,
            within=survey_round.partnership.title,
        )
        for survey_round in rows_for(_asked, user)
    ]


WAITING = (Source(_comments_to_read, _waits), Source(_to_agree, _asks))
