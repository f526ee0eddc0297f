"""Schedules new matches of asks and offers for digests, and reads the matches of a digest.

A job records new matches every hour. Each match causes a digest, or is added to a digest that is due, and is sent to
each person once. The right to see the match is checked again when the digest is composed.
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

from partnerships.digests.models import OPEN_DIGEST_RECIPIENTS_SQL, Frequency, MatchNotice, OpenDigest, Preference, Slot
from partnerships.digests.planning.timing import settle_time
from partnerships.digests.schedule import due, local_day
from partnerships.exchange.matching import MIN_POINTS
from partnerships.exchange.models import Entry, Match
from partnerships.exchange.queries.matches import MatchForSide, matches_from_side
from partnerships.kit.bank_holidays import holidays
from partnerships.kit.text import shorten
from partnerships.organisations.models import Membership, Organisation
from partnerships.outbox.queries.suppressions import SUPPRESSED
from partnerships.people.models import User

#: How far back to look for matches: long enough for a worker that was down for a day.
_LOOK_BACK = dt.timedelta(days=2)
#: How many matches an email lists; the page of matches shows the others.
MAX_MATCHES = 8
#: The code at the beginning of a fact in the journal: a digest reported the match of this ask and offer.
TOLD_MATCH = "match"
#: The longest title of an ask or offer in a line about a match, in characters.
_MAX_TITLE = 90

#: SQL condition on `u`, a row of `people_user`: the person has not left, and the address is not suppressed.
_REACHABLE = f"u.is_active AND NOT {SUPPRESSED}"

#: Records recent matches for everybody with an account who acts for one of the two sides and wants matches.
_RECORD = """
INSERT INTO digests_matchnotice (recipient_id, ask_id, offer_id, noted_at, slotted)
SELECT DISTINCT u.id, m.ask_id, m.offer_id, %(now)s, false
  FROM exchange_match m
  JOIN exchange_entry ask ON ask.id = m.ask_id AND ask.is_open
  JOIN exchange_entry offer ON offer.id = m.offer_id AND offer.is_open
  JOIN ({acting}) acting ON acting.organisation_id IN (ask.organisation_id, offer.organisation_id)
  JOIN people_user u ON u.id = acting.person_id AND u.account_since IS NOT NULL AND {reachable}
  LEFT JOIN digests_preference p ON p.person_id = u.id
 WHERE m.found_at > %(since)s AND m.score >= %(min_score)s AND COALESCE(p.tells_matches, true)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class MatchLine:
    """One new match as emails and pages show it to a person of one side; `own` is that side's ask or offer."""

    fit: str
    own: str
    counterpart: str
    reasons: str
    path: str

    @property
    def sentence(self) -> str:
        """Return the match in one line of plain text."""
        return f"{self.fit}: {self.own} and {self.counterpart}" + (f" ({self.reasons})" if self.reasons else "")


def find_new_matches(*, now: dt.datetime) -> int:
    """Record new matches for everyone who acts for one side, schedule them, and return how many."""
    acting = Membership.objects.current().values("person_id", "organisation_id").order_by()
    acting_sql, values = acting.query.sql_with_params()
    # Django's query has positional parameters, but the statement around it has named ones.
    named_values = {f"acting_{index}": value for index, value in enumerate(values)}
    acting_sql = acting_sql % tuple(f"%({name})s" for name in named_values)
    with connection.cursor() as cursor:
        cursor.execute(
            _RECORD.format(acting=acting_sql, reachable=_REACHABLE),
            {**named_values, "now": now, "since": now - _LOOK_BACK, "min_score": MIN_POINTS},
        )
        match_count = int(cursor.rowcount)
    schedule_matches(now=now)
    return match_count


def schedule_matches(*, now: dt.datetime, person_ids: Collection[int] | None = None) -> None:
    """Set when new matches are due, by each person's preferences.

    With `person_ids`, matches of these people that are scheduled already are scheduled again.
    """
    unsent = MatchNotice.objects.filter(told_at=None)
    if person_ids is not None:
        unsent.filter(recipient__in=person_ids).update(due_at=None)
    without_time = unsent.filter(due_at=None)
    recipients = User.objects.filter(pk__in=without_time.values("recipient")).select_related("digest_preference")
    for person in recipients:
        preference = getattr(person, "digest_preference", None) or Preference(person=person)
        rhythm = preference.rhythm(person.time_zone)
        slots = Slot.objects.filter(recipient=person, slot_on__gte=local_day(now, person.time_zone))
        taken_days = set(slots.values_list("slot_on", flat=True))
        due_at = due(
            rhythm,
            waiting_since=now,
            latest=now,
            settle=settle_time(),
            holidays=holidays(rhythm.working_days_of),
            taken=taken_days,
        )
        without_time.filter(recipient=person).update(due_at=due_at, slotted=rhythm.frequency != Frequency.AT_ONCE)


#: Makes a digest for everybody with a match that is due, unless one is still to be sent or was sent on this date.
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
    """Make digests for people with a match that is due, and return how many.

    The caller must hold the lock for planning. For people who already had a digest on this local date, the matches
    become due again with the next digest.
    """
    if not MatchNotice.objects.filter(told_at=None, due_at__lte=now).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE.format(reachable=_REACHABLE, under_way=OPEN_DIGEST_RECIPIENTS_SQL), {"now": now})
        digest_count = int(cursor.rowcount)
    still_due = MatchNotice.objects.filter(told_at=None, due_at__lte=now, slotted=True)
    matches_to_reschedule = still_due.exclude(recipient__in=OpenDigest.objects.values("recipient"))
    person_ids = sorted(matches_to_reschedule.values_list("recipient", flat=True).distinct())
    if person_ids:
        schedule_matches(now=now, person_ids=person_ids)
    return digest_count


class DigestMatches(NamedTuple):
    """The matches that the digests of a batch contain; the keys are ids of emails."""

    lines: dict[int, tuple[MatchLine, ...]]
    #: Digests that were composed before and must now leave out a match.
    withdrawn: set[int]
    #: The matches as facts for the journal, so that they are not sent again after a restore.
    told: dict[int, list[list[int | str]]]


def matches_for_digests(
    email_by_person: dict[int, int], in_doubt_ids: Collection[int], *, now: dt.datetime
) -> DigestMatches:
    """Add the waiting matches to digests, in the transaction that claims the digests, and return the matches.

    `email_by_person` has the digest of each person. Matches that a person may no longer see are left out and count as
    sent. Digests to the people in `in_doubt_ids` may have arrived already, so they get no match that they did not have
    before.
    """
    digest_matches = DigestMatches(lines={}, withdrawn=set(), told={})
    if not email_by_person:
        return digest_matches
    is_new = Q(told_at=None) & ~Q(recipient__in=in_doubt_ids)
    is_in_digest = Q(delivery__in=email_by_person.values())
    notices = MatchNotice.objects.filter(recipient__in=email_by_person).filter(is_new | is_in_digest)
    pairs_by_person: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for person_id, ask_id, offer_id in notices.values_list("recipient", "ask", "offer"):
        pairs_by_person[person_id].append((ask_id, offer_id))

    for person in User.objects.filter(pk__in=pairs_by_person):
        delivery_id = email_by_person[person.pk]
        matches = _visible_matches(person, pairs_by_person[person.pk])
        is_still_visible = _is_one_of(matches)
        own_notices = notices.filter(recipient=person)
        if own_notices.filter(delivery=delivery_id).exclude(is_still_visible).update(delivery=None):
            digest_matches.withdrawn.add(delivery_id)
        own_notices.filter(is_still_visible).update(told_at=now, delivery=delivery_id)
        own_notices.filter(told_at=None).update(told_at=now)
        if matches:
            digest_matches.lines[delivery_id] = lines_of(matches)
            digest_matches.told[delivery_id] = [
                [TOLD_MATCH, match_for.match.ask_id, match_for.match.offer_id] for match_for in matches
            ]
    return digest_matches


def _is_one_of(matches: Iterable[MatchForSide]) -> Q:
    """Return the condition that a notice is about one of these matches."""
    condition = Q(pk=None)  # true for no notice; each match adds its own condition
    for match_for in matches:
        condition |= Q(ask=match_for.match.ask_id, offer=match_for.match.offer_id)
    return condition


def _visible_matches(person: User, pairs: Iterable[tuple[int, int]]) -> list[MatchForSide]:
    """Return the matches among these (ask id, offer id) that are still valid and visible to the person, best first."""
    wanted_pairs = set(pairs)
    own_organisation_ids = set(Organisation.objects.of_person(person).values_list("pk", flat=True))
    matches = (
        Match.objects.of_person(person)
        .filter(ask__in={ask for ask, _ in wanted_pairs}, offer__in={offer for _, offer in wanted_pairs})
        .live()
        .visible_to(person)
        .not_dismissed_by(person)
        .select_related("ask__organisation", "offer__organisation")
        .order_by("-score", "pk")
    )
    return matches_from_side(
        [match for match in matches if (match.ask_id, match.offer_id) in wanted_pairs], own_organisation_ids
    )


def lines_of(matches: Sequence[MatchForSide]) -> tuple[MatchLine, ...]:
    """Return a line for each match, in the same order."""
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
    """Return an ask or offer with its title, for example `ask “A site for 40 homes”`."""
    return f"{'ask' if entry.is_ask else 'offer'} “{shorten(entry.title, _MAX_TITLE)}”"


def matches_in(delivery_id: int, person: User) -> tuple[MatchLine, ...]:
    """Return the matches in a sent digest that its reader may still see."""
    notices = MatchNotice.objects.filter(delivery=delivery_id, recipient=person)
    return lines_of(_visible_matches(person, notices.values_list("ask", "offer")))


def upcoming_matches(person: User) -> tuple[MatchLine, ...]:
    """Return the matches that the person's next digest would list if it were sent now."""
    notices = MatchNotice.objects.filter(recipient=person, told_at=None)
    if not notices.exists():
        return ()
    return lines_of(_visible_matches(person, notices.values_list("ask", "offer")))


def discard_matches(person_ids: Collection[int], *, now: dt.datetime) -> None:
    """Count the matches that wait for these people as sent, because they cannot be emailed."""
    MatchNotice.objects.filter(recipient__in=person_ids, told_at=None).update(told_at=now)


def reclaim_matches(delivery_id: int) -> None:
    """Add the matches of a digest that will not be sent to the next digest."""
    MatchNotice.objects.filter(delivery=delivery_id).update(told_at=None, delivery=None, due_at=F("noted_at"))
