"""Close rounds whose last day is over.

Open the answers once, publish what is safe, and forget them.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction
from django.utils import timezone

from partnerships.kit.operators import alert_operators
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.surveys import sealing
from partnerships.surveys.counting import Answer, Outcome, outcome_of
from partnerships.surveys.event_kinds import EventKind
from partnerships.surveys.models import Comment, Figure, Round, RoundStatus, SealedAnswer
from partnerships.surveys.queries.rounds import open_rounds, partnerships_of
from partnerships.surveys.services.recording import lock_round, record_event
from partnerships.surveys.services.rounds import forget

log = structlog.get_logger(__name__)


def close_due(*, now: dt.datetime) -> int:
    """Close each round whose last day is over.

    Returns how many. One that cannot be opened holds up no other.
    """
    _destroy_keys_left()
    closed = 0
    for survey_round in open_rounds(closes_on__lt=timezone.localdate(now)).order_by("pk"):
        try:
            closed += _close(survey_round, now=now)
        except sealing.KeyMissing as error:
            _alert(survey_round, f"{error} Put the file there: nobody can read the answers until then.")
        except ValueError as error:
            _alert(survey_round, f"{error} Nobody can read the answers. A lead can end the survey without results.")
    return closed


def _alert(survey_round: Round, why: str) -> None:
    log.error("survey_not_closed", round=survey_round.pk)
    alert_operators(f"Survey {survey_round.pk} cannot be closed", why, quiet=dt.timedelta(days=1))


@transaction.atomic
def _close(survey_round: Round, *, now: dt.datetime) -> bool:
    locked = lock_round(survey_round)
    if locked.status != RoundStatus.OPEN or locked.takes_answers(now):
        return False
    if locked.is_anonymous:
        _publish(locked)
    locked.status, locked.closed_at, locked.public_key = RoundStatus.CLOSED, now, None
    locked.save()
    forget(locked)
    record_event(locked, EventKind.ROUND_CLOSED, author=None, now=now)
    _tell_leads(locked, now)
    if locked.moderator_id and locked.comments.exists():
        record_emails(kind="surveys.comments", people=[locked.moderator_id], params={"round": locked.pk}, now=now)
    return True


def _tell_leads(survey_round: Round, now: dt.datetime) -> None:
    """Tell each lead once, as news of the partnership that they belong to.

    They may not open that of others.
    """
    told_people: set[int] = set()
    for partnership in partnerships_of(survey_round):
        parties = partnership.parties.present().select_related("organisation")
        leads = (
            set(leads_with_account([party.organisation for party in parties]).values_list("pk", flat=True))
            - told_people
        )
        params = {"round": survey_round.pk, "partnership": partnership.pk}
        record_emails(kind="surveys.results", people=sorted(leads), params=params, now=now)
        told_people |= leads


def _publish(survey_round: Round) -> None:
    """Count the sealed answers, store the figures, and the comments for their reader."""
    boxes = [bytes(box) for box in SealedAnswer.objects.filter(round=survey_round).values_list("box", flat=True)]
    answers: list[Answer] = sealing.open_all(survey_round.key_name, boxes)
    outcome: Outcome = outcome_of(
        answers,
        survey_round.questions(),
        asked=survey_round.asked,
        counted=survey_round.counted,
        floor=survey_round.floor,
    )
    survey_round.answered_at_least = outcome.answered_at_least
    Figure.objects.bulk_create(
        Figure(
            round=survey_round,
            theme=figure.theme,
            group=figure.group,
            value=figure.value,
            answered_at_least=survey_round.floor,
        )
        for figure in outcome.figures
    )
    comments = [Comment(round=survey_round, question=question, text=text) for question, text in outcome.comments]
    # By their random numbers, so that the order of the rows says nothing.
    Comment.objects.bulk_create(sorted(comments, key=lambda comment: comment.pk))


def _destroy_keys_left() -> None:
    """Delete keys of rounds that are over, if the process was killed between commit and deletion.

    Never those of rounds that this database does not know: a drill with an old backup may share the folder.
    """
    names = sealing.keys_here()
    over = Round.objects.filter(
        status__in=[RoundStatus.CLOSED, RoundStatus.ABANDONED],
        pk__in=[int(number) for name in names if (number := name.partition("-")[0]).isdecimal()],
    )
    for survey_round in over:
        sealing.destroy_key(survey_round.key_name)
