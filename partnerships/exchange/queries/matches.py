"""Matches that a person may see, from the side they stand on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from partnerships.exchange.models import Entry, Match
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class MatchFor:
    """A match as one side sees it: its own entry, and the counterpart."""

    match: Match
    entry: Entry
    counterpart: Entry

    @property
    def reasons(self) -> list[str]:
        """Why they fit, in words that read the same from both sides."""
        return self.match.reasons

    @property
    def fit(self) -> str:
        """How well, in words."""
        return self.match.fit


def new_matches_for(person: User, since: dt.datetime, most: int = 50) -> list[MatchFor]:
    """Matches found since, that concern an organisation of the person, may be seen by them and were not put aside.

    Best first. Only where both sides still want an answer.
    """
    mine = set(Organisation.objects.of_person(person).values_list("pk", flat=True))
    found = (
        Match.objects.of_person(person)
        .filter(found_at__gt=since)
        .live()
        .visible_to(person)
        .not_dismissed_by(person)
        .select_related("ask__organisation", "offer__organisation")
        .order_by("-score", "-found_at", "pk")[:most]
    )
    return from_side(found, mine)


def from_side(matches: Iterable[Match], mine: set[int]) -> list[MatchFor]:
    """The matches with the side of these organisations first; the ask where both sides are theirs."""
    return [
        MatchFor(match, match.ask, match.offer)
        if match.ask.organisation_id in mine
        else MatchFor(match, match.offer, match.ask)
        for match in matches
    ]
