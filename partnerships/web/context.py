"""Template context of every page, with the organisation the reader acts for and the texts about emails."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from partnerships.organisations.models import Membership, Organisation
from partnerships.outbox.content import WE_WILL_EMAIL, WILL_BE_SENT
from partnerships.people.models import User
from partnerships.web.emails import may_read_emails


def _acting_for(user: User) -> Organisation | None:
    """Return the organisation that the person has acted for longest, with only its id and its name."""
    memberships = Membership.objects.remembered_for(user)
    # Memberships are not cached outside the request of a page, for example in an error page. Then read only the first.
    if memberships is None:
        current_memberships = Membership.objects.current().of_person(user).order_by("starts_on", "pk")
        columns = ("organisation", "role", "organisation__name", "starts_on")
        memberships = list(current_memberships.values_list(*columns)[:1])
    if not memberships:
        return None
    organisation_id, _, name, _ = memberships[0]
    return Organisation(pk=organisation_id, name=name)


def acting_for(request: HttpRequest) -> dict[str, Any]:
    """Return `acting_for`, the organisation that the reader has acted for longest.

    It is read from the database only if the page shows it.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {"acting_for": SimpleLazyObject(lambda: _acting_for(user))}


def emails_said(request: HttpRequest) -> dict[str, Any]:
    """Return the sentences in which a page says that it sends emails, and whether the reader may see emails.

    `may_see_emails` is read from the database only if the page shows it.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {}
    return {
        "will_be_sent": WILL_BE_SENT,
        "we_will_email": WE_WILL_EMAIL,
        "may_see_emails": SimpleLazyObject(lambda: may_read_emails(user)),
    }
