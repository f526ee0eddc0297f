"""Reads what an earlier digest contained, or what a person's next digest would contain, for pages."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import Count, Max, Q, QuerySet

from partnerships.activity.models import Event
from partnerships.activity.subjects import SubjectKind
from partnerships.digests.emails.changes import Section, read_section
from partnerships.digests.emails.event_filter import EventFilter, FollowerAndSubject
from partnerships.digests.emails.news import News
from partnerships.digests.emails.numbered_changes import (
    NumberedChanges,
    Span,
    changes_after,
    changes_since,
    changes_since_lookup,
)
from partnerships.digests.emails.reading import news_lookups, read_news
from partnerships.digests.models import (
    Delivery,
    DeliveryItem,
    DeliverySubject,
    Following,
    SubjectWatermark,
    Watermark,
)
from partnerships.digests.planning.notices import Act
from partnerships.digests.queries.contents import plans_of_digest
from partnerships.digests.queries.readers import (
    newest_numbers,
    owners_among,
    pieces_followed,
    pieces_lookup,
    reading_classes,
)
from partnerships.organisations.statements import lookup, read_ahead, rows_for
from partnerships.outbox.parts import Recipe, bodies_of_recipes
from partnerships.people.models import User
from partnerships.plans.models import Version


@dataclass(frozen=True, slots=True)
class Reading:
    """The part of a digest that a page shows to a reader."""

    #: The news of plans.
    news: tuple[News, ...]
    #: How many plans and sections the page does not show, because the reader may no longer read them.
    hidden: int
    #: The sections about other records.
    sections: tuple[Section, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return True if the page shows nothing of the digest."""
        return not self.news and not self.sections

    @property
    def plans(self) -> frozenset[int]:
        """Return the ids of the plans whose versions the digest compares."""
        return frozenset(news.plan_id for news in self.news)

    @property
    def others(self) -> frozenset[tuple[str, int]]:
        """Return the plans and partnerships that the sections are about, as kind and id."""
        plans = {(str(SubjectKind.PLAN), pk) for section in self.sections for pk in section.plans}
        partnerships = {
            (str(SubjectKind.PARTNERSHIP), section.partnership_id)
            for section in self.sections
            if section.partnership_id is not None
        }
        return frozenset(plans | partnerships)

    @property
    def acts(self) -> frozenset[Act]:
        """Return the changes that the sections report; the page does not list notices of the same changes."""
        return frozenset(act for section in self.sections for act in section.acts)


def readable_news(delivery: Delivery, *, now: dt.datetime, plan_ids: Collection[int] | None = None) -> Reading:
    """Return the part of an email's content that its recipient may still read today.

    With `plan_ids`, only news of these plans. A recipient who paused after the email was sent may still read it.
    """
    items = list(DeliveryItem.objects.included().filter(delivery=delivery).order_by("pk"))
    wanted_items = items if plan_ids is None else [item for item in items if item.plan_id in plan_ids]
    shown = _news_of_items(delivery, wanted_items, now)
    sections, hidden = _sections_of(delivery, now) if plan_ids is None else ((), 0)
    return Reading(tuple(shown), len(items) - len(shown) + hidden, sections)


def _news_of_items(delivery: Delivery, items: Sequence[DeliveryItem], now: dt.datetime) -> list[News]:
    """Return the news of these items of an email that its recipient may still read today."""
    plan_ids = [item.plan_id for item in items]
    class_by_reader = reading_classes(
        plan_ids, now=now, person_ids=[delivery.recipient_id], even_paused=delivery.is_sent
    )
    pieces_by_reader = pieces_followed([delivery.recipient_id], plan_ids)
    shown: list[News] = []
    for item in items:
        reading_class = class_by_reader.get((delivery.recipient_id, item.plan_id))
        if reading_class is None:
            continue
        news, _, _ = read_news(
            plan_id=item.plan_id,
            from_number=item.from_number,
            to_number=item.to_number,
            reading_class=_narrower(reading_class, item.reading_class),
            pieces=pieces_by_reader.get((delivery.recipient_id, item.plan_id), ()),
        )
        shown.append(news)
    return shown


def _stakeholder_ids(person: User) -> list[int]:
    """Return the id of the person in a list, or an empty list if the person has an account."""
    return [person.pk] if person.is_stakeholder else []


def _sections_of(delivery: Delivery, now: dt.datetime) -> tuple[tuple[Section, ...], int]:
    """Return an email's sections that its recipient may still read, and the number of sections that are now hidden."""
    items = list(DeliverySubject.objects.included().filter(delivery=delivery).select_related("subject").order_by("pk"))
    if not items:
        return (), 0

    person = delivery.recipient
    events = Event.objects.in_bulk({pk for item in items for pk in item.told})
    pairs = {FollowerAndSubject(person.pk, item.subject_id) for item in items}
    event_filter = EventFilter(pairs, events, _stakeholder_ids(person), now)

    shown: list[Section] = []
    for item in items:
        told_events = [events[pk] for pk in item.told if pk in events]
        # Later choices of the recipient do not change the content of an email already sent.
        readable = event_filter.events_for(person.pk, item.subject_id, told_events, ignore_choices=True)
        if readable:
            shown.append(read_section(item.subject, readable, stakeholder=person.is_stakeholder, now=now))
    return tuple(shown), len(items) - len(shown)


def next_sections(person: User, *, now: dt.datetime) -> tuple[Section, ...]:
    """Return the sections about subjects that a person's next digest would have if it were sent now."""
    due_watermarks = SubjectWatermark.objects.filter(recipient=person, due_at__isnull=False).order_by("due_at", "pk")
    spans = [Span(row.subject_id, row.number) for row in due_watermarks]
    return sections_between(person, spans, now=now)


def digests_since(person: User, since: dt.datetime, *, now: dt.datetime, hears: str = "") -> Reading:
    """Return what digests would have said since a moment, so that a person can try out a choice.

    `hears` is the choice for changes of subjects; digests report changes of plans whatever the choice.
    """
    read_ahead([lookup(_numbers_before, person.pk, since), changes_since_lookup(person.pk, since)])
    news, hidden = news_between(person, _plan_spans_since(person, since), now=now)
    return Reading(news, hidden, _sections_since(person, since, now=now, hears=hears))


def _plan_spans_since(person: User, since: dt.datetime) -> list[tuple[int, int]]:
    """Return the plans with news for this person since a moment, with the last version that they could read before it.

    The number is 0 for a plan that is new to the person.
    """
    numbers_then = rows_for(_numbers_before, person.pk, since)
    plan_ids = [plan_id for plan_id, _, _ in numbers_then]
    owned_ids = {plan_id for _, plan_id in owners_among([person.pk], plan_ids)} if plan_ids else set()
    return [
        (plan_id, (newest if plan_id in owned_ids else newest_open) or 0)
        for plan_id, newest, newest_open in numbers_then
    ]


def _numbers_before(person_id: int, since: dt.datetime) -> QuerySet[Version, tuple[int, int | None, int | None]]:
    """Return the plans that a person follows and that have a new version since a moment.

    With each are the number of its last version before that moment, and of the last one then without an embargo.
    """
    followed = Following.objects.filter(person=person_id).values("plan")
    # A version counts from the end of its embargo, because most followers could not read it before.
    is_new = Q(published_at__gte=since) | Q(embargo_until__gte=since)
    was_published = Q(published_at__lt=since)
    was_open = was_published & (Q(embargo_until=None) | Q(embargo_until__lt=since))
    plans = Version.objects.filter(plan__in=followed).order_by("plan").values("plan")
    plans_with_news = plans.annotate(new_count=Count("pk", filter=is_new)).filter(new_count__gt=0)
    numbers = plans_with_news.annotate(
        newest=Max("number", filter=was_published), newest_open=Max("number", filter=was_open)
    )
    return numbers.values_list("plan", "newest", "newest_open")


def _sections_since(person: User, since: dt.datetime, *, now: dt.datetime, hears: str) -> tuple[Section, ...]:
    """Return the sections about subjects that digests would have had since a moment, with this choice."""
    changes = changes_since(person.pk, since)
    spans = [
        Span(subject_id, numbered_events[0].number - 1)
        for subject_id, numbered_events in changes.changes_by_subject.items()
    ]
    return _sections_of_changes(person, changes, spans, now=now, hears=hears)


def sections_between(person: User, spans: Sequence[Span], *, now: dt.datetime, hears: str = "") -> tuple[Section, ...]:
    """Return the sections of a digest with the changes of subjects in these spans.

    `hears` replaces the person's choices for all subjects.
    """
    return _sections_of_changes(person, changes_after(spans), spans, now=now, hears=hears)


def _sections_of_changes(
    person: User, changes: NumberedChanges, spans: Sequence[Span], *, now: dt.datetime, hears: str
) -> tuple[Section, ...]:
    """Return the sections of a digest with those of these changes that are in the spans."""
    if not spans:
        return ()
    pairs = {FollowerAndSubject(person.pk, span.subject_id) for span in spans}
    event_filter = EventFilter(pairs, changes.events, _stakeholder_ids(person), now, hears=hears)

    # As in an email, an event that changed several subjects is only in the first section.
    reported_ids: set[int] = set()
    sections: list[Section] = []
    for span in spans:
        subject = changes.subjects[span.subject_id]
        candidates = changes.between(span, subject.last_number)
        allowed_events = event_filter.events_for(person.pk, span.subject_id, candidates)
        events = [event for event in allowed_events if event.pk not in reported_ids]
        reported_ids |= {event.pk for event in events}
        section = read_section(subject, events, stakeholder=person.is_stakeholder, now=now)
        if section.lines and section.authors != {person.pk}:
            sections.append(section)
    return tuple(sections)


def _narrower(first_class: str, second_class: str) -> str:
    """Return the reading class that shows less."""
    are_both_inside = first_class == second_class == Watermark.Reading.INSIDE
    return Watermark.Reading.INSIDE if are_both_inside else Watermark.Reading.OUTSIDE


def item_for(delivery: Delivery, plan_id: int) -> DeliveryItem | None:
    """Return the item of an email about one plan; None if the email has no news of the plan."""
    return DeliveryItem.objects.included().filter(delivery=delivery, plan=plan_id).first()


def plan_by_link(delivery: Delivery, plan_id: int, *, now: dt.datetime) -> News | None:
    """Return the news of one plan that a link in a digest opens; None if the reader may not read the plan.

    The news compares the versions that the digest compared. If the digest mentioned the plan for another reason, such
    as a question about it, the news presents the newest version.
    """
    item = item_for(delivery, plan_id)
    if item is not None:
        readable_items = _news_of_items(delivery, [item], now)
        return readable_items[0] if readable_items else None

    person_id = delivery.recipient_id
    class_by_reader = reading_classes([plan_id], now=now, person_ids=[person_id], even_paused=delivery.is_sent)
    may_read = (person_id, plan_id) in class_by_reader
    if not may_read or not plans_of_digest(delivery.pk).filter(pk=plan_id).exists():
        return None
    _, newest_open_number = newest_numbers([plan_id], now)[plan_id]
    if not newest_open_number:  # every version is under embargo
        return None
    news, _, _ = read_news(
        plan_id=plan_id, from_number=0, to_number=newest_open_number, reading_class=Watermark.Reading.OUTSIDE
    )
    return news


def next_digest(
    person: User, *, now: dt.datetime, plan_ids: Collection[int] | None = None, outside_only: bool = False
) -> Reading:
    """Return the content of a person's next digest if it were sent now.

    Two arguments are for viewers other than the person. With `plan_ids`, the viewer sees only the news of these plans.
    With `outside_only`, the viewer sees nothing confidential. In both cases there are no sections about other subjects.
    """
    watermarks = Watermark.objects.filter(recipient=person, due_at__isnull=False)
    if plan_ids is not None:
        watermarks = watermarks.filter(plan__in=plan_ids)
    spans = list(watermarks.order_by("due_at", "pk").values_list("plan_id", "number"))
    news, hidden = news_between(person, spans, now=now, outside_only=outside_only)
    shows_sections = plan_ids is None and not outside_only
    return Reading(news, hidden, next_sections(person, now=now) if shows_sections else ())


def news_between(
    person: User, spans: Sequence[tuple[int, int]], *, now: dt.datetime, outside_only: bool = False
) -> tuple[tuple[News, ...], int]:
    """Return the news of plans that a digest would contain now, and for how many plans it would contain none.

    Each span is the id of a plan and the version after which its news begins.
    """
    plan_ids = [plan_id for plan_id, _ in spans]
    class_by_reader = reading_classes(plan_ids, now=now, person_ids=[person.pk])
    newest_by_plan = newest_numbers(plan_ids, now)
    owners = owners_among([person.pk], plan_ids) if plan_ids else set()
    # The first and last version that the news of each plan compares, if the plan has news.
    numbers_by_plan: dict[int, tuple[int, int]] = {}
    for plan_id, number in spans:
        newest_for_owners, newest_for_others = newest_by_plan[plan_id]
        to_number = newest_for_owners if (person.pk, plan_id) in owners else newest_for_others
        if (person.pk, plan_id) in class_by_reader and to_number > number:
            numbers_by_plan[plan_id] = number, to_number

    lookups = [found for plan_id, numbers in numbers_by_plan.items() for found in news_lookups(plan_id, *numbers)]
    read_ahead([pieces_lookup(plan_ids), *lookups])
    pieces_by_reader = pieces_followed([person.pk], plan_ids) if plan_ids else {}

    shown: list[News] = []
    for plan_id, (number, to_number) in numbers_by_plan.items():
        reading_class = Watermark.Reading.OUTSIDE if outside_only else class_by_reader[person.pk, plan_id]
        news, _, authors = read_news(
            plan_id=plan_id,
            from_number=number,
            to_number=to_number,
            reading_class=reading_class,
            pieces=pieces_by_reader.get((person.pk, plan_id), ()),
        )
        if news.count and authors != {person.pk}:
            shown.append(news)
    return tuple(shown), len(spans) - len(shown)


def as_sent(delivery: Delivery) -> str:
    """Return the message exactly as sent; "" if it is no longer stored."""
    if not delivery.recipe:
        return ""
    recipe = Recipe(*delivery.recipe)
    # A shared part that is no longer stored is left empty, so that the rest can still be shown.
    return recipe.join(defaultdict(str, bodies_of_recipes([recipe])))
