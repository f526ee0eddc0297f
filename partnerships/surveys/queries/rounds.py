"""Rounds of a partnership, and who is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db.models import QuerySet

from partnerships.agreements.models import Partnership
from partnerships.surveys.models import Invitation, QuestionSet, Round, RoundStatus


def rounds_of(partnership: Partnership) -> QuerySet[Round]:
    """All rounds of a partnership, newest first."""
    return Round.objects.filter(partnership=partnership).for_pages().order_by("-number")


def newest_question_sets() -> list[QuestionSet]:
    """The newest version of each question set, by name."""
    newest: dict[str, QuestionSet] = {}
    for one in QuestionSet.objects.order_by("code", "version"):
        newest[one.code] = one
    return sorted(newest.values(), key=str)


def invited_to(found: Round) -> Sequence[Invitation]:
    """Who is asked, by address; nobody once the round is over."""
    return list(found.invitations.select_related("person").order_by("person__email"))


def asked_by_group(found: Round) -> dict[str, int]:
    """How many people are asked, by group: from the invitations of a draft, else as fixed at opening."""
    if not found.is_draft:
        return dict(found.asked)
    return dict(Counter(found.invitations.values_list("group", flat=True)))


def open_rounds(**on: object) -> QuerySet[Round]:
    """Rounds that are open, or whose days are over but whose answers are not opened yet."""
    return Round.objects.filter(status=RoundStatus.OPEN, **on)
