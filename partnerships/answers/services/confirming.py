"""Turn an incoming email into a comment or a conversation, or delete it."""

from __future__ import annotations

import datetime as dt
import uuid

from django.core.files.base import File
from django.db import transaction

from partnerships.answers.models import Answer, Incoming, IncomingFile, IncomingStatus
from partnerships.answers.retention import delete_file_and_row
from partnerships.answers.rights import may_forward_to
from partnerships.answers.services.answering import comment_by_link
from partnerships.conversations.models import Conversation
from partnerships.conversations.services import UnableToAttachFile, attach_file, record_conversation
from partnerships.conversations.services.contents import Record
from partnerships.digests.queries.readers import newest_numbers
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.retention import count_successes
from partnerships.plans.models import Comment, Plan
from partnerships.plans.queries import newest_version_for
from partnerships.plans.services import add_comment

#: The namespace of the keys of answers and conversations that emails become. The key of an email is always the same, so
#: an email that is confirmed twice still makes only one of them.
_KEY_NAMESPACE = uuid.UUID("6a0f2f0a-6d52-4b0e-9a57-5a4b3a1f0c11")


class UnableToConfirm(Exception):
    """The email was already confirmed or deleted, is too old, or its files cannot be read or attached."""


@transaction.atomic
def confirm_reply(*, incoming: Incoming, plan: Plan, text: str, author: User, now: dt.datetime) -> Answer | Comment:
    """Turn a reply into a comment on a plan.

    The comment of a stakeholder is an `Answer`, which may need approval; that of a person with an account is a
    `Comment`. `text` is the reply as the person edited it. Raises `UnableToConfirm`, `UnableToAnswer` and
    `UnableToComment`.
    """
    incoming = _lock_waiting(incoming, author, now)
    require(incoming.is_reply and incoming.plan_id in (None, plan.pk))
    comment: Answer | Comment
    if author.is_stakeholder:
        comment = comment_by_link(
            person=author,
            plan=plan,
            version_number=_newest_outside_version(plan, now),
            text=text,
            key=uuid.uuid5(_KEY_NAMESPACE, str(incoming.pk)),
            now=now,
        )
        incoming.files.update(answer=comment, incoming=None)
    else:
        version = newest_version_for(author, plan)
        require(version is not None)
        assert version is not None
        comment = add_comment(plan=plan, version_number=version.number, text=text, author=author, now=now)
    _save_outcome(incoming, IncomingStatus.USED, now)
    return comment


@transaction.atomic
def save_forwarded(
    *, incoming: Incoming, organisation: Organisation, record: Record, author: User, now: dt.datetime
) -> Conversation:
    """Turn a forwarded email into a draft conversation of one of the parties.

    Raises `UnableToConfirm` and `UnableToRecord`.
    """
    incoming = _lock_waiting(incoming, author, now)
    require(incoming.partnership is not None and may_forward_to(incoming.partnership, author, now))
    conversation = record_conversation(
        organisation=organisation,
        record=record,
        author=author,
        now=now,
        key=uuid.uuid5(_KEY_NAMESPACE, str(incoming.pk)),
    )
    for incoming_file in incoming.files.order_by("pk"):
        _attach(incoming_file, conversation, author, now)
    _delete_files_on_commit(incoming)
    _save_outcome(incoming, IncomingStatus.USED, now)
    return conversation


def _attach(incoming_file: IncomingFile, conversation: Conversation, author: User, now: dt.datetime) -> None:
    """Attach a copy of an email's file to the conversation. Raises `UnableToConfirm`."""
    try:
        with incoming_file.file.open() as content:
            attach_file(
                conversation=conversation,
                title=incoming_file.file_name,
                file=File(content, name=incoming_file.file_name),
                author=author,
                now=now,
            )
    except UnableToAttachFile as error:
        raise UnableToConfirm(str(error)) from error
    except OSError as error:
        raise UnableToConfirm("We cannot read the files of this email at the moment. Try again later.") from error


@transaction.atomic
def drop_incoming(*, incoming: Incoming, author: User, now: dt.datetime) -> None:
    """Delete the files and text of an incoming email without using it. Raises `UnableToConfirm`."""
    incoming = _lock_waiting(incoming, author, now)
    _delete_files_on_commit(incoming)
    _save_outcome(incoming, IncomingStatus.DROPPED, now)


def _newest_outside_version(plan: Plan, now: dt.datetime) -> int:
    """Return the number of the newest version that readers outside the owners may read."""
    _, outside_number = newest_numbers([plan.pk], now)[plan.pk]
    return outside_number


def _lock_waiting(incoming: Incoming, author: User, now: dt.datetime) -> Incoming:
    """Lock the email, after checking that it is this person's and can still be confirmed. Raises `UnableToConfirm`."""
    incoming = Incoming.objects.select_for_update(of=("self",)).select_related("partnership").get(pk=incoming.pk)
    require(author.is_active and incoming.person_id == author.pk)
    if not Incoming.objects.waiting(now).filter(pk=incoming.pk).exists():
        raise UnableToConfirm(
            "You have already confirmed or deleted this email, or it is more than 30 days old. "
            "To add a comment, send the email again."
        )
    return incoming


def _save_outcome(incoming: Incoming, status: IncomingStatus, now: dt.datetime) -> None:
    """Save the status of a confirmed or dropped email, and empty its subject and text."""
    incoming.status = status
    incoming.settled_at = now
    incoming.text = ""
    incoming.subject = ""
    incoming.save(update_fields=["status", "settled_at", "text", "subject"])


def _delete_files_on_commit(incoming: Incoming) -> None:
    """Delete the email's files when the transaction commits.

    Retention deletes any files that the storage fails to delete.
    """
    files = list(incoming.files.all())

    def delete_files() -> None:
        count_successes(files, delete_file_and_row)

    transaction.on_commit(delete_files, robust=True)
