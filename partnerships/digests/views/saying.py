"""A person's preferences in words."""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.digests.emails.reasons import how_often
from partnerships.digests.models import Preference, Subscription
from partnerships.digests.planning.timing import settle_time
from partnerships.people.models import User


def preferences_in_words(person: User, preference: Preference, subscriptions: Iterable[Subscription]) -> str:
    """How often digests come, and what is followed with another frequency."""
    words = how_often(
        frozenset({""}),
        preference.frequency,
        preference.hour,
        preference.weekday,
        preference.working_days_of,
        person.time_zone,
        settle_time().total_seconds() / 60,
    )
    own = [
        f"{subscription.called}: {subscription.get_frequency_display().lower()}"
        for subscription in subscriptions
        if subscription.frequency and subscription.frequency != preference.frequency
    ]
    return f"{words} You chose differently for {'; '.join(own)}." if own else words
