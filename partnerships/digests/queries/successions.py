"""Finds what a succession changed in the records that people without an account follow."""

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
from partnerships.organisations.lineage import effective_succession, ending_predecessors
from partnerships.organisations.models import Handover, HandoverState, Organisation, Succession
from partnerships.organisations.obligations import obligations
from partnerships.people.models import User

#: The records that can be both followed and handed over, with the field of a subscription and the kind in the activity
#: log.
_FOLLOWED = {
    "plan": SubjectKind.PLAN,
    "partnership": SubjectKind.PARTNERSHIP,
    "request": SubjectKind.REQUEST,
    "commitment": SubjectKind.COMMITMENT,
}
#: The kinds of handover line about subscriptions to the organisation, and about subscriptions that it asked for.
_SUBSCRIPTIONS = ("followers", "stakeholders")

#: The organisations to which each record belongs now, by field and id; None if a successor has not accepted it yet.
PresentOrganisations = Mapping[tuple[str, int], Sequence[Organisation | None]]


@dataclass(frozen=True, slots=True)
class Moved:
    """What successions changed in the records that one person follows."""

    about: list[Succession] = field(default_factory=list)
    #: The titles of records, by the name of the organisation to which they belong now.
    passed: dict[str, list[str]] = field(default_factory=dict)
    #: The titles of records that do not belong to a new organisation yet.
    waiting: list[str] = field(default_factory=list)


def stakeholders_of(successions: Iterable[Succession], *, day: dt.date) -> list[int]:
    """Return the ids of people without an account who follow something that these successions affect.

    `_affected` says which subscriptions these are.
    """
    person_ids: set[int] = set()
    for succession in successions:
        subscriptions, _organisations = _affected(succession, _stakeholder_subscriptions(), day=day)
        person_ids.update(subscription.person_id for subscription in subscriptions)
    return sorted(person_ids)


def moved_for(
    successions: Iterable[Succession],
    person_ids: Collection[int],
    *,
    day: dt.date,
    now: dt.datetime,
    is_later: bool = False,
) -> dict[int, Moved]:
    """Return what successions changed in the records that these people follow, by person.

    Records whose names a person may not read are left out, and so are people without any other record. With `is_later`,
    records that passed on before people were first told about the succession are left out too.
    """
    moved_by_person: dict[int, Moved] = {}
    for succession in successions:
        subscriptions_of_people = _stakeholder_subscriptions().filter(person__in=list(person_ids))
        since = succession.told_at if is_later else None
        subscriptions, organisations_by_record = _affected(succession, subscriptions_of_people, day=day, since=since)
        for subscription in set_names_for_followers(subscriptions, now):
            if subscription.named:
                moved = moved_by_person.setdefault(subscription.person_id, Moved())
                organisations = organisations_by_record.get((subscription.target_kind, subscription.target_id), ())
                _add(moved, succession, organisations, subscription.shown_name)
    return moved_by_person


def _add(moved: Moved, succession: Succession, organisations: Iterable[Organisation | None], title: str) -> None:
    """Add to `moved` a record with this title that belongs to these organisations now."""
    if succession not in moved.about:
        moved.about.append(succession)
    for organisation in organisations:
        if organisation is None:
            titles = moved.waiting
        else:
            titles = moved.passed.setdefault(organisation.name, [])
        if title not in titles:
            titles.append(title)


def followed_targets(successions: Iterable[Succession], person: User, *, day: dt.date) -> list[Target]:
    """Return the targets that a person follows and that these successions affect, each once.

    The person may have had an account since the email about the successions was sent.
    """
    own_subscriptions = Subscription.objects.confirmed().filter(person=person)
    targets: list[Target] = []
    for succession in successions:
        subscriptions, _organisations = _affected(succession, own_subscriptions, day=day)
        targets += [subscription.target for subscription in subscriptions]
    # A dict keeps the order and removes targets that occur twice.
    return list(dict.fromkeys(targets))


def _stakeholder_subscriptions() -> SubscriptionQuerySet:
    """Return the confirmed subscriptions of people without an account."""
    return Subscription.objects.confirmed().filter(
        person__in=User.objects.filter(account_since=None, is_active=True).values("pk")
    )


def _affected(
    succession: Succession, subscriptions: SubscriptionQuerySet, *, day: dt.date, since: dt.datetime | None = None
) -> tuple[list[Subscription], PresentOrganisations]:
    """Return the subscriptions that a succession affects, and the organisation to which each target belongs now.

    These are subscriptions

    * to an organisation of the succession;
    * to a record that the succession hands over, or has still to hand over;
    * that were handed over themselves;
    * that an organisation asked for which the succession ended.
    """
    followed_ids: dict[str, set[int]] = {}
    for name in _FOLLOWED:
        ids = subscriptions.exclude(**{name: None}).values_list(name, flat=True)
        followed_ids[name] = set(ids.distinct().order_by())
    organisations_by_record = _organisations_by_record(succession, followed_ids, day, since)

    # A tie joins a predecessor and a successor of the succession.
    ties = succession.ties.all()
    is_to_organisation = Q(organisation__in=ties.values("predecessor")) | Q(organisation__in=ties.values("successor"))
    handed_over = _handovers_done(succession, since).filter(kind__in=_SUBSCRIPTIONS)
    was_asked_for = Q(added_for__in=_ended_organisations(succession))
    is_affected = is_to_organisation | was_asked_for | Q(pk__in=handed_over.values("record"))
    for name in _FOLLOWED:
        record_ids = [pk for field_name, pk in organisations_by_record if field_name == name]
        is_affected |= Q((f"{name}__in", record_ids))
    affected = subscriptions.filter(is_affected).for_listing().order_by("person", "pk")
    return list(affected), organisations_by_record


def _ended_organisations(succession: Succession) -> list[Organisation]:
    """Return the organisations that a succession ended.

    If the succession undoes another one, these are the organisations that the other one ended.
    """
    effect = effective_succession(succession)
    return ending_predecessors(effect.undoes or effect)


def _handovers_done(succession: Succession, since: dt.datetime | None = None) -> QuerySet[Handover]:
    """Return the handover lines that were carried out after `since`, or at any time without it.

    If the succession undoes another one, these are the lines of the other one, which it reversed.
    """
    effect = effective_succession(succession)
    if effect.undoes is not None:
        return effect.undoes.handovers.filter(state=HandoverState.ACCEPTED)
    applied = effect.handovers.filter(state=HandoverState.APPLIED)
    return applied if since is None else applied.filter(applied_at__gt=since)


def _organisations_by_record(
    succession: Succession, records: Mapping[str, Collection[int]], day: dt.date, since: dt.datetime | None
) -> PresentOrganisations:
    """Return the organisations to which these records belong after a succession.

    `records` has the ids of records by field of a subscription. If a record still belongs to an organisation that
    ended, its organisation is None. If the succession undoes another one, the record belongs to that organisation
    again.
    """
    kinds = []
    for name, target in _FOLLOWED.items():
        if records[name]:
            kinds += [(name, kind) for kind in obligations() if kind.target == target]

    organisations: dict[tuple[str, int], list[Organisation | None]] = defaultdict(list)
    is_undoing = effective_succession(succession).undoes is not None
    for name, kind in kinds:
        for organisation in _ended_organisations(succession):
            remaining_records = kind.records(organisation, day).filter(pk__in=records[name])
            for pk in remaining_records.values_list("pk", flat=True):
                organisations[name, pk].append(organisation if is_undoing else None)
    if is_undoing:
        return organisations

    for name, kind in kinds:
        lines = _handovers_done(succession, since).filter(kind=kind.code, record__in=records[name])
        for line in lines.select_related("successor").order_by("pk"):
            organisations[name, line.record].append(line.successor)
    return organisations
