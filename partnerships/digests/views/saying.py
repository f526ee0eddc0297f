"""Write a person's preferences as a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from partnerships.digests.emails.reasons import how_often
from partnerships.digests.models import Preference, Subscription
from partnerships.digests.planning.timing import settle_time
from partnerships.kit.text import listed
from partnerships.people.models import User


def preferences_in_words(person: User, preference: Preference, subscriptions: Iterable[Subscription]) -> str:
    """Return a sentence about how often digests are sent, and another about subscriptions that differ."""
    sentence = how_often(
        frozenset({""}),
        frequency=preference.frequency,
        hour=preference.hour,
        weekday=preference.weekday,
        working_days_of=preference.working_days_of,
        zone=person.time_zone,
        minutes=settle_time().total_seconds() / 60,
    )
    exceptions = [
        f"{subscription.shown_name} ({subscription.get_frequency_display().lower()})"
        for subscription in subscriptions
        if subscription.frequency and subscription.frequency != preference.frequency
    ]
    if not exceptions:
        return sentence
    return f"{sentence} You chose a different frequency for {listed(exceptions)}."
