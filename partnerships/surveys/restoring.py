"""Ends surveys again after a restore, and removes partnerships and moderators that had been removed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import MADE_AGAIN, RedoResult, ended_rows, redo_each, register_redo
from partnerships.surveys.models import Joining, Round, RoundStatus
from partnerships.surveys.services.joining import remove_joining
from partnerships.surveys.services.recording import (
    ABANDONED,
    JOINING,
    READER,
    joining_identity,
    round_identity,
    withdraw_agreement,
)
from partnerships.surveys.services.rounds import abandon_round


def redo_abandoned(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """End again the surveys that had ended without results.

    Their links stop working, and their answers are deleted unread.
    """

    def end_again(survey_round: Round, _line: dict[str, Any]) -> int:
        abandon_round(survey_round=survey_round, reason=MADE_AGAIN, author=None, now=now)
        return 1

    round_ids = {line["round"] for line in lines}
    rounds = Round.objects.filter(pk__in=round_ids, status__in=[RoundStatus.DRAFT, RoundStatus.OPEN]).order_by("pk")
    return redo_each(
        "round",
        lines,
        rounds,
        identity_of=round_identity,
        began_at=lambda survey_round: survey_round.created_at,
        redo=end_again,
    )


def redo_joinings(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove from drafts again the partnerships that were removed since the backup and not asked again."""
    joinings = Joining.objects.filter(round__in={line["round"] for line in lines}, round__status=RoundStatus.DRAFT)
    removed_joinings = ended_rows(
        joinings.select_related("round").order_by("pk"),
        lines,
        identity_of=joining_identity,
        began_at=lambda joining: joining.asked_at,
    )
    for joining in removed_joinings:
        remove_joining(joining=joining, author=None, now=now)
    return RedoResult(len(removed_joinings))


def redo_readers(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """Remove moderators of drafts who had been replaced. The leads must then name a moderator again."""

    def remove_moderator(survey_round: Round, line: dict[str, Any]) -> int:
        if survey_round.moderator_id != line["reader"]:
            return 0
        survey_round.moderator = survey_round.moderator_asked_at = None
        survey_round.save(update_fields=["moderator", "moderator_asked_at"])
        withdraw_agreement(survey_round)
        return 1

    drafts = Round.objects.filter(pk__in={line["round"] for line in lines}, status=RoundStatus.DRAFT).order_by("pk")
    return redo_each(
        "round",
        lines,
        drafts,
        identity_of=round_identity,
        began_at=lambda draft: draft.created_at,
        redo=remove_moderator,
    )


def register() -> None:
    """Register the steps after a restore."""
    register_redo(ABANDONED, "surveys ended again without results", redo_abandoned)
    register_redo(JOINING, "partnerships taken out of surveys again", redo_joinings)
    register_redo(READER, "people who no longer read the comments of a survey", redo_readers)
