"""What a person may do with one of their subscriptions, signed in or by a link: the same services, each way in its own
verbs."""

from __future__ import annotations

import datetime as dt

from django.http import Http404

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.people.models import User

#: What is said once it is done; the thing followed takes the place of the braces.
SAID = {
    "confirm": "Digests about {} are on.",
    "pause": "Digests about {} are paused. What changes meanwhile is told once you resume.",
    "resume": "Digests about {} are back, and begin with what changed meanwhile.",
    "frequency": "How often you hear of {} is saved.",
    "stop": "You no longer follow {}.",
    "again": "A letter that asks you about {} is on its way to your address. We send a few of them a day and no more.",
}
SIGNED_IN = frozenset({"confirm", "pause", "resume", "frequency", "stop"})
#: To say yes is what the link in the letter that asks is for, and no other: here that letter can be had once more.
BY_LINK = frozenset({"again", "pause", "resume", "frequency", "stop"})


def act(verb: str, subscription: Subscription, *, frequency: str, person: User, reason: str, now: dt.datetime) -> None:
    """Do what the verb says; 404 for what is none. Raises `UnableToChangeSubscription`."""
    if verb == "confirm":
        services.confirm(subscription=subscription, now=now)
    elif verb == "pause":
        services.pause(subscription=subscription, author=person, now=now)
    elif verb == "resume":
        services.resume(subscription=subscription, author=person, now=now)
    elif verb == "frequency":
        services.set_frequency(subscription=subscription, frequency=frequency, author=person, now=now)
    elif verb == "stop":
        services.stop(subscriptions=[subscription], author=person, reason=reason, now=now)
    elif verb == "again":
        services.ask_anew(subscription=subscription, now=now)
    else:
        raise Http404
