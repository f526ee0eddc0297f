"""Matches that a person may see, from their side."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from django.db.models import Q, QuerySet

from partnerships.agreements.models import Party
from partnerships.exchange.matching import MIN_POINTS
from partnerships.exchange.models import Direction, Dismissal, Entry, Match
from partnerships.exchange.queries.board import Card, card_of
from partnerships.exchange.queries.listings import name_as_at
from partnerships.exchange.queries.permission_sql import Reader, dismissed_by, readable_to, union_all
from partnerships.kit.database import rows_of
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class MatchFor:
    """A match from one side: its own entry and the counterpart."""

    match: Match
    entry: Entry
    counterpart: Entry

    @property
    def reasons(self) -> list[str]:
        """Why they match; the words suit both sides."""
        return self.match.reasons

    @property
    def fit(self) -> str:
        """How well they match, in words."""
        return fit_in_words(self.match.score)


def new_matches_for(person: User, since: dt.datetime, limit: int = 50) -> list[MatchFor]:
    """Live matches of the person's organisations found since then, best first.

    Only those they may see and their organisations have not dismissed.
    """
    roles = set(Membership.objects.roles_of(person))
    return from_side(rows_for(_new_matches, person, since, limit=limit), roles) if roles else []


def new_matches_lookups(person: User, since: dt.datetime, limit: int = 50) -> list[Lookup]:
    """What `new_matches_for` is going to ask, for `read_ahead`."""
    return [lookup(_new_matches, person, since, limit=limit)] if Membership.objects.roles_of(person) else []


def _new_matches(person: User, since: dt.datetime, *, limit: int) -> QuerySet[Match]:
    """The matches of `new_matches_for`."""
    return (
        Match.objects.of_person(person)
        .filter(found_at__gt=since)
        .live()
        .visible_to(person)
        .not_dismissed_by(person)
        .select_related("ask__organisation", "offer__organisation")
        .order_by("-score", "-found_at", "pk")[:limit]
    )


def from_side(matches: Iterable[Match], own_ids: set[int]) -> list[MatchFor]:
    """Each match from the side of these organisations, or else of its ask."""
    return [
        MatchFor(match, match.ask, match.offer)
        if match.ask.organisation_id in own_ids
        else MatchFor(match, match.offer, match.ask)
        for match in matches
    ]


def matches_for(person: User, limit: int = 100) -> list[MatchFor]:
    """All live matches of the person's organisations, best first."""
    return new_matches_for(person, dt.datetime(1900, 1, 1, tzinfo=dt.UTC), limit)


def dismissed(entry: Entry, person: User) -> list[tuple[Entry, Dismissal]]:
    """Counterparts that organisations of the person dismissed, latest first.

    Each comes with its dismissal. Only counterparts they may still read.
    """
    matches = Match.objects.visible_to(person).filter(Q(ask=entry) | Q(offer=entry))
    dismissals = (
        Dismissal.objects.filter(match__in=matches, organisation__in=Organisation.objects.of_person(person))
        .select_related("match__ask", "match__offer", "author")
        .order_by("-at", "-pk")
    )
    return [
        (dismissal.match.offer if dismissal.match.ask_id == entry.pk else dismissal.match.ask, dismissal)
        for dismissal in dismissals
    ]


def partners_of(organisation_ids: Collection[int]) -> set[tuple[int, int]]:
    """Pairs of these and other organisations that share a partnership.

    Each pair is there both ways round.
    """
    present = Party.objects.present()
    shared = present.filter(organisation__in=organisation_ids).values("partnership")
    parties: dict[int, set[int]] = defaultdict(set)
    for partnership, body in present.filter(partnership__in=shared).values_list("partnership", "organisation"):
        parties[partnership].add(body)
    own_ids = set(organisation_ids)
    pairs = {(body, other) for bodies in parties.values() for body in bodies & own_ids for other in bodies - {body}}
    return pairs | {(other, one) for one, other in pairs}


def count_matches(reader: Reader, entries: Sequence[Entry | Card]) -> dict[int, int]:
    """How many matches of each open entry the person may see."""
    asks = [entry.pk for entry in entries if entry.is_open and entry.direction == Direction.ASK]
    offers = [entry.pk for entry in entries if entry.is_open and entry.direction == Direction.OFFER]
    dismissed_ids, values = dismissed_by(reader)
    worth = f"= ANY(%s) AND score >= {MIN_POINTS} AND id NOT IN ({dismissed_ids})"
    parts = [
        (f"SELECT {own}_id, {other}_id FROM exchange_match WHERE {own}_id {worth}", (ids, *values))  # noqa: S608  # constants
        for own, other, ids in (("ask", "offer", asks), ("offer", "ask", offers))
        if ids
    ]
    pairs = rows_of(*union_all(*parts)) if parts else []
    # Checking the few counterparts by id is far cheaper than finding everything the reader may see.
    counterparts = list({other for _, other in pairs})
    seen: set[int] = set()
    if counterparts:
        readable, values = readable_to(reader)
        open_entries = f"SELECT id FROM exchange_entry WHERE id = ANY(%s) AND is_open AND {readable}"  # noqa: S608  # as above
        rows = rows_of(open_entries, (counterparts, *values))
        seen = {pk for (pk,) in rows}
    counts = Counter(own for own, other in pairs if other in seen)
    return {entry.pk: counts[entry.pk] for entry in entries if entry.is_open}


def with_matches(cards: Sequence[Card], reader: Reader) -> list[Card]:
    """The cards with the number of matches that the reader may see."""
    numbers = count_matches(reader, cards)
    return [replace(card, matches=numbers.get(card.pk)) for card in cards]


def entry_cards(entries: Iterable[Entry], reader: Reader) -> list[Card]:
    """Cards, with numbers of matches and names of their day, of entries read with `for_listing`."""
    rows = list(entries)
    name_as_at(rows)
    return with_matches([card_of(entry) for entry in rows], reader)


def fit_in_words(points: int) -> str:
    """How good a match is, in words and points."""
    words = "Strong fit" if points >= 75 else "Good fit" if points >= 50 else "Possible fit"
    return f"{words}, {points} of 100"
