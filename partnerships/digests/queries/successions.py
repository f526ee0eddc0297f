"""What a succession does to what people without an account follow."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from partnerships.activity.subjects import SubjectKind
from partnerships.digests.models import Subscription, SubscriptionQuerySet
from partnerships.digests.models.targets import Target
from partnerships.digests.queries.naming import set_names_for_followers
from partnerships.organisations.lineage import brought_about, ending
from partnerships.organisations.models import Handover, HandoverState, Organisation, Succession
from partnerships.organisations.obligations import obligations
from partnerships.people.models import User

#: What can be followed and handed over: the field of a subscription, and the kind under which the log knows it.
_FOLLOWED = {
    "plan": SubjectKind.PLAN,
    "partnership": SubjectKind.PARTNERSHIP,
    "request": SubjectKind.REQUEST,
    "commitment": SubjectKind.COMMITMENT,
}
#: Kinds of handover lines about subscriptions themselves: those to the organisation, and those that it asked for.
_SUBSCRIPTIONS = ("followers", "stakeholders")

#: The organisations that have each record now, by field and id. None is a successor that has not yet accepted it.
Whereabouts = Mapping[tuple[str, int], Sequence[Organisation | None]]


@dataclass(frozen=True, slots=True)
class Moved:
    """The successions that concern a person, and what happened to what the person follows.

    `passed` holds titles by the name of the organisation that has them now; `waiting`, those that await one.
    """

    about: list[Succession] = field(default_factory=list)
    passed: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def stakeholders_of(successions: Iterable[Succession], *, day: dt.date) -> list[int]:
    """The ids of people without an account who follow a record of these bodies, or whom a predecessor asked to."""
    subscriptions = (
        subscription
        for succession in successions
        for subscription in _concerned(succession, _of_stakeholders(), day=day)[0]
    )
    return sorted({subscription.person_id for subscription in subscriptions})


def moved_for(
    successions: Iterable[Succession],
    people: Collection[int],
    *,
    day: dt.date,
    now: dt.datetime,
    is_later: bool = False,
) -> dict[int, Moved]:
    """What happened in successions to what these people follow, by person.

    People who may not know what it is about are left out. With `is_later`, only what passed on after people were first
    told.
    """
    moved: dict[int, Moved] = {}
    for succession in successions:
        stakeholder_rows = _of_stakeholders().filter(person__in=list(people))
        subscriptions, where = _concerned(
            succession, stakeholder_rows, day=day, since=succession.told_at if is_later else None
        )
        for subscription in set_names_for_followers(subscriptions, now):
            if subscription.named:
                moved_of_person = moved.setdefault(subscription.person_id, Moved())
                _add(
                    moved_of_person,
                    succession,
                    where.get((subscription.target_kind, subscription.target_id), ()),
                    subscription.shown_name,
                )
    return moved


def _add(moved: Moved, succession: Succession, bodies: Iterable[Organisation | None], called: str) -> None:
    if succession not in moved.about:
        moved.about.append(succession)
    for body in bodies:
        titles = moved.waiting if body is None else moved.passed.setdefault(body.name, [])
        if called not in titles:
            titles.append(called)


def followed_of(successions: Iterable[Succession], person: User, *, day: dt.date) -> list[Target]:
    """What a person follows that successions concern, without repetition.

    The person may have an account by now.
    """
    own_subscriptions = Subscription.objects.confirmed().filter(person=person)
    subscriptions = (
        subscription
        for succession in successions
        for subscription in _concerned(succession, own_subscriptions, day=day)[0]
    )
    return list(dict.fromkeys(subscription.target for subscription in subscriptions))


def _of_stakeholders() -> SubscriptionQuerySet:
    """Confirmed subscriptions of people without an account."""
    return Subscription.objects.confirmed().filter(
        person__in=User.objects.filter(account_since=None, is_active=True).values("pk")
    )


def _concerned(
    succession: Succession, subscriptions: SubscriptionQuerySet, *, day: dt.date, since: dt.datetime | None = None
) -> tuple[list[Subscription], Whereabouts]:
    """The subscriptions that the succession is about, and where what they follow is now."""
    where = _whereabouts(
        succession,
        {
            name: set(subscriptions.exclude(**{name: None}).values_list(name, flat=True).distinct().order_by())
            for name in _FOLLOWED
        },
        day,
        since,
    )
    ties = succession.ties.all()
    sides = Q(organisation__in=ties.values("predecessor")) | Q(organisation__in=ties.values("successor"))
    lines = _settled(succession, since).filter(kind__in=_SUBSCRIPTIONS)
    about = sides | Q(added_for__in=_ended(succession)) | Q(pk__in=lines.values("record"))
    for name in _FOLLOWED:
        about |= Q(**{f"{name}__in": [pk for kind, pk in where if kind == name]})
    return list(subscriptions.filter(about).for_listing().order_by("person", "pk")), where


def _ended(succession: Succession) -> list[Organisation]:
    """The bodies that a succession ended.

    If it undoes another succession, the bodies that the other had ended.
    """
    effect = brought_about(succession)
    return ending(effect.undoes or effect)


def _settled(succession: Succession, since: dt.datetime | None = None) -> QuerySet[Handover]:
    """The handover lines that passed on, since a moment if given; if it undoes another, those that passed back."""
    effect = brought_about(succession)
    if effect.undoes is not None:
        return effect.undoes.handovers.filter(state=HandoverState.ACCEPTED)
    applied = effect.handovers.filter(state=HandoverState.APPLIED)
    return applied if since is None else applied.filter(applied_at__gt=since)


def _whereabouts(
    succession: Succession, records: Mapping[str, Collection[int]], day: dt.date, since: dt.datetime | None
) -> Whereabouts:
    kinds = [(name, kind) for name, target in _FOLLOWED.items() for kind in obligations() if kind.target == target]
    organisations: dict[tuple[str, int], list[Organisation | None]] = defaultdict(list)
    is_back = brought_about(succession).undoes is not None
    for name, kind in kinds:
        for body in _ended(succession) if records[name] else ():
            records_held = kind.records(body, day).filter(pk__in=records[name])
            for pk in records_held.values_list("pk", flat=True):
                organisations[name, pk].append(body if is_back else None)
    for name, kind in kinds if not is_back else ():
        lines = _settled(succession, since).filter(kind=kind.code, record__in=records[name])
        for line in lines.select_related("successor").order_by("pk") if records[name] else ():
            organisations[name, line.record].append(line.successor)
    return organisations
