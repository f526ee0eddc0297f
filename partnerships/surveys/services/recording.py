"""Locks rounds, checks that they can still be changed, records their events, and notes endings in the journal."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.agreements.services import recording
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.people.models import User
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import Joining, Round
from partnerships.surveys.queries.rounds import partnerships_of
from partnerships.surveys.rights import rights_in, rights_over

#: Kinds of entry in the journal for restores: surveys that ended without results, partnerships removed from a draft,
#: and moderators who were replaced.
ABANDONED, JOINING, READER = "survey ended", "survey joining", "survey reader"


class UnableToRun(Exception):
    """Raised if a survey cannot be prepared, opened, changed or ended. The message says why."""


def lock_round(survey_round: Round) -> Round:
    """Lock the partnership and then the round, and return the round as it is now.

    The round that was passed in may be out of date, so callers check the status of the returned round.
    """
    partnership = recording.lock_partnership(survey_round.partnership_id)
    survey_round = Round.objects.select_for_update(of=("self",)).select_related("question_set").get(pk=survey_round.pk)
    survey_round.partnership = partnership
    return survey_round


def record_event(
    survey_round: Round, event: EventKind, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """Record an event of a round on each partnership that runs it."""
    after = {"survey": survey_round.title, **({"reason": reason} if reason else {})}
    for partnership in partnerships_of(survey_round):
        recording.record_event(
            partnership, event, author=author, now=now, data={"survey_round": survey_round.pk, "after": after}
        )


def lock_draft(survey_round: Round, author: User | None, now: dt.datetime) -> Round:
    """Lock a draft for a person who may add people to it.

    Raises `UnableToRun` if the draft can no longer be changed.
    """
    survey_round = lock_round(survey_round)
    require(rights_in(survey_round, author, now).may_invite)
    if not survey_round.is_draft:
        raise UnableToRun("This survey has opened, so you can no longer change it.")
    if survey_round.partnership.is_over_on(timezone.localdate(now)):
        raise UnableToRun("This partnership has ended, so you can no longer change its survey.")
    return survey_round


def lock_own_draft(survey_round: Round, author: User | None, now: dt.datetime) -> Round:
    """Lock a draft for a lead of the partnership that prepares it.

    Raises `UnableToRun` if the draft can no longer be changed.
    """
    survey_round = lock_draft(survey_round, author, now)
    require(rights_over(survey_round.partnership, author, now).may_run)
    return survey_round


def withdraw_agreement(survey_round: Round) -> None:
    """Clear the moderator's agreement, because the list of people has changed."""
    if survey_round.moderator_agreed_at is not None:
        survey_round.moderator_agreed_at = None
        survey_round.save(update_fields=["moderator_agreed_at"])


def round_identity(survey_round: Round) -> str:
    """Return the hash that identifies a round in the journal for restores."""
    return journal.identity(survey_round.partnership_id, survey_round.number, survey_round.created_at)


def joining_identity(joining: Joining) -> str:
    """Return the hash that identifies a joining partnership in the journal for restores."""
    return journal.identity(round_identity(joining.round), joining.partnership_id)


def journal_abandoned(survey_round: Round, *, now: dt.datetime) -> None:
    """Note in the journal that a round ended without results.

    A restore must not revive the links or answers of such a round.
    """
    journal.note(ABANDONED, now=now, round=survey_round.pk, same=round_identity(survey_round))


def journal_joining(joining: Joining, *, now: dt.datetime, undone: bool = False) -> None:
    """Note in the journal that a partnership was removed from a draft or, with `undone`, that it was asked again."""
    journal.note(JOINING, now=now, round=joining.round_id, same=joining_identity(joining), undone=undone)


def journal_reader(survey_round: Round, *, now: dt.datetime) -> None:
    """Note in the journal that the present moderator is replaced, so that a restore does not name them again."""
    if survey_round.moderator_id is not None:
        journal.note(
            READER, now=now, round=survey_round.pk, same=round_identity(survey_round), reader=survey_round.moderator_id
        )
