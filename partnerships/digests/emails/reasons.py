"""Why a digest comes and how often, in words."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from partnerships.activity.subjects import SubjectKind
from partnerships.digests.emails.selecting import Item
from partnerships.digests.emails.subjects import SubjectSelection
from partnerships.digests.models import A_TARGET, TARGETS, Frequency, Subscription, Watermark, Weekday, because
from partnerships.digests.queries.naming import named_to_followers
from partnerships.digests.queries.objects import named
from partnerships.digests.schedule import zone_in_words
from partnerships.kit.database import rows_planned_once

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

_WHY_SUBJECTS = f"""
SELECT s.id, u.account_since IS NULL, s.how, s.why, o.name, {", ".join(f"s.{name}_id" for name in TARGETS)}
  FROM digests_subscription s
  JOIN people_user u ON u.id = s.person_id
  LEFT JOIN organisations_organisation o ON o.id = s.added_for_id
 WHERE s.id = ANY(%s)
"""  # noqa: S608 - our own constant
#: The kind of subject of what a subscription is to.
_SUBJECT_KINDS = {name: SubjectKind.REQUEST if name == "request" else SubjectKind(name) for name in TARGETS}


@dataclass(slots=True)
class Why:
    """Why a digest comes, and the frequencies chosen for what is in it.

    `words` follow "because". A frequency is empty where the person's own applies.
    """

    words: list[str] = field(default_factory=list)
    frequencies: set[str] = field(default_factory=set)


def _unnamed(by_partnership: set[int], now: dt.datetime) -> set[int]:
    """Subscriptions to partnerships that their follower may no longer read.

    A plan of such a partnership may still be open to them.
    """
    if not by_partnership:
        return set()
    return by_partnership - named_to_followers(Subscription.objects.for_listing().filter(pk__in=by_partnership), now)


def reasons(items: Sequence[Item], changed: SubjectSelection, *, now: dt.datetime) -> dict[int, Why]:
    """Why each digest comes, by its id; the closest subscription decides."""
    reasons_by_email: dict[int, Why] = defaultdict(Why)
    _add_reasons_of_plans(reasons_by_email, items, now=now)
    _add_reasons_of_subjects(reasons_by_email, changed, now=now)
    return reasons_by_email


def _add_reasons_of_subjects(reasons_by_email: dict[int, Why], changed: SubjectSelection, *, now: dt.datetime) -> None:
    if changed.hearing is None:
        return
    followed = changed.hearing.followed
    closest = {rows[0].subscription_id for rows in followed.values()}
    words = _words_of(closest, changed.hearing.askable, now=now)
    for item in changed.included:
        rows = followed.get((item.person_id, item.subject_id), [])
        why = reasons_by_email[item.delivery_id]
        why.frequencies.add(next((row.frequency for row in rows if row.frequency), ""))
        words_of_first = words[rows[0].subscription_id] if rows else ""
        if words_of_first and words_of_first not in why.words:
            why.words.append(words_of_first)


def _words_of(subscriptions: Collection[int], askable: Collection[int], *, now: dt.datetime) -> dict[int, str]:
    """Why a person gets digests because of each subscription.

    `askable`: those of stakeholders to what the organisation that added them may read.
    """
    rows = rows_planned_once(_WHY_SUBJECTS, [sorted(subscriptions)], generic_plan=True)
    with_account = [number for number, is_stakeholder, *_ in rows if not is_stakeholder]
    askable_pks = {*askable}
    if with_account:
        askable_pks |= named_to_followers(
            Subscription.objects.select_related("person").filter(pk__in=with_account), now
        )
    targets = {
        number: next((name, pk) for name, pk in zip(TARGETS, ids, strict=True) if pk is not None)
        for number, _, _, _, _, *ids in rows
    }
    titles = named({(_SUBJECT_KINDS[name], pk) for name, pk in targets.values()})
    words: dict[int, str] = {}
    for number, _, how, why, organisation, *_ in rows:
        name, pk = targets[number]
        if number in askable_pks:
            words[number] = because(how, why, titles[_SUBJECT_KINDS[name], pk].title, organisation)
        else:
            words[number] = because(how, "", f"{A_TARGET[name]} you can no longer read", organisation)
    return words


def _add_reasons_of_plans(reasons_by_email: dict[int, Why], items: Sequence[Item], *, now: dt.datetime) -> None:
    """Say which subscription each plan comes by, without titles the reader may not see."""
    pairs = [(item.delivery_id, item.person_id, item.plan_id) for item in items]
    if not pairs:
        return
    why: dict[tuple[int, int], str] = {}
    frequencies: dict[tuple[int, int], str] = {}
    rows = rows_planned_once(
        _WHY,
        [sorted({person for _, person, _ in pairs}), sorted({plan for _, _, plan in pairs})],
        generic_plan=True,
    )
    from_outside = {(item.person_id, item.plan_id) for item in items if item.reading_class == Watermark.Reading.OUTSIDE}
    by_partnership = {row[2] for row in rows if row[3] and row[:2] in from_outside}
    unnamed = _unnamed(by_partnership, now)
    for person, plan, number, _, how, said, target, organisation, frequency in rows:
        if (person, plan) not in why:
            target_words = ("", "a partnership") if number in unnamed else (said, target)
            why[person, plan] = because(how, *target_words, organisation)
        if frequency:
            frequencies.setdefault((person, plan), frequency)
    for delivery, person, plan in pairs:
        words = why.get((person, plan))
        reasons_by_email[delivery].frequencies.add(frequencies.get((person, plan), ""))
        if words and words not in reasons_by_email[delivery].words:
            reasons_by_email[delivery].words.append(words)


@lru_cache(maxsize=512)
def how_often(
    own: frozenset[str], frequency: str, hour: int, weekday: int, working_days_of: str, zone: str, minutes: float
) -> str:
    """How often: "You get digests daily at 08:00, on working days."

    `own` holds the frequencies chosen for what is in this digest.
    """
    chosen = [one for one in Frequency.values if one in {name or frequency for name in own or {""}}]
    exceptions = "; some of what you follow: ".join(
        _frequency_in_words(frequency, hour, weekday, zone, minutes) for frequency in chosen
    )
    about = " about this" if own and "" not in own and chosen != [frequency] else ""
    return f"You get digests{about} {exceptions}{', on working days' if working_days_of else ''}."


def _frequency_in_words(frequency: str, hour: int, weekday: int, zone: str, minutes: float) -> str:
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
    return f"{minutes:g} minute{'' if minutes == 1 else 's'} after the last change to a plan"
