"""Queries for the matches that a person may see, each with the entry of the person's organisation first."""

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
from partnerships.exchange.queries.permission_sql import Reader, dismissed_match_ids, readable_to, union_all
from partnerships.kit.database import rows_of
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Membership, Organisation
from partnerships.organisations.statements import Lookup, lookup, rows_for
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class MatchForSide:
    """A match as one of its two organisations sees it."""

    match: Match
    #: The organisation's own entry.
    entry: Entry
    #: The entry of the other organisation.
    counterpart: Entry

    @property
    def reasons(self) -> list[str]:
        """Return why the two entries match, in words that suit both organisations."""
        return self.match.reasons

    @property
    def fit(self) -> str:
        """Return how well the two entries match, for example `Good fit, 60 of 100`."""
        return fit_in_words(self.match.score)


def new_matches_for(person: User, since: dt.datetime, limit: int = 50) -> list[MatchForSide]:
    """Return the live matches of the person's organisations that were found since a moment, best first.

    Matches that the person may not see, or that their organisations have dismissed, are left out.
    """
    own_ids = set(Membership.objects.roles_of(person))
    if not own_ids:
        return []
    match_ids = rows_for(_new_match_ids, person, since, limit=limit)
    if not match_ids:
        return []
    return matches_from_side(rows_for(_matches_with_entries, person, match_ids), own_ids)


def new_matches_lookups(person: User, since: dt.datetime, limit: int = 50) -> list[Lookup]:
    """Return the lookups of a later `new_matches_for`, for `read_ahead`."""
    if not Membership.objects.roles_of(person):
        return []
    return [lookup(_new_match_ids, person, since, limit=limit)]


#: The best matches come first.
_BEST_FIRST = ("-score", "-found_at", "pk")


def _new_match_ids(person: User, since: dt.datetime, *, limit: int) -> QuerySet[Match, int]:
    """Return the ids of the live matches found for the person since a moment, except dismissed ones, the best first.

    Most people have no new matches. The 118 columns of `_matches_with_entries` would widen every row that a page reads
    together with these.
    """
    return (
        Match.objects.of_person(person)
        .filter(found_at__gt=since)
        .live()
        .visible_to(person)
        .not_dismissed_by(person)
        .order_by(*_BEST_FIRST)
        .values_list("pk", flat=True)[:limit]
    )


def _matches_with_entries(person: User, match_ids: list[int]) -> QuerySet[Match]:
    """Return these matches, as far as the person may see them, with both entries and organisations, the best first."""
    matches = Match.objects.visible_to(person).filter(id_is_among("pk", match_ids))
    return matches.select_related("ask__organisation", "offer__organisation").order_by(*_BEST_FIRST)


def matches_from_side(matches: Iterable[Match], own_ids: set[int]) -> list[MatchForSide]:
    """Return each match with the entry of these organisations first. If both entries are theirs, the ask is first."""
    matches_for_side = []
    for match in matches:
        if match.ask.organisation_id in own_ids:
            matches_for_side.append(MatchForSide(match=match, entry=match.ask, counterpart=match.offer))
        else:
            matches_for_side.append(MatchForSide(match=match, entry=match.offer, counterpart=match.ask))
    return matches_for_side


def matches_for(person: User, limit: int = 100) -> list[MatchForSide]:
    """Return the live matches of the person's organisations, whenever they were found, best first."""
    return new_matches_for(person, dt.datetime(1900, 1, 1, tzinfo=dt.UTC), limit)


def dismissed_counterparts(entry: Entry, person: User) -> list[tuple[Entry, Dismissal]]:
    """Return the counterparts that the person's organisations dismissed, each with its dismissal, the newest first."""
    matches = Match.objects.visible_to(person).filter(Q(ask=entry) | Q(offer=entry))
    dismissals = (
        Dismissal.objects.filter(match__in=matches, organisation__in=Organisation.objects.of_person(person))
        .select_related("match__ask", "match__offer", "author")
        .order_by("-at", "-pk")
    )
    counterparts = []
    for dismissal in dismissals:
        match = dismissal.match
        counterpart = match.offer if match.ask_id == entry.pk else match.ask
        counterparts.append((counterpart, dismissal))
    return counterparts


def partners_of(organisation_ids: Collection[int]) -> set[tuple[int, int]]:
    """Return the pairs of ids of each of these organisations and its partners, in both orders.

    For example, `{(1, 2), (2, 1)}` if organisation 1 shares a partnership only with organisation 2.
    """
    present_parties = Party.objects.accepted()
    partnerships = present_parties.filter(organisation__in=organisation_ids).values("partnership")
    parties_by_partnership: dict[int, set[int]] = defaultdict(set)
    parties = present_parties.filter(partnership__in=partnerships)
    for partnership_id, organisation_id in parties.values_list("partnership", "organisation"):
        parties_by_partnership[partnership_id].add(organisation_id)

    pairs_of_partners = set()
    for party_ids in parties_by_partnership.values():
        for own_id in party_ids.intersection(organisation_ids):
            for other_id in party_ids - {own_id}:
                pairs_of_partners |= {(own_id, other_id), (other_id, own_id)}
    return pairs_of_partners


def count_matches(reader: Reader, entries: Sequence[Entry | Card]) -> dict[int, int]:
    """Return how many matches of each open entry the person may see, by the id of the entry."""
    open_entries = [entry for entry in entries if entry.is_open]
    matching_ids = _matching_ids(
        reader,
        asks=[entry.pk for entry in open_entries if entry.direction == Direction.ASK],
        offers=[entry.pk for entry in open_entries if entry.direction == Direction.OFFER],
    )
    # Checking the few counterparts by id is far cheaper than finding everything that the reader may see.
    readable_ids = _open_and_readable(reader, {counterpart_id for _entry_id, counterpart_id in matching_ids})
    counts = Counter(entry_id for entry_id, counterpart_id in matching_ids if counterpart_id in readable_ids)
    return {entry.pk: counts[entry.pk] for entry in open_entries}


def _matching_ids(reader: Reader, *, asks: list[int], offers: list[int]) -> list[tuple[int, int]]:
    """Return pairs of the id of an entry and the id of a counterpart that matches it.

    Matches that the reader's organisations dismissed are left out.
    """
    dismissed_sql, dismissed_values = dismissed_match_ids(reader)
    statements = []
    for direction, opposite, ids in (("ask", "offer", asks), ("offer", "ask", offers)):
        if ids:
            sql = f"""
                SELECT {direction}_id, {opposite}_id
                FROM exchange_match
                WHERE {direction}_id = ANY(%s)
                    AND score >= {MIN_POINTS}
                    AND id NOT IN ({dismissed_sql})
            """  # noqa: S608  # constants
            statements.append((sql, (ids, *dismissed_values)))
    if not statements:
        return []
    return [(entry_id, counterpart_id) for entry_id, counterpart_id in rows_of(*union_all(*statements))]


def _open_and_readable(reader: Reader, entry_ids: Collection[int]) -> set[int]:
    """Return the ids of the entries among these that are open and that the person may read."""
    if not entry_ids:
        return set()
    is_readable, values = readable_to(reader)
    sql = f"SELECT id FROM exchange_entry WHERE id = ANY(%s) AND is_open AND {is_readable}"  # noqa: S608  # constants
    return {pk for (pk,) in rows_of(sql, (list(entry_ids), *values))}


def with_match_counts(cards: Sequence[Card], reader: Reader) -> list[Card]:
    """Return the cards with the number of matches that the reader may see."""
    count_by_entry = count_matches(reader, cards)
    return [replace(card, matches=count_by_entry.get(card.pk)) for card in cards]


def entry_cards(entries: Iterable[Entry], reader: Reader) -> list[Card]:
    """Return the cards of entries with their numbers of matches. Fetch the entries with `for_listing`.

    Each card shows the name that the organisation had when the entry was shared.
    """
    entries = list(entries)
    name_as_at(entries)
    return with_match_counts([card_of(entry) for entry in entries], reader)


#: The score from which a match is a strong fit.
_STRONG_SCORE = 75
#: The score from which a match is a good fit.
_GOOD_SCORE = 50


def fit_in_words(points: int) -> str:
    """Return how well a match fits as text with its points, for example `Strong fit, 80 of 100`."""
    if points >= _STRONG_SCORE:
        label = "Strong fit"
    elif points >= _GOOD_SCORE:
        label = "Good fit"
    else:
        label = "Possible fit"
    return f"{label}, {points} of 100"
