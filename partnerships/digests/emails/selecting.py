"""Turning claimed deliveries into letters: who may still read what, the news of each plan, and the words for each
person.

Everything is read anew inside the transaction that claims, so that nobody who lost access in the meantime is told
anything. The news of a plan is rendered once for all readers of a class and kept for a while: versions never change.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.digests.emails.news import Edition, News, news_of, shorten_note
from partnerships.digests.emails.rendering import Block, block
from partnerships.digests.models import Frequency, Subscription, Watermark, Weekday, because
from partnerships.digests.queries.naming import named_to_followers
from partnerships.digests.queries.readers import newest_numbers, owners_among, reading_classes
from partnerships.digests.schedule import zone_in_words
from partnerships.kit.database import rows_planned_once
from partnerships.plans.content import Content, normalise, outside
from partnerships.plans.models import Plan, ReadingClass, Version
from partnerships.plans.queries import area_names

_KEPT = 256
_KEPT_FOR = dt.timedelta(minutes=10)


@dataclass(slots=True)
class Item:
    """What a delivery says of one plan; `to_number` and `reading_class` are settled while composing."""

    pk: int
    delivery_id: int
    person_id: int
    plan_id: int
    from_number: int
    to_number: int
    reading_class: str


@dataclass(slots=True)
class Sorted:
    """The items of a batch by what is to be done with them."""

    blocks: dict[int, list[Block]] = field(default_factory=lambda: defaultdict(list))
    told: list[Item] = field(default_factory=list)  # go into a letter
    changed: list[Item] = field(default_factory=list)  # of those, the ones whose row must be brought up to date
    silent: list[Item] = field(default_factory=list)  # nothing to say: moved forward without a message
    lost: list[Item] = field(default_factory=list)  # may no longer be read by this person


# ---- The news of a plan


class Key(NamedTuple):
    """What news depends on."""

    plan_id: int
    from_number: int
    to_number: int
    reading_class: str
    stakeholder: bool


_blocks: OrderedDict[Key, tuple[dt.datetime, Block]] = OrderedDict()


def forget() -> None:
    """Forget all rendered news."""
    _blocks.clear()


def block_for(key: Key, now: dt.datetime) -> Block:
    """The news between two versions for a class of readers, rendered once and kept for ten minutes."""
    kept = _blocks.get(key)
    if kept is not None and now - kept[0] < _KEPT_FOR:
        return kept[1]
    news, partnership_id, authors = read_news(
        plan_id=key.plan_id, from_number=key.from_number, to_number=key.to_number, reading_class=key.reading_class
    )
    made = block(news, partnership_id=partnership_id, authors=authors, stakeholder=key.stakeholder)
    _blocks[key] = (now, made)
    while len(_blocks) > _KEPT:
        _blocks.popitem(last=False)
    return made


def content_as(content: Content, reading_class: str) -> Content:
    """A content, regular, as a reader of that class may know it."""
    regular = normalise(content)
    return regular if reading_class == Watermark.Reading.INSIDE else outside(regular)


def read_news(
    *, plan_id: int, from_number: int, to_number: int, reading_class: str
) -> tuple[News, int | None, frozenset[int | None]]:
    """The news between two versions, the plan's partnership, and who wrote what is in it.

    Versions that changed nothing for this class of readers are left out with their notes.
    """
    plan = Plan.objects.select_related("partnership").get(pk=plan_id)
    versions = list(
        Version.objects.filter(plan=plan_id, number__gt=from_number, number__lte=to_number)
        .select_related("author", "organisation")
        .defer("content", "prose")
        .order_by("number")
    )
    ends = {
        number: content_as(content, reading_class)
        for number, content in Version.objects.filter(plan=plan_id, number__in=[from_number, to_number]).values_list(
            "number", "content"
        )
    }
    shown = [version for version in versions if _says_something(version, reading_class)]
    editions = [
        Edition(
            number=version.number,
            published_on=version.published_at.date(),
            author=version.author.display_name if version.author else "",
            organisation=version.organisation.name if version.organisation else version.source,
            note=shorten_note(version.note),
        )
        for version in reversed(shown if from_number else shown[-1:])
    ]
    news = news_of(
        plan_id=plan_id,
        title=versions[-1].title if versions else plan.title,
        partnership=_told_partnership(plan, reading_class),
        was=ends.get(from_number),
        now=ends[to_number],
        from_number=from_number,
        to_number=to_number,
        editions=editions,
        areas=area_names(*ends.values()),
    )
    return news, plan.partnership_id, frozenset(version.author_id for version in shown)


def _told_partnership(plan: Plan, reading_class: str) -> str:
    """The title of the plan's partnership, for those inside, and for all where everybody may know of it."""
    if plan.partnership is None:
        return ""
    known = reading_class == ReadingClass.INSIDE or plan.partnership.audience == PartnershipAudience.NETWORK
    return plan.partnership.title if known else ""


def _says_something(version: Version, reading_class: str) -> bool:
    figures = version.figures.get(reading_class)
    return figures is None or figures.get("changes") != 0


# ---- Sorting a batch


def sort(items: Sequence[Item], *, stakeholders: Collection[int], frozen: Collection[int], now: dt.datetime) -> Sorted:
    """Decide for each item whether it is told, has nothing to say, or may no longer be read.

    `stakeholders` are the people without an account; `frozen` the deliveries in doubt, and those asked for again: their
    versions stay as they are, and nobody reads more in them than before.
    """
    result = Sorted()
    if not items:
        return result
    plans = {item.plan_id for item in items}
    people = sorted({item.person_id for item in items})
    classes = reading_classes(plans, now=now, people=people)
    newest = newest_numbers(plans, now)
    held = [plan for plan, (own, other) in newest.items() if own != other]
    owners = owners_among(people, held) if held else set()
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
            item.to_number = item.from_number  # nothing newer is theirs to read: the watermark stays where it is
            result.silent.append(item)
            continue
        item.to_number, item.reading_class = to_number, reading_class
        made = block_for(
            Key(item.plan_id, item.from_number, to_number, reading_class, item.person_id in stakeholders), now
        )
        if made.is_empty or made.authors == {item.person_id}:
            result.silent.append(item)
            continue
        result.told.append(item)
        result.blocks[item.delivery_id].append(made)
        if changed:
            result.changed.append(item)
    return result


# ---- Why, and how often

_WHY = """
SELECT f.person_id, f.plan_id, s.id, s.partnership_id IS NOT NULL, f.how, s.why,
       COALESCE(p.title, a.title, o.name), by_organisation.name, f.frequency
  FROM digests_following f
  JOIN digests_subscription s ON s.id = f.subscription_id
  LEFT JOIN plans_plan p ON p.id = s.plan_id
  LEFT JOIN agreements_partnership a ON a.id = s.partnership_id
  LEFT JOIN organisations_organisation o ON o.id = s.organisation_id
  LEFT JOIN organisations_organisation by_organisation ON by_organisation.id = s.added_for_id
 WHERE f.person_id = ANY(%s) AND f.plan_id = ANY(%s)
 ORDER BY f.person_id, f.plan_id, f.rank, f.subscription_id
"""


@dataclass(slots=True)
class Why:
    """Why a delivery comes, in words that follow "because", and the frequencies chosen for what is in it alone (empty:
    the person's own)."""

    words: list[str] = field(default_factory=list)
    frequencies: set[str] = field(default_factory=set)


def _unnamed(by_partnership: set[int], now: dt.datetime) -> set[int]:
    """Of subscriptions to partnerships, those whose follower may no longer read the partnership, though a plan of it is
    open to them all the same: who reads a plan inside knows its partnership."""
    if not by_partnership:
        return set()
    return by_partnership - named_to_followers(Subscription.objects.for_listing().filter(pk__in=by_partnership), now)


def reasons(items: Sequence[Item], *, now: dt.datetime) -> dict[int, Why]:
    """Why each delivery of these comes: words for each thing followed, by the closest subscription."""
    pairs = [(item.delivery_id, item.person_id, item.plan_id) for item in items]
    if not pairs:
        return {}
    why: dict[tuple[int, int], str] = {}
    frequencies: dict[tuple[int, int], str] = {}
    rows = rows_planned_once(
        _WHY,
        [sorted({person for _, person, _ in pairs}), sorted({plan for _, _, plan in pairs})],
        whatever_is_asked=True,
    )
    from_outside = {(item.person_id, item.plan_id) for item in items if item.reading_class == Watermark.Reading.OUTSIDE}
    by_partnership = {row[2] for row in rows if row[3] and row[:2] in from_outside}
    unnamed = _unnamed(by_partnership, now)
    for person, plan, number, _, how, said, target, organisation, frequency in rows:
        if (person, plan) not in why:
            told = ("", "a partnership") if number in unnamed else (said, target)
            why[person, plan] = because(how, *told, organisation)
        if frequency:
            frequencies.setdefault((person, plan), frequency)
    found: dict[int, Why] = defaultdict(Why)
    for delivery, person, plan in pairs:
        words = why.get((person, plan))
        found[delivery].frequencies.add(frequencies.get((person, plan), ""))
        if words and words not in found[delivery].words:
            found[delivery].words.append(words)
    return found


@lru_cache(maxsize=512)
def how_often(
    own: frozenset[str], frequency: str, hour: int, weekday: int, working_days_only: bool, zone: str, minutes: float
) -> str:
    """How often in words: "You get digests daily at 08:00, on working days."; `own` are the frequencies chosen for
    what is in the letter alone."""
    paces = [one for one in Frequency.values if one in {name or frequency for name in own or {""}}]
    said = ", and about some of what you follow ".join(_pace(one, hour, weekday, zone, minutes) for one in paces)
    about = " about this" if own and "" not in own and paces != [frequency] else ""
    return f"You get digests{about} {said}{', on working days' if working_days_only else ''}."


def _pace(frequency: str, hour: int, weekday: int, zone: str, minutes: float) -> str:
    at = f"at {hour:02d}:00{zone_in_words(zone)}"
    day = Weekday(weekday).label
    if frequency == Frequency.DAILY:
        return f"daily {at}"
    if frequency == Frequency.WEEKLY:
        return f"weekly, on {day} {at}"
    if frequency == Frequency.FORTNIGHTLY:
        return f"every two weeks, on {day} {at}"
    if frequency == Frequency.MONTHLY:
        return f"monthly, on the first {day} {at}"
    if not minutes:
        return "at once"
    return f"once a plan has been quiet for {minutes:g} minute{'' if minutes == 1 else 's'}"
