"""Claiming: a batch of deliveries is locked, checked, composed and frozen in one transaction before anything leaves."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction

from partnerships.digests import emails, pace, wire
from partnerships.digests.composing import Item, Sorted, how_often, reasons, sort
from partnerships.digests.matches import drop_matches, tell_matches
from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    DeliveryKind,
    DeliveryStatus,
    Piece,
    Preference,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.waiting import waiting_for
from partnerships.kit.mail import can_be_addressed
from partnerships.people.models import User

log = structlog.get_logger(__name__)

#: A delivery that was claimed so often without an answer takes its worker down each time: it is set aside.
_MOST_CLAIMS = 40


@dataclass(frozen=True, slots=True)
class Claimed:
    """A letter that is ours to send until the lease ends."""

    pk: int
    address: str
    data: bytes


@dataclass(slots=True)
class Candidate:
    """A locked delivery and its recipient."""

    pk: int
    kind: str
    message_id: str
    attempts: int
    subscription_id: int | None
    recipe: list[int | str] | None
    subject: str
    person_id: int
    address: str
    name: str
    is_active: bool
    is_stakeholder: bool
    link_key: str | None
    introduced: bool
    suppressed: bool
    rhythm: tuple[str, int, int, bool]
    is_repeat: bool

    @property
    def addressee(self) -> emails.Addressee:
        """The recipient as letters know them."""
        name = self.name or self.address.partition("@")[0]
        return emails.Addressee(self.person_id, self.address, name, self.link_key or "", self.is_stakeholder)


_CANDIDATES = """
SELECT d.id, d.kind, d.message_id, d.attempts, d.subscription_id, d.recipe, d.subject, u.id, u.email, u.name,
       u.is_active,
       u.account_since IS NULL, p.link_key, p.introduced_at IS NOT NULL,
       EXISTS (SELECT 1 FROM digests_suppression s WHERE lower(s.address) = lower(u.email) AND s.released_at IS NULL),
       COALESCE(p.frequency, 'at_once'), COALESCE(p.hour, 8), COALESCE(p.weekday, 0),
       COALESCE(p.working_days_only, false), d.repeat_of_id IS NOT NULL
  FROM digests_delivery d
  JOIN people_user u ON u.id = d.recipient_id
  LEFT JOIN digests_preference p ON p.person_id = u.id
 WHERE d.status IN ('queued', 'sending') AND d.available_at <= clock_timestamp()
 ORDER BY d.available_at, d.id
 LIMIT %s
   FOR UPDATE OF d SKIP LOCKED
"""

_CLAIM = """
UPDATE digests_delivery d
   SET status = 'sending', available_at = clock_timestamp() + %(lease)s, claimed_at = clock_timestamp(),
       attempts = d.attempts + 1, address = c.address, subject = c.subject, recipe = c.recipe
  FROM unnest(%(ids)s::bigint[], %(addresses)s::text[], %(subjects)s::text[], %(recipes)s::jsonb[])
       AS c(id, address, subject, recipe)
 WHERE d.id = c.id
"""

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


def _execute(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def claim(*, now: dt.datetime, most: int) -> tuple[list[Claimed], int]:
    """Claim up to so many due deliveries; returns the letters to send and how many deliveries were looked at.

    Those that nobody may read any more, or that have nothing to say, are settled here and do not leave. What cannot
    be composed ends as failed with its reason, and the others pass.
    """
    with transaction.atomic():
        # As in sending: everything here is found by index, whatever the planner remembers of the tables' sizes.
        _execute("SET LOCAL enable_seqscan = off", [])
        candidates = [_candidate(row) for row in _execute(_CANDIDATES, [most])]
        if not candidates:
            return [], 0
        held, counted = pace.hold_back([(one.pk, one.address) for one in candidates], now=now)
        if held:
            _execute(
                "UPDATE digests_delivery SET available_at = %s, status = 'queued' WHERE id = ANY(%s)",
                [pace.next_minute(now), sorted(held)],
            )
        mine = [one for one in candidates if one.pk not in held]
        _give_keys(mine)
        batch = _compose([one for one in mine if not _hopeless(one)], now=now)
        hopeless = {one.pk: why for one in mine if (why := _hopeless(one))}
        batch.set_aside += [(pk, *why) for pk, why in hopeless.items()]
        if hopeless:
            drop_matches([one.person_id for one in mine if one.pk in hopeless], now=now)
        claimed = _write(batch, {one.pk: one for one in mine}, now)
        pace.count(counted, now=now)
    for pk, status, reason in batch.set_aside:
        if status == "failed":
            log.error("delivery_set_aside", delivery=pk, reason=reason[:80])
    return claimed, len(candidates) - len(held)


def _candidate(row: tuple[Any, ...]) -> Candidate:
    recipe = json.loads(row[5]) if isinstance(row[5], str) else row[5]
    values = [*row[:5], recipe, *row[6:15], row[15:19], row[19]]
    return Candidate(*values)


def _hopeless(one: Candidate) -> tuple[str, str] | None:
    """Why a delivery must not or cannot leave, as status and reason; None when it may."""
    if one.suppressed:
        return "suppressed", "Mail to this address came back earlier."
    if not one.is_active:
        return "suppressed", "The person has left."
    if not can_be_addressed(one.address):
        return "failed", "The address cannot be written on an envelope."
    if one.attempts >= _MOST_CLAIMS:
        return "failed", f"Claimed {one.attempts} times without an answer."
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
        " WHERE delivery_id = ANY(%s) ORDER BY delivery_id, id",
        [list(person_of)],
    )
    items = [Item(pk, delivery, person_of[delivery], *rest) for pk, delivery, *rest in rows]
    done = sort(
        items,
        stakeholders={one.person_id for one in candidates if one.is_stakeholder},
        frozen={one.pk for one in candidates if one.recipe is not None},
        now=now,
    )
    _write_items(done)
    because = reasons(done.told)
    lost = {item.delivery_id for item in done.lost}
    altered = {item.delivery_id for item in (*done.lost, *done.silent, *done.changed)}
    people = _accounts(candidates)
    notices = _notices([one for one in candidates if one.is_stakeholder and not one.introduced])
    minutes = settings.DIGEST_SETTLE_MINUTES
    fresh = {one.person_id: one.pk for one in candidates if not one.is_stakeholder and not one.is_repeat}
    matches = tell_matches(fresh, now=now) if fresh else {}
    for one in candidates:
        blocks = done.blocks.get(one.pk, [])
        if not blocks and one.pk not in matches:
            if one.pk in lost:
                batch.set_aside.append(
                    (one.pk, "suppressed", "They may no longer read what it says, or stopped following it.")
                )
            else:
                batch.nothing_to_say.append(one.pk)
            continue
        if one.recipe is not None and one.pk not in altered:
            batch.again.append(one)
            continue
        notice = notices.get(one.person_id, "")
        person = people.get(one.person_id)
        waiting = waiting_for(person, now) if person is not None else []
        try:
            batch.letters[one.pk] = emails.digest(
                one.addressee,
                blocks,
                delivery_id=one.pk,
                message_id=one.message_id,
                because=because.get(one.pk, ()),
                how_often=how_often(*one.rhythm, minutes),
                waiting=waiting,
                matches=matches.get(one.pk, ()),
                notice=notice,
                date=date,
                now=now,
            )
        except (ValueError, UnicodeError, KeyError) as error:
            batch.set_aside.append(
                (one.pk, "failed", f"It could not be written: {type(error).__name__}: {error}"[:500])
            )
            continue
        if notice:
            batch.introduced.append(one.person_id)


def _compose_confirmation(one: Candidate, batch: _Batch, *, date: str, now: dt.datetime) -> None:
    asked = Subscription.objects.for_listing().filter(status=SubscriptionStatus.ASKED)
    subscription = asked.filter(pk=one.subscription_id or 0).first()
    if subscription is None:
        batch.set_aside.append((one.pk, "suppressed", "It was answered, or withdrawn, before it left."))
    elif one.recipe is not None:
        batch.again.append(one)
    else:
        try:
            batch.letters[one.pk] = emails.confirmation(
                one.addressee, subscription, message_id=one.message_id, date=date, now=now
            )
        except (ValueError, UnicodeError) as error:
            batch.set_aside.append(
                (one.pk, "failed", f"It could not be written: {type(error).__name__}: {error}"[:500])
            )
            return
        if one.is_stakeholder and not one.introduced:
            batch.introduced.append(one.person_id)


def _compose_links(one: Candidate, batch: _Batch, *, date: str, now: dt.datetime) -> None:
    if one.recipe is not None:
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
        batch.set_aside.append((one.pk, "failed", f"It could not be written: {type(error).__name__}: {error}"[:500]))


def _accounts(candidates: Iterable[Candidate]) -> dict[int, User]:
    """The recipients who can sign in, and so have things waiting for them."""
    ids = [one.person_id for one in candidates if not one.is_stakeholder]
    return {person.pk: person for person in User.objects.filter(pk__in=ids)} if ids else {}


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
    dropped = [item.pk for item in (*done.silent, *done.lost)]
    if dropped:
        DeliveryItem.objects.filter(pk__in=dropped).delete()
    if done.changed:
        _execute(
            _FREEZE,
            {
                "ids": [item.pk for item in done.changed],
                "numbers": [item.to_number for item in done.changed],
                "classes": [item.reading_class for item in done.changed],
            },
        )


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
    rows: list[tuple[int, str, str, str]] = []
    for pk, letter in batch.letters.items():
        address = candidates[pk].address
        recipe, text = _join(letter, sheets[id(letter.parts)])
        rows.append((pk, address, letter.subject, json.dumps(recipe)))
        claimed.append(Claimed(pk, address, text.encode("ascii")))
    for one in batch.again:
        recipe = one.recipe or []
        text = "".join(part if isinstance(part, str) else bodies[part] for part in recipe)
        rows.append((one.pk, one.address, one.subject, json.dumps(recipe)))
        claimed.append(Claimed(one.pk, one.address, text.encode("ascii")))
    if rows:
        ids_, addresses, subjects, recipes = zip(*rows, strict=True)
        _execute(
            _CLAIM,
            {
                "lease": dt.timedelta(seconds=settings.DIGEST_LEASE_SECONDS),
                "ids": list(ids_),
                "addresses": list(addresses),
                "subjects": list(subjects),
                "recipes": list(recipes),
            },
        )
    return claimed


def _join(letter: emails.Letter, sheet: Sequence[tuple[int, str] | str]) -> tuple[list[int | str], str]:
    """A letter as numbers of pieces and its own words between them, and the whole of it: the innermost loop of
    sending."""
    recipe: list[int | str] = []
    own = letter.headers
    text = [own]
    values = letter.values
    for part in sheet:
        if isinstance(part, str):
            value = values[part]
            own += value
            text.append(value)
        else:
            if own:
                recipe.append(own)
                own = ""
            recipe.append(part[0])
            text.append(part[1])
    if own:
        recipe.append(own)
    return recipe, "".join(text)


def _sheets(letters: Iterable[emails.Letter], now: dt.datetime) -> dict[int, list[tuple[int, str] | str]]:
    """The shared parts of letters with the numbers under which they are kept, once for all letters that share them."""
    by_parts = {id(letter.parts): letter.parts for letter in letters}
    pieces = _keep(
        {part.digest: part for parts in by_parts.values() for part in parts if isinstance(part, wire.Part)}, now
    )
    return {
        key: [(pieces[part.digest], part.body) if isinstance(part, wire.Part) else part for part in parts]
        for key, parts in by_parts.items()
    }


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
