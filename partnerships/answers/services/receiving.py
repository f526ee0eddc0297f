"""Receive replies to our emails, and emails that are forwarded to a partnership.

An email that we can use is saved as `Incoming`. It has no effect until the person confirms it, signed in or by a
link that we send to the person's own address.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.db import transaction

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership
from partnerships.answers.models import Incoming, IncomingFile, UnusableReason
from partnerships.answers.models.incoming import INCOMING_RETENTION
from partnerships.answers.queries.replying import subject_of
from partnerships.answers.reading import MAX_FILES, Attachment, Mail
from partnerships.answers.rights import answerable_versions, may_forward_to, partnership_key
from partnerships.digests.models import DeliverySubject, InboxItem, Preference
from partnerships.digests.queries.contents import plans_of_digest
from partnerships.kit.time_limits import MAX_PARSING_SECONDS, time_limit
from partnerships.kit.uploads import UnableToTakeFile, check_upload, stored
from partnerships.outbox.models import Email
from partnerships.outbox.reply_addresses import FORWARD, REPLY, AddressToken, is_reply_to, is_valid, tokens_in
from partnerships.outbox.services import record_email
from partnerships.people.limits import add_to_count
from partnerships.people.models import User
from partnerships.people.services import find_person
from partnerships.plans.models import Plan

#: The most replies and forwarded emails that we accept from one person in a day.
MAX_A_DAY = 20
#: The most emails in a day in which we explain to one person that we could not use an email.
MAX_HELP_A_DAY = 1
_DAY = dt.timedelta(days=1)
#: The number of characters of a reply that are stored, which is the most that a comment can have.
_MAX_REPLY = 5_000
#: Strangers can type ids into addresses. Larger ids than this do not fit into the database's column.
_MAX_ID = 2**62

#: What an email became, as the command that reads the mailbox prints it.
REPLIED, FORWARDED, UNFIT, AUTOMATIC = "replies", "forwarded", "unfit", "automatic"


@transaction.atomic
def receive_mail(*, mail: Mail, now: dt.datetime) -> str:
    """Save an email to one of our addresses for its person, and return what the email became.

    For example, "replies" for a reply that was saved. Returns "" if the email is to none of our addresses.

    We never answer automatic emails (RFC 3834) or strangers. Anybody can write a From address, so our answer could be
    sent to a person who wrote nothing.
    """
    tokens = tokens_in(mail.recipients)
    if not tokens:
        return ""
    if mail.is_automatic:
        return AUTOMATIC
    token = tokens[0]
    if token.use == REPLY:
        return _receive_reply(mail, token, now)
    if token.use == FORWARD:
        return _receive_forwarded(mail, token, now)
    return UNFIT


# ---- Replies


def _receive_reply(mail: Mail, token: AddressToken, now: dt.datetime) -> str:
    """Save a reply until its person confirms it, or explain why we cannot use it. Returns what it became."""
    email = Email.objects.filter(pk=token.record_id).first() if token.record_id < _MAX_ID else None
    person = _recipient_of(email) if email is not None else None
    if email is None or person is None or not _is_signed_for(token, email, person):
        sender = find_person(mail.sender) if mail.sender else None
        return _explain_unfit(sender, UnusableReason.UNKNOWN, now=now)

    with time_limit(MAX_PARSING_SECONDS):
        reply_text = mail.reply[:_MAX_REPLY]
    if now - email.created_at > INCOMING_RETENTION:
        return _explain_unfit(person, UnusableReason.LATE, email, now=now)
    if not reply_text:
        return _explain_unfit(person, UnusableReason.EMPTY, email, now=now)

    plans = _plans_of_email(email, person, now)
    partnership = None if plans else _partnership_of_email(email, person, now)
    if not plans and partnership is None:
        return _explain_unfit(person, UnusableReason.NO_PLACE, email, now=now)
    if _has_sent_too_many(person, now):
        return _explain_unfit(person, UnusableReason.MANY, email, now=now)

    if partnership is not None:
        return _save_for_conversation(mail, reply_text, partnership, person, now)
    # If the email was about several plans, the person chooses one when confirming the reply.
    incoming = Incoming.objects.create(
        person=person,
        reply_to_id=email.pk,
        plan=plans[0] if len(plans) == 1 else None,
        subject=mail.subject,
        text=reply_text,
        received_at=now,
    )
    if person.is_stakeholder:  # comments of people with an account have no files
        _save_attachments(incoming, mail.files, now)
    record_email(kind="answers.confirm_reply", person_id=person.pk, params={"incoming": incoming.pk}, now=now)
    return REPLIED


def _recipient_of(email: Email) -> User | None:
    """Return the person who got the email, or None if they have left."""
    return User.objects.filter(pk=email.person_id or 0, is_active=True).first()


def _is_signed_for(token: AddressToken, email: Email, person: User) -> bool:
    """Return whether the reply address was made for this email to this person."""
    return is_reply_to(email.pk, person.pk, token.signature, key=_reply_key(email, person))


def _reply_key(email: Email, person: User) -> str:
    """Return the secret that signs the reply address of a digest, or "" for other emails.

    A person who asks for new links gets a new secret, so the reply addresses of earlier digests become invalid too.
    """
    if not email.kind.startswith("digests."):
        return ""
    return Preference.objects.filter(person=person).values_list("link_key", flat=True).first() or ""


def plans_of_reply(incoming: Incoming, now: dt.datetime) -> list[Plan]:
    """Return the plans that a reply may be about and that its person may read today."""
    email = Email.objects.filter(pk=incoming.reply_to_id or 0).first()
    plans = _plans_of_email(email, incoming.person, now) if email else []
    return [plan for plan in plans if incoming.plan_id in (None, plan.pk)]


def _plans_of_email(email: Email, person: User, now: dt.datetime) -> list[Plan]:
    """Return the plans that an email was about and on which this person may comment, sorted by title."""
    plan_ids = set(plans_of_digest(email.pk).values_list("pk", flat=True))
    subject = subject_of(email.kind, email.params)
    if subject is not None and subject.kind == SubjectKind.PLAN:
        plan_ids.add(subject.record_id)

    if person.is_stakeholder:
        plans = Plan.objects.filter(pk__in=answerable_versions(person, sorted(plan_ids), now))
    else:
        readable_plans = Plan.objects.published_today_for(person).values("pk")
        plans = Plan.objects.filter(pk__in=plan_ids).filter(pk__in=readable_plans)
    return [plan for plan in plans.order_by("title", "pk") if not plan.is_over]


def _partnership_of_email(email: Email, person: User, now: dt.datetime) -> Partnership | None:
    """Return the partnership that an email was about, if this person may write its conversations.

    Returns None if the person may write the conversations of several, because we do not know which one the reply is
    for.
    """
    digest_subjects = DeliverySubject.objects.included().filter(
        delivery=email.pk, subject__kind=SubjectKind.PARTNERSHIP
    )
    notices = InboxItem.objects.filter(delivery_id=email.pk, person=person, partnership__isnull=False)
    partnership_ids = {
        *digest_subjects.values_list("subject__record_id", flat=True),
        *notices.values_list("partnership", flat=True),
    }
    subject = subject_of(email.kind, email.params)
    if subject is not None and subject.partnership_id is not None:
        partnership_ids.add(subject.partnership_id)

    writable_partnerships = [
        partnership
        for partnership in Partnership.objects.filter(pk__in=partnership_ids)
        if may_forward_to(partnership, person, now)
    ]
    return writable_partnerships[0] if len(writable_partnerships) == 1 else None


# ---- Forwarded emails


def _receive_forwarded(mail: Mail, token: AddressToken, now: dt.datetime) -> str:
    """Save an email forwarded to a partnership, or explain why we cannot use it. Returns what it became."""
    partnership = _partnership_of_address(token)
    person = _account_with_address(mail.sender)
    if partnership is None or person is None or not may_forward_to(partnership, person, now):
        return _explain_unfit(person, UnusableReason.UNKNOWN, now=now)
    if not mail.text:
        return _explain_unfit(person, UnusableReason.EMPTY, now=now)
    if _has_sent_too_many(person, now):
        return _explain_unfit(person, UnusableReason.MANY, now=now)
    return _save_for_conversation(mail, mail.text, partnership, person, now)


def _partnership_of_address(token: AddressToken) -> Partnership | None:
    """Return the partnership whose address for forwarded emails this is, or None if the signature is wrong."""
    if token.record_id >= _MAX_ID:
        return None
    partnership = Partnership.objects.filter(pk=token.record_id).first()
    if partnership is None or not is_valid(FORWARD, partnership.pk, token.signature, key=partnership_key(partnership)):
        return None
    return partnership


def _account_with_address(address: str) -> User | None:
    """Return the person with an account who has confirmed this address, or None."""
    if not address:
        return None
    confirmed_addresses = EmailAddress.objects.filter(email__iexact=address, verified=True, user__is_active=True)
    email_address = confirmed_addresses.select_related("user").first()
    if email_address is None:
        return None
    person: User = email_address.user
    return None if person.is_stakeholder else person


# ---- Both


def _save_for_conversation(mail: Mail, text: str, partnership: Partnership, person: User, now: dt.datetime) -> str:
    """Save an email until its person turns it into a conversation. Returns what the email became."""
    incoming = Incoming.objects.create(
        person=person, partnership=partnership, subject=mail.subject, text=text, received_at=now
    )
    _save_attachments(incoming, mail.files, now)
    record_email(kind="answers.confirm_forwarded", person_id=person.pk, params={"incoming": incoming.pk}, now=now)
    return FORWARDED


def _has_sent_too_many(person: User, now: dt.datetime) -> bool:
    """Count one more email of this person, and return whether these are more than we accept in a day."""
    return add_to_count(f"incoming {person.pk}", stretch=_DAY, now=now) > MAX_A_DAY


def _explain_unfit(person: User | None, why: UnusableReason, email: Email | None = None, *, now: dt.datetime) -> str:
    """Email a person why we could not use their email, and return what it became.

    The explanation is sent to the address of their account, not to the sender's address. `email` is the email to which
    the person replied.
    """
    if person is None or not person.is_active:
        return UNFIT
    if add_to_count(f"incoming help {person.pk}", stretch=_DAY, now=now) <= MAX_HELP_A_DAY:
        params = {"on": now.date().isoformat(), "why": why.value, "email": email.pk if email else None}
        record_email(kind="answers.unfit", person_id=person.pk, params=params, now=now)
    return UNFIT


def _save_attachments(incoming: Incoming, attachments: Iterable[Attachment], now: dt.datetime) -> None:
    """Save the attachments that pass the checks of uploads, and list the others in `left_out` with the reasons."""
    left_out: list[list[str]] = []
    for index, attachment in enumerate(attachments):
        if index >= MAX_FILES:
            left_out.append([attachment.name, f"We accept only the first {MAX_FILES} files of an email."])
            continue
        try:
            _save_attachment(incoming, attachment, now)
        except UnableToTakeFile as error:
            left_out.append([attachment.name, str(error)])

    if left_out:
        incoming.left_out = left_out
        incoming.save(update_fields=["left_out"])


def _save_attachment(incoming: Incoming, attachment: Attachment, now: dt.datetime) -> None:
    """Save one attachment. Raises `UnableToTakeFile` if it does not pass the checks of uploads."""
    file = ContentFile(attachment.content, name=attachment.name)
    incoming_file = IncomingFile(incoming=incoming, added_at=now)
    checked = check_upload(file)
    with stored(incoming_file, file, checked):
        incoming_file.save(force_insert=True)
