"""Ask to act for an organisation, and answer such requests."""

from __future__ import annotations

import datetime as dt
from typing import TypedDict, Unpack

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from partnerships.kit.dates import long_date
from partnerships.kit.rights import require
from partnerships.organisations.emails import ACCESS_DECLINED
from partnerships.organisations.models import AccessRequest, Membership, Organisation, RequestAnswer, Role, scheme_of
from partnerships.organisations.queries import match_by_name
from partnerships.organisations.rights import roles_of
from partnerships.organisations.services.invitations import UnableToInviteMember, invite_member
from partnerships.organisations.services.organisations import UnableToCreateOrganisation, create_organisation
from partnerships.organisations.services.recording import lock_organisation, lock_person
from partnerships.outbox.services import record_email, record_emails
from partnerships.people.limits import count, counted_since
from partnerships.people.models import User
from partnerships.people.services import person_for_address

#: Requests a day from everybody signed out together: anyone may ask, and each is an email to the administrators.
REQUESTS_A_DAY = 50
_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class UnableToAskForAccess(Exception):
    """The address is not valid, or too many people have asked today."""


class UnableToAnswerRequest(Exception):
    """The request has an answer already, or the invitation is refused."""


class RequestDetails(TypedDict, total=False):
    """What may be left out of a request; see the model."""

    job_title: str
    number: str
    message: str


@transaction.atomic
def ask_for_access(
    *,
    name: str,
    email: str,
    organisation_name: str,
    kind: str,
    author: User | None,
    now: dt.datetime,
    **details: Unpack[RequestDetails],
) -> AccessRequest:
    """Ask the administrators for access, and email them; the author is None when signed out.

    A second request by the same person for the same organisation replaces the waiting one, without another email. One
    made by a signed-in person cannot be replaced while signed out. Raises `UnableToAskForAccess`.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise UnableToAskForAccess(f"“{email}” is not an email address.") from error
    organisation_name = " ".join(organisation_name.split())
    if author is None:
        count("access requests", stretch=_HOUR, now=now)
        if counted_since("access requests", now - _DAY) > REQUESTS_A_DAY:
            raise UnableToAskForAccess("Too many people have asked today. Try again tomorrow.")
        open_request = AccessRequest.objects.waiting().filter(email=email, organisation_name=organisation_name)
        made_signed_in = open_request.exclude(asked_by=None).first()
        if made_signed_in is not None:
            return made_signed_in
    request, created = AccessRequest.objects.update_or_create(
        email=email,
        organisation_name=organisation_name,
        answer="",
        defaults={
            "name": " ".join(name.split()),
            "kind": kind,
            "job_title": details.get("job_title", "").strip(),
            "number": details.get("number", "").strip(),
            "message": details.get("message", "").strip(),
            "asked_by": author,
            "asked_at": now,
        },
    )
    if created:
        administrators = User.objects.filter(is_staff=True, is_active=True).values_list("pk", flat=True)
        record_emails(
            kind="organisations.access_requested", people=administrators, params={"request": request.pk}, now=now
        )
    return request


@transaction.atomic
def accept_request(
    *, request: AccessRequest, organisation: Organisation | None, author: User, now: dt.datetime
) -> Membership:
    """Invite the person to act for the organisation, which is created if None.

    They become its lead if it has none and nobody is invited as one, else an editor. A new organisation gets the number
    that the person gave, if it has the form of a register's number. Raises `UnableToAnswerRequest`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = _lock(request)
    reason_parts = (
        f"Asked for access on {long_date(now)}.",
        f"Number given: {locked.number}." if locked.number else "",
        locked.message,
    )
    lock_person(person_for_address(email=locked.email, name=locked.name))  # before the organisation, as invitations do
    try:
        body = lock_organisation((organisation or _add(locked, author, now)).pk)
        membership = invite_member(
            organisation=body,
            email=locked.email,
            name=locked.name,
            job_title=locked.job_title,
            role=Role.EDITOR if Membership.objects.leading(now).filter(organisation=body).exists() else Role.LEAD,
            reason=" ".join(filter(None, reason_parts))[:500],
            author=author,
            now=now,
        )
    except (UnableToInviteMember, UnableToCreateOrganisation) as error:
        raise UnableToAnswerRequest(str(error)) from error
    locked.organisation = body
    _answer(locked, RequestAnswer.INVITED, author=author, now=now)
    return membership


def _add(locked: AccessRequest, author: User, now: dt.datetime) -> Organisation:
    """The organisation that was asked for, added to the directory."""
    existing = match_by_name(locked.organisation_name).filter(kind=locked.kind).current().first()
    if existing is not None:
        raise UnableToAnswerRequest(f"{existing.name} is already in the directory. Invite them to it.")
    scheme = scheme_of(locked.number, kind=locked.kind)
    return create_organisation(
        name=locked.organisation_name,
        kind=locked.kind,
        author=author,
        now=now,
        identifiers=[(scheme, locked.number)] if scheme else [],
    )


@transaction.atomic
def decline_request(*, request: AccessRequest, reason: str, author: User, now: dt.datetime) -> None:
    """Decline a request; the person gets an email with the reason. Raises `UnableToAnswerRequest`."""
    require(roles_of(author, now).keeps_directory)
    locked = _lock(request)
    if not reason.strip():
        raise UnableToAnswerRequest("Give a reason.")
    locked.reason = reason.strip()
    _answer(locked, RequestAnswer.DECLINED, author=author, now=now)
    record_email(kind=ACCESS_DECLINED, params={"request": locked.pk}, secrets={"address": locked.email}, now=now)


def _lock(request: AccessRequest) -> AccessRequest:
    locked = AccessRequest.objects.select_for_update().get(pk=request.pk)
    if locked.answer:
        raise UnableToAnswerRequest("This request has already been answered.")
    return locked


def _answer(locked: AccessRequest, answer: RequestAnswer, *, author: User, now: dt.datetime) -> None:
    locked.answer, locked.answered_at, locked.answered_by = answer, now, author
    locked.save(update_fields=["answer", "answered_at", "answered_by", "organisation", "reason"])
