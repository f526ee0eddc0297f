"""Retention of named colleagues, refused answers, and incoming emails."""

from __future__ import annotations

import datetime as dt

from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, Incoming, IncomingFile
from partnerships.answers.models.incoming import INCOMING_RETENTION
from partnerships.people.retention import change_in_batches, count_successes, delete_in_batches, register_retention

#: The time after the decision for which the name and address of a colleague are stored.
COLLEAGUE_KEPT = dt.timedelta(days=30)
#: The time in which an owner must decide about a colleague; the answer is then refused and the address cleared.
COLLEAGUE_WAITS = dt.timedelta(days=90)
#: The time for which the text of a refused answer is stored, so that an owner can explain the decision.
REFUSED_KEPT = dt.timedelta(days=180)
_REASON_IF_UNDECIDED = "Nobody decided in time."


def clear_colleagues(now: dt.datetime, dry_run: bool) -> int:
    """Clear the names and addresses of colleagues some time after the decision, and refuse answers left undecided.

    Returns the number of answers.
    """
    answers = Answer.objects.filter(kind=AnswerKind.COLLEAGUE).exclude(colleague_email="", colleague_name="")
    decided_answers = answers.filter(decided_at__lte=now - COLLEAGUE_KEPT)
    undecided_answers = answers.waiting().filter(made_at__lte=now - COLLEAGUE_WAITS)

    cleared_values = {"colleague_email": "", "colleague_name": ""}
    refused_values = {
        "status": AnswerStatus.REFUSED,
        "decided_at": now,
        "reason": _REASON_IF_UNDECIDED,
        **cleared_values,
    }
    count_decided = change_in_batches(decided_answers, lambda rows: rows.update(**cleared_values), dry_run=dry_run)
    count_undecided = change_in_batches(undecided_answers, lambda rows: rows.update(**refused_values), dry_run=dry_run)
    return count_decided + count_undecided


def clear_refused(now: dt.datetime, dry_run: bool) -> int:
    """Clear the text of answers that were refused some time ago."""
    refused_answers = Answer.objects.filter(status=AnswerStatus.REFUSED, decided_at__lte=now - REFUSED_KEPT)
    return change_in_batches(refused_answers.exclude(text=""), lambda rows: rows.update(text=""), dry_run=dry_run)


def delete_incoming(now: dt.datetime, dry_run: bool) -> int:
    """Delete incoming emails and their files some time after we received them."""
    old_emails = Incoming.objects.filter(received_at__lte=now - INCOMING_RETENTION)
    if not dry_run:
        count_successes(list(IncomingFile.objects.filter(incoming__in=old_emails.values("pk"))), delete_file_and_row)
    return delete_in_batches(old_emails, dry_run=dry_run)


def delete_file_and_row(row: IncomingFile) -> None:
    """Delete a file, and then its row.

    The row is deleted last so that, if the storage fails to delete the file, the next attempt still finds the row.
    """
    row.file.storage.delete(str(row.file.name))
    row.delete()


def register() -> None:
    """Register the rules of retention."""
    basis = "public task: working together on housing"
    register_retention(
        "colleagues named by stakeholders",
        what="Name and address of a colleague that a stakeholder named",
        purpose="asking them whether they want to follow a plan",
        basis=basis,
        kept_for="30 days after the decision, 90 days without one",
        apply=clear_colleagues,
    )
    register_retention(
        "refused answers",
        what="The text of a stakeholder's answer that an owner refused",
        purpose="explaining the decision",
        basis=basis,
        kept_for="180 days after the decision",
        apply=clear_refused,
    )
    register_retention(
        "incoming emails",
        what="Replies and forwarded emails, with attachments, that wait for confirmation",
        purpose="making a comment, an answer or a conversation from them",
        basis=basis,
        kept_for="30 days, and their text until they are confirmed or deleted",
        apply=delete_incoming,
    )
