"""The actions of people on one of their own subscriptions, signed in or by link."""

from __future__ import annotations

import datetime as dt

from django.http import Http404

from partnerships.digests import services
from partnerships.digests.models import Subscription
from partnerships.people.models import User

#: The message after each action; {} is the name of the followed record.
MESSAGES = {
    "confirm": "Digests about {} are on.",
    "pause": "Digests about {} are paused. When you resume, you get what changed in the meantime.",
    "resume": "Digests about {} are on again. The next one includes what changed in the meantime.",
    "frequency": "Your choice for {} has been saved.",
    "stop": "You no longer follow {}.",
    "again": "We have sent you an email to confirm digests about {}. We send only a few of these emails a day.",
}
PAUSE_ENDED = "Your digests are on again. The next one includes what changed in the meantime."
PAUSE_CANCELLED = "The pause has been cancelled. Your digests will come as usual."
#: The actions for people who are signed in.
SIGNED_IN = frozenset({"confirm", "pause", "resume", "frequency", "stop"})
#: The actions by link. Confirming is not among them, because it needs the link in the confirmation email; "again" sends
#: that email again.
BY_LINK = frozenset({"again", "pause", "resume", "frequency", "stop"})


def change_subscription(
    verb: str,
    subscription: Subscription,
    *,
    frequency: str,
    hears: str = "",
    person: User,
    reason: str,
    now: dt.datetime,
) -> None:
    """Call the service for the action that the URL names (`verb`). Raises `UnableToChangeSubscription`.

    An unknown action is a 404.
    """
    if verb == "confirm":
        services.confirm(subscription=subscription, now=now)
    elif verb == "pause":
        services.pause(subscription=subscription, author=person, now=now)
    elif verb == "resume":
        services.resume(subscription=subscription, author=person, now=now)
    elif verb == "frequency":
        services.set_frequency(subscription=subscription, frequency=frequency, author=person, now=now)
        if hears:
            services.set_hears(subscription=subscription, hears=hears, author=person, now=now)
    elif verb == "stop":
        services.stop(subscriptions=[subscription], author=person, reason=reason, now=now)
    elif verb == "again":
        services.ask_again_for_person(subscription=subscription, now=now)
    else:
        raise Http404
