"""The rules for an organisation's own sign-in page.

Without a provider, people sign in by password. A provider is offered first: both it and passwords work. Once a lead has
signed in through it, it can be required. Then only the provider works, except that leads can use their passwords for
one more day (`registrations.WAY_BACK`).
"""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import leads_of, people_of
from partnerships.people.identity_providers import has_vouched_for, provider_choices
from partnerships.people.sessions import end_sessions


def sign_in_refusal(organisation: Organisation, *, provider: str, required: bool) -> str:
    """Return why the organisation cannot have these sign-in settings; "" if it can.

    `organisation` has the stored settings. A rule that it already has is not checked again, so that its other details
    can be corrected even if its leads have changed since.
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

    If `required` is None, the present rule stays, but a change of provider ends it. A rule that stays keeps its first
    time, from which the last day of leads' passwords is counted.
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
