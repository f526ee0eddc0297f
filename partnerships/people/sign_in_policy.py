"""Through whom somebody must sign in: an organisation may require its own OpenID Connect provider."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.internal.flows.login import get_authentication_records
from django.http import HttpRequest

from partnerships.people.models import User

#: From a person to the keys of the providers required of them.
Policy = Callable[[User], set[str]]
_policies: list[Policy] = []


def register_policy(policy: Policy) -> None:
    """Add a source of requirements."""
    _policies.append(policy)


def providers_required_of(user: User) -> set[str]:
    """The keys of the providers through one of which the person must sign in; empty: email and password."""
    return set().union(*(policy(user) for policy in _policies)) if _policies else set()


def comes_as_required(request: HttpRequest, user: User) -> bool:
    """Whether this session began with every provider that is required of the person today.

    Each must have vouched: one organisation's provider does not speak for another organisation.
    """
    required = providers_required_of(user)
    if not required:
        return True
    records = get_authentication_records(request, user)
    return required <= {one.get("provider") for one in records if one["method"] == "socialaccount"}
