"""What changed: in all recommendations, in those of a partnership, and in one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.activity.queries import visible_events
from partnerships.agreements.models import Partnership
from partnerships.kit.moments import beginning_of
from partnerships.organisations.audience import Reader
from partnerships.organisations.naming import names_of
from partnerships.organisations.timeline import TimelineLine, timeline_lines
from partnerships.people.models import User
from partnerships.recommendations.event_kinds import EventKind
from partnerships.recommendations.models import Adoption
from partnerships.recommendations.queries.adoptions import parties_known_to

#: Changes that move a recommendation on; others correct words or concern one organisation alone.
_MOVES = (
    EventKind.ANSWERED,
    EventKind.EVIDENCE_ADDED,
    EventKind.PROPOSED,
    EventKind.ADOPTED,
    EventKind.DROPPED,
    EventKind.OUTCOME_LINKED,
)
_TARGETS = ("recommendation_response", "recommendation_evidence", "recommendation_adoption")
#: Changes that one page shows.
MAX_MOVES = 300


@dataclass(frozen=True, slots=True)
class Move:
    """A change as a reader sees it, without its author's name.

    It says the organisation, and what changed in words.
    """

    pk: int
    line: TimelineLine
    organisation: str

    @property
    def changes(self) -> str:
        """Such as “status: Not started to under way”."""
        words = [
            f"{change.field}: {change.was} to {change.now}" if change.was else change.now
            for change in self.line.changes
        ]
        return "; ".join(words)


def moved_between(
    user: Reader, start: dt.date, end: dt.date, partnership: Partnership | None = None
) -> list[TimelineLine]:
    """What changed from one day up to another (not included), newest first, as the reader may see it.

    Of a partnership: its adoptions, and what its present parties say and prove about the recommendations that it took
    up. At most `MAX_MOVES`.
    """
    return timeline_lines(_moved(user, start, end, partnership))


def moves_between(user: Reader, start: dt.date, end: dt.date, partnership: Partnership | None = None) -> list[Move]:
    """Like `moved_between`, for reports that are kept.

    They name organisations and no people.
    """
    events = _moved(user, start, end, partnership)
    bodies = names_of({event.organisation_id for event in events if event.organisation_id})
    moves = []
    for one, line in zip(events, timeline_lines(events), strict=True):
        body = bodies.get(one.organisation_id or 0)
        moves.append(Move(one.pk, line, body.on(timezone.localdate(one.at)) if body else ""))
    return moves


def _moved(user: Reader, start: dt.date, end: dt.date, partnership: Partnership | None) -> Sequence[Event]:
    first, last = beginning_of(start), beginning_of(end)
    here = Q(kind__in=[kind.value for kind in _MOVES], target_kind__in=_TARGETS, at__gte=first, at__lt=last)
    if partnership is not None:
        here &= _of(user, partnership)
    return _newest(user, here)


def _of(user: Reader, partnership: Partnership) -> Q:
    """The condition on events about what a partnership took up."""
    taken_up = Adoption.objects.visible_to(user).filter(partnership=partnership).values("recommendation")
    parties = parties_known_to(user, [partnership.pk]).values("organisation")
    said = Q(within_kind="recommendation", within_id__in=taken_up, organisation_id__in=parties)
    return said | Q(within_kind="partnership", within_id=partnership.pk)


def _newest(user: Reader, here: Q) -> Sequence[Event]:
    return list(visible_events(user, here).order_by("-at", "-pk")[:MAX_MOVES])


def corrections_of(user: User, source: int) -> list[TimelineLine]:
    """Corrections of a report (id) itself, newest first."""
    return timeline_lines(_newest(user, Q(target_kind="recommendation_source", target_id=source)))


def history_of(user: User, recommendation: int, adoptions: Sequence[int]) -> list[TimelineLine]:
    """Everything that happened to a recommendation and its adoptions (ids), newest first, as the reader may see it."""
    here = (
        Q(target_kind="recommendation", target_id=recommendation)
        | Q(within_kind="recommendation", within_id=recommendation)
        | Q(target_kind="recommendation_adoption", target_id__in=list(adoptions))
    )
    return timeline_lines(_newest(user, here))
