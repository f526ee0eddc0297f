"""The service behind the page of choices: when emails are sent, how notices are sent, and reminders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from partnerships.digests.models import Preference
from partnerships.digests.services.inbox import choose_ways
from partnerships.digests.services.preferences import prefer
from partnerships.people.lead_times import choose_lead_times
from partnerships.people.models import User


@transaction.atomic
def save_choices(
    *,
    person: User,
    preferences: Mapping[str, Any],
    ways: Mapping[str, str],
    lead_times: Mapping[str, Collection[int] | None] | None,
    for_everything: bool,
    author: User | None,
    now: dt.datetime,
) -> Preference:
    """Save everything that a person chose on the page of choices.

    `preferences` and `for_everything` are arguments of `prefer`. `lead_times` is an argument of `choose_lead_times`,
    where None changes no lead times. Raises `UnableToChangeSubscription` and `UnableToChooseWay`.
    """
    preference = prefer(person=person, author=author, for_everything=for_everything, now=now, **preferences)
    if ways:
        choose_ways(person=person, ways=ways, author=author, now=now)
    if lead_times is not None:
        choose_lead_times(person=person, days=lead_times, now=now)
    return preference
