"""Queries for the email after a succession: what passed on to which organisation, and what still waits for one."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.organisations.handovers import readable_titles
from partnerships.organisations.lineage import effective_succession, ending
from partnerships.organisations.models import HandoverState, Organisation, Succession, SuccessionStatus
from partnerships.organisations.obligations import obligations, signing
from partnerships.people.models import User

#: The most titles for each organisation, so that an email stays short.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Passed:
    """Records of one organisation that another organisation has taken over."""

    #: The name of the organisation that held them.
    before: str
    #: The name of the organisation that holds them now; "" if they still wait for one.
    holder: str
    count: int
    #: The titles that the reader may read, at most `NAMED`.
    titles: Sequence[str]

    @property
    def others(self) -> int:
        """The number of things whose title is not named."""
        return self.count - len(self.titles)


def passed_for(successions: Sequence[Succession], reader: User, own: Collection[int]) -> list[Passed]:
    """Return what has passed on or was returned, from or to the reader's own organisations (ids), sorted by names."""
    record_ids: dict[tuple[int, int], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for succession in successions:
        effective = effective_succession(succession)
        is_returned = effective.undoes is not None
        lines = (effective.undoes or effective).handovers.filter(Q(predecessor__in=own) | Q(successor__in=own))
        lines = lines.filter(state=HandoverState.ACCEPTED if is_returned else HandoverState.APPLIED)
        rows = lines.values_list("predecessor", "successor", "kind", "record")
        for predecessor_id, successor_id, kind, record_id in rows:
            pair = (successor_id, predecessor_id) if is_returned else (predecessor_id, successor_id)
            record_ids[pair][kind].add(record_id)

    organisation_by_id = Organisation.objects.in_bulk({pk for pair in record_ids for pk in pair})
    passed = [
        Passed(
            before=organisation_by_id[before_id].name,
            holder=organisation_by_id[holder_id].name,
            count=sum(len(ids) for ids in ids_by_kind.values()),
            titles=_titles(organisation_by_id[holder_id], ids_by_kind, reader),
        )
        for (before_id, holder_id), ids_by_kind in record_ids.items()
    ]
    return sorted(passed, key=lambda things: (things.before, things.holder))


def awaiting_for(
    successions: Sequence[Succession], reader: User, own: Collection[int], counts: Mapping[str, int], day: dt.date
) -> list[Passed]:
    """Return what ended organisations still held, if they or a successor are the reader's own (ids), sorted by name.

    `counts` are the numbers of things that each organisation held when people were emailed, by id.
    """
    every_kind = {kind.code: None for kind in obligations()}
    awaiting_by_id: dict[int, Passed] = {}
    for succession in successions:
        own_predecessor_ids = {
            tie.predecessor_id for tie in succession.ties.all() if {tie.predecessor_id, tie.successor_id} & set(own)
        }
        for organisation in ending(succession):
            count = counts.get(str(organisation.pk), 0)
            if organisation.pk in own_predecessor_ids and count:
                titles = _titles(organisation, every_kind, reader)[:count]
                awaiting_by_id[organisation.pk] = Passed(organisation.name, "", count, titles)
    return sorted(awaiting_by_id.values(), key=lambda things: things.before)


def signed_meanwhile(succession: Succession, undone_by: Collection[Succession], reader: User) -> list[Event]:
    """Return what successors signed for records that an undone succession had passed on; the newest first.

    Only what the reader may see, and only if one of `undone_by` has taken effect: then a signature belongs to an
    organisation that no longer takes part.
    """
    undoing = next((other for other in undone_by if other.status == SuccessionStatus.EFFECTIVE), None)
    if undoing is None or succession.vests_on is None or undoing.vests_on is None:
        return []
    target_by_code = {kind.code: kind.target for kind in obligations() if kind.target}
    # Lines are accepted again once the records have been returned.
    lines = succession.handovers.filter(
        kind__in=target_by_code, state__in=(HandoverState.APPLIED, HandoverState.ACCEPTED)
    )
    ids_by_target: dict[str, set[int]] = defaultdict(set)
    for code, record_id in lines.values_list("kind", "record"):
        ids_by_target[target_by_code[code]].add(record_id)
    if not ids_by_target:
        return []

    is_about_them = Q()
    for target, ids in ids_by_target.items():
        is_about_them |= Q(target_kind=target, target_id__in=ids) | Q(within_kind=target, within_id__in=ids)
    ties = succession.ties.exclude(successor=None).exclude(successor=F("predecessor"))
    is_signed_by_successor = Q(
        kind__in=signing(),
        organisation_id__in=ties.values("successor"),
        at__date__gte=succession.vests_on.earliest,
        at__date__lte=undoing.vests_on.latest,
    )
    return list(visible_events(reader, is_signed_by_successor & is_about_them).order_by("-at", "-pk"))


def _titles(holder: Organisation, records: Mapping[str, Collection[int] | None], reader: User) -> list[str]:
    """Return at most `NAMED` titles of the organisation's records, as far as the reader may read them.

    `records` are the ids by kind; None for all records of a kind.
    """
    titles: list[str] = []
    for kind in obligations():
        if kind.code in records and len(titles) < NAMED:
            readable = readable_titles(kind, holder, records[kind.code], reader, limit=NAMED - len(titles))
            titles += sorted(f"{title} ({kind.label.lower()})" for title in readable.values())
    return titles
