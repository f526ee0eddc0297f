"""Which OpenID Connect providers people may or must sign in through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from partnerships.people.models import User

#: Returns the keys of providers for a person at a time.
Policy = Callable[[User, dt.datetime], set[str]]
_offered: list[Policy] = []
_required: list[Policy] = []


def register_policy(*, offered: Policy, required: Policy) -> None:
    """Register sources of offered and of required providers."""
    _offered.append(offered)
    _required.append(required)


def providers_required_of(user: User, *, now: dt.datetime) -> set[str]:
    """Return the keys of the providers that the person must use; empty if a password is enough."""
    return set().union(*(policy(user, now) for policy in _required))


def may_vouch_for(provider: str, user: User, *, now: dt.datetime) -> bool:
    """Whether a provider may identify this person.

    One of their organisations must offer the provider, and none may require another one.
    """
    offered = set().union(*(policy(user, now) for policy in _offered))
    return provider in offered and providers_required_of(user, now=now) <= {provider}


def meets_sign_in_policy(request: HttpRequest, user: User, *, now: dt.datetime) -> bool:
    """Whether the person signed in through every provider that their organisations require.

    One provider cannot stand in for another, because it cannot vouch for another organisation.
    """
    required = providers_required_of(user, now=now)
    if not required:
        return True
    records = get_authentication_records(request, user)
    return required <= {record.get("provider") for record in records if record["method"] == "socialaccount"}
