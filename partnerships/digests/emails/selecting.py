"""Which items of a batch of digests are sent: who may still read what.

Everything is read again inside the transaction that claims the emails, so that nobody who lost access meanwhile gets
anything. The news of a plan is rendered once for all readers of a class and kept for a while: versions never change.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from partnerships.digests.emails.reading import read_news
from partnerships.digests.emails.rendering import Block, render_block
from partnerships.digests.models import Watermark
from partnerships.digests.queries.readers import newest_numbers, owners_among, pieces_followed, reading_classes

#: Blocks kept in memory, and for how long.
_MAX_BLOCKS = 256
_KEPT_FOR = dt.timedelta(minutes=10)


@dataclass(slots=True)
class Item:
    """One plan in a digest; selecting sets `to_number` and `reading_class`."""

    pk: int
    delivery_id: int
    person_id: int
    plan_id: int
    from_number: int
    to_number: int
    reading_class: str


@dataclass(slots=True)
class Selection:
    """The items of a batch by what happens to them, with their blocks."""

    blocks: dict[int, list[Block]] = field(default_factory=lambda: defaultdict(list))
    included: list[Item] = field(default_factory=list)  # go into a digest
    changed: list[Item] = field(default_factory=list)  # those of them whose row must be updated
    silent: list[Item] = field(default_factory=list)  # nothing to say: the watermark moves without an email
    lost: list[Item] = field(default_factory=list)  # this person may no longer read them


class Key(NamedTuple):
    """What the news of a plan depends on."""

    plan_id: int
    from_number: int
    to_number: int
    reading_class: str
    stakeholder: bool
    pieces: tuple[str, ...] = ()


_blocks: OrderedDict[Key, tuple[dt.datetime, Block]] = OrderedDict()


def clear_cache() -> None:
    """Drop all rendered blocks (for tests)."""
    _blocks.clear()


def block_for(key: Key, now: dt.datetime) -> Block:
    """The rendered news for a class of readers, kept for ten minutes."""
    cached = _blocks.get(key)
    if cached is not None and now - cached[0] < _KEPT_FOR:
        return cached[1]
    news, partnership_id, authors = read_news(
        plan_id=key.plan_id,
        from_number=key.from_number,
        to_number=key.to_number,
        reading_class=key.reading_class,
        pieces=key.pieces,
    )
    block = render_block(news, partnership_id=partnership_id, authors=authors, stakeholder=key.stakeholder)
    _blocks[key] = (now, block)
    while len(_blocks) > _MAX_BLOCKS:
        _blocks.popitem(last=False)
    return block


def select(
    items: Sequence[Item], *, stakeholders: Collection[int], frozen: Collection[int], now: dt.datetime
) -> Selection:
    """Decide whether each item is sent, has no news, or is unreadable.

    `stakeholders` are people without an account. `frozen` are the digests in doubt and those sent again: their
    versions stay as they are, and nobody reads more in them than before.
    """
    result = Selection()
    if not items:
        return result
    plans = {item.plan_id for item in items}
    people = sorted({item.person_id for item in items})
    classes = reading_classes(plans, now=now, people=people)
    newest = newest_numbers(plans, now)
    pieces = pieces_followed(people, plans)
    embargoed = [plan for plan, (own, other) in newest.items() if own != other]
    owners = owners_among(people, embargoed) if embargoed else set()
    for item in items:
        reading_class = classes.get((item.person_id, item.plan_id))
        if reading_class is None:
            result.lost.append(item)
            continue
        own, other = newest[item.plan_id]
        newest_for_them = own if (item.person_id, item.plan_id) in owners else other
        to_number = newest_for_them
        if item.delivery_id in frozen:
            to_number = min(item.to_number, newest_for_them)
            if Watermark.Reading.OUTSIDE in (item.reading_class, reading_class):
                reading_class = Watermark.Reading.OUTSIDE
        changed = to_number != item.to_number or reading_class != item.reading_class
        if to_number <= item.from_number:
            item.to_number = item.from_number  # nothing newer for them: the watermark stays
            result.silent.append(item)
            continue
        item.to_number, item.reading_class = to_number, reading_class
        block = block_for(
            Key(
                plan_id=item.plan_id,
                from_number=item.from_number,
                to_number=to_number,
                reading_class=reading_class,
                stakeholder=item.person_id in stakeholders,
                pieces=pieces.get((item.person_id, item.plan_id), ()),
            ),
            now,
        )
        if block.is_empty or block.authors == {item.person_id}:
            result.silent.append(item)
            continue
        result.included.append(item)
        result.blocks[item.delivery_id].append(block)
        if changed:
            result.changed.append(item)
    return result
