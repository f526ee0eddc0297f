"""Queries of pages that show records of several rooms."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Partnership, Party
from partnerships.kit.waiting import WaitingTask, Work
from partnerships.organisations.event_kinds import EventKind as OrganisationEvent
from partnerships.organisations.holdings import CheckedForEachRow
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import Lookup, count_for, count_lookup
from partnerships.organisations.timeline import newest_lookup, newest_visible
from partnerships.people.models import User
from partnerships.plans.models import Milestone, Plan
from partnerships.transfer.event_kinds import EventKind as TransferEvent

#: The time that "Recent changes" on the home page covers.
RECENT = dt.timedelta(days=60)
#: Events about organisations that imports did not find in published lists. They are for administrators only.
_OF_IMPORTS = (OrganisationEvent.MISSING_FROM_LIST, TransferEvent.MISSING_FROM_FILE)


def by_partnership(tasks: Iterable[WaitingTask]) -> list[tuple[str, list[WaitingTask]]]:
    """Return the tasks of each partnership, by its title, in the order in which the partnerships first appear.

    Tasks without a partnership are listed under "".
    """
    groups: dict[str, list[WaitingTask]] = {}
    for task in tasks:
        groups.setdefault(task.partnership_title, []).append(task)
    return list(groups.items())


def recent_changes(user: User, since: dt.datetime, count: int = 8) -> list[Event]:
    """Return the newest events since a moment that others caused and this person may see.

    Events of an organisation are included only if the person acts for it or works with it. Of several events of one
    kind, about one record and by one person, only the newest is returned.
    """
    # More events than needed, because some repeat others.
    newest_events = newest_visible(_recent_by_others, user, since, count=count * 4)
    # Later values replace earlier ones, so the newest of several like events must come last.
    newest_by_repetition = {
        (event.kind, event.target_kind, event.target_id, event.actor_id): event for event in reversed(newest_events)
    }
    return sorted(newest_by_repetition.values(), key=lambda event: (event.at, event.pk), reverse=True)[:count]


def recent_changes_lookup(user: User, since: dt.datetime, count: int = 8) -> Lookup:
    """Return the first lookup of a later `recent_changes`, for `read_ahead`."""
    return newest_lookup(_recent_by_others, user, since, count=count * 4)


def _recent_by_others(user: User, since: dt.datetime) -> QuerySet[Event]:
    """Return recent events of other people about the person's partnerships, partners and own organisations."""
    partnerships = Partnership.objects.with_party_of(user).live()
    parties_of_partners = Party.objects.accepted().filter(
        organisation=OuterRef("target_id"), partnership__in=partnerships.values("pk")
    )
    own_organisations = Organisation.objects.of_person(user).values("pk")
    return (
        Event.objects.filter(at__gte=since)
        .exclude(actor_id=user.pk)
        .exclude(kind__in=_OF_IMPORTS)
        .filter(
            ~Q(target_kind="organisation")
            | Q(target_id__in=own_organisations)
            | Q(CheckedForEachRow(parties_of_partners))
        )
    )


def counts(user: User, work: Work) -> dict[str, int]:
    """Return the counts at the top of the home page."""
    week = timezone.localdate() + dt.timedelta(days=7)
    return {
        "partnerships": count_for(_live_partnerships, user),
        "due": work.due_by(week),
        "waiting": len(work),
        "plans": count_for(_plans_off_track, user),
    }


def counts_lookups(user: User) -> list[Lookup]:
    """Return the lookup of a later `counts`, for `read_ahead`."""
    return [count_lookup(_live_partnerships, user), count_lookup(_plans_off_track, user)]


def _live_partnerships(user: User) -> QuerySet[Partnership]:
    """Return the live partnerships of the person."""
    return Partnership.objects.with_party_of(user).live()


def _plans_off_track(user: User) -> QuerySet[Milestone, Any]:
    """Return the person's plans that have an overdue milestone. Owners may read every milestone."""
    overdue = Milestone.objects.overdue(timezone.localdate())
    return overdue.filter(plan__in=Plan.objects.owned_by_organisations_of(user).values("pk")).values("plan").distinct()
