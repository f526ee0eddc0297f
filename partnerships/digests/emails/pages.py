"""Digests on the web: what an email said, and what the next one would say."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Max, Min, Q

from partnerships.activity.models import Change, Event
from partnerships.activity.subjects import SubjectKind
from partnerships.digests.emails.changes import Section, read_section
from partnerships.digests.emails.news import News
from partnerships.digests.emails.reading import read_news
from partnerships.digests.emails.subjects import Hearing, ranges_of, stakeholders_among
from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    DeliverySubject,
    Following,
    SubjectFollowing,
    SubjectWatermark,
    Watermark,
)
from partnerships.digests.planning.notices import Act
from partnerships.digests.queries.contents import plans_of_digest
from partnerships.digests.queries.readers import newest_numbers, owners_among, pieces_followed, reading_classes
from partnerships.outbox.parts import Recipe, bodies
from partnerships.people.models import User
from partnerships.plans.models import Version


@dataclass(frozen=True, slots=True)
class Reading:
    """A digest on a page: readable news, and how many plans are hidden."""

    news: tuple[News, ...]
    hidden: int
    sections: tuple[Section, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing may be read."""
        return not self.news and not self.sections

    @property
    def plans(self) -> frozenset[int]:
        """The plans whose versions it compares."""
        return frozenset(news.plan_id for news in self.news)

    @property
    def others(self) -> frozenset[tuple[str, int]]:
        """The plans and partnerships that its sections are about: kind and id."""
        plans = {(str(SubjectKind.PLAN), pk) for section in self.sections for pk in section.plans}
        partnerships = {
            (str(SubjectKind.PARTNERSHIP), section.partnership_id)
            for section in self.sections
            if section.partnership_id is not None
        }
        return frozenset(plans | partnerships)

    @property
    def acts(self) -> frozenset[Act]:
        """What its sections say: notices of the same acts are not listed again."""
        return frozenset(act for section in self.sections for act in section.acts)


def readable_news(delivery: Delivery, *, now: dt.datetime, plans: Collection[int] | None = None) -> Reading:
    """What an email said, as far as its recipient may read each plan today.

    `plans` narrows it further. People who have paused since may still read what they received.
    """
    items = list(DeliveryItem.objects.included().filter(delivery=delivery).order_by("pk"))
    plan_ids = [item.plan_id for item in items]
    classes = reading_classes(plan_ids, now=now, people=[delivery.recipient_id], even_paused=delivery.is_sent)
    pieces = pieces_followed([delivery.recipient_id], plan_ids)
    shown: list[News] = []
    for item in items:
        reading_class = classes.get((delivery.recipient_id, item.plan_id))
        if reading_class is None or (plans is not None and item.plan_id not in plans):
            continue
        news, _, _ = read_news(
            plan_id=item.plan_id,
            from_number=item.from_number,
            to_number=item.to_number,
            reading_class=_narrower(reading_class, item.reading_class),
            pieces=pieces.get((delivery.recipient_id, item.plan_id), ()),
        )
        shown.append(news)
    sections, hidden = _sections_of(delivery, now) if plans is None else ((), 0)
    return Reading(tuple(shown), len(items) - len(shown) + hidden, sections)


def _sections_of(delivery: Delivery, now: dt.datetime) -> tuple[tuple[Section, ...], int]:
    """What an email said about subjects, if still readable; how much is not."""
    items = list(DeliverySubject.objects.included().filter(delivery=delivery).select_related("subject").order_by("pk"))
    if not items:
        return (), 0
    person = delivery.recipient
    events = Event.objects.in_bulk({pk for item in items for pk in item.told})
    hearing = Hearing({(person.pk, item.subject_id) for item in items}, events, stakeholders_among([person.pk]), now)
    shown: list[Section] = []
    for item in items:
        told_events = [events[pk] for pk in item.told if pk in events]
        may = hearing.told(person.pk, item.subject_id, told_events, whatever_was_chosen=True)
        if may:
            shown.append(read_section(item.subject, may, stakeholder=person.is_stakeholder, now=now))
    return tuple(shown), len(items) - len(shown)


def next_sections(person: User, *, now: dt.datetime) -> tuple[Section, ...]:
    """What a person's next digest would say about subjects if it was sent now."""
    waiting = SubjectWatermark.objects.filter(recipient=person, due_at__isnull=False).order_by("due_at", "pk")
    spans = [(row.subject_id, row.number) for row in waiting]
    return sections_between(person, spans, now=now)


def digests_since(person: User, since: dt.datetime, *, now: dt.datetime, hears: str = "") -> Reading:
    """What digests would have said since a moment, to preview a choice.

    `hears` chooses among changes of subjects; digests tell those of plans in any case.
    """
    news, hidden = news_between(person, _plan_spans_since(person, since), now=now)
    return Reading(news, hidden, _sections_since(person, since, now=now, hears=hears))


def _plan_spans_since(person: User, since: dt.datetime) -> list[tuple[int, int]]:
    """Plans with news for this person since a moment, and the version that they could read then."""
    followed = Following.objects.filter(person=person).values("plan")
    new = Version.objects.filter(Q(published_at__gte=since) | Q(embargo_until__gte=since), plan__in=followed)
    plans = list(new.order_by("plan").values_list("plan", flat=True).distinct())
    if not plans:
        return []
    readable = Q(embargo_until=None) | Q(embargo_until__lt=since)
    own = {plan for _, plan in owners_among([person.pk], plans)}
    before = Version.objects.filter(readable | Q(plan__in=own), plan__in=plans, published_at__lt=since)
    numbers = dict(before.order_by().values("plan").annotate(number=Max("number")).values_list("plan", "number"))
    return [(plan, numbers.get(plan, 0)) for plan in plans]


def _sections_since(person: User, since: dt.datetime, *, now: dt.datetime, hears: str) -> tuple[Section, ...]:
    followed = SubjectFollowing.objects.filter(person=person).values("subject")
    changes = Change.objects.filter(subject__in=followed, event__at__gte=since)
    firsts = changes.values("subject").annotate(first=Min("number")).order_by("subject")
    spans = [(subject, first - 1) for subject, first in firsts.values_list("subject", "first")]
    return sections_between(person, spans, now=now, hears=hears)


def sections_between(
    person: User, spans: Sequence[tuple[int, int]], *, now: dt.datetime, hears: str = ""
) -> tuple[Section, ...]:
    """The sections of a digest that begins after these numbers of subjects.

    With `hears`, as if this had been chosen for everything.
    """
    if not spans:
        return ()
    ranges = ranges_of(spans)
    pairs = {(person.pk, subject) for subject, _ in spans}
    hearing = Hearing(pairs, ranges.events, stakeholders_among([person.pk]), now, hears=hears)
    told_already: set[int] = set()
    sections: list[Section] = []
    for subject, number in spans:
        between = ranges.between(subject, number, ranges.subjects[subject].last_number)
        events = [event for event in hearing.told(person.pk, subject, between) if event.pk not in told_already]
        told_already |= {event.pk for event in events}
        section = read_section(ranges.subjects[subject], events, stakeholder=person.is_stakeholder, now=now)
        if section.lines and section.authors != {person.pk}:
            sections.append(section)
    return tuple(sections)


def _narrower(one: str, other: str) -> str:
    return Watermark.Reading.INSIDE if one == other == Watermark.Reading.INSIDE else Watermark.Reading.OUTSIDE


def item_for(delivery: Delivery, plan_id: int) -> DeliveryItem | None:
    """What an email said about one plan."""
    return DeliveryItem.objects.included().filter(delivery=delivery, plan=plan_id).first()


def plan_by_link(delivery: Delivery, plan: int, *, now: dt.datetime) -> News | None:
    """What the link of a digest opens of one plan; None if it may not be read.

    The versions that the digest compared. If it told something else about the plan, such as a question, or changes of
    its partnership: the newest version.
    """
    if item_for(delivery, plan) is not None:
        readable = readable_news(delivery, now=now, plans=[plan]).news
        return readable[0] if readable else None
    person = delivery.recipient_id
    readers = reading_classes([plan], now=now, people=[person], even_paused=delivery.is_sent)
    if (person, plan) not in readers or not plans_of_digest(delivery.pk).filter(pk=plan).exists():
        return None
    _, number = newest_numbers([plan], now)[plan]
    if not number:
        return None
    outside = Watermark.Reading.OUTSIDE
    return read_news(plan_id=plan, from_number=0, to_number=number, reading_class=outside)[0]


def next_digest(
    person: User, *, now: dt.datetime, plans: Collection[int] | None = None, outside_only: bool = False
) -> Reading:
    """What a person's next digest would say if it was sent now.

    `plans` and `outside_only` narrow it to what the viewer may see.
    """
    rows = Watermark.objects.filter(recipient=person, due_at__isnull=False)
    if plans is not None:
        rows = rows.filter(plan__in=plans)
    spans = list(rows.order_by("due_at", "pk").values_list("plan_id", "number"))
    news, hidden = news_between(person, spans, now=now, outside_only=outside_only)
    sections = next_sections(person, now=now) if plans is None and not outside_only else ()
    return Reading(news, hidden, sections)


def news_between(
    person: User, spans: Sequence[tuple[int, int]], *, now: dt.datetime, outside_only: bool = False
) -> tuple[tuple[News, ...], int]:
    """The news of plans after these versions that a digest would tell now, and of how many it tells nothing."""
    ids = [plan for plan, _ in spans]
    classes = reading_classes(ids, now=now, people=[person.pk])
    newest = newest_numbers(ids, now)
    owners = owners_among([person.pk], ids) if ids else set()
    pieces = pieces_followed([person.pk], ids) if ids else {}
    shown: list[News] = []
    for plan, number in spans:
        reading_class = classes.get((person.pk, plan))
        own, other = newest[plan]
        to_number = own if (person.pk, plan) in owners else other
        if reading_class is None or to_number <= number:
            continue
        news, _, authors = read_news(
            plan_id=plan,
            from_number=number,
            to_number=to_number,
            reading_class=Watermark.Reading.OUTSIDE if outside_only else reading_class,
            pieces=pieces.get((person.pk, plan), ()),
        )
        if news.count and authors != {person.pk}:
            shown.append(news)
    return tuple(shown), len(spans) - len(shown)


def as_sent(delivery: Delivery) -> str:
    """The message exactly as sent; empty when it is no longer stored."""
    if not delivery.recipe:
        return ""
    recipe = Recipe(*delivery.recipe)
    return recipe.join(defaultdict(str, bodies([recipe])))  # parts no longer stored stay empty
