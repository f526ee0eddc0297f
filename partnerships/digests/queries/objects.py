"""The titles of changed records, and their pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import Model

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting
from partnerships.digests.models.targets import title_of
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation


class Named(NamedTuple):
    """What emails call a record, and the path of its page."""

    title: str
    path: str


def _title(record: Any) -> str:
    if isinstance(record, Entry | Commitment | Plan | Partnership | Organisation):
        return title_of(record)
    return str(getattr(record, "title", record))


_MODELS: dict[str, type[Model]] = {
    SubjectKind.PARTNERSHIP: Partnership,
    SubjectKind.ORGANISATION: Organisation,
    SubjectKind.PLAN: Plan,
    SubjectKind.REQUEST: Entry,
    SubjectKind.COMMITMENT: Commitment,
    SubjectKind.CONVERSATION: Conversation,
    SubjectKind.RECOMMENDATION: Recommendation,
    "conversation_side": Conversation,
    "meeting": Meeting,
}


def named(records: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Named]:
    """The titles and pages of these records, by kind and id.

    Kinds without a page of their own are missing.
    """
    return {key: Named(_title(record), record.get_absolute_url()) for key, record in records_of(records).items()}


def records_of(records: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Any]:
    """The records themselves, by kind and id."""
    ids: dict[str, set[int]] = defaultdict(set)
    for kind, pk in records:
        ids[kind].add(pk)
    return {
        (kind, pk): record
        for kind, ids_of_kind in ids.items()
        if kind in _MODELS
        for pk, record in _of(_MODELS[kind], ids_of_kind).items()
    }


def _of(model: type[Model], ids: Collection[int]) -> dict[int, Model]:
    records: dict[int, Model] = model._default_manager.in_bulk(ids)
    return records
