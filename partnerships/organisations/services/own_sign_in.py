"""The rules for an organisation's own sign-in page.

At first, people sign in by password. After an administrator has chosen a provider, people may use the provider or their
password. Once a lead has signed in through the provider, it can be required. Then only the provider works, except that
leads can use their passwords for one more day (`registrations.WAY_BACK`).
"""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import leads_of, people_of
from partnerships.people.identity_providers import has_vouched_for, provider_choices
from partnerships.people.sessions import end_sessions


def sign_in_refusal(organisation: Organisation, *, provider: str, required: bool) -> str:
    """Return why the organisation cannot have these sign-in settings; "" if it can.

    `organisation` has the stored settings. If the stored settings already require this provider, they are not checked
    again. The organisation's other details can then be corrected even if its leads have changed.
    """
    if provider and provider not in dict(provider_choices()):
        return f"There is no sign-in page “{provider}”. Choose a page from the list."
    is_required_already = organisation.own_sign_in_required and organisation.sign_in_provider == provider
    if not required or is_required_already:
        return ""
    if not provider:
        return "Choose a sign-in page before you require it."
    if organisation.pk is None or not has_vouched_for(provider, leads_of(organisation)):
        return (
            f"No lead of this organisation has signed in through “{provider}” yet. Ask a lead to try the page first. "
            "Until then passwords keep working."
        )
    return ""


def required_since(
    organisation: Organisation, *, provider: str, required: bool | None, now: dt.datetime
) -> dt.datetime | None:
    """Return the time from which people must use the provider; None if they may also use passwords.

    If `required` is None, the present rule remains, unless the provider changes. A rule that remains keeps its first
    time, because leads' passwords stop working a day after that time.
    """
    is_required_already = organisation.own_sign_in_required and provider == organisation.sign_in_provider
    if required is None:
        required = is_required_already
    if not required:
        return None
    return organisation.own_sign_in_required_at if is_required_already else now


def end_sessions_by_password(organisation: Organisation) -> None:
    """Sign the organisation's people out, except leads, who can use their passwords for one more day."""
    lead_ids = Membership.objects.current().filter(organisation=organisation, role=Role.LEAD).values("person")
    for person in people_of(organisation).exclude(pk__in=lead_ids):
        end_sessions(person)
