"""Record requests to act for an organisation, and the answers of administrators."""

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
from partnerships.people.limits import add_to_count, count_since
from partnerships.people.models import User
from partnerships.people.services import person_for_address

#: The number of requests in a day from all people who are not signed in. There is a limit because anyone can ask, and
#: each request emails the administrators.
REQUESTS_A_DAY = 50
#: The largest number of characters in an invitation's reason.
_MAX_REASON = 500
_DAY, _HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


class UnableToAskForAccess(Exception):
    """Raised if the address is not valid, or too many people have asked today."""


class UnableToAnswerRequest(Exception):
    """Raised if the request was answered before, the invitation is refused, or the reason is missing."""


class RequestDetails(TypedDict, total=False):
    """The optional fields of a request."""

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
    """Ask the administrators for access, and email them. `author` is None if the person is not signed in.

    A second request with the same address for the same organisation replaces the unanswered request, without another
    email. Only a signed-in person can replace a signed-in person's request. Raises `UnableToAskForAccess`.
    """
    email = email.strip().lower()
    organisation_name = " ".join(organisation_name.split())
    try:
        validate_email(email)
    except ValidationError as error:
        raise UnableToAskForAccess(f"“{email}” is not an email address. Enter one like name@example.org.") from error
    if author is None:
        _count_anonymous_request(now)
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


def _count_anonymous_request(now: dt.datetime) -> None:
    """Count a request from a person who is not signed in. Raises `UnableToAskForAccess` above the day's limit."""
    add_to_count("access requests", stretch=_HOUR, now=now)
    if count_since("access requests", now - _DAY) > REQUESTS_A_DAY:
        raise UnableToAskForAccess("Too many people have asked today. Try again tomorrow.")


@transaction.atomic
def accept_request(
    *, request: AccessRequest, organisation: Organisation | None, author: User, now: dt.datetime
) -> Membership:
    """Invite the person to act for an organisation; if `organisation` is None, create it first.

    The person becomes a lead if the organisation has no lead and no invited lead, and an editor if it has. If we can
    recognise the scheme of the number in the request, a new organisation gets the number as its identifier. Raises
    `UnableToAnswerRequest`.
    """
    require(roles_of(author, now).may_change_directory)
    locked_request = _lock(request)
    # All services lock the person before the organisation, so that they cannot deadlock.
    lock_person(person_for_address(email=locked_request.email, name=locked_request.name))
    try:
        if organisation is None:
            organisation = _create_organisation(locked_request, author, now)
        locked_organisation = lock_organisation(organisation.pk)
        membership = _invite_person(locked_request, locked_organisation, author, now)
    except (UnableToInviteMember, UnableToCreateOrganisation) as error:
        raise UnableToAnswerRequest(str(error)) from error

    locked_request.organisation = locked_organisation
    _save_answer(locked_request, RequestAnswer.INVITED, author=author, now=now)
    return membership


def _invite_person(request: AccessRequest, organisation: Organisation, author: User, now: dt.datetime) -> Membership:
    """Invite the person who asked, as a lead if the organisation has no lead and no invited lead."""
    has_lead = Membership.objects.current_or_invited_leads(now).filter(organisation=organisation).exists()
    return invite_member(
        organisation=organisation,
        email=request.email,
        name=request.name,
        job_title=request.job_title,
        role=Role.EDITOR if has_lead else Role.LEAD,
        reason=_invitation_reason(request, now),
        author=author,
        now=now,
    )


def _invitation_reason(request: AccessRequest, now: dt.datetime) -> str:
    """Return the reason for an invitation that answers a request, including the request's number and message."""
    sentences = [f"Asked for access on {long_date(now)}."]
    if request.number:
        sentences.append(f"Number given: {request.number}.")
    if request.message:
        sentences.append(request.message)
    return " ".join(sentences)[:_MAX_REASON]


def _create_organisation(request: AccessRequest, author: User, now: dt.datetime) -> Organisation:
    """Add the organisation of a request to the directory.

    Raises `UnableToAnswerRequest` if the directory has an organisation with this name and kind.
    """
    existing_organisation = match_by_name(request.organisation_name).filter(kind=request.kind).current().first()
    if existing_organisation is not None:
        raise UnableToAnswerRequest(
            f"{existing_organisation.name} is already in the directory. Invite the person to act for that "
            "organisation instead."
        )
    scheme = scheme_of(request.number, kind=request.kind)
    return create_organisation(
        name=request.organisation_name,
        kind=request.kind,
        author=author,
        now=now,
        identifiers=[(scheme, request.number)] if scheme else [],
    )


@transaction.atomic
def decline_request(*, request: AccessRequest, reason: str, author: User, now: dt.datetime) -> None:
    """Decline a request, and email the reason to the person. Raises `UnableToAnswerRequest`."""
    require(roles_of(author, now).may_change_directory)
    locked_request = _lock(request)
    if not reason.strip():
        raise UnableToAnswerRequest("Enter a reason.")
    locked_request.reason = reason.strip()
    _save_answer(locked_request, RequestAnswer.DECLINED, author=author, now=now)
    record_email(
        kind=ACCESS_DECLINED, params={"request": locked_request.pk}, secrets={"address": locked_request.email}, now=now
    )


def _lock(request: AccessRequest) -> AccessRequest:
    """Lock the request, and return it; raise `UnableToAnswerRequest` if it has already been answered."""
    locked_request = AccessRequest.objects.select_for_update().get(pk=request.pk)
    if locked_request.answer:
        raise UnableToAnswerRequest("Another administrator has already answered this request, so you do not need to.")
    return locked_request


def _save_answer(request: AccessRequest, answer: RequestAnswer, *, author: User, now: dt.datetime) -> None:
    """Save an answer with its author and time, and the organisation or reason that was set with it."""
    request.answer = answer
    request.answered_at = now
    request.answered_by = author
    request.save(update_fields=["answer", "answered_at", "answered_by", "organisation", "reason"])
