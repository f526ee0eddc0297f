"""Save people's answers to rows that wait for review."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from types import MappingProxyType

from django.db import transaction
from django.utils import timezone

from partnerships.activity.services import record
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import Answer, Doubt, Register
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.combined_authorities import apply_combined_authority_answer
from partnerships.transfer.services.councils import apply_council_answer
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.leps import apply_lep_answer
from partnerships.transfer.services.locking import try_to_lock_imports
from partnerships.transfer.services.providers import apply_provider_answer
from partnerships.transfer.services.refusals import refuse_file_with_row

ApplyAnswer = Callable[[Doubt, Organisation | None, Directory, RunningImport], Organisation]


class UnableToAnswer(Exception):
    """Raised if the row already has an answer, or the answer is invalid."""


_APPLY_ANSWER: Mapping[str, ApplyAnswer] = MappingProxyType(
    {
        Register.COUNCILS: apply_council_answer,
        Register.PROVIDERS: apply_provider_answer,
        Register.LEPS: apply_lep_answer,
        Register.COMBINED_AUTHORITIES: apply_combined_authority_answer,
    }
)


def answer_doubt(
    *,
    doubt: Doubt,
    answer: str,
    organisation: Organisation | None = None,
    reason: str,
    author: User,
    now: dt.datetime,
) -> Doubt:
    """Match a row to review with an organisation, create one for it, or leave the row out.

    Raises `UnableToAnswer` if the row already has an answer, if the reason or the organisation is missing, or while
    another import is running.
    """
    if not reason.strip():
        raise UnableToAnswer("Enter a reason.")
    if answer not in Answer.values:
        raise UnableToAnswer("Choose one of the answers.")
    if answer == Answer.THIS and organisation is None:
        raise UnableToAnswer("Choose the organisation.")
    with transaction.atomic():
        if not try_to_lock_imports():
            raise UnableToAnswer("An import is running. Answer this row when it is done.")
        locked_doubt = Doubt.objects.select_for_update(of=("self",)).select_related("run").get(pk=doubt.pk)
        require(roles_of(author, now).may_change_directory)
        if not locked_doubt.is_open:
            raise UnableToAnswer(
                "Another administrator has already answered this row. Open it again to see the answer."
            )

        locked_doubt.answer = answer
        locked_doubt.reason = reason.strip()
        locked_doubt.answered_at = now
        locked_doubt.answered_by = author
        if answer != Answer.LEAVE_OUT:
            chosen_organisation = organisation if answer == Answer.THIS else None
            locked_doubt.organisation = _apply(locked_doubt, chosen_organisation, author, now)
        locked_doubt.save(update_fields=["answer", "reason", "organisation", "answered_at", "answered_by"])
        record(
            actor_id=author.pk,
            kind=EventKind.ROW_DECIDED,
            target_kind="doubt",
            target_id=locked_doubt.pk,
            now=now,
            data={
                "title": str(locked_doubt),
                "reason": locked_doubt.reason,
                "after": {"answer": answer, "is": str(locked_doubt.organisation or "")},
            },
        )
    return locked_doubt


def _apply(doubt: Doubt, organisation: Organisation | None, author: User, now: dt.datetime) -> Organisation:
    """Save the row as the chosen organisation, or as a new one, and return it. Raises `UnableToAnswer`."""
    run = RunningImport(
        register=doubt.register,
        author=author,
        now=now,
        as_of=doubt.run.as_of or timezone.localdate(now),
        source=f"{doubt.run.file_name}, decided: {doubt.reason}",
    )
    apply_answer = _APPLY_ANSWER[doubt.register]
    try:
        with refuse_file_with_row(run):
            return apply_answer(doubt, organisation, Directory(), run)
    except UnableToRead as error:
        raise UnableToAnswer(str(error)) from error
