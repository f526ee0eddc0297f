"""Claiming: a batch of deliveries is locked, checked, composed and frozen in one transaction before anything leaves."""

from __future__ import annotations

import datetime as dt
import json
import traceback
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import PurePath
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from partnerships.digests import emails, pace, wire
from partnerships.digests.bank_holidays import holidays
from partnerships.digests.composing import Item, Sorted, Why, how_often, reasons, sort
from partnerships.digests.matches import drop_matches, tell_matches
from partnerships.digests.models import (
    NOT_WRITTEN,
    OPEN,
    STILL_OPEN,
    STILL_SENDING,
    SUPPRESSED,
    Delivery,
    DeliveryItem,
    DeliveryKind,
    DeliveryStatus,
    Following,
    Piece,
    Preference,
    Subscription,
    SubscriptionStatus,
    Told,
)
from partnerships.digests.queries.naming import may_still_be_asked
from partnerships.digests.queries.readers import reading_classes
from partnerships.digests.schedule import Rhythm, due, local_day
from partnerships.digests.services import give_up_asking
from partnerships.digests.waiting import remembered, waiting_for_all
from partnerships.kit.database import BY_INDEX, as_array, rows_planned_once
from partnerships.kit.mail import can_be_addressed
from partnerships.kit.waiting import Waiting
from partnerships.people.models import User

log = structlog.get_logger(__name__)

#: A delivery that was claimed so often without an answer takes its worker down each time: it is set aside.
_MOST_CLAIMS = 40
#: A delivery that could not be written so often is set aside; a mistake that is mended meanwhile costs nobody a letter.
MOST_WRITES = 5
#: Words that so many letters of a batch share are kept once for all of them, not in each.
_COMMON = 5


class Claimed(NamedTuple):
    """A letter that is ours to send until the lease ends, in parts that most letters of a batch share: it becomes whole
    when it leaves. `told` are the plans in it, each as the class of readers for which it is written."""

    pk: int
    address: str
    parts: Sequence[bytes]
    told: Sequence[tuple[int, str]]

    @property
    def data(self) -> bytes:
        """The letter exactly as it is sent."""
        return b"".join(self.parts)


@dataclass(slots=True)
class Candidate:
    """A locked delivery and its recipient."""

    pk: int
    kind: str
    message_id: str
    attempts: int
    subscription_id: int | None
    recipe: list[int | str] | None  # only of one in doubt: it goes again as it is
    subject: str
    in_doubt: bool
    unanswered: int
    frozen_address: str
    frozen_waiting: list[str] | None
    person_id: int
    address: str
    name: str
    is_active: bool
    is_stakeholder: bool
    link_key: str | None
    introduced: bool
    suppressed: bool
    rhythm: tuple[str, int, int, bool]
    zone: str
    paused_until: dt.date | None
    is_repeat: bool

    @property
    def addressee(self) -> emails.Addressee:
        """The recipient as letters know them."""
        name = self.name or self.address.partition("@")[0]
        return emails.Addressee(self.person_id, self.address, name, self.link_key or "", self.is_stakeholder)

    def is_paused(self, now: dt.datetime) -> bool:
        """Whether the person wants no digest today, by the calendar where they are."""
        return (
            self.kind == DeliveryKind.DIGEST
            and self.paused_until is not None
            and local_day(now, self.zone) < self.paused_until
        )

    def resumes_at(self, now: dt.datetime) -> dt.datetime:
        """When a letter that met a pause may leave."""
        frequency, hour, weekday, working_days_only = self.rhythm
        rhythm = Rhythm(frequency, hour, weekday, working_days_only, self.zone, self.paused_until)
        return due(rhythm, waiting_since=now, latest=now, settle=dt.timedelta(), holidays=holidays())


# Somebody was introduced by a letter that left; one that never did has told them nothing. OFFSET 0, here and below:
# each is looked up by its index, where PostgreSQL may else read the whole ledger first, to look them up in memory.
_CANDIDATES = """
SELECT d.id, d.kind, d.message_id, d.attempts, d.subscription_id, d.recipe, d.subject,
       d.in_doubt OR d.status = 'sending', d.unanswered, d.address, d.waiting, u.id, u.email, u.name,
       u.is_active,
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

_CLAIM = """
UPDATE digests_delivery d
   SET status = 'sending', available_at = clock_timestamp() + %(lease)s, claimed_at = clock_timestamp(),
       attempts = d.attempts + 1, unanswered = d.unanswered + 1, in_doubt = c.in_doubt, address = c.address,
       subject = c.subject, recipe = c.recipe, waiting = c.waiting
  FROM unnest(%(ids)s::bigint[], %(doubts)s::bool[], %(addresses)s::text[], %(subjects)s::text[], %(recipes)s::jsonb[],
              %(waitings)s::jsonb[])
       AS c(id, in_doubt, address, subject, recipe, waiting)
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

_MOVE_FORWARD = """
UPDATE digests_told t SET number = GREATEST(t.number, c.number), told_at = clock_timestamp()
  FROM (SELECT t.id, x.number
          FROM unnest(%(people)s::bigint[], %(plans)s::bigint[], %(numbers)s::int[]) AS x(person, plan, number)
          JOIN digests_told t ON t.recipient_id = x.person AND t.plan_id = x.plan
         ORDER BY t.id FOR UPDATE OF t) c
 WHERE t.id = c.id
"""

_FREEZE = """
UPDATE digests_deliveryitem i SET to_number = c.to_number, reading_class = c.reading_class
  FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(classes)s::text[]) AS c(id, to_number, reading_class)
 WHERE i.id = c.id
"""

_KEEP = """
INSERT INTO digests_piece (digest, body, used_at)
SELECT * FROM unnest(%(digests)s::text[], %(bodies)s::text[], %(at)s::timestamptz[]) AS x(digest, body, used_at)
 ORDER BY digest
ON CONFLICT (digest) DO UPDATE SET used_at = EXCLUDED.used_at
RETURNING digest, id
"""


@dataclass(slots=True)
class _Batch:
    """What a claim decided, gathered until it is written in a few statements."""

    letters: dict[int, emails.Letter] = field(default_factory=dict)
    again: list[Candidate] = field(default_factory=list)  # composed before: the same letter once more
    set_aside: list[tuple[int, str, str]] = field(default_factory=list)
    nothing_to_say: list[int] = field(default_factory=list)
    introduced: list[int] = field(default_factory=list)
    waiting: dict[int, list[str]] = field(default_factory=dict)  # what each letter says waits, as it is remembered
    told: dict[int, list[tuple[int, str]]] = field(default_factory=dict)  # the plans in each, as which class

    def cannot_write(self, one: Candidate, error: Exception) -> None:
        """Set one aside for what goes wrong in writing it."""
        self.set_aside.append((one.pk, "failed", f"{NOT_WRITTEN}: {type(error).__name__}: {error}"[:500]))


def _execute(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


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
        _execute(BY_INDEX, [])
        wanted = "" if people is None else " AND d.recipient_id = ANY(%(people)s)"
        wanted += "" if only is None else " AND d.id = %(only)s"
        params = {"most": most, "people": list(people or ()), "only": only}
        asked = _CANDIDATES.format(only=wanted, suppressed=SUPPRESSED)
        candidates = [_candidate(row) for row in rows_planned_once(asked, params, whatever_is_asked=True)]
        if not candidates:
            return [], 0
        hopeless = {one.pk: why for one in candidates if (why := _hopeless(one))}
        paused = {one.pk: one for one in candidates if one.is_paused(now) and one.pk not in hopeless}
        _hold_for_pauses(paused.values(), now)
        going = [one for one in candidates if one.pk not in paused]
        held, counted = pace.hold_back([(one.pk, one.address) for one in going], now=now)
        if held:
            _execute(
                "UPDATE digests_delivery SET available_at = %s, in_doubt = in_doubt OR status = 'sending',"
                " status = 'queued' WHERE id = ANY(%s)",
                [pace.next_minute(now), sorted(held)],
            )
        mine = [one for one in going if one.pk not in held]
        _give_keys(mine)
        batch = _compose([one for one in mine if one.pk not in hopeless], now=now)
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
    rows = _execute(_PUT_OFF, params)
    if rows:
        event = "delivery_set_aside" if rows[0][0] == DeliveryStatus.FAILED else "delivery_not_written"
        log.error(event, delivery=pk, reason=reason[:80])


def _where(error: Exception) -> str:
    """The file and line where it went wrong."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else "somewhere"


def _candidate(row: tuple[Any, ...]) -> Candidate:
    in_doubt = row[7]
    recipe = _read_json(row[5]) if in_doubt else None
    values = [*row[:5], recipe, *row[6:10], _read_json(row[10]), *row[11:19], row[19:23], *row[23:]]
    return Candidate(*values)


def _read_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _hold_for_pauses(paused: Collection[Candidate], now: dt.datetime) -> None:
    """Let digests of people who paused wait for the day on which mail may come again; what is not in doubt says by
    then all there is to say."""
    if paused:
        params = {
            "ids": [one.pk for one in paused],
            "moments": [one.resumes_at(now) for one in paused],
            "doubts": [one.in_doubt for one in paused],
        }
        _execute(_HOLD, params)


# ---- Looking once more


def take_back(claimed: Collection[Claimed], *, now: dt.datetime) -> set[int]:
    """Take back what may not leave any more though it was claimed: its reader paused, left, stopped, lost the right
    to read something in it, or their mail came back. Another claim decides anew; returns the numbers of the letters."""
    if not claimed:
        return set()
    ids = [one.pk for one in claimed]
    with transaction.atomic():
        _execute(BY_INDEX, [])
        rows = rows_planned_once(_STILL, {"ids": ids}, whatever_is_asked=True)
        back = set(ids) - {pk for pk, *_ in rows}  # not ours any more
        person_of: dict[int, int] = {}
        for pk, kind, person_id, may_leave, zone, paused_until in rows:
            person_of[pk] = person_id
            paused = kind == DeliveryKind.DIGEST and paused_until is not None and local_day(now, zone) < paused_until
            if paused or not may_leave:
                back.add(pk)
        plans = {plan for one in claimed for plan, _ in one.told}
        classes = reading_classes(plans, now=now, people=sorted(set(person_of.values())))
        for one in claimed:
            for plan, reading_class in one.told:
                current = classes.get((person_of.get(one.pk, 0), plan))
                if current is None or (reading_class == Told.Reading.INSIDE and current != reading_class):
                    back.add(one.pk)
        give_back(back)
    return back


def give_back(ids: Collection[int]) -> None:
    """Let letters that were claimed and not tried go back at once, for another claim."""
    if ids:
        _execute(_TAKE_BACK, {"ids": sorted(ids)})


_STILL = f"""
SELECT d.id, d.kind, u.id,
       u.is_active
       AND NOT {SUPPRESSED}
       AND (d.kind <> 'confirmation'
            OR EXISTS (SELECT 1 FROM digests_subscription s
                        WHERE s.id = d.subscription_id AND s.status = 'asked' OFFSET 0)),
       u.time_zone, p.paused_until
  FROM digests_delivery d
  JOIN people_user u ON u.id = d.recipient_id
  LEFT JOIN digests_preference p ON p.person_id = u.id
 WHERE d.id = ANY(%(ids)s) AND {STILL_SENDING}
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


def _give_keys(candidates: Iterable[Candidate]) -> None:
    """People who never chose anything get preferences as they begin, for the key of their links."""
    missing = {one.person_id for one in candidates if one.link_key is None}
    if missing:
        Preference.objects.bulk_create([Preference(person_id=pk) for pk in sorted(missing)], ignore_conflicts=True)
        keys = dict(Preference.objects.filter(person__in=missing).values_list("person_id", "link_key"))
        for one in candidates:
            one.link_key = one.link_key or keys[one.person_id]


# ---- Composing


def _compose(candidates: Sequence[Candidate], *, now: dt.datetime) -> _Batch:
    batch = _Batch()
    date = format_datetime(now.astimezone(dt.UTC))
    digests = [one for one in candidates if one.kind == DeliveryKind.DIGEST]
    _compose_digests(digests, batch, date=date, now=now)
    for one in candidates:
        if one.kind == DeliveryKind.CONFIRMATION:
            _compose_confirmation(one, batch, date=date, now=now)
        elif one.kind == DeliveryKind.LINKS:
            _compose_links(one, batch, date=date, now=now)
    return batch


def _compose_digests(candidates: Sequence[Candidate], batch: _Batch, *, date: str, now: dt.datetime) -> None:
    if not candidates:
        return
    person_of = {one.pk: one.person_id for one in candidates}
    rows = _execute(
        "SELECT id, delivery_id, plan_id, from_number, to_number, reading_class FROM digests_deliveryitem"
        " WHERE delivery_id = ANY(%s) AND left_out = '' ORDER BY delivery_id, id",
        [list(person_of)],
    )
    items = [Item(pk, delivery, person_of[delivery], *rest) for pk, delivery, *rest in rows]
    _drop_incomplete(candidates)
    done = sort(
        items,
        stakeholders={one.person_id for one in candidates if one.is_stakeholder},
        frozen={one.pk for one in candidates if one.recipe is not None or one.is_repeat},
        now=now,
    )
    _write_items(done)
    for item in done.told:
        batch.told.setdefault(item.delivery_id, []).append((item.plan_id, item.reading_class))
    because = reasons(done.told, now=now)
    lost = {item.delivery_id for item in done.lost}
    altered = {item.delivery_id for item in (*done.lost, *done.silent, *done.changed)}
    notices = _notices([one for one in candidates if one.is_stakeholder and not one.introduced])
    minutes = settings.DIGEST_SETTLE_MINUTES
    telling = {one.person_id: one.pk for one in candidates if not one.is_stakeholder and not one.is_repeat}
    in_doubt = {one.person_id for one in candidates if one.recipe is not None}
    matches, withdrawn = tell_matches(telling, in_doubt, now=now) if telling else ({}, set())
    altered |= withdrawn
    waits = waiting_for_all(_accounts(one for one in candidates if one.pk in matches or done.blocks.get(one.pk)), now)
    whys = {one.pk: because.get(one.pk) or Why() for one in candidates}
    paces = {
        one.pk: how_often(frozenset(whys[one.pk].frequencies), *one.rhythm, one.zone, minutes) for one in candidates
    }
    alike = Counter((*whys[one.pk].words, paces[one.pk]) for one in candidates)
    for one in candidates:
        blocks = done.blocks.get(one.pk, [])
        if not blocks and one.pk not in matches:
            if one.pk in lost:
                batch.set_aside.append(
                    (one.pk, "suppressed", "They may no longer read what it says, or stopped following it.")
                )
            elif one.in_doubt or one.is_repeat:
                batch.set_aside.append((one.pk, "suppressed", "Nothing of it is news any more that they may read."))
            else:
                batch.nothing_to_say.append(one.pk)
            continue
        waiting = waits.get(one.person_id, [])
        batch.waiting[one.pk] = [remembered(thing) for thing in waiting[: emails.MOST_WAITING]]
        if one.recipe is not None and one.pk not in altered and _still_holds(one, waiting):
            batch.again.append(one)
            continue
        notice, why, pace_ = notices.get(one.person_id, ""), whys[one.pk].words, paces[one.pk]
        try:
            batch.letters[one.pk] = emails.digest(
                one.addressee,
                blocks,
                delivery_id=one.pk,
                message_id=one.message_id,
                because=why,
                how_often=pace_,
                waiting=waiting,
                matches=matches.get(one.pk, ()),
                notice=notice,
                date=date,
                now=now,
                is_common=alike[(*why, pace_)] >= _COMMON,
            )
        except (ValueError, UnicodeError, KeyError) as error:
            batch.cannot_write(one, error)
            continue
        if notice:
            batch.introduced.append(one.person_id)


def _still_holds(one: Candidate, waiting: Sequence[Waiting]) -> bool:
    """Whether a letter in doubt may go again as it is: to the same address, with links that work, and saying of
    nothing that it waits which does not, or which its reader may not see any more."""
    known = {remembered(thing) for thing in waiting}
    return (
        one.frozen_address.lower() == one.address.lower()
        and known.issuperset(one.frozen_waiting or ())
        and emails.links_work(one.recipe or (), one.link_key or "")
    )


def _drop_incomplete(candidates: Iterable[Candidate]) -> None:
    """Letters in doubt of which a part is no longer kept are written anew."""
    frozen = [one for one in candidates if one.recipe is not None]
    bodies = _bodies(frozen)
    for one in frozen:
        if not bodies.keys() >= {part for part in one.recipe or () if isinstance(part, int)}:
            one.recipe = None


def _compose_confirmation(one: Candidate, batch: _Batch, *, date: str, now: dt.datetime) -> None:
    _drop_incomplete([one])
    asked = Subscription.objects.for_listing().filter(status=SubscriptionStatus.ASKED)
    subscription = asked.filter(pk=one.subscription_id or 0).first()
    if subscription is None:
        batch.set_aside.append((one.pk, "suppressed", "It was answered, or withdrawn, before it left."))
    elif not may_still_be_asked(subscription, now):
        batch.set_aside.append((one.pk, "suppressed", "They, or whoever asked them, may not read what it is about."))
        if not one.is_stakeholder:  # retention forgets whoever has no account and never answered
            give_up_asking(subscription=subscription, now=now)
    elif one.recipe is not None and one.frozen_address.lower() == one.address.lower():
        batch.again.append(one)
    else:
        try:
            batch.letters[one.pk] = emails.confirmation(
                one.addressee, subscription, message_id=one.message_id, date=date, now=now
            )
        except (ValueError, UnicodeError) as error:
            batch.cannot_write(one, error)
            return
        if one.is_stakeholder and not one.introduced:
            batch.introduced.append(one.person_id)


def _compose_links(one: Candidate, batch: _Batch, *, date: str, now: dt.datetime) -> None:
    _drop_incomplete([one])
    if one.recipe is not None and one.frozen_address.lower() == one.address.lower():
        batch.again.append(one)
        return
    last = Delivery.objects.filter(recipient=one.person_id, kind=DeliveryKind.DIGEST, status=DeliveryStatus.SENT)
    try:
        batch.letters[one.pk] = emails.links(
            one.addressee,
            delivery_id=one.pk,
            last_digest=last.order_by("-pk").values_list("pk", flat=True).first(),
            message_id=one.message_id,
            date=date,
            now=now,
        )
    except (ValueError, UnicodeError) as error:
        batch.cannot_write(one, error)


def _accounts(candidates: Iterable[Candidate]) -> list[User]:
    """The recipients who can sign in, and so have things waiting for them."""
    ids = [one.person_id for one in candidates if not one.is_stakeholder]
    return list(User.objects.filter(pk__in=ids)) if ids else []


def _notices(candidates: Collection[Candidate]) -> dict[int, str]:
    """What a stakeholder's first letter says about their address."""
    if not candidates:
        return {}
    subscriptions = (
        Subscription.objects.filter(person__in=[one.person_id for one in candidates], added_for__isnull=False)
        .select_related("added_for", "added_by")
        .order_by("-asked_at", "-pk")
    )
    return {subscription.person_id: emails.notice_about(subscription) for subscription in subscriptions}


# ---- Writing


def _write_items(done: Sorted) -> None:
    if done.silent:
        _execute(
            _MOVE_FORWARD,
            {
                "people": [item.person_id for item in done.silent],
                "plans": [item.plan_id for item in done.silent],
                "numbers": [item.to_number for item in done.silent],
            },
        )
        DeliveryItem.objects.filter(pk__in=[item.pk for item in done.silent]).delete()
    if done.lost:
        _keep_lost(done.lost)
    if done.changed:
        _execute(
            _FREEZE,
            {
                "ids": [item.pk for item in done.changed],
                "numbers": [item.to_number for item in done.changed],
                "classes": [item.reading_class for item in done.changed],
            },
        )


def _keep_lost(items: Sequence[Item]) -> None:
    """Let the ledger say what was chosen and not told, and why; the watermark stays where it was."""
    pairs = Following.objects.filter(
        person__in=[item.person_id for item in items], plan__in=[item.plan_id for item in items]
    ).values_list("person_id", "plan_id")
    following = set(pairs)
    for follows, why in ((True, "they might no longer read it"), (False, "they no longer followed it")):
        lost = [item.pk for item in items if ((item.person_id, item.plan_id) in following) is follows]
        if lost:
            DeliveryItem.objects.filter(pk__in=lost).update(left_out=why)


def _write(batch: _Batch, candidates: dict[int, Candidate], now: dt.datetime) -> list[Claimed]:
    """Freeze what leaves, settle what does not, and hand over the letters."""
    if batch.nothing_to_say:
        _execute("DELETE FROM digests_delivery WHERE id = ANY(%s)", [batch.nothing_to_say])
    if batch.set_aside:
        ids, statuses, reasons_ = zip(*batch.set_aside, strict=True)
        _execute(_SET_ASIDE, {"ids": list(ids), "statuses": list(statuses), "reasons": list(reasons_)})
    if batch.introduced:
        Preference.objects.filter(person__in=batch.introduced, introduced_at=None).update(introduced_at=now)
    sheets = _sheets(batch.letters.values(), now)
    bodies = _bodies(batch.again)
    claimed: list[Claimed] = []
    rows: list[tuple[int, bool, str, str, str, str | None]] = []
    for pk, letter in batch.letters.items():
        address = candidates[pk].address
        recipe, parts = _join(letter, sheets[id(letter.parts)])
        waiting = json.dumps(said) if (said := batch.waiting.get(pk)) else None
        rows.append((pk, candidates[pk].in_doubt, address, letter.subject, json.dumps(recipe), waiting))
        claimed.append(Claimed(pk, address, parts, batch.told.get(pk, ())))
    for one in batch.again:
        recipe = one.recipe or []
        waiting = json.dumps(one.frozen_waiting) if one.frozen_waiting else None
        rows.append((one.pk, one.in_doubt, one.address, one.subject, json.dumps(recipe), waiting))
        whole = "".join(part if isinstance(part, str) else bodies[part] for part in recipe)
        claimed.append(Claimed(one.pk, one.address, [whole.encode("ascii")], batch.told.get(one.pk, ())))
    if rows:
        ids_, doubts, addresses, subjects, recipes, waitings = zip(*rows, strict=True)
        _execute(
            _CLAIM,
            {
                "lease": dt.timedelta(seconds=settings.DIGEST_LEASE_SECONDS),
                "ids": as_array(list(ids_)),
                "doubts": f"{{{','.join('t' if doubt else 'f' for doubt in doubts)}}}",
                "waitings": list(waitings),
                "addresses": list(addresses),
                "subjects": list(subjects),
                "recipes": list(recipes),
            },
        )
    return claimed


@dataclass(frozen=True, slots=True)
class _Segment:
    """A shared part of letters with the number under which it is kept, and the slots before it; at the end of a letter
    there may be slots alone (number 0)."""

    slots: tuple[str, ...]
    number: int
    body: bytes


def _join(letter: emails.Letter, sheet: Sequence[_Segment]) -> tuple[list[int | str], list[bytes]]:
    """A letter as numbers of pieces and its own words between them, and the same as it is sent: the innermost loop of
    sending."""
    recipe: list[int | str] = []
    parts: list[bytes] = []
    own, values = letter.headers, letter.values
    for segment in sheet:
        for slot in segment.slots:
            own += values[slot]
        if own:
            recipe.append(own)
            parts.append(own.encode("ascii"))
            own = ""
        if segment.number:
            recipe.append(segment.number)
            parts.append(segment.body)
    return recipe, parts


def _sheets(letters: Iterable[emails.Letter], now: dt.datetime) -> dict[int, list[_Segment]]:
    """The shared parts of letters with the numbers under which they are kept, once for all letters that share them."""
    by_parts = {id(letter.parts): letter.parts for letter in letters}
    pieces = _keep(
        {part.digest: part for parts in by_parts.values() for part in parts if isinstance(part, wire.Part)}, now
    )
    return {key: _segments(parts, pieces) for key, parts in by_parts.items()}


def _segments(parts: Iterable[wire.Part | str], pieces: dict[str, int]) -> list[_Segment]:
    segments: list[_Segment] = []
    slots: list[str] = []
    for part in parts:
        if isinstance(part, str):
            slots.append(part)
        else:
            segments.append(_Segment(tuple(slots), pieces[part.digest], part.body.encode("ascii")))
            slots = []
    return [*segments, _Segment(tuple(slots), 0, b"")]


def _keep(parts: dict[str, wire.Part], now: dt.datetime) -> dict[str, int]:
    """Keep shared parts, each once; returns their numbers. In one order, so that two workers cannot lock each other."""
    if not parts:
        return {}
    digests = sorted(parts)
    since = now - dt.timedelta(days=1)
    known = dict(Piece.objects.filter(digest__in=digests, used_at__gt=since).values_list("digest", "pk"))
    missing = [digest for digest in digests if digest not in known]
    if missing:
        bodies = [parts[digest].body for digest in missing]
        known |= dict(_execute(_KEEP, {"digests": missing, "bodies": bodies, "at": [now] * len(missing)}))
    return known


def _bodies(candidates: Iterable[Candidate]) -> dict[int, str]:
    """The pieces that letters composed before are joined of."""
    numbers = {part for one in candidates for part in one.recipe or () if isinstance(part, int)}
    return dict(Piece.objects.filter(pk__in=numbers).values_list("pk", "body")) if numbers else {}
