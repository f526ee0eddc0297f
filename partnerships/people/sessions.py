"""Ending somebody's sessions, wherever they are signed in."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from partnerships.people.models import User

#: Where a session keeps when it began by signing in, and when it was last used, in seconds.
SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"


def end_sessions(person: User, *, but: str = "") -> int:
    """Sign the person out everywhere, but for the session with this key; how many sessions that ended."""
    known = UserSession.objects.filter(user=person).exclude(session_key=but)
    keys = list(known.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    known.delete()
    return len(keys)
