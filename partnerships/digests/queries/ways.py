"""Reads whether people get the notices of each group at once, in a summary, or not by email."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from partnerships.digests.models import NoticeChoice, NoticeDelivery
from partnerships.organisations.statements import rows_for
from partnerships.outbox.groups import CHOOSABLE, URGENT
from partnerships.people.models import User


def default_way(group: str) -> NoticeDelivery:
    """Return how a person without saved choices gets the notices of a group."""
    if settings.NOTICES_AT_ONCE or group in URGENT:
        return NoticeDelivery.AT_ONCE
    return NoticeDelivery.SUMMARY


def ways_of(person: User) -> dict[str, NoticeDelivery]:
    """Return how a person gets the notices of each group, by group."""
    way_by_group = dict(rows_for(chosen_ways, person))
    return {group: NoticeDelivery(way_by_group.get(group, default_way(group))) for group in CHOOSABLE}


def chosen_ways(person: User) -> QuerySet[NoticeChoice, tuple[str, str]]:
    """Return the groups of notices for which a person has chosen a way, each with that way."""
    return NoticeChoice.objects.filter(person=person).values_list("group", "way")


def groups_in_summary(person: User) -> list[str]:
    """Return the groups of notices that this person gets in summaries.

    People without an account get no summaries.
    """
    if person.is_stakeholder:
        return []
    return [group for group, way in ways_of(person).items() if way == NoticeDelivery.SUMMARY]
