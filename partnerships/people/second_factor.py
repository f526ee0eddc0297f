"""Who must sign in with a second factor: rooms above register reasons, the setting switches the standing ones on."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings

from partnerships.people.models import User

#: Whether the person must, for a reason that holds wherever SECOND_FACTOR_REQUIRED is on (their role), or always (a
#: policy).
Reason = Callable[[User], bool]
_by_role: dict[str, Reason] = {}
_by_policy: dict[str, Reason] = {}


def register_reason(name: str, reason: Reason, *, always: bool = False) -> None:
    """Add a reason; `always`: also where the setting SECOND_FACTOR_REQUIRED is off."""
    (_by_policy if always else _by_role)[name] = reason


def required_for(user: User) -> bool:
    """Whether this person must have a second factor."""
    if any(reason(user) for reason in _by_policy.values()):
        return True
    return bool(settings.SECOND_FACTOR_REQUIRED) and any(reason(user) for reason in _by_role.values())


def has_second_factor(user: User) -> bool:
    """Whether the person has an authenticator app, a passkey or a security key."""
    return bool(
        Authenticator.objects.filter(
            user=user, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).exists()
    )
