"""Ending somebody's sessions, wherever they are signed in."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.http import HttpRequest

from partnerships.people.models import User

#: Where a session keeps when it began by signing in, and when it was last used, in seconds.
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
#: When the session was last found to fulfil what is asked of its person: a second factor, their organisation's own
#: sign-in.
FACTOR_SEEN_AT = "second_factor_seen_at"
OWN_SIGN_IN_SEEN_AT = "own_sign_in_seen_at"


def end_sessions(person: User, *, but: str = "") -> int:
    """Sign the person out everywhere, but for the session with this key; how many sessions that ended."""
    known = UserSession.objects.filter(user=person).exclude(session_key=but)
    keys = list(known.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    known.delete()
    return len(keys)


def look_again(request: HttpRequest) -> None:
    """More may be asked of this session's person than before: look at the next page, not when the time comes."""
    for key in (FACTOR_SEEN_AT, OWN_SIGN_IN_SEEN_AT):
        request.session.pop(key, None)
