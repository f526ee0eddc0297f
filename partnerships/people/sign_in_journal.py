"""Write changed ways to sign in to the journal, so that a restore does not bring back an earlier way.

The journal never contains passwords, addresses or secrets.
"""

from __future__ import annotations

import datetime as dt

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialApp
from django.db import transaction

from partnerships.kit import journal
from partnerships.people.models import SecurityEventKind, User
from partnerships.people.security import record_security_event
from partnerships.people.sessions import end_sessions

#: The kinds of journal line about a new password, a removed second factor, a new address, and a removed or changed
#: provider.
PASSWORD, FACTORS, ADDRESS, PROVIDER = "password", "second factors", "new address", "sign-in provider"


def person_identity(person: User) -> str:
    """Return the journal's hash of a person."""
    return journal.identity(person.pk, person.joined_at)


def factor_identity(factor: Authenticator) -> str:
    """Return the journal's hash of a second factor."""
    return journal.identity(factor.user_id, factor.pk, factor.created_at)


def provider_identity(app: SocialApp) -> str:
    """Return the journal's hash of a provider and its directory."""
    issuer = (app.settings or {}).get("server_url", "")
    return journal.identity(app.pk, app.provider, app.provider_id, issuer)


def journal_password(person: User, *, now: dt.datetime) -> None:
    """Write to the journal that the person's earlier password no longer works."""
    journal.note(PASSWORD, now=now, person=person.pk, same=person_identity(person))


def journal_factors(person: User, *, now: dt.datetime) -> None:
    """Write to the journal the second factors that the person still has."""
    remaining_factors = [
        factor_identity(authenticator) for authenticator in Authenticator.objects.filter(user=person).order_by("pk")
    ]
    journal.note(FACTORS, now=now, person=person.pk, same=person_identity(person), kept=remaining_factors)


def journal_address(person: User, *, now: dt.datetime) -> None:
    """Write to the journal that the person has another address."""
    journal.note(ADDRESS, now=now, person=person.pk, same=person_identity(person))


def journal_provider(app: SocialApp, *, now: dt.datetime, removed: bool) -> None:
    """Write to the journal that a provider was removed or became another directory. `app` has its earlier values."""
    journal.note(PROVIDER, now=now, provider=app.pk, same=provider_identity(app), removed=removed)


@transaction.atomic
def require_new_password(*, person: User, now: dt.datetime) -> None:
    """Make the person's password unusable and end all sessions. The person chooses a new password by email."""
    locked_person = User.objects.select_for_update().get(pk=person.pk)
    locked_person.set_unusable_password()
    locked_person.save(update_fields=["password"])
    end_sessions(locked_person)
    record_security_event(person=locked_person, kind=SecurityEventKind.PASSWORD_CHANGED, now=now)
    journal_password(locked_person, now=now)
