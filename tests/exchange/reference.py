"""Slow queries for matches and for the themes of the board, whose results the fast queries must equal."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from django.contrib.postgres.search import TrigramSimilarity
from django.db.models import Q

from partnerships.agreements.models import Party
from partnerships.exchange.matching import MIN_POINTS, SharedTraits, distinctive_lexemes, score_pair, written_words
from partnerships.exchange.models import Addressee, Audience, Direction, Dismissal, Entry, Match, theme_number
from partnerships.exchange.queries.board import Filters, board_entries
from partnerships.exchange.queries.candidates import BEST, Counterpart, lexemes_of, match_side
from partnerships.exchange.queries.places import AreaNames
from partnerships.exchange.reach import anywhere_key, area_of_key
from partnerships.organisations.models import Organisation, OrganisationQuerySet
from partnerships.people.models import User


def with_party_of(organisation_id: int) -> Q:
    """Return the condition on other organisations' shared entries that an organisation may read."""
    entries_by_name = Addressee.objects.filter(organisation=organisation_id).values("entry")
    own_partnerships = Party.objects.accepted().filter(organisation=organisation_id).values("partnership")
    return (
        Q(audience=Audience.NETWORK)
        | Q(audience=Audience.NAMED, pk__in=entries_by_name)
        | Q(audience=Audience.PARTNERSHIP, partnership__in=own_partnerships)
    )


def reached_by(entry: Entry) -> Q:
    """Return the condition on entries whose organisations may read this entry."""
    if entry.audience == Audience.NETWORK:
        return Q()
    if entry.audience == Audience.NAMED:
        return Q(organisation__in=entry.addressees.values("organisation"))
    return Q(organisation__in=Party.objects.accepted().filter(partnership=entry.partnership_id).values("organisation"))


def best_for_reader(entry: Entry, user: User, today: dt.date) -> list[Counterpart]:
    """Return the best counterparts that this person can see and has not dismissed."""
    dismissals = Dismissal.objects.filter(organisation__in=Organisation.objects.of_person(user))
    own_direction, other_direction = ("ask", "offer") if entry.is_ask else ("offer", "ask")
    dismissed = dismissals.filter(**{f"match__{own_direction}": entry}).values(f"match__{other_direction}")
    readable = Q(pk__in=Entry.objects.visible_to(user).exclude(pk__in=dismissed).values("pk"))
    return best(entry, readable, today, Organisation.objects.of_person(user))[:BEST]


def best_for_both(entry: Entry, today: dt.date) -> set[Counterpart]:
    """Return the best counterparts for either side, and all that are stored as matches."""
    readable_by_subject = with_party_of(entry.organisation_id)
    able_to_read_subject = reached_by(entry)
    counterparts = best(entry, readable_by_subject, today)[:BEST]
    counterparts += best(entry, ~readable_by_subject & ~Q(audience=Audience.NETWORK) & able_to_read_subject, today)[
        :BEST
    ]
    stored_counterparts = (
        Match.objects.filter(ask=entry).values("offer") if entry.is_ask else entry.matches_as_offer.values("ask")
    )
    return {
        *counterparts,
        *best(entry, (readable_by_subject | able_to_read_subject) & Q(pk__in=stored_counterparts), today),
    }


def best(entry: Entry, allowed: Q, today: dt.date, sides: OrganisationQuerySet | None = None) -> list[Counterpart]:
    """Return the allowed counterparts, best first: those nearby, and those of the region if too few are nearby.

    The number nearby has no limit here, because tests have few entries.
    """
    theme = theme_number(entry.theme)
    other_entries = Entry.objects.filter(
        allowed,
        Q(available_until=None) | Q(available_until__gte=entry.available_from or today),
        direction=Direction.OFFER if entry.is_ask else Direction.ASK,
        theme=entry.theme,
        is_open=True,
    ).exclude(organisation=entry.organisation_id)
    if entry.available_until:
        other_entries = other_entries.filter(Q(available_from=None) | Q(available_from__lte=entry.available_until))
    rows = other_entries.annotate(likeness=TrigramSimilarity("title", entry.title)).order_by("pk")
    if entry.reach == [anywhere_key(theme)]:
        return _scored(entry, list(rows), sides)
    candidates = list(rows.filter(reach__overlap=[key for key in entry.reach if key > 0] or [0]))
    if len(candidates) < BEST:
        regional_rows = rows.filter(reach__overlap=[anywhere_key(theme), *(key for key in entry.reach if key < 0)])
        candidates += [row for row in regional_rows if row not in candidates]
    return _scored(entry, candidates, sides)


def _scored(entry: Entry, rows: list[Entry], sides: OrganisationQuerySet | None) -> list[Counterpart]:
    near_keys = {key for key in entry.reach if key > 0}
    region_keys = {key for key in entry.reach if key < 0} - {anywhere_key(theme_number(entry.theme))}
    names = AreaNames()
    own_partnerships = Party.objects.accepted().filter(organisation=entry.organisation_id).values("partnership")
    partners = set(
        Party.objects.accepted().filter(partnership__in=own_partnerships).values_list("organisation_id", flat=True)
    )
    side_ids = None if sides is None else set(sides.values_list("pk", flat=True))
    counterparts = []
    for row in rows:
        may_know_partners = side_ids is None or bool(side_ids & {entry.organisation_id, row.organisation_id})
        common_lexemes = set(lexemes_of(entry.words)).intersection(lexemes_of(row.words))
        common = SharedTraits(
            areas=names.of({area_of_key(key) for key in near_keys.intersection(row.reach)}),
            same_region=not region_keys.isdisjoint(row.reach),
            words=written_words(distinctive_lexemes(common_lexemes), f"{entry.title} {entry.statement}"),
            likeness=row.likeness,  # type: ignore[attr-defined]  # annotated above
            partners=may_know_partners and row.organisation_id in partners,
        )
        ask_side, offer_side = [
            match_side(
                side_entry.available_from,
                side_entry.available_until,
                side_entry.quantity,
                side_entry.agreed_quantity,
                side_entry.unit,
                standing=side_entry.standing,
            )
            for side_entry in ((entry, row) if entry.is_ask else (row, entry))
        ]
        counterparts.append(Counterpart(row.pk, score_pair(ask_side, offer_side, common)))
    counterparts.sort(key=lambda counterpart: (-counterpart.score.points, -counterpart.entry_id))
    return [counterpart for counterpart in counterparts if counterpart.score.points >= MIN_POINTS]


def matches_of(entry: Entry, user: User) -> int:
    """Return how many matches of an entry the person can see and has not dismissed."""
    matches = Match.objects.visible_to(user).live().not_dismissed_by(user).filter(score__gte=MIN_POINTS)
    return matches.filter(Q(ask=entry) | Q(offer=entry)).count()


def themes_on_board(user: User, filters: Filters) -> Counter[str]:
    """Return how many entries of each theme the board shows."""
    return Counter(board_entries(user, filters).values_list("theme", flat=True))
