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
from partnerships.outbox.kinds import kind_of
from partnerships.outbox.models import Bounce, Email, EmailStatus, Lane
from partnerships.people.models import User
from partnerships.people.requests import signed_in

#: Emails on one page.
PAGE = 50
#: Who an email that asks for confirmation went to: whose address was typed is nobody's business before they confirm.
ASKED = "somebody who was asked to confirm"


@dataclass(frozen=True, slots=True)
class Shown:
    """An email without its text, as shown on these pages."""

    email: Email
    what: str
    to: str
    reason: str
    came_back: bool

    @property
    def status_label(self) -> str:
        """Its status in words."""
        return "Bounced" if self.came_back else self.email.get_status_display()


def emails_for(user: User) -> QuerySet[Email]:
    """The emails whose state a person may read.

    Administrators read it of all but digests, which have a ledger of their own; leads of the notices that were sent on
    behalf of their organisation.
    """
    rows = Email.objects.exclude(status=EmailStatus.DROPPED)
    if user.is_staff:
        return rows.filter(lane__lt=Lane.DIGEST)
    led = list(Organisation.objects.of_person(user, Role.LEAD).values_list("pk", flat=True))
    return rows.filter(lane=Lane.NOTICE, sender_id__in=led)


def may_look(user: User) -> bool:
    """Whether the person may open the list."""
    return user.is_staff or bool(Membership.objects.organisations_of(user, Role.LEAD))


def shown(emails: Sequence[Email]) -> list[Shown]:
    """Emails as shown on pages. Always three statements."""
    people = User.objects.in_bulk([shown_email.person_id for shown_email in emails if shown_email.person_id])
    numbers = [shown_email.pk for shown_email in emails]
    bounced = set(Bounce.objects.filter(email_id__in=numbers).values_list("email_id", flat=True))
    return [
        Shown(
            email=shown_email,
            what=kind.label if (kind := kind_of(shown_email.kind)) else shown_email.kind,
            to=ASKED if shown_email.kind == DeliveryKind.CONFIRMATION else _to(people.get(shown_email.person_id or 0)),
            reason=_reason(shown_email),
            came_back=shown_email.pk in bounced and not shown_email.is_open,
        )
        for shown_email in emails
    ]


def _to(person: User | None) -> str:
    """The recipient's name; addresses are not shown here."""
    if person is None:
        return "an address without an account"
    return person.name or ("a person without a name" if person.erased_at is None else "a former member")


def _reason(email: Email) -> str:
    """Why it stands so; a mail server's words may name an address to which mail is forwarded.

    Of a question to confirm it would tell whether the address that was typed has an account.
    """
    if email.kind == DeliveryKind.CONFIRMATION and email.status == EmailStatus.SUPPRESSED:
        return "The email could not be sent to this address."
    return without_addresses(email.reason)


@require_safe
def emails(request: HttpRequest) -> HttpResponse:
    """Sent and queued emails, newest first."""
    person = signed_in(request)
    if not may_look(person):
        raise PermissionDenied
    rows = emails_for(person)
    status = request.GET.get("status", "")
    if status in EmailStatus.values:
        rows = rows.filter(status=status)
    page = keyset_page(request, rows, order=["-id"], size=PAGE)
    context = {
        "page": page,
        "rows": shown(page.rows),
        "statuses": [choice for choice in EmailStatus.choices if choice[0] != EmailStatus.DROPPED],
        "status": status,
        "may_look": True,
    }
    return render(request, "web/emails.html", context)


@require_safe
def email(request: HttpRequest, pk: int) -> HttpResponse:
    """The state of one email."""
    person = signed_in(request)
    [shown_email] = shown([get_object_or_404(emails_for(person), pk=pk)])
    return render(request, "web/email.html", {"shown": shown_email, "may_look": True})
