"""Selects the plans that the digests of a batch report.

Rights are read again in the transaction that claims the emails, so that nobody gets what they may no longer read. The
news of a plan is rendered once for all readers with the same view of the plan. It is cached, because versions never
change.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from partnerships.digests.emails.blocks import Block, render_block
from partnerships.digests.emails.reading import read_news
from partnerships.digests.models import Watermark
from partnerships.digests.queries.readers import newest_numbers, owners_among, pieces_followed, reading_classes

#: How many rendered blocks are cached, and for how long.
_MAX_BLOCKS = 256
_CACHED_FOR = dt.timedelta(minutes=10)


@dataclass(slots=True)
class Item:
    """A row of `DeliveryItem`, with the person who gets the digest.

    `select` sets `to_number` and `reading_class`.
    """

    pk: int
    delivery_id: int
    person_id: int
    plan_id: int
    from_number: int
    to_number: int
    reading_class: str


@dataclass(slots=True)
class Selection:
    """The plans of a batch of digests, sorted by the outcome for each plan, and their rendered news."""

    #: The news in each digest, by the id of its email.
    blocks: dict[int, list[Block]] = field(default_factory=lambda: defaultdict(list))
    #: Plans that their digest reports.
    included: list[Item] = field(default_factory=list)
    #: Included plans whose stored row no longer matches the digest.
    changed: list[Item] = field(default_factory=list)
    #: Plans without news for the reader. The watermark moves past their versions.
    silent: list[Item] = field(default_factory=list)
    #: Plans that the reader no longer follows or may no longer read.
    lost: list[Item] = field(default_factory=list)


class BlockKey(NamedTuple):
    """The cache key of the news of a plan, with every value that its text depends on."""

    plan_id: int
    from_number: int
    to_number: int
    reading_class: str
    is_for_stakeholder: bool
    #: The keys of sites and milestones, if the reader follows only these.
    pieces: tuple[str, ...] = ()


_block_cache: OrderedDict[BlockKey, tuple[dt.datetime, Block]] = OrderedDict()


def clear_cache() -> None:
    """Clear all rendered blocks (for tests)."""
    _block_cache.clear()


def block_for(key: BlockKey, now: dt.datetime) -> Block:
    """Return the rendered news of a plan, from the cache if it is at most ten minutes old."""
    cached = _block_cache.get(key)
    if cached is not None:
        rendered_at, block = cached
        if now - rendered_at < _CACHED_FOR:
            return block

    news, partnership_id, authors = read_news(
        plan_id=key.plan_id,
        from_number=key.from_number,
        to_number=key.to_number,
        reading_class=key.reading_class,
        pieces=key.pieces,
    )
    block = render_block(news, partnership_id=partnership_id, authors=authors, stakeholder=key.is_for_stakeholder)
    _block_cache[key] = (now, block)
    while len(_block_cache) > _MAX_BLOCKS:
        _block_cache.popitem(last=False)  # the oldest
    return block


@dataclass(frozen=True, slots=True)
class ReadableVersions:
    """How far each reader may read each plan now."""

    #: How much a person may read of a plan, by the ids of both. Pairs without access are missing.
    class_by_reader: dict[tuple[int, int], str]
    #: The newest version of each plan for its owners, and the newest for everybody else.
    newest_by_plan: dict[int, tuple[int, int]]
    #: The pairs (person id, plan id) in which the person acts for an owner of the plan.
    owners: set[tuple[int, int]]

    def newest_for(self, item: Item, *, is_frozen: bool) -> tuple[int, str] | None:
        """Return the newest version that an item may report and its reading class; None without access.

        If the digest `is_frozen`, the result never exceeds what the digest reported the first time.
        """
        reader = (item.person_id, item.plan_id)
        reading_class = self.class_by_reader.get(reader)
        if reading_class is None:
            return None
        newest_for_owners, newest_for_others = self.newest_by_plan[item.plan_id]
        number = newest_for_owners if reader in self.owners else newest_for_others
        if is_frozen:
            number = min(item.to_number, number)
            if Watermark.Reading.OUTSIDE in (item.reading_class, reading_class):
                reading_class = Watermark.Reading.OUTSIDE
        return number, reading_class


def readable_versions(plan_ids: Collection[int], person_ids: Sequence[int], *, now: dt.datetime) -> ReadableVersions:
    """Read how far these people may read these plans, with a few queries for all of them."""
    newest_by_plan = newest_numbers(plan_ids, now)
    # Owners may read a version that is under embargo for everybody else.
    embargoed_ids = [
        plan_id for plan_id, (for_owners, for_others) in newest_by_plan.items() if for_owners != for_others
    ]
    return ReadableVersions(
        class_by_reader=reading_classes(plan_ids, now=now, person_ids=person_ids),
        newest_by_plan=newest_by_plan,
        owners=owners_among(person_ids, embargoed_ids) if embargoed_ids else set(),
    )


def select(
    items: Sequence[Item], *, stakeholder_ids: Collection[int], frozen_ids: Collection[int], now: dt.datetime
) -> Selection:
    """Decide for each plan whether its digest reports it, and set `to_number` and `reading_class` of each item.

    `stakeholder_ids` are people without an account. `frozen_ids` are digests in doubt and repeats. These report no
    later version, and nothing that their reader could not read the first time.
    """
    selection = Selection()
    if not items:
        return selection
    plan_ids = {item.plan_id for item in items}
    person_ids = sorted({item.person_id for item in items})
    versions = readable_versions(plan_ids, person_ids, now=now)
    pieces_by_reader = pieces_followed(person_ids, plan_ids)

    for item in items:
        newest = versions.newest_for(item, is_frozen=item.delivery_id in frozen_ids)
        if newest is None:
            selection.lost.append(item)
            continue

        to_number, reading_class = newest
        if to_number <= item.from_number:
            item.to_number = item.from_number  # this reader has nothing newer, so the watermark does not move
            selection.silent.append(item)
            continue

        is_changed = to_number != item.to_number or reading_class != item.reading_class
        item.to_number = to_number
        item.reading_class = reading_class
        key = BlockKey(
            plan_id=item.plan_id,
            from_number=item.from_number,
            to_number=to_number,
            reading_class=reading_class,
            is_for_stakeholder=item.person_id in stakeholder_ids,
            pieces=pieces_by_reader.get((item.person_id, item.plan_id), ()),
        )
        block = block_for(key, now)
        # Nobody gets news of versions that they published alone.
        if block.is_empty or block.authors == {item.person_id}:
            selection.silent.append(item)
            continue

        selection.included.append(item)
        selection.blocks[item.delivery_id].append(block)
        if is_changed:
            selection.changed.append(item)
    return selection
