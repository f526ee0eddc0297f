"""Queries about one's own account."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet

from partnerships.people.models import SecurityEvent, User
from partnerships.people.second_factor import required_for


def colleagues_of(person: User) -> QuerySet[User]:
    """Other active people with an account, by name; they could take over."""
    return User.objects.filter(is_active=True, account_since__isnull=False).exclude(pk=person.pk).order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """What the account page shows."""

    sessions: int
    has_authenticator_app: bool
    passkeys: int
    second_factor_required: bool
    events: list[SecurityEvent]


def account_overview(user: User) -> AccountOverview:
    """How a person signs in, and the last events of their account."""
    types = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return AccountOverview(
        sessions=UserSession.objects.filter(user=user).count(),
        has_authenticator_app=Authenticator.Type.TOTP in types,
        passkeys=types.count(Authenticator.Type.WEBAUTHN),
        second_factor_required=required_for(user),
        events=list(SecurityEvent.objects.filter(person=user).order_by("-at", "-pk")[:10]),
    )
