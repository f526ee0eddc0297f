"""Services that attach and remove files of evidence."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import File
from django.db import transaction

from partnerships.commitments.event_kinds import EventKind
from partnerships.commitments.models import Commitment, Evidence, Progress
from partnerships.commitments.rights import Rights, acting_organisation, rights_over
from partnerships.commitments.services.recording import lock_commitment, record_event
from partnerships.kit import journal
from partnerships.kit.rights import require
from partnerships.kit.uploads import UnableToTakeFile, check_upload, stored
from partnerships.people.models import User

#: Limit of files per commitment.
MAX_FILES = 20


class UnableToAttach(Exception):
    """The commitment is not agreed yet or is over, the file is not accepted, or there are too many."""


def _check_evidence_can_change(rights: Rights) -> None:
    """Raise `UnableToAttach` if evidence cannot be changed now, or `UnableToAct` if the person may not change it."""
    if not rights.commitment.is_under_way and not rights.commitment.is_done:
        raise UnableToAttach(
            "You can only attach or remove evidence after both organisations have agreed and before the delivery is "
            "verified."
        )
    require(
        rights.may_attach,
        "Only editors and leads of the organisation that made the promise can attach or remove evidence.",
    )


@transaction.atomic
def attach_evidence(
    *,
    commitment: Commitment,
    file: File[bytes],
    author: User,
    now: dt.datetime,
    title: str = "",
    progress: Progress | None = None,
) -> Evidence:
    """Store a file as evidence, or return the same file if the author has attached it before.

    Raises `UnableToAttach`.
    """
    commitment = lock_commitment(commitment)
    rights = rights_over(commitment, author, now)
    _check_evidence_can_change(rights)
    try:
        checked_file = check_upload(file)
    except UnableToTakeFile as error:
        raise UnableToAttach(str(error)) from error

    present_evidence = commitment.evidence.filter(removed_at=None)
    # A form that was sent twice must not store the file twice.
    same_files = present_evidence.filter(sha256=checked_file.sha256, file_name=checked_file.name, added_by=author)
    duplicate = same_files.first()
    if duplicate is not None:
        return duplicate
    if present_evidence.count() >= MAX_FILES:
        raise UnableToAttach(f"A commitment can have up to {MAX_FILES} files. Remove one first.")

    evidence = Evidence(
        commitment=commitment,
        progress=progress,
        title=title.strip() or checked_file.name,
        added_by=author,
        added_for=acting_organisation(rights),
        added_at=now,
    )
    try:
        with stored(evidence, file, checked_file):
            evidence.save()
    except UnableToTakeFile as error:
        raise UnableToAttach(str(error)) from error

    record_event(
        commitment,
        EventKind.EVIDENCE_ATTACHED,
        author=author,
        organisation=acting_organisation(rights),
        now=now,
        after={"file": evidence.title},
        sha256=evidence.sha256,
    )
    return evidence


#: The kind of entry about a removed file in the journal, from which files are removed again after a restore.
EVIDENCE = "evidence"


def evidence_identity(evidence: Evidence) -> str:
    """Return the hash that identifies a file in the journal."""
    return journal.identity(evidence.commitment_id, evidence.added_at, evidence.sha256)


@transaction.atomic
def remove_evidence(*, evidence: Evidence, author: User | None, now: dt.datetime) -> None:
    """Remove a file of evidence. Its title remains in the history. Raises `UnableToAttach`.

    `author` is None if the system removes the file again after a backup was restored. Then no rights are needed.
    """
    commitment = lock_commitment(evidence.commitment)
    acting_for = None
    if author is not None:
        rights = rights_over(commitment, author, now)
        _check_evidence_can_change(rights)
        acting_for = acting_organisation(rights)
    if not Evidence.objects.filter(pk=evidence.pk, removed_at=None).update(removed_at=now):
        raise UnableToAttach("The file has already been removed, so you do not need to remove it.")

    journal.note(EVIDENCE, now=now, evidence=evidence.pk, same=evidence_identity(evidence))
    record_event(
        commitment,
        EventKind.EVIDENCE_REMOVED,
        author=author,
        organisation=acting_for,
        now=now,
        before={"file": evidence.title},
    )
