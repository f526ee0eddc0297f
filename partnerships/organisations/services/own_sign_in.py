"""How an organisation's own sign-in comes into force.

Without a provider people sign in by password. An offered provider works beside the password. It can be required once a
lead has signed in through it; then only the provider works, but leads keep their password for one more day
(`registrations.WAY_BACK`). A new provider is at first only offered.
"""

from __future__ import annotations

import datetime as dt

from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.queries import leads_of, people_of
from partnerships.people.identity_providers import has_vouched_for, provider_choices
from partnerships.people.sessions import end_sessions


def sign_in_refusal(organisation: Organisation, *, provider: str, required: bool) -> str:
    """Why these sign-in settings are not possible; empty: they are."""
    if provider and provider not in dict(provider_choices()):
        return f"There is no sign-in page “{provider}”. Choose one that exists."
    if not required or (organisation.own_sign_in_required and organisation.sign_in_provider == provider):
        return ""
    if not provider:
        return "Choose a sign-in page before you require it."
    if organisation.pk is None or not has_vouched_for(provider, leads_of(organisation)):
        return (
            f"No lead of this organisation has signed in through “{provider}” yet. A lead must try it first:"
            " until then passwords keep working."
        )
    return ""


def required_since(
    organisation: Organisation, *, provider: str, required: bool | None, now: dt.datetime
) -> dt.datetime | None:
    """From when the provider is required; None: it is not.

    Unchanged where nothing is given (None) and the provider stays.
    """
    unchanged = provider == organisation.sign_in_provider
    if required is None:
        required = unchanged and organisation.own_sign_in_required
    if not required:
        return None
    return organisation.own_sign_in_required_at if unchanged and organisation.own_sign_in_required else now


def end_sessions_by_password(organisation: Organisation) -> None:
    """Sign the organisation's people out now that own sign-in is required.

    Leads stay signed in until their extra day is over.
    """
    leading = Membership.objects.current().filter(organisation=organisation, role=Role.LEAD).values("person")
    for person in people_of(organisation).exclude(pk__in=leading):
        end_sessions(person)
