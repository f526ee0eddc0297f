"""End sessions, and define the keys of the values that sessions store."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from partnerships.people.models import User

#: The session keys of the times of sign-in and of last use, in seconds since 1970.
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
#: The session keys of the times at which the second factor and the organisation's own sign-in were last checked.
FACTOR_SEEN_AT = "second_factor_seen_at"
OWN_SIGN_IN_SEEN_AT = "own_sign_in_seen_at"


def end_sessions(person: User, *, kept_session_key: str = "") -> int:
    """End the person's sessions except the session with the key `kept_session_key`; return the number of sessions."""
    user_sessions = UserSession.objects.filter(user=person).exclude(session_key=kept_session_key)
    keys = list(user_sessions.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    user_sessions.delete()
    return len(keys)


def recheck_sign_in(request: HttpRequest) -> None:
    """Make the next page check the sign-in requirements again, because the person's organisations have changed."""
    for key in (FACTOR_SEEN_AT, OWN_SIGN_IN_SEEN_AT):
        request.session.pop(key, None)
