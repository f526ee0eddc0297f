"""Attach files to a draft.

Files are checked by their content and stored outside the web root.
"""

from __future__ import annotations

import datetime as dt
import secrets
from pathlib import PurePosixPath

from django.core.files.base import File
from django.db import transaction

from partnerships.documents.services import UnableToSavePiece
from partnerships.kit.rights import require
from partnerships.kit.uploads import UnableToTakeFile, check_upload, stored
from partnerships.people.models import User
from partnerships.plans.models import Document, Plan
from partnerships.plans.rights import rights_over
from partnerships.plans.services.drafting import save_piece
from partnerships.plans.services.recording import lock_plan

#: The most files that can be attached to one plan.
MAX_DOCUMENTS = 200


class UnableToAttach(Exception):
    """The file is empty, too large or not accepted, or the plan is over."""


@transaction.atomic
def attach_document(
    *, plan: Plan, title: str, file: File[bytes], restricted: bool, author: User, now: dt.datetime
) -> Document:
    """Attach a file to the draft as a new document. Raises `UnableToAttach`.

    Versions that are published with the document keep the file, even if the document is removed from the draft.
    """
    plan = lock_plan(plan)
    require(rights_over(plan, author, now).may_edit)
    try:
        checked_file = check_upload(file)
    except UnableToTakeFile as error:
        raise UnableToAttach(str(error)) from error
    if plan.documents.count() >= MAX_DOCUMENTS:
        raise UnableToAttach(
            f"A plan can have at most {MAX_DOCUMENTS} documents. Put a link to the document in a section instead."
        )

    document = Document(plan=plan, key=secrets.token_hex(6), added_by=author, added_at=now)
    document_piece = {
        "title": title.strip() or PurePosixPath(checked_file.name).stem,
        "file_name": checked_file.name,
        "content_type": checked_file.content_type,
        "size": checked_file.size,
        "sha256": checked_file.sha256,
        "restricted": restricted,
    }
    try:
        # `stored` deletes the file again if the document or the draft cannot be saved.
        with stored(document, file, checked_file):
            document.save()
            save_piece(
                plan=plan,
                piece=f"documents/{document.key}",
                value=document_piece,
                based_on=0,
                author=author,
                now=now,
            )
    except (UnableToSavePiece, UnableToTakeFile) as error:
        raise UnableToAttach(str(error)) from error
    return document
