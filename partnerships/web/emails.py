"""Pages about sent emails, for administrators and leads of the sending organisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from partnerships.digests.models import DeliveryKind
from partnerships.kit.http import keyset_page
from partnerships.kit.text import without_addresses
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.outbox.kinds import email_kind_with_code
from partnerships.outbox.models import Bounce, Email, EmailStatus, Lane
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: The number of emails on one page.
PAGE = 50
#: Shown instead of the recipient of an email that requests confirmation. Until the person confirms, nobody should learn
#: whose address was entered.
UNCONFIRMED_RECIPIENT = "a person who was asked to confirm"


@dataclass(frozen=True, slots=True)
class ShownEmail:
    """An email as these pages show it, without its text."""

    email: Email
    kind_label: str
    recipient: str
    reason: str
    has_bounced: bool

    @property
    def status_label(self) -> str:
        """Return the status in words."""
        return "Bounced" if self.has_bounced else self.email.get_status_display()


def emails_for(user: User) -> QuerySet[Email]:
    """Return the emails whose status the person may read.

    Administrators may read the status of all emails except digests, which have their own list. Leads may read the
    status of the notices that were sent on behalf of their organisation.
    """
    all_emails = Email.objects.exclude(status=EmailStatus.DROPPED)
    if user.is_staff:
        return all_emails.filter(lane__lt=Lane.DIGEST)
    led_organisation_ids = list(Organisation.objects.of_person(user, Role.LEAD).values_list("pk", flat=True))
    return all_emails.filter(lane=Lane.NOTICE, sender_id__in=led_organisation_ids)


def may_read_emails(user: User) -> bool:
    """Return whether the person may open the list of emails."""
    return user.is_staff or bool(Membership.objects.organisations_of(user, Role.LEAD))


def shown_emails(emails: Sequence[Email]) -> list[ShownEmail]:
    """Return the emails with the labels that pages show, in two queries."""
    people = User.objects.in_bulk([email.person_id for email in emails if email.person_id])
    email_ids = [email.pk for email in emails]
    bounced_ids = set(Bounce.objects.filter(email_id__in=email_ids).values_list("email_id", flat=True))
    return [
        ShownEmail(
            email=email,
            kind_label=kind.label if (kind := email_kind_with_code(email.kind)) else email.kind,
            recipient=UNCONFIRMED_RECIPIENT
            if email.kind == DeliveryKind.CONFIRMATION
            else _recipient(people.get(email.person_id or 0)),
            reason=_reason(email),
            has_bounced=email.pk in bounced_ids and not email.is_open,
        )
        for email in emails
    ]


def _recipient(person: User | None) -> str:
    """Return the recipient's name. These pages do not show addresses."""
    if person is None:
        return "an address without an account"
    return person.name or ("a person without a name" if person.erased_at is None else "a former member")


def _reason(email: Email) -> str:
    """Return why the email has its status, without details that the reader must not learn.

    A mail server's message may name an address to which mail is forwarded. The reason of a suppressed confirmation
    would reveal whether the address that was typed has an account.
    """
    if email.kind == DeliveryKind.CONFIRMATION and email.status == EmailStatus.SUPPRESSED:
        return "The email could not be sent to this address."
    return without_addresses(email.reason)


@require_safe
def emails(request: HttpRequest) -> HttpResponse:
    """Show sent and queued emails, the newest first."""
    person = signed_in(request)
    if not may_read_emails(person):
        raise PermissionDenied
    readable_emails = emails_for(person)
    status = request.GET.get("status", "")
    if status in EmailStatus.values:
        readable_emails = readable_emails.filter(status=status)
    page = keyset_page(request, readable_emails, order=["-id"], size=PAGE)
    context = {
        "page": page,
        "rows": shown_emails(page.rows),
        "statuses": [choice for choice in EmailStatus.choices if choice[0] != EmailStatus.DROPPED],
        "status": status,
        "may_look": True,
    }
    return render(request, "web/emails.html", context)


@require_safe
def email(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the status of one email."""
    person = signed_in(request)
    [shown] = shown_emails([get_object_or_404(emails_for(person), pk=pk)])
    return render(request, "web/email.html", {"shown": shown, "may_look": True})
