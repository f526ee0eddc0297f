"""Tell the leads of successors that handover lines wait for their answer."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from django.db import transaction
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
    pairs = set(untold.values_list("succession", "successor")) | set(
        untold.exclude(others=None).values_list("succession", "others")
    )
    bodies = {body for _, body in pairs}
    recent = open_ones.filter(proposed_at__gt=now - QUIET)
    busy = set(recent.values_list("successor", flat=True)) | set(recent.values_list("others", flat=True))
    leads = Membership.objects.current(timezone.localdate(now)).filter(role=Role.LEAD, organisation__in=bodies - busy)
    people = list(leads.filter(person__is_active=True).values_list("person", "organisation"))
    ready = {body for _, body in people}
    # Locked, so that what is proposed again meanwhile is told on its own.
    due = untold.filter(successor__in=ready).exclude(others__in=bodies - ready).select_for_update(of=("self",))
    told = set(due.values_list("pk", flat=True))
    if not told:
        return 0
    about: dict[int, set[int]] = defaultdict(set)
    for person, led in people:
        about[person] |= {succession for succession, body in pairs if body == led}
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for person, successions in about.items():
        alike[tuple(sorted(successions))].append(person)
    for group, recipients in sorted(alike.items()):
        record_emails(
            kind="organisations.handover_proposed", people=recipients, params={"successions": list(group)}, now=now
        )
    Handover.objects.filter(pk__in=told).update(told_at=now)
    return len(about)
