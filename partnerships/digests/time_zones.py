"""The time zones that a person can choose for digests."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from zoneinfo import available_timezones

from django.utils.choices import BaseChoiceIterator

from partnerships.digests.schedule import HOME


class TimeZones(BaseChoiceIterator):
    """The choices of time zone, London first.

    Django would check a list or a function of 400 choices again for each form.
    """

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(_zones())


@cache
def _zones() -> list[tuple[str, str]]:
    """Return the time zones with their names. Cached, because they are read from disk."""
    continents = ("Europe/", "America/", "Asia/", "Africa/", "Australia/")
    zones = sorted(zone for zone in available_timezones() if zone.startswith(continents) and zone != HOME)
    return [(HOME, "London"), *((zone, zone.replace("_", " ").replace("/", ": ", 1)) for zone in zones)]
