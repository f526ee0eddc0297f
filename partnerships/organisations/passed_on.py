"""What successions passed on, and what still awaits an organisation, as one reader may name it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.organisations.handovers import readable_titles
from partnerships.organisations.lineage import brought_about, ending
from partnerships.organisations.models import HandoverState, Organisation, Succession, SuccessionStatus
from partnerships.organisations.obligations import Obligation, obligations, signing
from partnerships.people.models import User

#: How many titles are named for each organisation: enough for most, and an email that can be read.
NAMED = 20


@dataclass(frozen=True, slots=True)
class Passed:
    """Things of one organisation that another has now.

    `titles`: those that the reader may read, at most 20. Without a `holder` they await one.
    """

    before: str
    holder: str
    count: int
    titles: Sequence[str]

    @property
    def others(self) -> int:
        """How many are not named."""
        return self.count - len(self.titles)


def passed_for(successions: Sequence[Succession], reader: User, own: Collection[int]) -> list[Passed]:
    """What passed on, or back, from or to the reader's own organisations (ids), by name of both."""
    things: dict[tuple[int, int], dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for succession in successions:
        effect = brought_about(succession)
        is_back = effect.undoes is not None
        lines = (effect.undoes or effect).handovers.filter(Q(predecessor__in=own) | Q(successor__in=own))
        lines = lines.filter(state=HandoverState.ACCEPTED if is_back else HandoverState.APPLIED)
        for *pair, kind, record in lines.values_list("predecessor", "successor", "kind", "record"):
            before, holder = reversed(pair) if is_back else pair
            things[before, holder][kind].add(record)
    bodies = Organisation.objects.in_bulk({pk for pair in things for pk in pair})
    passed_list = [
        Passed(
            bodies[before].name,
            bodies[holder].name,
            sum(len(ids) for ids in by_kind.values()),
            _titles(bodies[holder], by_kind, reader),
        )
        for (before, holder), by_kind in things.items()
    ]
    return sorted(passed_list, key=lambda passed: (passed.before, passed.holder))


def awaiting_for(
    successions: Sequence[Succession], reader: User, own: Collection[int], counts: Mapping[str, int], day: dt.date
) -> list[Passed]:
    """What bodies that ended still held, by their name, where they or a successor is one of the reader's own (ids).

    `counts` has how many things each body (id) held when people were told.
    """
    awaiting: dict[int, Passed] = {}
    for succession in successions:
        concerned = {
            tie.predecessor_id for tie in succession.ties.all() if {tie.predecessor_id, tie.successor_id} & set(own)
        }
        for body in ending(succession):
            count = counts.get(str(body.pk), 0)
            if body.pk in concerned and count:
                titles = _titles(body, {kind.code: None for kind in obligations()}, reader)[:count]
                awaiting[body.pk] = Passed(body.name, "", count, titles)
    return sorted(awaiting.values(), key=lambda passed: passed.before)


def signed_meanwhile(succession: Succession, undone_by: Collection[Succession], reader: User) -> list[Event]:
    """What successors signed in their own name, until it was undone, for what the succession passed on; newest first.

    `undone_by`: what undoes it. As far as the reader may see it. Nothing of a succession that nothing in effect undoes:
    a signature stays a fact, and only an undoing leaves it with a body that does not take part any more.
    """
    undoing = next((succession for succession in undone_by if succession.status == SuccessionStatus.EFFECTIVE), None)
    if undoing is None or succession.vests_on is None or undoing.vests_on is None:
        return []
    passed: dict[str, set[int]] = defaultdict(set)
    targets = {kind.code: kind.target for kind in obligations() if kind.target}
    # Lines wait as accepted again once things have passed back.
    lines = succession.handovers.filter(kind__in=targets, state__in=(HandoverState.APPLIED, HandoverState.ACCEPTED))
    for kind, record in lines.values_list("kind", "record"):
        passed[targets[kind]].add(record)
    about = [
        Q(target_kind=kind, target_id__in=ids) | Q(within_kind=kind, within_id__in=ids) for kind, ids in passed.items()
    ]
    if not about:
        return []
    ties = succession.ties.exclude(successor=None).exclude(successor=F("predecessor"))
    signed = Q(
        kind__in=signing(),
        organisation_id__in=ties.values("successor"),
        at__date__gte=succession.vests_on.earliest,
        at__date__lte=undoing.vests_on.latest,
    )
    return list(visible_events(reader, signed & Q(*about, _connector=Q.OR)).order_by("-at", "-pk"))


def _titles(holder: Organisation, records: Mapping[str, Collection[int] | None], reader: User) -> list[str]:
    """Titles of what the organisation holds now and the reader may read.

    These records by kind (None: all).
    """
    titles: list[str] = []
    for kind in obligations():
        if kind.code in records and len(titles) < NAMED:
            more_titles = readable_titles(kind, holder, records[kind.code], reader, limit=NAMED - len(titles))
            titles += sorted(_named(kind, title) for title in more_titles.values())
    return titles


def _named(kind: Obligation, title: str) -> str:
    return f"{title} ({kind.label.lower()})"
