"""Claiming: a batch of deliveries is locked, checked, composed and frozen in one transaction before anything leaves."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from partnerships.digests import message_ids, pace
from partnerships.digests.matches import drop_matches
from partnerships.digests.models import (
    NOT_WRITTEN,
    OPEN,
    STILL_OPEN,
    STILL_SENDING,
    SUPPRESSED,
    Delivery,
    DeliveryStatus,
    Preference,
)
from partnerships.digests.pieces import Recipe, bodies, forms_for
from partnerships.digests.queries.readers import who_reads_less
from partnerships.digests.writing import Batch, Candidate, compose
from partnerships.kit.database import BY_INDEX, rows_of, rows_planned_once
from partnerships.kit.mail import can_be_addressed

log = structlog.get_logger(__name__)

#: A delivery that was claimed so often without an answer takes its worker down each time: it is set aside.
_MOST_CLAIMS = 40
#: A delivery that could not be written so often is set aside; a mistake that is mended meanwhile costs nobody a letter.
MOST_WRITES = 5


class Claimed(NamedTuple):
    """A letter that is ours to send until the lease ends: its own words, and the template that it shares with others
    of its batch. `told` are the plans in it, each as the class of readers for which it is written."""

    pk: int
    person_id: int
    address: str
    template: bytes
    words: tuple[bytes, ...]
    told: Sequence[tuple[int, str]]

    @property
    def data(self) -> bytes:
        """The letter exactly as it is sent."""
        return self.template % self.words


# Somebody was introduced by a letter that left; one that never did has told them nothing. OFFSET 0, here and below:
# each is looked up by its index, where PostgreSQL may else read the whole ledger first, to look them up in memory.
_CANDIDATES = """
SELECT d.id, d.kind, d.message_id, d.attempts, d.subscription_id,
       CASE WHEN d.in_doubt OR d.status = 'sending' THEN d.recipe::text END, d.subject,
       d.in_doubt OR d.status = 'sending', d.unanswered, d.address,
       CASE WHEN d.in_doubt OR d.status = 'sending' THEN d.waiting::text END, u.id, u.email, u.name, u.is_active,
       u.account_since IS NULL, p.link_key,
       p.introduced_at IS NOT NULL AND (u.account_since IS NOT NULL OR EXISTS (
           SELECT 1 FROM digests_delivery s WHERE s.recipient_id = u.id AND s.status IN ('sent', 'bounced')
            OFFSET 0)),
       {suppressed},
       COALESCE(p.frequency, 'at_once'), COALESCE(p.hour, 8), COALESCE(p.weekday, 0),
       COALESCE(p.working_days_only, false), u.time_zone, p.paused_until, d.repeat_of_id IS NOT NULL
  FROM digests_delivery d
  JOIN people_user u ON u.id = d.recipient_id
  LEFT JOIN digests_preference p ON p.person_id = u.id
 WHERE d.status IN ('queued', 'sending') AND d.available_at <= statement_timestamp() {only}
 ORDER BY d.available_at, d.id
 LIMIT %(most)s
   FOR UPDATE OF d SKIP LOCKED
"""

_RECIPE, _WAITING = 5, 10  # where these stand in it

_CLAIM = """
UPDATE digests_delivery d
   SET status = 'sending', available_at = clock_timestamp() + %(lease)s::interval, claimed_at = clock_timestamp(),
       attempts = d.attempts + 1, unanswered = d.unanswered + 1, in_doubt = c.in_doubt, message_id = c.message_id,
       address = c.address, subject = c.subject, recipe = c.recipe, waiting = c.waiting
  FROM unnest(%(ids)s::bigint[], %(doubts)s::bool[], %(message_ids)s::text[], %(addresses)s::text[],
              %(subjects)s::text[], %(recipes)s::jsonb[], %(waitings)s::jsonb[])
       AS c(id, in_doubt, message_id, address, subject, recipe, waiting)
 WHERE d.id = c.id
"""

_HOLD = """
UPDATE digests_delivery d SET status = 'queued', available_at = c.at, in_doubt = c.in_doubt
  FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[], %(doubts)s::bool[]) AS c(id, at, in_doubt)
 WHERE d.id = c.id
"""

# What could not be written is tried again a few times, each after twice as long, and then set aside for people to see.
_PUT_OFF = f"""
UPDATE digests_delivery d
   SET status = CASE WHEN d.unanswered + 1 >= %(most)s THEN 'failed' ELSE 'queued' END,
       settled_at = CASE WHEN d.unanswered + 1 >= %(most)s THEN clock_timestamp() END,
       in_doubt = d.in_doubt OR d.status = 'sending', attempts = d.attempts + 1, unanswered = d.unanswered + 1,
       available_at = clock_timestamp() + %(first)s * 2 ^ LEAST(d.unanswered, 10) * interval '1 second',
       reason = %(reason)s
 WHERE d.id = %(id)s AND {STILL_OPEN} AND d.available_at <= statement_timestamp()
RETURNING d.status
"""  # noqa: S608 - our own constants

# Claimed and not tried: as if it had not been claimed.
_TAKE_BACK = f"""
UPDATE digests_delivery d
   SET status = 'queued', available_at = clock_timestamp(), attempts = GREATEST(attempts - 1, 0),
       unanswered = GREATEST(unanswered - 1, 0)
 WHERE d.id = ANY(%(ids)s) AND {STILL_SENDING}
"""  # noqa: S608 - our own constants

_SET_ASIDE = """
UPDATE digests_delivery d
   SET status = c.status, reason = c.reason, settled_at = clock_timestamp(), attempts = d.attempts + 1
  FROM unnest(%(ids)s::bigint[], %(statuses)s::text[], %(reasons)s::text[]) AS c(id, status, reason)
 WHERE d.id = c.id
"""


def claim(*, now: dt.datetime, most: int, people: Collection[int] | None = None) -> tuple[list[Claimed], int]:
    """Claim up to so many due deliveries (of some people alone); returns the letters to send and how many deliveries
    were looked at.

    Those that nobody may read any more, or that have nothing to say, are settled here and do not leave; those of
    people who paused wait until the pause ends. One that cannot be written holds nobody up: it is tried a few times,
    and then ends as failed with its reason.
    """
    try:
        return _claim(now=now, most=most, people=people)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a letter does to its writer, the others must pass
        log.error("batch_not_written", kind=type(error).__name__, where=_where(error))
        return _claim_one_by_one(now=now, most=most, people=people)


def _claim(
    *, now: dt.datetime, most: int, people: Collection[int] | None = None, only: int | None = None
) -> tuple[list[Claimed], int]:
    with transaction.atomic():
        rows_of(BY_INDEX, [])
        wanted = "" if people is None else " AND d.recipient_id = ANY(%(people)s)"
        wanted += "" if only is None else " AND d.id = %(only)s"
        params = {"most": most, "people": list(people or ()), "only": only}
        asked = _CANDIDATES.format(only=wanted, suppressed=SUPPRESSED)
        candidates = [_candidate(row) for row in rows_planned_once(asked, params, whatever_is_asked=True)]
        if not candidates:
            return [], 0
        _give_names(candidates)
        hopeless = {one.pk: why for one in candidates if (why := _hopeless(one))}
        paused = {one.pk: one for one in candidates if one.is_paused(now) and one.pk not in hopeless}
        _hold_for_pauses(paused.values(), now)
        going = [one for one in candidates if one.pk not in paused]
        held, counted = pace.hold_back([(one.pk, one.address) for one in going], now=now)
        if held:
            rows_of(
                "UPDATE digests_delivery SET available_at = %s, in_doubt = in_doubt OR status = 'sending',"
                " status = 'queued' WHERE id = ANY(%s)",
                [pace.next_minute(now), sorted(held)],
            )
        mine = [one for one in going if one.pk not in held]
        _give_keys(mine)
        batch = compose([one for one in mine if one.pk not in hopeless], now=now)
        batch.set_aside += [(one.pk, *hopeless[one.pk]) for one in mine if one.pk in hopeless]
        if hopeless:
            drop_matches([one.person_id for one in mine if one.pk in hopeless], now=now)
        claimed = _write(batch, {one.pk: one for one in mine}, now)
        pace.count(counted, now=now)
    for pk, status, reason in batch.set_aside:
        if status == "failed":
            log.error("delivery_set_aside", delivery=pk, reason=reason[:80])
    return claimed, len(candidates) - len(held)


def _claim_one_by_one(*, now: dt.datetime, most: int, people: Collection[int] | None) -> tuple[list[Claimed], int]:
    """The same, each delivery in a transaction of its own, so that whichever cannot be written is known."""
    wanted = Delivery.objects.filter(status__in=OPEN, available_at__lte=timezone.now())
    if people is not None:
        wanted = wanted.filter(recipient__in=people)
    claimed: list[Claimed] = []
    examined = 0
    for pk in list(wanted.order_by("available_at", "pk").values_list("pk", flat=True)[:most]):
        try:
            letters, looked_at = _claim(now=now, most=1, people=people, only=pk)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - as above; which one it was stands in the ledger
            _put_off(pk, error)
            examined += 1
        else:
            claimed += letters
            examined += looked_at
    return claimed, examined


def _put_off(pk: int, error: Exception) -> None:
    """Try one that could not be written again later, or set it aside. What it says stays out of the reason."""
    reason = f"{NOT_WRITTEN}: {type(error).__name__} ({_where(error)})"
    params = {"id": pk, "most": MOST_WRITES, "first": settings.DIGEST_RETRY_SECONDS, "reason": reason[:500]}
    rows = rows_of(_PUT_OFF, params)
    if rows:
        event = "delivery_set_aside" if rows[0][0] == DeliveryStatus.FAILED else "delivery_not_written"
        log.error(event, delivery=pk, reason=reason[:80])


def _where(error: Exception) -> str:
    """The file and line where it went wrong."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "somewhere"


def _candidate(row: tuple[Any, ...]) -> Candidate:
    one = Candidate(*row)
    if one.in_doubt:
        one.recipe = Recipe(*json.loads(row[_RECIPE])) if row[_RECIPE] else None
        one.frozen_waiting = json.loads(row[_WAITING]) if row[_WAITING] else None
    return one


def _hold_for_pauses(paused: Collection[Candidate], now: dt.datetime) -> None:
    """Let digests of people who paused wait for the day on which mail may come again; what is not in doubt says by
    then all there is to say."""
    if paused:
        params = {
            "ids": [one.pk for one in paused],
            "moments": [one.resumes_at(now) for one in paused],
            "doubts": [one.in_doubt for one in paused],
        }
        rows_of(_HOLD, params)


# ---- Looking once more


def take_back(claimed: Collection[Claimed], *, now: dt.datetime) -> set[int]:
    """Take back what may not leave any more though it was claimed: its reader paused, left, stopped, lost the right
    to read something in it, or their mail came back. Another claim decides anew; returns the numbers of the letters."""
    if not claimed:
        return set()
    told = [(one.pk, one.person_id, plan, said) for one in claimed for plan, said in one.told]
    with transaction.atomic():
        rows_of(BY_INDEX, [])
        params = {"ids": [one.pk for one in claimed], "now": now}
        back = {pk for (pk,) in rows_planned_once(_NOT_TO_LEAVE, params, whatever_is_asked=True)}
        back |= who_reads_less(told, now=now)
        give_back(back)
    return back


def give_back(ids: Collection[int]) -> None:
    """Let letters that were claimed and not tried go back at once, for another claim."""
    if ids:
        rows_of(_TAKE_BACK, {"ids": sorted(ids)})


# All but those that are still ours, and may.
_NOT_TO_LEAVE = f"""
SELECT c.id FROM unnest(%(ids)s::bigint[]) AS c(id) WHERE c.id NOT IN (
    SELECT d.id
      FROM digests_delivery d
      JOIN people_user u ON u.id = d.recipient_id
      LEFT JOIN digests_preference p ON p.person_id = u.id
     WHERE d.id = ANY(%(ids)s) AND {STILL_SENDING}
       AND u.is_active
       AND NOT {SUPPRESSED}
       AND (d.kind <> 'digest' OR p.paused_until IS NULL
            OR p.paused_until <= (%(now)s::timestamptz AT TIME ZONE u.time_zone)::date)
       AND (d.kind <> 'confirmation'
            OR EXISTS (SELECT 1 FROM digests_subscription s
                        WHERE s.id = d.subscription_id AND s.status = 'asked' OFFSET 0)))
"""  # noqa: S608 - our own constants


# ---- Deciding


def _hopeless(one: Candidate) -> tuple[str, str] | None:
    """Why a delivery must not or cannot leave, as status and reason; None when it may."""
    if one.suppressed:
        return "suppressed", "Mail to this address came back earlier."
    if not one.is_active:
        return "suppressed", "The person has left."
    if not can_be_addressed(one.address):
        return "failed", "The address cannot be written on an envelope."
    if one.unanswered >= _MOST_CLAIMS:
        return "failed", f"Claimed {one.unanswered} times without an answer."
    return None


def _give_names(candidates: Iterable[Candidate]) -> None:
    """Letters that are written for the first time get their Message-IDs."""
    new = [one for one in candidates if not one.message_id]
    for one, message_id in zip(new, message_ids.make(one.pk for one in new), strict=True):
        one.message_id = message_id


def _give_keys(candidates: Iterable[Candidate]) -> None:
    """People who never chose anything get preferences as they begin, for the key of their links."""
    missing = {one.person_id for one in candidates if one.link_key is None}
    if missing:
        Preference.objects.bulk_create([Preference(person_id=pk) for pk in sorted(missing)], ignore_conflicts=True)
        keys = dict(Preference.objects.filter(person__in=missing).values_list("person_id", "link_key"))
        for one in candidates:
            one.link_key = one.link_key or keys[one.person_id]


# ---- Writing


def _write(batch: Batch, candidates: dict[int, Candidate], now: dt.datetime) -> list[Claimed]:
    """Freeze what leaves, settle what does not, and hand over the letters."""
    if batch.nothing_to_say:
        rows_of("DELETE FROM digests_delivery WHERE id = ANY(%s)", [batch.nothing_to_say])
    if batch.set_aside:
        ids, statuses, reasons_ = zip(*batch.set_aside, strict=True)
        rows_of(_SET_ASIDE, {"ids": list(ids), "statuses": list(statuses), "reasons": list(reasons_)})
    if batch.introduced:
        Preference.objects.filter(person__in=batch.introduced, introduced_at=None).update(introduced_at=now)
    forms = forms_for(batch.letters.values(), now)
    claimed: list[Claimed] = []
    rows: list[tuple[int, bool, str, str, str, str, str | None]] = []
    for pk, letter in batch.letters.items():
        one, form = candidates[pk], forms[id(letter.parts)]
        recipe, words = form.fill(letter.values)
        waiting = json.dumps(said) if (said := batch.waiting.get(pk)) else None
        rows.append((pk, one.in_doubt, one.message_id, one.address, letter.subject, recipe, waiting))
        claimed.append(Claimed(pk, one.person_id, one.address, form.template, words, batch.told.get(pk, ())))
    again = [(one, one.recipe) for one in batch.again if one.recipe is not None]
    known = bodies(recipe for _, recipe in again)
    for one, frozen in again:
        waiting = json.dumps(one.frozen_waiting) if one.frozen_waiting else None
        rows.append((one.pk, one.in_doubt, one.message_id, one.address, one.subject, json.dumps(frozen), waiting))
        whole = frozen.whole(known).encode("ascii")
        told = batch.told.get(one.pk, ())
        claimed.append(Claimed(one.pk, one.person_id, one.address, b"%b", (whole,), told))
    if rows:
        ids, doubts, names, addresses, subjects, recipes, waitings = zip(*rows, strict=True)
        rows_planned_once(
            _CLAIM,
            {
                "lease": dt.timedelta(seconds=settings.DIGEST_LEASE_SECONDS),
                "ids": list(ids),
                "doubts": list(doubts),
                "message_ids": list(names),
                "addresses": list(addresses),
                "subjects": list(subjects),
                "recipes": list(recipes),
                "waitings": list(waitings),
            },
            whatever_is_asked=True,
        )
    return claimed
