"""Through whom somebody may or must sign in: an organisation may have its own OpenID Connect provider."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest

from partnerships.people.models import User

#: From a person and a moment to the keys of providers.
Policy = Callable[[User, dt.datetime], set[str]]
_offered: list[Policy] = []
_required: list[Policy] = []


def register_policy(*, offered: Policy, required: Policy) -> None:
    """Add a source of providers that people may use, and of those that they must use."""
    _offered.append(offered)
    _required.append(required)


def providers_required_of(user: User, *, now: dt.datetime) -> set[str]:
    """The keys of the providers that the person must sign in through; empty: a password opens too."""
    return set().union(*(policy(user, now) for policy in _required))


def may_vouch_for(provider: str, user: User, *, now: dt.datetime) -> bool:
    """Whether a provider may say that somebody is this person.

    One of their organisations offers it, and none requires another: one organisation's provider does not speak for
    another organisation.
    """
    offered = set().union(*(policy(user, now) for policy in _offered))
    return provider in offered and providers_required_of(user, now=now) <= {provider}


def comes_as_required(request: HttpRequest, user: User, *, now: dt.datetime) -> bool:
    """Whether this session began with every provider that is required of the person today.

    Each must have vouched: one organisation's provider does not speak for another organisation.
    """
    required = providers_required_of(user, now=now)
    if not required:
        return True
    records = get_authentication_records(request, user)
    return required <= {one.get("provider") for one in records if one["method"] == "socialaccount"}
