"""Looks up the titles of records, and the paths of their pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db.models import Model

from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import Partnership, Post
from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation, Meeting
from partnerships.digests.models.targets import title_of
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation


class TitleAndPath(NamedTuple):
    """The title of a record as emails show it, and the path of its page."""

    title: str
    path: str


def _title(record: Any) -> str:
    """Return the title of a record; titles of records that people can follow are shortened as in emails."""
    # A post without a title has the name of its role, which `str` returns.
    if isinstance(record, Post):
        return str(record)
    if isinstance(record, Entry | Commitment | Plan | Partnership | Organisation):
        return title_of(record)
    return str(getattr(record, "title", record))


#: The model of each kind of record that changes can be about.
_MODELS: dict[str, type[Model]] = {
    SubjectKind.PARTNERSHIP: Partnership,
    SubjectKind.ORGANISATION: Organisation,
    SubjectKind.PLAN: Plan,
    SubjectKind.REQUEST: Entry,
    SubjectKind.COMMITMENT: Commitment,
    SubjectKind.CONVERSATION: Conversation,
    SubjectKind.RECOMMENDATION: Recommendation,
    "conversation_side": Conversation,
    "post": Post,
    "meeting": Meeting,
}


def named(records: Iterable[tuple[str, int]]) -> dict[tuple[str, int], TitleAndPath]:
    """Return the title and page of each of these records, by kind and id, without kinds that have no page."""
    record_by_key = records_of(records)
    return {key: TitleAndPath(_title(record), record.get_absolute_url()) for key, record in record_by_key.items()}


def records_of(records: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Any]:
    """Return these records by kind and id, with one query for each kind, without kinds that have no page."""
    ids_by_kind: dict[str, set[int]] = defaultdict(set)
    for kind, pk in records:
        ids_by_kind[kind].add(pk)

    records_by_key: dict[tuple[str, int], Any] = {}
    for kind, ids in ids_by_kind.items():
        if kind in _MODELS:
            existing_records = _MODELS[kind]._default_manager.in_bulk(ids)
            records_by_key |= {(kind, pk): record for pk, record in existing_records.items()}
    return records_by_key
