"""The OpenID Connect providers through which people may or must sign in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from partnerships.people.models import User

#: A function that returns the keys of providers for a person at a moment.
Policy = Callable[[User, dt.datetime], set[str]]
_offered: list[Policy] = []
_required: list[Policy] = []


def register_sign_in_policy(*, offered: Policy, required: Policy) -> None:
    """Register functions that return the providers that a person may use, and those that a person must use."""
    _offered.append(offered)
    _required.append(required)


def required_providers_of(user: User, *, now: dt.datetime) -> set[str]:
    """Return the keys of the providers that the person must use; empty if a password is enough."""
    return set().union(*(policy(user, now) for policy in _required))


def may_identify(provider: str, user: User, *, now: dt.datetime) -> bool:
    """Return True if a provider may identify this person.

    One of the person's organisations must offer the provider, and no organisation may require another provider.
    """
    offered_providers = set().union(*(policy(user, now) for policy in _offered))
    return provider in offered_providers and required_providers_of(user, now=now) <= {provider}


def meets_sign_in_policy(request: HttpRequest, user: User, *, now: dt.datetime) -> bool:
    """Return True if the person signed in through every provider that their organisations require.

    One provider cannot replace another, because it cannot vouch for another organisation.
    """
    required_providers = required_providers_of(user, now=now)
    if not required_providers:
        return True
    records = get_authentication_records(request, user)
    return required_providers <= {record.get("provider") for record in records if record["method"] == "socialaccount"}
