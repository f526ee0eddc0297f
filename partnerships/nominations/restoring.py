"""Lists, after a restore, the returns whose later steps the restored database lacks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.kit.journal import RedoResult, register_redo, same_rows
from partnerships.kit.text import counted
from partnerships.nominations.models import NominationsReturn, ReturnStatus
from partnerships.nominations.services.recording import RETURN_JOURNAL_KIND, return_identity


def redo_returns(lines: Sequence[dict[str, Any]], now: dt.datetime) -> RedoResult:
    """List the returns that were sent, decided or reopened since the backup, for people to do again.

    These steps cannot be repeated here, because the journal does not contain the figures.
    """
    result = RedoResult()
    return_ids = {line["return"] for line in lines}
    returns = NominationsReturn.objects.for_pages().filter(pk__in=return_ids).order_by("pk")
    returns_and_lines = same_rows(
        "return", lines, returns, identity_of=return_identity, began_at=lambda row: row.begun_at, result=result
    )
    for row, line in returns_and_lines:
        if (row.status, row.sendings) != (line["status"], line["sendings"]):
            later_status = ReturnStatus(line["status"]).label.lower()
            result.problems.append(
                f"return {row.pk} of partnership {row.agreement.partnership_id}: on {line['at'][:10]}, its status was "
                f"“{later_status}” after it was sent {counted(line['sendings'], 'time')}. Ask organisations "
                f"{row.agreement.provider_body.pk} and {row.agreement.council_body.pk} to repeat what they did since "
                "the backup"
            )
    result.problems += [
        f"return {pk}: started after the backup"
        for pk in sorted(return_ids - {nominations_return.pk for nominations_return in returns})
    ]
    return result


def register() -> None:
    """Register the list of returns for restores."""
    register_redo(RETURN_JOURNAL_KIND, "nominations returns", redo_returns)
