"""Tell the leads of successors that handover lines wait for their answer."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from partnerships.organisations.models import Handover, HandoverState, Membership, Role, Succession
from partnerships.outbox.services import record_emails

#: Leads are told once nothing more was proposed to their organisation for this time: a morning's work is one email.
QUIET = dt.timedelta(minutes=15)


@transaction.atomic
def tell_of_proposals(*, now: dt.datetime) -> int:
    """Email the leads of successors about lines that were proposed to them and wait; returns how many people.

    Each person gets one email about all of them. What was proposed to an organisation that nobody leads is told once
    somebody does. May run twice.
    """
    open_ones = Handover.objects.filter(state=HandoverState.PROPOSED, succession__in=Succession.objects.live())
    untold = open_ones.filter(told_at=None)
    bodies = _successors(untold)
    recent = open_ones.filter(proposed_at__gt=now - QUIET)
    waiting = bodies - _successors(recent)
    leads = Membership.objects.current(timezone.localdate(now)).filter(role=Role.LEAD, organisation__in=waiting)
    people = list(leads.filter(person__is_active=True).values_list("person", "organisation"))
    ready = {body for _, body in people}
    # Locked, so that what is proposed again meanwhile is told on its own; in the order of those who answer.
    due = untold.filter(successor__in=ready).exclude(others__in=bodies - ready).order_by("pk")
    handovers = list(due.select_for_update(of=("self",)).prefetch_related("others"))
    if not handovers:
        return 0
    # Of these lines alone: a line that waits for another organisation's lead must not be told each time.
    concerned: dict[int, set[int]] = defaultdict(set)
    for line in handovers:
        for body in (line.successor_id, *(other.pk for other in line.others.all())):
            concerned[body].add(line.succession_id)
    about: dict[int, set[int]] = defaultdict(set)
    for person, led in people:
        if led in concerned:
            about[person] |= concerned[led]
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for person, successions in about.items():
        alike[tuple(sorted(successions))].append(person)
    for group, recipients in sorted(alike.items()):
        record_emails(
            kind="organisations.handover_proposed", people=recipients, params={"successions": list(group)}, now=now
        )
    Handover.objects.filter(pk__in=[line.pk for line in handovers]).update(told_at=now)
    return len(about)


def _successors(lines: QuerySet[Handover]) -> set[int]:
    """The organisations (ids) that lines were proposed to."""
    return {*lines.values_list("successor", flat=True), *lines.exclude(others=None).values_list("others", flat=True)}
