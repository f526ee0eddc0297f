"""What a succession does to what people without an account follow."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from partnerships.activity.subjects import SubjectKind
from partnerships.digests.models import Subscription
from partnerships.digests.models.targets import Target
from partnerships.digests.queries.naming import named_as_followed
from partnerships.organisations.lineage import ending
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
#: Kinds of handover lines that are about subscriptions themselves: to the organisation, and those that it asked for.
_SUBSCRIPTIONS = ("followers", "stakeholders")

#: Who has each thing now, by field and record; None: it awaits an organisation.
Whereabouts = Mapping[tuple[str, int], Organisation | None]


@dataclass(frozen=True, slots=True)
class Moved:
    """What somebody follows that passed on, by the organisation that has it now, and what awaits one; titles."""

    passed: dict[str, list[str]] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def stakeholders_of(succession: Succession, *, day: dt.date) -> list[int]:
    """People (ids) without an account who follow something of its bodies, or whom a predecessor asked to."""
    found, _ = _concerned(succession, day=day, people=None)
    return sorted({one.person_id for one in found})


def moved_for(succession: Succession, people: Collection[int], *, day: dt.date, now: dt.datetime) -> dict[int, Moved]:
    """What the succession did to what these people follow, by person; nobody who may not know what it is about."""
    found, where = _concerned(succession, day=day, people=people)
    moved: dict[int, Moved] = {}
    for one in named_as_followed(found, now):
        if not one.named:
            continue
        mine = moved.setdefault(one.person_id, Moved())
        place = (one.target_kind, one.target_id)
        if place not in where:
            continue
        body = where[place]
        titles = mine.waiting if body is None else mine.passed.setdefault(body.name, [])
        if one.called not in titles:
            titles.append(one.called)
    return moved


def followed_of(succession: Succession, person: User, *, day: dt.date) -> list[Target]:
    """What a person without an account follows that the succession concerns, each once."""
    found, _ = _concerned(succession, day=day, people=[person.pk])
    return list(dict.fromkeys(one.target for one in found))


def _concerned(
    succession: Succession, *, day: dt.date, people: Collection[int] | None
) -> tuple[list[Subscription], Whereabouts]:
    """Confirmed subscriptions of stakeholders that the succession is about, and where what they follow is now."""
    mine = Subscription.objects.confirmed().filter(
        person__in=User.objects.filter(account_since=None, is_active=True).values("pk")
    )
    if people is not None:
        mine = mine.filter(person__in=list(people))
    where = _whereabouts(
        succession,
        {
            name: set(mine.exclude(**{name: None}).values_list(name, flat=True).distinct().order_by())
            for name in _FOLLOWED
        },
        day,
    )
    ties = succession.ties.all()
    sides = Q(organisation__in=ties.values("predecessor")) | Q(organisation__in=ties.values("successor"))
    lines = _settled(succession).filter(kind__in=_SUBSCRIPTIONS)
    about = sides | Q(added_for__in=ending(succession.undoes or succession)) | Q(pk__in=lines.values("record"))
    for name in _FOLLOWED:
        about |= Q(**{f"{name}__in": [pk for one, pk in where if one == name]})
    return list(mine.filter(about).for_listing().order_by("person", "pk")), where


def _settled(succession: Succession) -> QuerySet[Handover]:
    """The lines that passed on; of one that undoes another, those that passed back."""
    if succession.undoes is not None:
        return succession.undoes.handovers.filter(state=HandoverState.ACCEPTED)
    return succession.handovers.filter(state=HandoverState.APPLIED)


def _whereabouts(succession: Succession, records: Mapping[str, Collection[int]], day: dt.date) -> Whereabouts:
    kinds = [(name, kind) for name, target in _FOLLOWED.items() for kind in obligations() if kind.target == target]
    found: dict[tuple[str, int], Organisation | None] = {}
    is_back = succession.undoes is not None
    for name, kind in kinds:
        for body in ending(succession.undoes or succession) if records[name] else ():
            held = kind.records(body, day).filter(pk__in=records[name])
            found |= dict.fromkeys(((name, pk) for pk in held.values_list("pk", flat=True)), body if is_back else None)
    for name, kind in kinds if not is_back else ():
        lines = _settled(succession).filter(kind=kind.code, record__in=records[name])
        for line in lines.select_related("successor").order_by("pk") if records[name] else ():
            found[name, line.record] = line.successor
    return found
