"""Queries for the email after a succession, which says what passed on and what still needs a successor."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.organisations.handovers import readable_titles
from partnerships.organisations.lineage import effective_succession, ending_predecessors
from partnerships.organisations.models import HandoverState, Organisation, Succession, SuccessionStatus
from partnerships.organisations.obligations import obligations, signing_event_kinds
from partnerships.people.models import User

#: The largest number of titles for each organisation, to keep the email short.
NAMED = 20


@dataclass(frozen=True, slots=True)
class PassedRecords:
    """Records of one organisation that another organisation has taken over."""

    #: The name of the organisation that had the records.
    before: str
    #: The name of the organisation that has the records now; "" if no organisation has taken them over yet.
    holder: str
    count: int
    #: The titles that the reader may read, at most `NAMED`.
    titles: Sequence[str]

    @property
    def others(self) -> int:
        """Return the number of records whose title is not listed."""
        return self.count - len(self.titles)


def passed_records(successions: Sequence[Succession], reader: User, own_ids: Collection[int]) -> list[PassedRecords]:
    """Return the records that passed on or were returned, sorted by names.

    `own_ids` are the ids of the reader's organisations; the records came from or went to one of these.
    """
    # The ids of records by kind, for each pair of the earlier and the present organisation.
    record_ids: dict[tuple[int, int], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for succession in successions:
        effective_cause = effective_succession(succession)
        undone_succession = effective_cause.undoes
        handovers = (undone_succession or effective_cause).handovers.filter(
            Q(predecessor__in=own_ids) | Q(successor__in=own_ids),
            state=HandoverState.ACCEPTED if undone_succession else HandoverState.APPLIED,
        )
        for predecessor_id, successor_id, kind, record_id in handovers.values_list(
            "predecessor", "successor", "kind", "record"
        ):
            if undone_succession:
                record_ids[successor_id, predecessor_id][kind].add(record_id)
            else:
                record_ids[predecessor_id, successor_id][kind].add(record_id)

    organisation_by_id = Organisation.objects.in_bulk({pk for pair in record_ids for pk in pair})
    passed_records = [
        PassedRecords(
            before=organisation_by_id[before_id].name,
            holder=organisation_by_id[holder_id].name,
            count=sum(len(ids) for ids in ids_by_kind.values()),
            titles=_titles(organisation_by_id[holder_id], ids_by_kind, reader),
        )
        for (before_id, holder_id), ids_by_kind in record_ids.items()
    ]
    return sorted(passed_records, key=lambda passed: (passed.before, passed.holder))


def records_awaiting_successor(
    successions: Sequence[Succession], reader: User, own_ids: Collection[int], counts: Mapping[str, int], day: dt.date
) -> list[PassedRecords]:
    """Return the records of ended organisations that nobody has taken over yet, sorted by name.

    An ended organisation is included if it or its successor is one of the reader's own (`own_ids`). `counts` contains
    the number of records that each organisation (id) had when people were emailed.
    """
    every_kind = {kind.code: None for kind in obligations()}
    awaiting_by_id: dict[int, PassedRecords] = {}
    for succession in successions:
        own_predecessor_ids = {
            tie.predecessor_id for tie in succession.ties.all() if {tie.predecessor_id, tie.successor_id} & set(own_ids)
        }
        for organisation in ending_predecessors(succession):
            count = counts.get(str(organisation.pk), 0)
            if organisation.pk in own_predecessor_ids and count:
                titles = _titles(organisation, every_kind, reader)[:count]
                awaiting_by_id[organisation.pk] = PassedRecords(organisation.name, "", count, titles)
    return sorted(awaiting_by_id.values(), key=lambda awaiting: awaiting.before)


def events_signed_meanwhile(succession: Succession, undone_by: Collection[Succession], reader: User) -> list[Event]:
    """Return what successors signed for records that an undone succession had passed on, the newest first.

    The events are limited to those that the reader may see. The list is empty until one of `undone_by` has taken
    effect. Before then, the organisation that signed still has the record.
    """
    effective = [undoing for undoing in undone_by if undoing.status == SuccessionStatus.EFFECTIVE]
    undoing = effective[0] if effective else None
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

    is_about_record = Q()
    for target, ids in ids_by_target.items():
        is_about_record |= Q(target_kind=target, target_id__in=ids) | Q(within_kind=target, within_id__in=ids)
    ties = succession.ties.exclude(successor=None).exclude(successor=F("predecessor"))
    is_signed_by_successor = Q(
        kind__in=signing_event_kinds(),
        organisation_id__in=ties.values("successor"),
        at__date__gte=succession.vests_on.earliest,
        at__date__lte=undoing.vests_on.latest,
    )
    return list(visible_events(reader, is_signed_by_successor & is_about_record).order_by("-at", "-pk"))


def _titles(holder: Organisation, records: Mapping[str, Collection[int] | None], reader: User) -> list[str]:
    """Return at most `NAMED` titles of the organisation's records, limited to those that the reader may read.

    `records` contains the ids of records by kind; None means all records of a kind.
    """
    titles: list[str] = []
    for kind in obligations():
        if kind.code in records and len(titles) < NAMED:
            title_by_record = readable_titles(kind, holder, records[kind.code], reader, limit=NAMED - len(titles))
            titles += [f"{kind.label}: {title}" for title in sorted(title_by_record.values())]
    return titles
