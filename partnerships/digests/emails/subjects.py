"""Selects the changes of subjects that the digests of a batch report.

Rights are checked in the transaction that claims the emails. The digest leaves out changes that the reader may not
read, did not choose or has received before. The watermark moves past these, so that they do not delay later changes.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from partnerships.activity.models import Event, Subject
from partnerships.digests.emails.already_told import emails_by_event, handovers_already_noticed
from partnerships.digests.emails.blocks import Block, render_section
from partnerships.digests.emails.changes import read_section
from partnerships.digests.emails.event_filter import EventFilter, FollowerAndSubject
from partnerships.digests.emails.numbered_changes import Span, changes_after

#: How many rendered sections are cached, and for how long.
_MAX_SECTIONS = 256
_CACHED_FOR = dt.timedelta(minutes=10)


@dataclass(slots=True)
class SubjectItem:
    """A row of `DeliverySubject`, with the person who gets the digest."""

    pk: int
    delivery_id: int
    person_id: int
    subject_id: int
    from_number: int
    to_number: int
    #: The ids of the events that the digest reports.
    event_ids: list[int]

    @property
    def span(self) -> Span:
        """Return the changes of the subject that may be new to the reader."""
        return Span(self.subject_id, self.from_number)


class LostSubject(NamedTuple):
    """A subject that its reader no longer follows or may no longer read, and which of the two it is."""

    item: SubjectItem
    #: `NOT_FOLLOWED` or `NOT_READABLE` of `event_filter`.
    reason: str


@dataclass(slots=True)
class SubjectSelection:
    """The subjects of a batch of digests, sorted by the outcome for each subject, and their rendered sections."""

    #: The sections of each digest, by the id of its email.
    blocks: dict[int, list[Block]] = field(default_factory=lambda: defaultdict(list))
    #: Subjects that their digest reports.
    included: list[SubjectItem] = field(default_factory=list)
    #: Included subjects whose stored row no longer matches the digest.
    changed: list[SubjectItem] = field(default_factory=list)
    #: Subjects without changes for the reader. The watermark moves, and the digest has no section.
    silent: list[SubjectItem] = field(default_factory=list)
    #: Subjects that are left out, because the reader no longer follows them or may no longer read them.
    lost: list[LostSubject] = field(default_factory=list)
    subjects: dict[int, Subject] = field(default_factory=dict)
    #: None if the batch has no subjects.
    event_filter: EventFilter | None = None

    @property
    def altered(self) -> set[int]:
        """Return the ids of the digests that must not be sent again unchanged."""
        altered_items = [*self.silent, *self.changed, *(lost.item for lost in self.lost)]
        return {item.delivery_id for item in altered_items}


class SectionKey(NamedTuple):
    """The cache key of a section, with every value that its text depends on."""

    subject_id: int
    event_ids: tuple[int, ...]
    is_for_stakeholder: bool


_section_cache: OrderedDict[SectionKey, tuple[dt.datetime, Block]] = OrderedDict()


def clear_cache() -> None:
    """Clear all rendered sections (for tests)."""
    _section_cache.clear()


def section_for(key: SectionKey, subject: Subject, events: Sequence[Event], now: dt.datetime) -> Block:
    """Return the rendered section for these events, from the cache if it is at most ten minutes old."""
    cached = _section_cache.get(key)
    if cached is not None:
        rendered_at, block = cached
        if now - rendered_at < _CACHED_FOR:
            return block

    section = read_section(subject, events, stakeholder=key.is_for_stakeholder, now=now)
    block = render_section(section, stakeholder=key.is_for_stakeholder)
    _section_cache[key] = (now, block)
    while len(_section_cache) > _MAX_SECTIONS:
        _section_cache.popitem(last=False)  # the oldest
    return block


def select_subjects(
    items: Sequence[SubjectItem],
    *,
    stakeholder_ids: Collection[int],
    frozen_ids: Collection[int],
    repeat_ids: Collection[int],
    now: dt.datetime,
) -> SubjectSelection:
    """Decide which changes each subject's section reports, and set `to_number` and `event_ids` of each item.

    `frozen_ids` are digests in doubt and repeats; they report nothing that they did not report the first time.
    `repeat_ids` are repeats, which may report what another email has reported.
    """
    if not items:
        return SubjectSelection()
    selector = _SubjectSelector(
        items, stakeholder_ids=stakeholder_ids, frozen_ids=frozen_ids, repeat_ids=repeat_ids, now=now
    )
    for item in sorted(items, key=lambda item: (item.delivery_id, item.pk)):
        selector.select(item)
    return selector.selection


class _SubjectSelector:
    """Selects the subjects of a batch one by one. Everything that the batch needs is read at the beginning."""

    def __init__(
        self,
        items: Sequence[SubjectItem],
        *,
        stakeholder_ids: Collection[int],
        frozen_ids: Collection[int],
        repeat_ids: Collection[int],
        now: dt.datetime,
    ) -> None:
        self._stakeholder_ids = stakeholder_ids
        self._frozen_ids = frozen_ids
        self._repeat_ids = repeat_ids
        self._now = now
        self._changes = changes_after(item.span for item in items)
        events = self._changes.events
        pairs = {FollowerAndSubject(item.person_id, item.subject_id) for item in items}
        self._event_filter = EventFilter(pairs, events, stakeholder_ids, now)
        person_ids = {item.person_id for item in items}
        self._email_ids_by_person_and_event = emails_by_event(person_ids, list(events.values()))
        self._noticed_handovers = handovers_already_noticed(person_ids, events.values())
        #: The ids of the events that each digest reports so far. An event may be a change of several subjects, and a
        #: digest reports it only in the first section.
        self._reported_by_digest: dict[int, set[int]] = defaultdict(set)
        self.selection = SubjectSelection(subjects=self._changes.subjects, event_filter=self._event_filter)

    def select(self, item: SubjectItem) -> None:
        """Add one subject of a digest to the selection."""
        reason = self._event_filter.reason_to_omit(item.person_id, item.subject_id)
        if reason:
            self.selection.lost.append(LostSubject(item, reason))
            return

        subject = self._changes.subjects[item.subject_id]
        to_number = item.to_number if item.delivery_id in self._frozen_ids else subject.last_number
        events = self._events_to_report(item, to_number)
        event_ids = [event.pk for event in events]
        is_changed = to_number != item.to_number or event_ids != item.event_ids
        item.to_number = to_number
        item.event_ids = event_ids
        key = SectionKey(item.subject_id, tuple(event_ids), item.person_id in self._stakeholder_ids)
        block = section_for(key, subject, events, self._now) if events else None
        # Nobody gets a section in which every change is their own.
        if block is None or block.is_empty or block.authors == {item.person_id}:
            self.selection.silent.append(item)
            return

        self._reported_by_digest[item.delivery_id].update(event_ids)
        self.selection.included.append(item)
        self.selection.blocks[item.delivery_id].append(block)
        if is_changed:
            self.selection.changed.append(item)

    def _events_to_report(self, item: SubjectItem, to_number: int) -> list[Event]:
        """Return the events up to a number that the section about a subject reports."""
        candidates = self._changes.between(item.span, to_number)
        events = self._event_filter.events_for(item.person_id, item.subject_id, candidates)
        if item.delivery_id in self._frozen_ids:
            events = [event for event in events if event.pk in item.event_ids]
        if item.delivery_id not in self._repeat_ids:
            events = self._new_to_reader(item, events)
        return [event for event in events if event.pk not in self._reported_by_digest[item.delivery_id]]

    def _new_to_reader(self, item: SubjectItem, events: Iterable[Event]) -> list[Event]:
        """Return the events that no other email, and no notice of a succession, has told the reader about."""
        new_events: list[Event] = []
        for event in events:
            person_and_event = (item.person_id, event.pk)
            other_email_ids = self._email_ids_by_person_and_event.get(person_and_event, set()) - {item.delivery_id}
            if not other_email_ids and person_and_event not in self._noticed_handovers:
                new_events.append(event)
        return new_events
