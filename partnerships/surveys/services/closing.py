"""Closes rounds whose last day is over, publishes the results that are safe to show, and deletes the answers."""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.surveys import sealing
from partnerships.surveys.counting import Answer, RoundResults, count_answers
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import Comment, Figure, Round, RoundStatus, SealedAnswer
from partnerships.surveys.queries.rounds import open_rounds, partnerships_of
from partnerships.surveys.services.recording import lock_round, record_event
from partnerships.surveys.services.rounds import delete_answers_and_list

log = structlog.get_logger(__name__)


def close_due(*, now: dt.datetime) -> int:
    """Close each round whose last day is over, and return the number of closed rounds.

    If the answers of a round cannot be opened, operators get an alert and the other rounds are still closed.
    """
    _destroy_leftover_keys()
    due_rounds = open_rounds(closes_on__lt=timezone.localdate(now)).order_by("pk")
    closed_count = 0
    for survey_round in due_rounds:
        try:
            closed_count += _close(survey_round, now=now)
        except sealing.KeyMissing as error:
            _alert(survey_round, f"{error} Put the file there. Nobody can read the answers until then.")
        except ValueError as error:
            _alert(survey_round, f"{error} Nobody can read the answers. A lead can end the survey without results.")
    return closed_count


def _alert(survey_round: Round, reason: str) -> None:
    """Alert operators, at most once a day, that a round cannot be closed."""
    log.error("survey_not_closed", round=survey_round.pk)
    alert_operators(f"Survey {survey_round.pk} cannot be closed", reason, quiet=dt.timedelta(days=1))


@transaction.atomic
def _close(survey_round: Round, *, now: dt.datetime) -> bool:
    """Close one round and publish its results. Return False if the round was no longer open."""
    survey_round = lock_round(survey_round)
    # Another worker may have closed the round while this one waited for the lock.
    if survey_round.status != RoundStatus.OPEN or survey_round.takes_answers(now):
        return False
    if survey_round.is_anonymous:
        _publish(survey_round)
    survey_round.status = RoundStatus.CLOSED
    survey_round.closed_at = now
    survey_round.public_key = None
    survey_round.save()
    delete_answers_and_list(survey_round)

    record_event(survey_round, EventKind.ROUND_CLOSED, author=None, now=now)
    _email_leads(survey_round, now)
    if survey_round.moderator_id and survey_round.comments.exists():
        _email_moderator(survey_round, survey_round.moderator_id, now)
    return True


def _email_moderator(survey_round: Round, moderator_id: int, now: dt.datetime) -> None:
    """Email the moderator that there are comments to read."""
    record_emails(kind="surveys.comments", people=[moderator_id], params={"round": survey_round.pk}, now=now)


def _email_leads(survey_round: Round, now: dt.datetime) -> None:
    """Email the leads of all partnerships that run the round, each once.

    The email is about one of their own partnerships, because they may not open the pages of the others.
    """
    emailed_ids: set[int] = set()
    for partnership in partnerships_of(survey_round):
        parties = partnership.parties.accepted().select_related("organisation")
        leads = leads_with_account([party.organisation for party in parties])
        new_ids = set(leads.values_list("pk", flat=True)) - emailed_ids
        params = {"round": survey_round.pk, "partnership": partnership.pk}
        record_emails(kind="surveys.results", people=sorted(new_ids), params=params, now=now)
        emailed_ids |= new_ids


def _publish(survey_round: Round) -> None:
    """Count the sealed answers, and store the figures, and the comments that the moderator will read."""
    boxes = [bytes(box) for box in SealedAnswer.objects.filter(round=survey_round).values_list("box", flat=True)]
    answers: list[Answer] = sealing.open_answers(survey_round.key_name, boxes)
    results: RoundResults = count_answers(
        answers,
        survey_round.questions(),
        asked_by_group=survey_round.asked,
        joined_code_by_group=survey_round.counted,
        floor=survey_round.floor,
    )

    survey_round.answered_at_least = results.answered_at_least
    Figure.objects.bulk_create(
        Figure(
            round=survey_round,
            theme=figure.theme,
            group=figure.group,
            value=figure.value,
            answered_at_least=survey_round.floor,
        )
        for figure in results.figures
    )

    comments = [Comment(round=survey_round, question=question, text=text) for question, text in results.comments]
    # Sorted by random id, so that the order of the rows does not show which comments one person wrote.
    Comment.objects.bulk_create(sorted(comments, key=lambda comment: comment.pk))


def _destroy_leftover_keys() -> None:
    """Delete the keys of rounds that are over.

    A key is left over if a process is killed between the commit and the deletion. Keys of rounds that are not in this
    database are not deleted, because a drill with an old backup may use the same folder.
    """
    # The name of a key begins with the id of its round.
    prefixes = [name.partition("-")[0] for name in sealing.key_names()]
    round_ids = [int(prefix) for prefix in prefixes if prefix.isdecimal()]
    over_rounds = Round.objects.filter(pk__in=round_ids, status__in=[RoundStatus.CLOSED, RoundStatus.ABANDONED])
    for survey_round in over_rounds:
        sealing.destroy_key(survey_round.key_name)
