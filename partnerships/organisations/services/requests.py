"""Requests to act for an organisation, and the answers of administrators."""

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

#: Requests a day from all people who are not signed in: anybody can ask, and each request emails the administrators.
REQUESTS_A_DAY = 50
#: Characters of an invitation's reason.
_MAX_REASON = 500
_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class UnableToAskForAccess(Exception):
    """The address is not valid, or too many people have asked today."""


class UnableToAnswerRequest(Exception):
    """The request has an answer already, or the invitation is refused."""


class RequestDetails(TypedDict, total=False):
    """Optional fields of a request; see the model."""

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
    """Ask the administrators for access, and email them; the author is None if the person is not signed in.

    A second request with the same address for the same organisation replaces the waiting one, without another email. A
    request of a signed-in person can be replaced only by a signed-in person. Raises `UnableToAskForAccess`.
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
        waiting_requests = AccessRequest.objects.waiting().filter(email=email, organisation_name=organisation_name)
        signed_in_request = waiting_requests.exclude(asked_by=None).first()
        if signed_in_request is not None:
            return signed_in_request
    request, is_new = AccessRequest.objects.update_or_create(
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
    if is_new:
        administrators = User.objects.filter(is_staff=True, is_active=True).values_list("pk", flat=True)
        record_emails(
            kind="organisations.access_requested", people=administrators, params={"request": request.pk}, now=now
        )
    return request


@transaction.atomic
def accept_request(
    *, request: AccessRequest, organisation: Organisation | None, author: User, now: dt.datetime
) -> Membership:
    """Invite the person to act for an organisation; with None, the organisation is created.

    They become its lead if it has none and nobody is invited as one, otherwise an editor. A new organisation gets the
    number from the request as an identifier, if that can be recognised. Raises `UnableToAnswerRequest`.
    """
    require(roles_of(author, now).keeps_directory)
    locked = _lock(request)
    # The person is locked before the organisation, as everywhere.
    lock_person(person_for_address(email=locked.email, name=locked.name))
    try:
        organisation = lock_organisation((organisation or _create_organisation(locked, author, now)).pk)
        has_lead = Membership.objects.leading(now).filter(organisation=organisation).exists()
        membership = invite_member(
            organisation=organisation,
            email=locked.email,
            name=locked.name,
            job_title=locked.job_title,
            role=Role.EDITOR if has_lead else Role.LEAD,
            reason=_invitation_reason(locked, now),
            author=author,
            now=now,
        )
    except (UnableToInviteMember, UnableToCreateOrganisation) as error:
        raise UnableToAnswerRequest(str(error)) from error
    locked.organisation = organisation
    _save_answer(locked, RequestAnswer.INVITED, author=author, now=now)
    return membership


def _invitation_reason(request: AccessRequest, now: dt.datetime) -> str:
    """Return the reason of an invitation that answers a request, with the number and message from it."""
    parts = [f"Asked for access on {long_date(now)}."]
    if request.number:
        parts.append(f"Number given: {request.number}.")
    if request.message:
        parts.append(request.message)
    return " ".join(parts)[:_MAX_REASON]


def _create_organisation(locked: AccessRequest, author: User, now: dt.datetime) -> Organisation:
    """Add the organisation of a request to the directory, unless it is there already."""
    existing = match_by_name(locked.organisation_name).filter(kind=locked.kind).current().first()
    if existing is not None:
        raise UnableToAnswerRequest(
            f"{existing.name} is already in the directory. Invite the person to act for that organisation instead."
        )
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
    """Decline a request, and email the person the reason. Raises `UnableToAnswerRequest`."""
    require(roles_of(author, now).keeps_directory)
    locked = _lock(request)
    if not reason.strip():
        raise UnableToAnswerRequest("Give a reason.")
    locked.reason = reason.strip()
    _save_answer(locked, RequestAnswer.DECLINED, author=author, now=now)
    record_email(kind=ACCESS_DECLINED, params={"request": locked.pk}, secrets={"address": locked.email}, now=now)


def _lock(request: AccessRequest) -> AccessRequest:
    locked = AccessRequest.objects.select_for_update().get(pk=request.pk)
    if locked.answer:
        raise UnableToAnswerRequest("Another administrator has already answered this request.")
    return locked


def _save_answer(locked: AccessRequest, answer: RequestAnswer, *, author: User, now: dt.datetime) -> None:
    locked.answer, locked.answered_at, locked.answered_by = answer, now, author
    locked.save(update_fields=["answer", "answered_at", "answered_by", "organisation", "reason"])
