"""Ends sessions, and names the values that they store."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from partnerships.people.models import User

#: Session keys with the times of sign-in and of last use, in seconds.
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
#: Session keys with the times when the second factor and the organisation's own sign-in were last checked.
FACTOR_SEEN_AT = "second_factor_seen_at"
OWN_SIGN_IN_SEEN_AT = "own_sign_in_seen_at"


def end_sessions(person: User, *, but: str = "") -> int:
    """End the person's sessions except the one with the key `but`, and return how many."""
    user_sessions = UserSession.objects.filter(user=person).exclude(session_key=but)
    keys = list(user_sessions.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    user_sessions.delete()
    return len(keys)


def recheck_sign_in(request: HttpRequest) -> None:
    """Make the next page check the sign-in requirements again, because the person's organisations have changed."""
    for key in (FACTOR_SEEN_AT, OWN_SIGN_IN_SEEN_AT):
        request.session.pop(key, None)
