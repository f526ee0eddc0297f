"""New matches in digests: found hourly, sent to each person once.

A new match makes a digest go out (docs/digests.md), or is added to one that is due. Access is checked again when the
digest is composed.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection
from django.db.models import F, Q
from django.urls import reverse

from partnerships.digests.models import UNDER_WAY, Frequency, MatchNotice, OpenDigest, Preference, Slot
from partnerships.digests.planning.timing import settle_time
from partnerships.digests.schedule import due, local_day
from partnerships.exchange.matching import MIN_POINTS
from partnerships.exchange.models import Entry, Match
from partnerships.exchange.queries.matches import MatchFor, from_side
from partnerships.kit.bank_holidays import holidays
from partnerships.kit.text import shorten
from partnerships.organisations.models import Membership, Organisation
from partnerships.outbox.queries.suppressions import SUPPRESSED
from partnerships.people.models import User

#: How far back to look for matches: long enough for a worker that was down for a day.
_LOOK_BACK = dt.timedelta(days=2)
#: How many matches an email lists; the site has the rest.
MAX_MATCHES = 8
#: What begins a fact in the journal: a digest told the match of this ask and offer.
TOLD_MATCH = "match"
#: Characters of a title that a digest shows of a match.
_MAX_TITLE = 90

#: SQL: people who have not left and whose address is not suppressed.
_REACHABLE = f"u.is_active AND NOT {SUPPRESSED}"

_NOTE = """
INSERT INTO digests_matchnotice (recipient_id, ask_id, offer_id, noted_at, slotted)
SELECT DISTINCT u.id, m.ask_id, m.offer_id, %(now)s, false
  FROM exchange_match m
  JOIN exchange_entry ask ON ask.id = m.ask_id AND ask.is_open
  JOIN exchange_entry offer ON offer.id = m.offer_id AND offer.is_open
  JOIN ({acting}) acting ON acting.organisation_id IN (ask.organisation_id, offer.organisation_id)
  JOIN people_user u ON u.id = acting.person_id AND u.account_since IS NOT NULL AND {reachable}
  LEFT JOIN digests_preference p ON p.person_id = u.id
 WHERE m.found_at > %(since)s AND m.score >= %(worth)s AND COALESCE(p.tells_matches, true)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class MatchLine:
    """One new match as emails and pages show it."""

    fit: str
    own: str
    counterpart: str
    reasons: str
    path: str

    @property
    def sentence(self) -> str:
        """The match in one line of plain text."""
        return f"{self.fit}: {self.own} and {self.counterpart}" + (f" ({self.reasons})" if self.reasons else "")


def find_new_matches(*, now: dt.datetime) -> int:
    """Record new matches for everyone who acts for one side; return how many."""
    acting = Membership.objects.current().values("person_id", "organisation_id").order_by()
    sql, values = acting.query.sql_with_params()
    named_values = {f"acting_{place}": value for place, value in enumerate(values)}
    sql = sql % tuple(f"%({name})s" for name in named_values)
    with connection.cursor() as cursor:
        cursor.execute(
            _NOTE.format(acting=sql, reachable=_REACHABLE),
            {**named_values, "now": now, "since": now - _LOOK_BACK, "worth": MIN_POINTS},
        )
        match_count = int(cursor.rowcount)
    schedule_matches(now=now)
    return match_count


def schedule_matches(*, now: dt.datetime, people: Collection[int] | None = None) -> None:
    """Set when waiting matches are due, by each person's preferences.

    With `people`, reschedules theirs.
    """
    unsent = MatchNotice.objects.filter(told_at=None)
    if people is not None:
        unsent.filter(recipient__in=people).update(due_at=None)
    waiting = User.objects.filter(pk__in=unsent.filter(due_at=None).values("recipient")).select_related(
        "digest_preference"
    )
    for person in waiting:
        preference = getattr(person, "digest_preference", None) or Preference(person=person)
        rhythm = preference.rhythm(person.time_zone)
        slots = Slot.objects.filter(recipient=person, slot_on__gte=local_day(now, person.time_zone))
        taken = set(slots.values_list("slot_on", flat=True))
        at = due(
            rhythm,
            waiting_since=now,
            latest=now,
            settle=settle_time(),
            holidays=holidays(rhythm.working_days_of),
            taken=taken,
        )
        unsent.filter(recipient=person, due_at=None).update(due_at=at, slotted=rhythm.frequency != Frequency.AT_ONCE)


_CHOOSE = """
WITH chosen AS MATERIALIZED (
    SELECT w.recipient_id, w.slot_on, outbox_next_id() AS email_id
      FROM (SELECT m.recipient_id,
                   CASE WHEN bool_or(m.slotted) THEN (%(now)s AT TIME ZONE max(u.time_zone))::date END AS slot_on
              FROM digests_matchnotice m JOIN people_user u ON u.id = m.recipient_id
             WHERE m.told_at IS NULL AND m.due_at <= %(now)s AND {reachable}
             GROUP BY m.recipient_id) w
     WHERE w.recipient_id NOT IN ({under_way})
       AND NOT EXISTS (SELECT 1 FROM digests_slot d
                        WHERE d.recipient_id = w.recipient_id AND d.slot_on = w.slot_on OFFSET 0)
),
under_way AS (
    INSERT INTO digests_opendigest (recipient_id, email_id) SELECT recipient_id, email_id FROM chosen
),
slots AS (
    INSERT INTO digests_slot (recipient_id, slot_on, email_id)
    SELECT recipient_id, slot_on, email_id FROM chosen WHERE slot_on IS NOT NULL
)
INSERT INTO outbox_email (id, lane, kind, person_id, available_at, created_at)
SELECT email_id, 2, 'digests.digest', recipient_id, clock_timestamp(), %(now)s FROM chosen
"""


def choose_matches(*, now: dt.datetime) -> int:
    """Make digests for people with a match due; return how many.

    People who already had a digest for this local date wait for the next one. The caller holds the lock.
    """
    if not MatchNotice.objects.filter(told_at=None, due_at__lte=now).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE.format(reachable=_REACHABLE, under_way=UNDER_WAY), {"now": now})
        chosen = int(cursor.rowcount)
    stuck = (
        MatchNotice.objects.filter(told_at=None, due_at__lte=now, slotted=True)
        .exclude(recipient__in=OpenDigest.objects.values("recipient"))
        .values_list("recipient", flat=True)
        .distinct()
    )
    if people := sorted(stuck):
        schedule_matches(now=now, people=people)
    return chosen


class TakenMatches(NamedTuple):
    """What the digests of a batch take with them, by email.

    `withdrawn` are the digests that must drop some; `told` are the matches for the journal, so that a restore does not
    tell them again.
    """

    lines: dict[int, tuple[MatchLine, ...]]
    withdrawn: set[int]
    told: dict[int, list[list[int | str]]]


def matches_for_digests(recipients: dict[int, int], in_doubt: Collection[int], *, now: dt.datetime) -> TakenMatches:
    """The matches in each digest.

    `recipients` maps people to their digests. Matches count as sent in the transaction that claims. Those the person
    may no longer see are left out. A digest of somebody in `in_doubt` gets no match that it did not have before.
    """
    taken = TakenMatches({}, set(), {})
    if not recipients:
        return taken
    rows = MatchNotice.objects.filter(recipient__in=recipients).filter(
        (Q(told_at=None) & ~Q(recipient__in=in_doubt)) | Q(delivery__in=recipients.values())
    )
    pairs: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for person_id, ask, offer in rows.values_list("recipient", "ask", "offer"):
        pairs[person_id].append((ask, offer))
    for person in User.objects.filter(pk__in=pairs):
        delivery = recipients[person.pk]
        still_matching = _still_matches(person, pairs[person.pk])
        to_keep = Q(pk=None)
        for match_for in still_matching:
            to_keep |= Q(ask=match_for.match.ask_id, offer=match_for.match.offer_id)
        own_rows = rows.filter(recipient=person)
        if own_rows.filter(delivery=delivery).exclude(to_keep).update(delivery=None):
            taken.withdrawn.add(delivery)
        own_rows.filter(to_keep).update(told_at=now, delivery=delivery)
        rows.filter(recipient=person, told_at=None).update(told_at=now)
        if still_matching:
            taken.lines[delivery] = lines_of(still_matching)
            taken.told[delivery] = [[TOLD_MATCH, still.match.ask_id, still.match.offer_id] for still in still_matching]
    return taken


def _still_matches(person: User, pairs: Iterable[tuple[int, int]]) -> list[MatchFor]:
    wanted_pairs = set(pairs)
    own_organisations = set(Organisation.objects.of_person(person).values_list("pk", flat=True))
    matches = (
        Match.objects.of_person(person)
        .filter(ask__in={ask for ask, _ in wanted_pairs}, offer__in={offer for _, offer in wanted_pairs})
        .live()
        .visible_to(person)
        .not_dismissed_by(person)
        .select_related("ask__organisation", "offer__organisation")
        .order_by("-score", "pk")
    )
    return from_side([match for match in matches if (match.ask_id, match.offer_id) in wanted_pairs], own_organisations)


def lines_of(matches: Sequence[MatchFor]) -> tuple[MatchLine, ...]:
    """Matches as lines, best first."""
    return tuple(
        MatchLine(
            fit=match.fit,
            own=f"your {_named(match.entry)}",
            counterpart=f"the {_named(match.counterpart)} of {match.counterpart.organisation.display_name}",
            reasons="; ".join(match.reasons[:3]),
            path=reverse("exchange:entry-matches", kwargs={"pk": match.entry.pk}),
        )
        for match in matches
    )


def _named(entry: Entry) -> str:
    return f"{'ask' if entry.is_ask else 'offer'} “{shorten(entry.title, _MAX_TITLE)}”"


def matches_in(delivery_id: int, person: User) -> tuple[MatchLine, ...]:
    """The matches in a sent digest that its reader may still see."""
    rows = MatchNotice.objects.filter(delivery=delivery_id, recipient=person)
    return lines_of(_still_matches(person, rows.values_list("ask", "offer")))


def upcoming_matches(person: User) -> tuple[MatchLine, ...]:
    """The matches in the person's next digest if it was sent now."""
    rows = MatchNotice.objects.filter(recipient=person, told_at=None)
    return lines_of(_still_matches(person, rows.values_list("ask", "offer"))) if rows.exists() else ()


def discard_matches(people: Collection[int], *, now: dt.datetime) -> None:
    """Discard matches waiting for people who cannot be emailed."""
    MatchNotice.objects.filter(recipient__in=people, told_at=None).update(told_at=now)


def reclaim_matches(delivery_id: int) -> None:
    """Let the matches of a digest that will not be sent wait again."""
    MatchNotice.objects.filter(delivery=delivery_id).update(told_at=None, delivery=None, due_at=F("noted_at"))
