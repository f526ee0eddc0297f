"""Decide who must have a second factor.

Upper rooms register the reasons. The setting SECOND_FACTOR_REQUIRED switches on the reasons that depend on a role.
"""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings

from partnerships.people.models import User

#: A function that returns True if the person must have a second factor. Reasons by role count only with
#: SECOND_FACTOR_REQUIRED; the policy of an organisation always counts.
Reason = Callable[[User], bool]
_by_role: dict[str, Reason] = {}
_by_policy: dict[str, Reason] = {}


def register_requirement(name: str, reason: Reason, *, always: bool = False) -> None:
    """Register a reason. With `always`, it applies even without SECOND_FACTOR_REQUIRED."""
    reasons = _by_policy if always else _by_role
    reasons[name] = reason


def requires_second_factor(user: User) -> bool:
    """Return True if this person must have a second factor."""
    if any(reason(user) for reason in _by_policy.values()):
        return True
    return bool(settings.SECOND_FACTOR_REQUIRED) and any(reason(user) for reason in _by_role.values())


def has_second_factor(user: User) -> bool:
    """Return True if the person has an authenticator app, a passkey or a security key."""
    return bool(
        Authenticator.objects.filter(
            user=user, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).exists()
    )
