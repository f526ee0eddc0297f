"""Close rounds whose last day is over: open the answers once, publish what is safe, and forget them."""

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
    """Close each round whose last day is over; returns how many. One that cannot be opened holds up no other."""
    _destroy_keys_left()
    closed = 0
    for found in open_rounds(closes_on__lt=timezone.localdate(now)).order_by("pk"):
        try:
            closed += _close(found, now=now)
        except sealing.KeyMissing as error:
            _alert(found, f"{error} Put the file there. Until then nobody reads the answers.")
        except ValueError as error:
            _alert(found, f"{error} Nobody reads the answers; a lead can end the survey without results.")
    return closed


def _alert(found: Round, why: str) -> None:
    log.error("survey_not_closed", round=found.pk)
    alert_operators(f"Survey {found.pk} cannot be closed", why, quiet=dt.timedelta(days=1))


@transaction.atomic
def _close(found: Round, *, now: dt.datetime) -> bool:
    locked = lock_round(found)
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


def _tell_leads(found: Round, now: dt.datetime) -> None:
    """Tell each lead once, as news of the partnership that they belong to: they may not open that of others."""
    told: set[int] = set()
    for partnership in partnerships_of(found):
        parties = partnership.parties.present().select_related("organisation")
        leads = set(leads_with_account([one.organisation for one in parties]).values_list("pk", flat=True)) - told
        params = {"round": found.pk, "partnership": partnership.pk}
        record_emails(kind="surveys.results", people=sorted(leads), params=params, now=now)
        told |= leads


def _publish(found: Round) -> None:
    boxes = [bytes(box) for box in SealedAnswer.objects.filter(round=found).values_list("box", flat=True)]
    answers: list[Answer] = sealing.open_all(found.key_name, boxes)
    outcome: Outcome = outcome_of(
        answers, found.questions(), asked=found.asked, counted=found.counted, floor=found.floor
    )
    found.answered_at_least = outcome.answered_at_least
    Figure.objects.bulk_create(
        Figure(round=found, theme=one.theme, group=one.group, value=one.value, answered_at_least=found.floor)
        for one in outcome.figures
    )
    comments = [Comment(round=found, question=question, text=text) for question, text in outcome.comments]
    # By their random numbers, so that the order of the rows says nothing.
    Comment.objects.bulk_create(sorted(comments, key=lambda one: one.pk))


def _destroy_keys_left() -> None:
    """Delete keys of rounds that are over, if the process was killed between commit and deletion.

    Never those of rounds that this database does not know: a drill with an old backup may share the folder.
    """
    names = sealing.keys_here()
    over = Round.objects.filter(
        status__in=[RoundStatus.CLOSED, RoundStatus.ABANDONED],
        pk__in=[int(number) for name in names if (number := name.partition("-")[0]).isdecimal()],
    )
    for found in over:
        sealing.destroy_key(found.key_name)
