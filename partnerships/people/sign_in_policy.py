"""Which OpenID Connect providers people may or must sign in through."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from partnerships.people.models import User

#: From a person and a time to the keys of providers.
Policy = Callable[[User, dt.datetime], set[str]]
_offered: list[Policy] = []
_required: list[Policy] = []


def register_policy(*, offered: Policy, required: Policy) -> None:
    """Register sources of offered and of required providers."""
    _offered.append(offered)
    _required.append(required)


def providers_required_of(user: User, *, now: dt.datetime) -> set[str]:
    """Keys of the providers that the person must use. Empty: a password works too."""
    return set().union(*(policy(user, now) for policy in _required))


def may_vouch_for(provider: str, user: User, *, now: dt.datetime) -> bool:
    """Whether a provider may identify this person.

    One of their organisations must offer it, and none may require another: a provider cannot vouch for another
    organisation.
    """
    offered = set().union(*(policy(user, now) for policy in _offered))
    return provider in offered and providers_required_of(user, now=now) <= {provider}


def comes_as_required(request: HttpRequest, user: User, *, now: dt.datetime) -> bool:
    """Whether this session began with every required provider.

    Each required provider must have vouched: one cannot vouch for another organisation.
    """
    required = providers_required_of(user, now=now)
    if not required:
        return True
    records = get_authentication_records(request, user)
    return required <= {record.get("provider") for record in records if record["method"] == "socialaccount"}
