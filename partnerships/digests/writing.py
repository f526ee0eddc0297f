"""Writing letters: for each claimed delivery, whether there is anything to say, and the words of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime

from django.conf import settings

from partnerships.digests import emails
from partnerships.digests.bank_holidays import holidays
from partnerships.digests.composing import Item, Sorted, Why, how_often, reasons, sort
from partnerships.digests.matches import tell_matches
from partnerships.digests.models import (
    NOT_WRITTEN,
    Delivery,
    DeliveryItem,
    DeliveryKind,
    DeliveryStatus,
    Following,
    Subscription,
    SubscriptionStatus,
)
from partnerships.digests.pieces import Recipe, bodies
from partnerships.digests.queries.naming import may_still_be_asked
from partnerships.digests.schedule import Rhythm, due, local_day
from partnerships.digests.services import give_up_asking
from partnerships.digests.waiting import remembered, waiting_for_all
from partnerships.kit.database import rows_of, rows_planned_once
from partnerships.kit.waiting import Waiting
from partnerships.people.models import User

#: Words that so many letters of a batch share are kept once for all of them, not in each.
_COMMON = 5


@dataclass(slots=True)
class Candidate:
    """A locked delivery and its recipient."""

    pk: int
    kind: str
    message_id: str
    attempts: int
    subscription_id: int | None
    recipe: Recipe | None  # only of one in doubt: it goes again as it is
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
    frequency: str
    hour: int
    weekday: int
    working_days_only: bool
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
        rhythm = Rhythm(self.frequency, self.hour, self.weekday, self.working_days_only, self.zone, self.paused_until)
        return due(rhythm, waiting_since=now, latest=now, settle=dt.timedelta(), holidays=holidays())


_MOVE_FORWARD = """
UPDATE digests_told t SET number = GREATEST(t.number, c.number), told_at = clock_timestamp()
  FROM (SELECT t.id, x.number
          FROM unnest(%(people)s::bigint[], %(plans)s::bigint[], %(numbers)s::int[]) AS x(person, plan, number)
          JOIN digests_told t ON t.recipient_id = x.person AND t.plan_id = x.plan
         ORDER BY t.recipient_id, t.plan_id FOR UPDATE OF t) c
 WHERE t.id = c.id
"""

_FREEZE = """
UPDATE digests_deliveryitem i SET to_number = c.to_number, reading_class = c.reading_class
  FROM unnest(%(ids)s::bigint[], %(numbers)s::int[], %(classes)s::text[]) AS c(id, to_number, reading_class)
 WHERE i.id = c.id
"""


@dataclass(slots=True)
class Batch:
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


def compose(candidates: Sequence[Candidate], *, now: dt.datetime) -> Batch:
    """Write the letters of these, or say of each why there is none; what it does not tell is settled here."""
    batch = Batch()
    date = format_datetime(now.astimezone(dt.UTC))
    digests = [one for one in candidates if one.kind == DeliveryKind.DIGEST]
    _compose_digests(digests, batch, date=date, now=now)
    for one in candidates:
        if one.kind == DeliveryKind.CONFIRMATION:
            _compose_confirmation(one, batch, date=date, now=now)
        elif one.kind == DeliveryKind.LINKS:
            _compose_links(one, batch, date=date, now=now)
    return batch


def _compose_digests(candidates: Sequence[Candidate], batch: Batch, *, date: str, now: dt.datetime) -> None:
    if not candidates:
        return
    person_of = {one.pk: one.person_id for one in candidates}
    rows = rows_planned_once(
        "SELECT id, delivery_id, plan_id, from_number, to_number, reading_class FROM digests_deliveryitem"
        " WHERE delivery_id = ANY(%s) AND left_out = '' ORDER BY delivery_id, id",
        [list(person_of)],
        whatever_is_asked=True,
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
    telling = {one.person_id: one.pk for one in candidates if not one.is_stakeholder and not one.is_repeat}
    in_doubt = {one.person_id for one in candidates if one.recipe is not None}
    matches, withdrawn = tell_matches(telling, in_doubt, now=now) if telling else ({}, set())
    altered |= withdrawn
    waits = waiting_for_all(_accounts(one for one in candidates if one.pk in matches or done.blocks.get(one.pk)), now)
    whys = {one.pk: because.get(one.pk) or Why() for one in candidates}
    minutes = settings.DIGEST_SETTLE_MINUTES
    paces = {one.pk: _how_often(one, frozenset(whys[one.pk].frequencies), minutes) for one in candidates}
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
        notice, why, rhythm = notices.get(one.person_id, ""), whys[one.pk].words, paces[one.pk]
        try:
            batch.letters[one.pk] = emails.digest(
                one.addressee,
                blocks,
                delivery_id=one.pk,
                message_id=one.message_id,
                because=why,
                how_often=rhythm,
                waiting=waiting,
                matches=matches.get(one.pk, ()),
                notice=notice,
                date=date,
                now=now,
                is_common=alike[(*why, rhythm)] >= _COMMON,
            )
        except (ValueError, UnicodeError, KeyError) as error:
            batch.cannot_write(one, error)
            continue
        if notice:
            batch.introduced.append(one.person_id)


def _how_often(one: Candidate, chosen: frozenset[str], minutes: float) -> str:
    return how_often(chosen, one.frequency, one.hour, one.weekday, one.working_days_only, one.zone, minutes)


def _still_holds(one: Candidate, waiting: Sequence[Waiting]) -> bool:
    """Whether a letter in doubt may go again as it is: to the same address, with links that work, and saying of
    nothing that it waits which does not, or which its reader may not see any more."""
    known = {remembered(thing) for thing in waiting}
    return (
        one.frozen_address.lower() == one.address.lower()
        and known.issuperset(one.frozen_waiting or ())
        and one.recipe is not None
        and emails.links_work(one.recipe.words, one.link_key or "")
    )


def _drop_incomplete(candidates: Iterable[Candidate]) -> None:
    """Letters in doubt of which a part is no longer kept are written anew."""
    frozen = [(one, one.recipe) for one in candidates if one.recipe is not None]
    known = bodies(recipe for _, recipe in frozen)
    for one, recipe in frozen:
        if not known.keys() >= set(recipe.pieces):
            one.recipe = None


def _compose_confirmation(one: Candidate, batch: Batch, *, date: str, now: dt.datetime) -> None:
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


def _compose_links(one: Candidate, batch: Batch, *, date: str, now: dt.datetime) -> None:
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


def _write_items(done: Sorted) -> None:
    if done.silent:
        rows_of(
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
        rows_of(
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
