"""Incoming emails: replies, and emails forwarded to a partnership.

Nothing happens with one until its person confirms it, by a link sent to their own address or signed in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from allauth.account.models import EmailAddress
from django.core.files.base import ContentFile
from django.db import transaction

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership
from partnerships.answers.models import Incoming, IncomingFile, Unfit
from partnerships.answers.models.incoming import INCOMING_KEPT
from partnerships.answers.queries.replying import subject_of
from partnerships.answers.reading import MAX_FILES, Attachment, Mail
from partnerships.answers.rights import answerable, may_forward_to, partnership_key
from partnerships.digests.models import DeliverySubject, InboxItem, Preference
from partnerships.digests.queries.contents import plans_of_digest
from partnerships.kit.time_limits import MAX_PARSING_SECONDS, time_limit
from partnerships.kit.uploads import UnableToTakeFile, check_upload, stored
from partnerships.outbox.models import Email
from partnerships.outbox.reply_addresses import FORWARD, REPLY, is_reply_to, is_valid, tokens_in
from partnerships.outbox.services import record_email
from partnerships.people.limits import count
from partnerships.people.models import User
from partnerships.people.services import find_person
from partnerships.plans.models import Plan

#: Replies and forwarded emails that are taken from one person in a day.
MAX_A_DAY = 20
#: How often a day a person is told that their email could not be used.
MAX_HELP_A_DAY = 1
_DAY = dt.timedelta(days=1)

#: What became of an email, as the command that reads the mailbox prints it.
REPLIED, FORWARDED, UNFIT, AUTOMATIC = "replies", "forwarded", "unfit", "automatic"


@transaction.atomic
def receive_mail(*, mail: Mail, now: dt.datetime) -> str:
    """Take in an email to one of our addresses; returns what became of it.

    Returns "" if it is to none of them. Automatic emails are never answered (RFC 3834). Strangers are not answered
    either: a From address proves nothing, and the answer could go to somebody who wrote nothing.
    """
    tokens = tokens_in(mail.recipients)
    if not tokens:
        return ""
    if mail.is_automatic:
        return AUTOMATIC
    use, number, signature = tokens[0]
    if use == REPLY:
        return _receive_reply(mail, number, signature, now)
    if use == FORWARD:
        return _receive_forwarded(mail, number, signature, now)
    return UNFIT


# ---- Replies


def _receive_reply(mail: Mail, number: int, signature: str, now: dt.datetime) -> str:
    """Keep a reply until its person confirms it, or tell them why we cannot use it; returns what happened."""
    email = Email.objects.filter(pk=number).first() if number < 2**62 else None
    person = User.objects.filter(pk=email.person_id or 0, is_active=True).first() if email else None
    if email is None or person is None or not is_reply_to(email.pk, person.pk, signature, key=_key_of(email, person)):
        known = find_person(mail.sender) if mail.sender else None
        return _cannot_use(known, now)
    with time_limit(MAX_PARSING_SECONDS):
        words = mail.reply
    if now - email.created_at > INCOMING_KEPT:
        return _cannot_use(person, now, Unfit.LATE, email)
    if not words:
        return _cannot_use(person, now, Unfit.EMPTY, email)
    plans = _plans_of(email, person, now)
    partnership = None if plans else _partnership_of(email, person, now)
    if not plans and partnership is None:
        return _cannot_use(person, now, Unfit.NO_PLACE, email)
    if _too_many(person, now):
        return _cannot_use(person, now, Unfit.MANY, email)
    if partnership is not None:
        return _keep_for_conversation(mail, words[:5_000], partnership, person, now)
    incoming = Incoming.objects.create(
        person=person,
        reply_to_id=email.pk,
        plan=plans[0] if len(plans) == 1 else None,
        subject=mail.subject,
        text=words[:5_000],
        received_at=now,
    )
    _take_files(incoming, mail.files if person.is_stakeholder else (), now)
    record_email(kind="answers.confirm_reply", person_id=person.pk, params={"incoming": incoming.pk}, now=now)
    return REPLIED


def _key_of(email: Email, person: User) -> str:
    """The secret in the reply address: new links end those of earlier digests."""
    if not email.kind.startswith("digests."):
        return ""
    return Preference.objects.filter(person=person).values_list("link_key", flat=True).first() or ""


def plans_of_reply(incoming: Incoming, now: dt.datetime) -> list[Plan]:
    """The plans that a reply may be about, as its person may read them today."""
    email = Email.objects.filter(pk=incoming.reply_to_id or 0).first()
    plans = _plans_of(email, incoming.person, now) if email else []
    return [plan for plan in plans if incoming.plan_id in (None, plan.pk)]


def _plans_of(email: Email, person: User, now: dt.datetime) -> list[Plan]:
    """The plans that an email was about, if this person may answer about them."""
    numbers = list(plans_of_digest(email.pk).values_list("pk", flat=True))
    subject = subject_of(email.kind, email.params)
    if subject is not None and subject.kind == "plan":
        numbers.append(subject.record_id)
    return _answerable_plans(numbers, person, now)


def _answerable_plans(numbers: Collection[int], person: User, now: dt.datetime) -> list[Plan]:
    """The plans, of these, about which the person may write a comment."""
    plans = Plan.objects.filter(pk__in=numbers).order_by("title", "pk")
    if person.is_stakeholder:
        open_to_them = answerable(person, sorted(set(numbers)), now)
        return [plan for plan in plans.filter(pk__in=open_to_them) if not plan.is_over]
    readable = Plan.objects.present_for(person).values("pk")
    return [plan for plan in plans.filter(pk__in=readable) if not plan.is_over]


def _partnership_of(email: Email, person: User, now: dt.datetime) -> Partnership | None:
    """The one partnership an email was about, if this person may write its conversations."""
    subject = subject_of(email.kind, email.params)
    delivery_subjects = DeliverySubject.objects.included().filter(
        delivery=email.pk, subject__kind=SubjectKind.PARTNERSHIP
    )
    notices = InboxItem.objects.filter(delivery_id=email.pk, person=person, partnership__isnull=False)
    numbers = {
        *delivery_subjects.values_list("subject__record_id", flat=True),
        *notices.values_list("partnership", flat=True),
    }
    if subject is not None and subject.partnership_id is not None:
        numbers.add(subject.partnership_id)
    writable = [
        partnership
        for partnership in Partnership.objects.filter(pk__in=numbers)
        if may_forward_to(partnership, person, now)
    ]
    return writable[0] if len(writable) == 1 else None


# ---- Forwarded emails


def _receive_forwarded(mail: Mail, number: int, signature: str, now: dt.datetime) -> str:
    partnership = Partnership.objects.filter(pk=number).first() if number < 2**62 else None
    person = _confirmed(mail.sender)
    if (
        partnership is None
        or not is_valid(FORWARD, number, signature, key=partnership_key(partnership))
        or person is None
        or not may_forward_to(partnership, person, now)
    ):
        return _cannot_use(person, now)
    if not mail.text:
        return _cannot_use(person, now, Unfit.EMPTY)
    if _too_many(person, now):
        return _cannot_use(person, now, Unfit.MANY)
    return _keep_for_conversation(mail, mail.text, partnership, person, now)


def _keep_for_conversation(mail: Mail, text: str, partnership: Partnership, person: User, now: dt.datetime) -> str:
    """Keep an email until its person saves it as a conversation."""
    incoming = Incoming.objects.create(
        person=person, partnership=partnership, subject=mail.subject, text=text, received_at=now
    )
    _take_files(incoming, mail.files, now)
    record_email(kind="answers.confirm_forwarded", person_id=person.pk, params={"incoming": incoming.pk}, now=now)
    return FORWARDED


def _confirmed(address: str) -> User | None:
    """The person with an account who has confirmed this address."""
    email_addresses = EmailAddress.objects.filter(email__iexact=address, verified=True, user__is_active=True)
    row = email_addresses.select_related("user").first() if address else None
    return row.user if row and not row.user.is_stakeholder else None


# ---- Both


def _too_many(person: User, now: dt.datetime) -> bool:
    return count(f"incoming {person.pk}", stretch=_DAY, now=now) > MAX_A_DAY


def _cannot_use(person: User | None, now: dt.datetime, why: Unfit = Unfit.UNKNOWN, email: Email | None = None) -> str:
    """Tell a known person what to do instead, at their own address."""
    if person is None or not person.is_active:
        return UNFIT
    if count(f"incoming help {person.pk}", stretch=_DAY, now=now) <= MAX_HELP_A_DAY:
        params = {"on": now.date().isoformat(), "why": why.value, "email": email.pk if email else None}
        record_email(kind="answers.unfit", person_id=person.pk, params=params, now=now)
    return UNFIT


def _take_files(incoming: Incoming, files: Iterable[Attachment], now: dt.datetime) -> None:
    """Store the attachments that pass the checks of uploads; note the others."""
    left_out: list[list[str]] = []
    for place, mail_file in enumerate(files):
        try:
            if place >= MAX_FILES:
                raise UnableToTakeFile(f"An email can have up to {MAX_FILES} files.")
            file = ContentFile(mail_file.content, name=mail_file.name)
            row = IncomingFile(incoming=incoming, added_at=now)
            checked = check_upload(file)
            with stored(row, file, checked):
                row.save(force_insert=True)
        except UnableToTakeFile as error:
            left_out.append([mail_file.name, str(error)])
    if left_out:
        incoming.left_out = left_out
        incoming.save(update_fields=["left_out"])
