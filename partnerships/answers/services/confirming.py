"""Turn an incoming email into a comment or a conversation, or delete it."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.files.base import File
from django.db import transaction

from partnerships.answers.models import Answer, Incoming, IncomingStatus
from partnerships.answers.retention import drop_file
from partnerships.answers.rights import may_forward_to
from partnerships.answers.services.answering import comment_by_link
from partnerships.conversations.models import Conversation
from partnerships.conversations.services import UnableToAttachFile, attach_file, record_conversation
from partnerships.conversations.services.drafting import Record
from partnerships.digests.queries.readers import newest_numbers
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.retention import for_each
from partnerships.plans.models import Comment, Plan
from partnerships.plans.queries import newest_for
from partnerships.plans.services import add_comment

_NAMES = uuid.UUID("6a0f2f0a-6d52-4b0e-9a57-5a4b3a1f0c11")


class UnableToConfirm(Exception):
    """It was already confirmed or deleted, is too old, or its files cannot be read or attached."""


@transaction.atomic
def confirm_reply(*, incoming: Incoming, plan: Plan, text: str, author: User, now: dt.datetime) -> Answer | Comment:
    """Turn a reply into a comment; a stakeholder's waits for approval.

    `text` is the reply as the person edited it. Raises `UnableToConfirm`, `UnableToAnswer` and `UnableToComment`.
    """
    locked = _waiting(incoming, author, now)
    require(locked.is_reply and locked.plan_id in (None, plan.pk))
    comment: Answer | Comment
    if author.is_stakeholder:
        comment = comment_by_link(
            person=author,
            plan=plan,
            version_number=newest_numbers([plan.pk], now)[plan.pk][1],
            text=text,
            key=uuid.uuid5(_NAMES, str(locked.pk)),
            now=now,
        )
        locked.files.update(answer=comment, incoming=None)
    else:
        version = newest_for(author, plan)
        require(version is not None)
        assert version is not None
        comment = add_comment(plan=plan, version_number=version.number, text=text, author=author, now=now)
    _settle(locked, IncomingStatus.USED, now)
    return comment


@transaction.atomic
def save_forwarded(
    *, incoming: Incoming, organisation: Organisation, record: Record, author: User, now: dt.datetime
) -> Conversation:
    """Turn a forwarded email into a draft conversation for one of the parties.

    Raises `UnableToConfirm` and `UnableToRecord`.
    """
    locked = _waiting(incoming, author, now)
    require(locked.partnership is not None and may_forward_to(locked.partnership, author, now))
    conversation = record_conversation(
        organisation=organisation, record=record, author=author, now=now, key=uuid.uuid5(_NAMES, str(locked.pk))
    )
    for row in locked.files.order_by("pk"):
        try:
            with row.file.open() as content:
                attach_file(
                    conversation=conversation,
                    title=row.file_name,
                    file=File(content, name=row.file_name),
                    author=author,
                    now=now,
                )
        except UnableToAttachFile as error:
            raise UnableToConfirm(str(error)) from error
        except OSError as error:
            raise UnableToConfirm("The files of this email cannot be read at the moment. Try again later.") from error
    _drop_files(locked)
    _settle(locked, IncomingStatus.USED, now)
    return conversation


@transaction.atomic
def drop_incoming(*, incoming: Incoming, author: User, now: dt.datetime) -> None:
    """Delete an incoming email.

    Nothing else happens. Raises `UnableToConfirm`.
    """
    locked = _waiting(incoming, author, now)
    _drop_files(locked)
    _settle(locked, IncomingStatus.DROPPED, now)


def _waiting(incoming: Incoming, author: User, now: dt.datetime) -> Incoming:
    """The email, locked, if it is this person's and still waits."""
    locked = Incoming.objects.select_for_update(of=("self",)).select_related("partnership").get(pk=incoming.pk)
    require(author.is_active and locked.person_id == author.pk)
    if not Incoming.objects.waiting(now).filter(pk=locked.pk).exists():
        raise UnableToConfirm("You have already confirmed or deleted this email, or it is more than 30 days old.")
    return locked


def _settle(incoming: Incoming, status: IncomingStatus, now: dt.datetime) -> None:
    """Mark it as settled and empty its text."""
    incoming.status, incoming.settled_at, incoming.text, incoming.subject = status, now, "", ""
    incoming.save(update_fields=["status", "settled_at", "text", "subject"])


def _drop_files(incoming: Incoming) -> None:
    """Delete the files after commit.

    Retention finds those that the storage did not delete.
    """
    rows = list(incoming.files.all())

    def drop() -> None:
        for_each(rows, drop_file)

    transaction.on_commit(drop, robust=True)
