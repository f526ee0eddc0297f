"""Lock a round, check that it can still be changed, record events, and note what a restore must not bring back."""

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

#: The journal's names for surveys that ended without results, for partnerships taken out of a draft, and for people
#: who are no longer to read its comments.
ABANDONED, JOINING, READER = "survey ended", "survey joining", "survey reader"


class UnableToRun(Exception):
    """A survey cannot be prepared, opened, changed or ended like this.

    The message says why.
    """


def lock_round(survey_round: Round) -> Round:
    """Lock the partnership, then the round, and return it as it is now.

    Check its state only after this.
    """
    partnership = recording.lock_partnership(survey_round.partnership_id)
    locked = Round.objects.select_for_update(of=("self",)).select_related("question_set").get(pk=survey_round.pk)
    locked.partnership = partnership
    return locked


def record_event(
    survey_round: Round, event: EventKind, *, author: User | None, now: dt.datetime, reason: str = ""
) -> None:
    """Record on each partnership that runs a round what happened to it."""
    after = {"survey": survey_round.title, **({"reason": reason} if reason else {})}
    for partnership in partnerships_of(survey_round):
        recording.record_event(
            partnership, event, author=author, now=now, data={"survey_round": survey_round.pk, "after": after}
        )


def lock_draft(survey_round: Round, author: User | None, now: dt.datetime) -> Round:
    """The draft, locked, for somebody who may add people to ask. Raises `UnableToRun` for another round."""
    locked = lock_round(survey_round)
    require(rights_in(locked, author, now).may_invite)
    if not locked.is_draft:
        raise UnableToRun("This survey has opened, so you can no longer change it.")
    if locked.partnership.is_over_on(timezone.localdate(now)):
        raise UnableToRun("This partnership has ended, so you can no longer change its survey.")
    return locked


def lock_own_draft(survey_round: Round, author: User | None, now: dt.datetime) -> Round:
    """The draft, locked, for a lead of the partnership that prepares it. Raises `UnableToRun` for another round."""
    locked = lock_draft(survey_round, author, now)
    require(rights_over(locked.partnership, author, now).may_run)
    return locked


def withdraw_agreement(survey_round: Round) -> None:
    """Ask the moderator to agree again, because the list of people has changed."""
    if survey_round.moderator_agreed_at is not None:
        survey_round.moderator_agreed_at = None
        survey_round.save(update_fields=["moderator_agreed_at"])


def round_identity(survey_round: Round) -> str:
    """The journal's hash of a round."""
    return journal.identity(survey_round.partnership_id, survey_round.number, survey_round.created_at)


def joining_identity(joining: Joining) -> str:
    """The journal's hash of a partnership that runs a round too."""
    return journal.identity(round_identity(joining.round), joining.partnership_id)


def journal_abandoned(survey_round: Round, *, now: dt.datetime) -> None:
    """Note that a round ended without results: its links and answers must not come back."""
    journal.note(ABANDONED, now=now, round=survey_round.pk, same=round_identity(survey_round))


def journal_joining(joining: Joining, *, now: dt.datetime, undone: bool = False) -> None:
    """Note that a partnership was taken out of a draft.

    `undone`: it was asked again.
    """
    journal.note(JOINING, now=now, round=joining.round_id, same=joining_identity(joining), undone=undone)


def journal_reader(survey_round: Round, *, now: dt.datetime) -> None:
    """Note that the person named so far is no longer to read a draft's comments."""
    if survey_round.moderator_id is not None:
        journal.note(
            READER, now=now, round=survey_round.pk, same=round_identity(survey_round), reader=survey_round.moderator_id
        )
