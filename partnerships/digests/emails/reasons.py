"""The sentences at the end of a digest: why its reader gets it, and how often."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from partnerships.activity.subjects import SubjectKind
from partnerships.digests.emails.selecting import Item
from partnerships.digests.emails.subjects import SubjectSelection
from partnerships.digests.models import (
    TARGET_NAMES,
    TARGETS,
    Frequency,
    Subscription,
    Watermark,
    Weekday,
    reason_for_digests,
)
from partnerships.digests.queries.naming import named_to_followers
from partnerships.digests.queries.objects import named
from partnerships.digests.schedule import zone_in_words
from partnerships.kit.database import rows_planned_once

#: The subscriptions by which people follow plans, the closest first (`Following.rank`).
_REASONS_OF_PLANS = """
SELECT f.person_id, f.plan_id, s.id AS subscription_id, s.partnership_id IS NOT NULL AS is_by_partnership, f.how,
       s.why AS typed_reason, COALESCE(p.title, a.title, o.name) AS target_name, by_organisation.name AS organisation,
       f.frequency
  FROM digests_following f
  JOIN digests_subscription s ON s.id = f.subscription_id
  LEFT JOIN plans_plan p ON p.id = s.plan_id
  LEFT JOIN agreements_partnership a ON a.id = s.partnership_id
  LEFT JOIN organisations_organisation o ON o.id = s.organisation_id
  LEFT JOIN organisations_organisation by_organisation ON by_organisation.id = s.added_for_id
 WHERE f.person_id = ANY(%s) AND f.plan_id = ANY(%s)
 ORDER BY f.person_id, f.plan_id, f.rank, f.subscription_id
"""

#: The reason and target of subscriptions. The last columns are the ids of possible targets; only one is not null.
_REASONS_OF_SUBSCRIPTIONS = f"""
SELECT s.id, u.account_since IS NULL, s.how, s.why, o.name, {", ".join(f"s.{name}_id" for name in TARGETS)}
  FROM digests_subscription s
  JOIN people_user u ON u.id = s.person_id
  LEFT JOIN organisations_organisation o ON o.id = s.added_for_id
 WHERE s.id = ANY(%s)
"""  # noqa: S608 - our own constant
#: The kind of subject of each kind of target.
_SUBJECT_KINDS = {name: SubjectKind.REQUEST if name == "request" else SubjectKind(name) for name in TARGETS}


@dataclass(slots=True)
class DigestReasons:
    """Why a person gets a digest, and the frequencies that the person chose for the records in it.

    `words` are texts that follow the word "because". A frequency is "" where the person's general preference applies.
    """

    words: list[str] = field(default_factory=list)
    frequencies: set[str] = field(default_factory=set)

    def add(self, words: str, frequency: str) -> None:
        """Add the reason and the frequency for one record in the digest, without repeating a reason."""
        self.frequencies.add(frequency)
        if words and words not in self.words:
            self.words.append(words)


class _PlanReason(NamedTuple):
    """One row of `_REASONS_OF_PLANS`, by column name."""

    person_id: int
    plan_id: int
    subscription_id: int
    is_by_partnership: bool
    how: str
    typed_reason: str
    target_name: str
    organisation: str | None
    frequency: str


class _SubscriptionReason(NamedTuple):
    """One row of `_REASONS_OF_SUBSCRIPTIONS`."""

    subscription_id: int
    is_stakeholder: bool
    how: str
    typed_reason: str
    organisation: str | None
    #: One of `TARGETS`, such as "plan", and the id of the record.
    target: str
    target_id: int

    @classmethod
    def from_columns(cls, columns: Sequence[Any]) -> _SubscriptionReason:
        """Return the row for the columns of the query, with the one target that is not null."""
        subscription_id, is_stakeholder, how, typed_reason, organisation, *target_ids = columns
        id_by_target = dict(zip(TARGETS, target_ids, strict=True))
        target, target_id = next((target, pk) for target, pk in id_by_target.items() if pk is not None)
        return cls(subscription_id, is_stakeholder, how, typed_reason, organisation, target, target_id)


def reasons(items: Sequence[Item], changed: SubjectSelection, *, now: dt.datetime) -> dict[int, DigestReasons]:
    """Return why people get each digest, by the id of its email.

    The closest subscription to a record gives the reason.
    """
    reasons_by_email: dict[int, DigestReasons] = defaultdict(DigestReasons)
    _add_reasons_of_plans(reasons_by_email, items, now=now)
    _add_reasons_of_subjects(reasons_by_email, changed, now=now)
    return reasons_by_email


def _add_reasons_of_plans(
    reasons_by_email: dict[int, DigestReasons], items: Sequence[Item], *, now: dt.datetime
) -> None:
    """Add the reasons why people get the news of plans, without names that they may not see."""
    if not items:
        return
    people, plans = sorted({item.person_id for item in items}), sorted({item.plan_id for item in items})
    rows = [_PlanReason(*row) for row in rows_planned_once(_REASONS_OF_PLANS, [people, plans], generic_plan=True)]

    outside_pairs = {
        (item.person_id, item.plan_id) for item in items if item.reading_class == Watermark.Reading.OUTSIDE
    }
    doubtful_ids = {
        row.subscription_id for row in rows if row.is_by_partnership and (row.person_id, row.plan_id) in outside_pairs
    }
    nameless_ids = _nameless_ids(doubtful_ids, now)

    words_by_pair: dict[tuple[int, int], str] = {}
    frequency_by_pair: dict[tuple[int, int], str] = {}
    for row in rows:
        pair = (row.person_id, row.plan_id)
        if pair not in words_by_pair:  # the closest subscription comes first
            typed_reason, target_name = row.typed_reason, row.target_name
            if row.subscription_id in nameless_ids:
                typed_reason, target_name = "", "a partnership"
            words_by_pair[pair] = reason_for_digests(row.how, typed_reason, target_name, row.organisation)
        if row.frequency:
            frequency_by_pair.setdefault(pair, row.frequency)

    for item in items:
        pair = (item.person_id, item.plan_id)
        reasons_by_email[item.delivery_id].add(words_by_pair.get(pair, ""), frequency_by_pair.get(pair, ""))


def _nameless_ids(subscription_ids: set[int], now: dt.datetime) -> set[int]:
    """Return the subscriptions to partnerships that their follower may not see, so that emails must not name them.

    A plan of such a partnership may still be open to the follower, for example because it is public.
    """
    if not subscription_ids:
        return set()
    subscriptions = Subscription.objects.for_listing().filter(pk__in=subscription_ids)
    return subscription_ids - named_to_followers(subscriptions, now)


def _add_reasons_of_subjects(
    reasons_by_email: dict[int, DigestReasons], changed: SubjectSelection, *, now: dt.datetime
) -> None:
    """Add the reasons why people get the changes of subjects."""
    if changed.event_filter is None:
        return
    follows_by_pair = changed.event_filter.follows_by_pair
    closest_ids = {follows[0].subscription_id for follows in follows_by_pair.values()}
    words_by_subscription = _reason_by_subscription(
        closest_ids, changed.event_filter.readable_subscription_ids, now=now
    )
    for item in changed.included:
        follows = follows_by_pair.get((item.person_id, item.subject_id), [])
        words = words_by_subscription[follows[0].subscription_id] if follows else ""
        frequency = next((row.frequency for row in follows if row.frequency), "")
        reasons_by_email[item.delivery_id].add(words, frequency)


def _reason_by_subscription(
    subscription_ids: Collection[int], readable_ids: Collection[int], *, now: dt.datetime
) -> dict[int, str]:
    """Return why a person gets digests for each subscription, by the id of the subscription.

    `readable_ids` are the subscriptions of stakeholders to records that the organisation that added them may read. For
    people with an account, their own rights decide whether the reason may name the record.
    """
    rows = [
        _SubscriptionReason.from_columns(columns)
        for columns in rows_planned_once(_REASONS_OF_SUBSCRIPTIONS, [sorted(subscription_ids)], generic_plan=True)
    ]
    account_ids = [row.subscription_id for row in rows if not row.is_stakeholder]
    nameable_ids = {*readable_ids}
    if account_ids:
        subscriptions_of_accounts = Subscription.objects.select_related("person").filter(pk__in=account_ids)
        nameable_ids |= named_to_followers(subscriptions_of_accounts, now)

    names = named({(_SUBJECT_KINDS[row.target], row.target_id) for row in rows})

    words_by_subscription: dict[int, str] = {}
    for row in rows:
        if row.subscription_id in nameable_ids:
            typed_reason, target_name = row.typed_reason, names[_SUBJECT_KINDS[row.target], row.target_id].title
        else:
            # The reason that a person typed is left out too, because it may contain the name.
            typed_reason, target_name = "", f"{TARGET_NAMES[row.target]} you can no longer read"
        words_by_subscription[row.subscription_id] = reason_for_digests(
            row.how, typed_reason, target_name, row.organisation
        )
    return words_by_subscription


@lru_cache(maxsize=512)
def how_often(
    chosen_frequencies: frozenset[str],
    *,
    frequency: str,
    hour: int,
    weekday: int,
    working_days_of: str,
    zone: str,
    minutes: float,
) -> str:
    """Return how often digests are sent, for example "You get digests daily at 08:00, on working days."

    `chosen_frequencies` are the frequencies chosen for the records in this digest, "" for the person's own `frequency`.
    The other arguments are the person's preferences, and `minutes` is how long "at once" waits after the last change.
    """
    frequencies_in_digest = {own_frequency or frequency for own_frequency in chosen_frequencies or {""}}
    ordered_frequencies = [value for value in Frequency.values if value in frequencies_in_digest]
    first_rhythm, *other_rhythms = (
        _frequency_in_words(value, hour, weekday, zone, minutes) for value in ordered_frequencies
    )
    # "About this" shows the reader that their general preference is different.
    is_exception = bool(chosen_frequencies) and "" not in chosen_frequencies and ordered_frequencies != [frequency]
    on_days = ", on working days" if working_days_of else ""
    return " ".join(
        [
            f"You get digests{' about this' if is_exception else ''} {first_rhythm}{on_days}.",
            *(f"For some of what you follow, you get them {rhythm}{on_days}." for rhythm in other_rhythms),
        ]
    )


def _frequency_in_words(frequency: str, hour: int, weekday: int, zone: str, minutes: float) -> str:
    """Return one rhythm, to follow "You get digests", for example "weekly, on Monday at 08:00"."""
    time_in_words = f"at {hour:02d}:00{zone_in_words(zone)}"
    day = Weekday(weekday).label
    if frequency == Frequency.DAILY:
        return f"daily {time_in_words}"
    if frequency == Frequency.WEEKLY:
        return f"weekly, on {day} {time_in_words}"
    if frequency == Frequency.FORTNIGHTLY:
        return f"every two weeks, on {day} {time_in_words}"
    if frequency == Frequency.MONTHLY:
        return f"monthly, on the first {day} {time_in_words}"
    if not minutes:
        return "as soon as something changes"
    return f"{minutes:g} minute{'' if minutes == 1 else 's'} after the last change to a plan"
