"""Queries for the page of a person's own account."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db.models import QuerySet

from partnerships.people.models import SecurityEvent, User
from partnerships.people.second_factor import requires_second_factor

#: The number of events of the security log that the account page shows.
_EVENTS_SHOWN = 10


def colleagues_of(person: User) -> QuerySet[User]:
    """Return other people with an open account, who could take over the person's work, sorted by name."""
    return User.objects.filter(is_active=True, account_since__isnull=False).exclude(pk=person.pk).order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class AccountOverview:
    """The facts on the account page."""

    sessions: int
    has_authenticator_app: bool
    passkeys: int
    second_factor_required: bool
    events: list[SecurityEvent]

    @property
    def has_second_factor(self) -> bool:
        """Return whether the person has a passkey, a security key or an authenticator app."""
        return self.has_authenticator_app or self.passkeys > 0


def account_overview(user: User) -> AccountOverview:
    """Return how a person signs in, and the latest events of their account."""
    factor_types = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return AccountOverview(
        sessions=UserSession.objects.filter(user=user).count(),
        has_authenticator_app=Authenticator.Type.TOTP in factor_types,
        passkeys=factor_types.count(Authenticator.Type.WEBAUTHN),
        second_factor_required=requires_second_factor(user),
        events=list(SecurityEvent.objects.filter(person=user).order_by("-at", "-pk")[:_EVENTS_SHOWN]),
    )
