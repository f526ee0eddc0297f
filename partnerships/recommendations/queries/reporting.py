"""Changes of recommendations, for all of them, for a partnership or for a single recommendation."""

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
from partnerships.recommendations.queries.adoptions import parties_visible_to

#: Changes that show progress. Other changes correct words, or are visible to one organisation only.
_MOVES = (
    EventKind.ANSWERED,
    EventKind.EVIDENCE_ADDED,
    EventKind.PROPOSED,
    EventKind.ADOPTED,
    EventKind.DROPPED,
    EventKind.OUTCOME_LINKED,
)
_TARGETS = ("recommendation_response", "recommendation_evidence", "recommendation_adoption")
#: A page shows at most this many changes.
MAX_MOVES = 300


@dataclass(frozen=True, slots=True)
class ResponseChange:
    """A change as a reader sees it, with the name of the organisation but not of the author."""

    pk: int
    line: TimelineLine
    organisation: str

    @property
    def changes(self) -> str:
        """Return the changed fields as text, for example “status: Not started to under way”."""
        return "; ".join(
            f"{change.field}: {change.was} to {change.now}" if change.was else change.now
            for change in self.line.changes
        )


def change_lines_between(
    user: Reader, start: dt.date, end: dt.date, partnership: Partnership | None = None
) -> list[TimelineLine]:
    """Return at most `MAX_MOVES` changes that the reader may see from one day up to another, the newest first.

    The last day is not included. For a partnership, these are its adoptions, and its present parties' responses to the
    recommendations that it adopted, with their evidence.
    """
    return timeline_lines(_change_events(user, start, end, partnership))


def changes_between(
    user: Reader, start: dt.date, end: dt.date, partnership: Partnership | None = None
) -> list[ResponseChange]:
    """Return changes from one day up to another, with the organisation that made each but not the person.

    Reports store these changes, so they must not name people. Each organisation has its name on the day of the change.
    """
    events = _change_events(user, start, end, partnership)
    names_by_organisation = names_of({event.organisation_id for event in events if event.organisation_id})
    changes = []
    for event, line in zip(events, timeline_lines(events), strict=True):
        names = names_by_organisation.get(event.organisation_id or 0)
        organisation = names.on(timezone.localdate(event.at)) if names else ""
        changes.append(ResponseChange(pk=event.pk, line=line, organisation=organisation))
    return changes


def _change_events(user: Reader, start: dt.date, end: dt.date, partnership: Partnership | None) -> Sequence[Event]:
    """Return the events of changes that show progress, the newest first."""
    condition = Q(
        kind__in=[kind.value for kind in _MOVES],
        target_kind__in=_TARGETS,
        at__gte=beginning_of(start),
        at__lt=beginning_of(end),
    )
    if partnership is not None:
        condition &= _in_partnership(user, partnership)
    return _newest_events(user, condition)


def _in_partnership(user: Reader, partnership: Partnership) -> Q:
    """Return the condition on events about recommendations that a partnership adopted."""
    adopted = Adoption.objects.visible_to(user).filter(partnership=partnership).values("recommendation")
    parties = parties_visible_to(user, [partnership.pk]).values("organisation")
    is_response = Q(within_kind="recommendation", within_id__in=adopted, organisation_id__in=parties)
    is_adoption = Q(within_kind="partnership", within_id=partnership.pk)
    return is_response | is_adoption


def _newest_events(user: Reader, condition: Q) -> Sequence[Event]:
    """Return at most `MAX_MOVES` events that the reader may see, the newest first."""
    return list(visible_events(user, condition).order_by("-at", "-pk")[:MAX_MOVES])


def corrections_of(user: User, source: int) -> list[TimelineLine]:
    """Return the corrections of a report's title, year and so on, the newest first. `source` is its id."""
    return timeline_lines(_newest_events(user, Q(target_kind="recommendation_source", target_id=source)))


def history_of(user: User, recommendation_id: int, adoptions: Sequence[int]) -> list[TimelineLine]:
    """Return the events of a recommendation and of its adoptions (ids), newest first, as the reader may see them."""
    condition = (
        Q(target_kind="recommendation", target_id=recommendation_id)
        | Q(within_kind="recommendation", within_id=recommendation_id)
        | Q(target_kind="recommendation_adoption", target_id__in=list(adoptions))
    )
    return timeline_lines(_newest_events(user, condition))
