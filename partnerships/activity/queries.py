"""Reading what happened: only events about records that the reader may see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from partnerships.activity.event_kinds import label_of
from partnerships.activity.models import Event
from partnerships.activity.registry import kinds

#: Events that are looked at first where the newest visible ones are wanted.
_FIRST_BATCH = 300


def visible_events(user: Any, here: Q | None = None) -> QuerySet[Event]:
    """Events whose target the person may see, of registered kinds only.

    `here` names the events in question by a condition that an index answers: a record, a partnership, some numbers.
    They are found first, and rights are asked of their records alone; without it, of everything.
    """
    found = Event.objects.all() if here is None else Event.objects.filter(here)
    present = None if here is None else set(found.order_by().values_list("target_kind", flat=True).distinct())
    seen = Q(pk__in=[])
    for kind in kinds():
        if present is not None and kind.name not in present:
            continue
        allowed = kind.visible_ids(user)
        if present is not None:
            allowed = allowed.filter(pk__in=found.filter(target_kind=kind.name).values("target_id"))
        seen |= Q(target_kind=kind.name, target_id__in=allowed) & kind.condition(user)
    return found.filter(seen)


def newest_visible(user: Any, candidates: QuerySet[Event], count: int) -> list[Event]:
    """The newest `count` of the candidates that the person may see.

    Reads the newest candidates and asks rights of those, then of the next four times as many: most people see much of
    what is new, and only somebody who sees little of it pays for reading it all.
    """
    newest = candidates.order_by("-at", "-id")
    seen: list[Event] = []
    start, size = 0, _FIRST_BATCH
    while len(seen) < count:
        batch = list(newest.values_list("pk", flat=True)[start : start + size])
        seen += visible_events(user, Q(pk__in=batch)).order_by("-at", "-id")[: count - len(seen)]
        if len(batch) < size:
            break
        start, size = start + size, size * 4
    return seen


def timeline(*, user: Any, kind: str, record_id: int) -> QuerySet[Event]:
    """What happened to one record and within it, newest first, as far as the reader may see it."""
    here = Q(target_kind=kind, target_id=record_id) | Q(within_kind=kind, within_id=record_id)
    return visible_events(user, here).order_by("-at", "-id")


def acts_in(contexts: Collection[UUID]) -> Mapping[UUID, list[str]]:
    """What people did in these contexts of row history, by context: labels alone, which hold none of their words."""
    acts: defaultdict[UUID, list[str]] = defaultdict(list)
    found = Event.objects.filter(context_id__in=contexts).order_by("pk")
    for context, kind, wording in found.values_list("context_id", "kind", "data__wording"):
        label = label_of(kind, wording)
        if context is not None and label not in acts[context]:
            acts[context].append(label)
    return acts
