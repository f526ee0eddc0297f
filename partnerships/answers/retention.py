"""Retention of named colleagues, refused answers, and incoming emails."""

from __future__ import annotations

import datetime as dt

from partnerships.answers.models import Answer, AnswerKind, AnswerStatus, Incoming, IncomingFile
from partnerships.answers.models.incoming import INCOMING_KEPT
from partnerships.people.retention import change_in_batches, delete_in_batches, for_each, register_retention

#: How long the name and address of a colleague are kept after the decision.
COLLEAGUE_KEPT = dt.timedelta(days=30)
#: How long an owner has to decide about a colleague before the answer is refused and the address is cleared.
COLLEAGUE_WAITS = dt.timedelta(days=90)
#: How long the text of a refused answer is kept, so that an owner can explain the decision.
REFUSED_KEPT = dt.timedelta(days=180)
_REASON_IF_UNDECIDED = "Nobody decided in time."


def clear_colleagues(now: dt.datetime, dry_run: bool) -> int:
    """Clear names and addresses of colleagues some time after the decision; refuse what nobody has decided."""
    answers = Answer.objects.filter(kind=AnswerKind.COLLEAGUE).exclude(colleague_email="", colleague_name="")
    decided = answers.filter(decided_at__lte=now - COLLEAGUE_KEPT)
    undecided = answers.waiting().filter(made_at__lte=now - COLLEAGUE_WAITS)

    cleared = {"colleague_email": "", "colleague_name": ""}
    refused = {"status": AnswerStatus.REFUSED, "decided_at": now, "reason": _REASON_IF_UNDECIDED, **cleared}
    count_decided = change_in_batches(decided, lambda rows: rows.update(**cleared), dry_run=dry_run)
    count_undecided = change_in_batches(undecided, lambda rows: rows.update(**refused), dry_run=dry_run)
    return count_decided + count_undecided


def clear_refused(now: dt.datetime, dry_run: bool) -> int:
    """Clear the text of answers that were refused some time ago."""
    refused = Answer.objects.filter(status=AnswerStatus.REFUSED, decided_at__lte=now - REFUSED_KEPT)
    return change_in_batches(refused.exclude(text=""), lambda rows: rows.update(text=""), dry_run=dry_run)


def delete_incoming(now: dt.datetime, dry_run: bool) -> int:
    """Delete incoming emails and their files some time after they came in."""
    old_emails = Incoming.objects.filter(received_at__lte=now - INCOMING_KEPT)
    if not dry_run:
        for_each(list(IncomingFile.objects.filter(incoming__in=old_emails.values("pk"))), drop_file)
    return delete_in_batches(old_emails, dry_run=dry_run)


def drop_file(row: IncomingFile) -> None:
    """Delete a file, then its row.

    The row goes last: if the storage fails to delete the file, the row is still there for the next attempt.
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
        kept_for="30 days; their text until they are confirmed or deleted",
        apply=delete_incoming,
    )
