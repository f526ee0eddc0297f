"""Retention: addresses of named colleagues, and text of refused answers."""

from __future__ import annotations

import datetime as dt

from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, Incoming, IncomingFile
from partnerships.answers.models.incoming import INCOMING_KEPT
from partnerships.people.retention import change_in_batches, delete_in_batches, for_each, register_retention

#: How long a named colleague's address is kept after a decision.
COLLEAGUE_KEPT = dt.timedelta(days=30)
#: How long a named colleague's address is kept if nobody decides.
COLLEAGUE_WAITS = dt.timedelta(days=90)
#: How long the words of a refused answer are kept, so that a decision can be explained.
REFUSED_KEPT = dt.timedelta(days=180)
_UNDECIDED = "Nobody decided in time."


def _drop_colleagues(now: dt.datetime, dry_run: bool) -> int:
    answers = Answer.objects.filter(kind=AnswerKind.COLLEAGUE).exclude(colleague_email="", colleague_name="")
    decided = answers.filter(decided_at__lte=now - COLLEAGUE_KEPT)
    waiting = answers.waiting().filter(made_at__lte=now - COLLEAGUE_WAITS)
    empty = {"colleague_email": "", "colleague_name": ""}
    refused = {"status": AnswerStatus.REFUSED, "decided_at": now, "reason": _UNDECIDED, **empty}
    cleared = change_in_batches(decided, lambda rows: rows.update(**empty), dry_run=dry_run)
    return cleared + change_in_batches(waiting, lambda rows: rows.update(**refused), dry_run=dry_run)


def _drop_refused(now: dt.datetime, dry_run: bool) -> int:
    old = Answer.objects.filter(status=AnswerStatus.REFUSED, decided_at__lte=now - REFUSED_KEPT).exclude(text="")
    return change_in_batches(old, lambda rows: rows.update(text=""), dry_run=dry_run)


def _drop_incoming(now: dt.datetime, dry_run: bool) -> int:
    old = Incoming.objects.filter(received_at__lte=now - INCOMING_KEPT)
    if not dry_run:
        for_each(list(IncomingFile.objects.filter(incoming__in=old.values("pk"))), drop_file)
    return delete_in_batches(old, dry_run=dry_run)


def drop_file(row: IncomingFile) -> None:
    """Delete a file and its row.

    In this order, so that the row of a file that was not deleted is found again.
    """
    row.file.storage.delete(str(row.file.name))
    row.delete()


def register() -> None:
    """Register the rules; once, at start-up."""
    basis = "public task: working together on housing"
    register_retention(
        "colleagues named by stakeholders",
        what="Name and address of a colleague that a stakeholder named",
        purpose="asking them whether they want to follow a plan",
        basis=basis,
        kept_for="30 days after the decision, 90 days without one",
        apply=_drop_colleagues,
    )
    register_retention(
        "refused answers",
        what="The words of a stakeholder's answer that an owner refused",
        purpose="explaining the decision",
        basis=basis,
        kept_for="180 days after the decision",
        apply=_drop_refused,
    )
    register_retention(
        "emails that came in",
        what="Replies and forwarded emails, with attachments, that wait for confirmation",
        purpose="making a comment, an answer or a conversation of them",
        basis=basis,
        kept_for="30 days; their text until they are confirmed or deleted",
        apply=_drop_incoming,
    )
