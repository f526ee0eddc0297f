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


def visible_events(user: Any) -> QuerySet[Event]:
    """Events whose target the person may see, of registered kinds only."""
    seen = Q(pk__in=[])
    for kind in kinds():
        seen |= Q(target_kind=kind.name, target_id__in=kind.visible_ids(user)) & kind.condition(user)
    return Event.objects.filter(seen)


def timeline(*, user: Any, kind: str, record_id: int) -> QuerySet[Event]:
    """What happened to one record and within it, newest first, as far as the reader may see it."""
    here = Q(target_kind=kind, target_id=record_id) | Q(within_kind=kind, within_id=record_id)
    return visible_events(user).filter(here).order_by("-at", "-id")


def acts_in(contexts: Collection[UUID]) -> Mapping[UUID, list[str]]:
    """What people did in these contexts of row history, by context: labels alone, which hold none of their words."""
    acts: defaultdict[UUID, list[str]] = defaultdict(list)
    found = Event.objects.filter(context_id__in=contexts).order_by("pk")
    for context, kind, wording in found.values_list("context_id", "kind", "data__wording"):
        label = label_of(kind, wording)
        if context is not None and label not in acts[context]:
            acts[context].append(label)
    return acts
