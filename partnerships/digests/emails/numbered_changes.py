"""Reads the numbered changes of subjects after a number or a moment."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import QuerySet

from partnerships.activity.models import Change, Event, Subject
from partnerships.digests.models import SubjectFollowing
from partnerships.organisations.statements import Lookup, lookup, rows_for


class Span(NamedTuple):
    """The changes of a subject after a number."""

    subject_id: int
    after: int


class NumberedEvent(NamedTuple):
    """An event, and its number among the changes of one subject."""

    number: int
    event: Event


@dataclass(slots=True)
class NumberedChanges:
    """Subjects, and the numbered changes of each subject in order."""

    subjects: dict[int, Subject]
    #: By the id of the subject.
    changes_by_subject: dict[int, list[NumberedEvent]]

    def between(self, span: Span, up_to: int) -> list[Event]:
        """Return the events of a span up to a number, in order."""
        changes = self.changes_by_subject.get(span.subject_id, ())
        return [change.event for change in changes if span.after < change.number <= up_to]

    @property
    def events(self) -> dict[int, Event]:
        """Return every event, by id."""
        return {change.event.pk: change.event for changes in self.changes_by_subject.values() for change in changes}


def changes_after(spans: Iterable[Span]) -> NumberedChanges:
    """Return the changes in these spans. If a subject is in several spans, the lowest number is used."""
    lowest_by_subject: dict[int, int] = {}
    for span in spans:
        lowest_by_subject[span.subject_id] = min(lowest_by_subject.get(span.subject_id, span.after), span.after)

    changes_by_subject: dict[int, list[NumberedEvent]] = {}
    for subject_id, number in lowest_by_subject.items():
        changes = Change.objects.filter(subject=subject_id, number__gt=number)
        changes_by_subject[subject_id] = [
            NumberedEvent(change.number, change.event) for change in changes.select_related("event").order_by("number")
        ]
    return NumberedChanges(Subject.objects.in_bulk(lowest_by_subject), changes_by_subject)


def changes_since(person_id: int, since: dt.datetime) -> NumberedChanges:
    """Return the changes since a moment of the subjects that a person follows."""
    subjects: dict[int, Subject] = {}
    changes_by_subject: dict[int, list[NumberedEvent]] = defaultdict(list)
    for change in rows_for(_changes_since, person_id, since):
        subjects[change.subject_id] = change.subject
        changes_by_subject[change.subject_id].append(NumberedEvent(change.number, change.event))
    return NumberedChanges(subjects, changes_by_subject)


def changes_since_lookup(person_id: int, since: dt.datetime) -> Lookup:
    """Return the lookup of a later `changes_since` with the same arguments, for `read_ahead`."""
    return lookup(_changes_since, person_id, since)


def _changes_since(person_id: int, since: dt.datetime) -> QuerySet[Change]:
    """Return the changes since a moment of the subjects that a person follows, by subject and number."""
    followed = SubjectFollowing.objects.filter(person=person_id).values("subject")
    changes = Change.objects.filter(subject__in=followed, event__at__gte=since)
    return changes.select_related("event", "subject").order_by("subject", "number")
