"""Reminding both sides before an unanswered entry lapses."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from partnerships.exchange.emails import send_closing_soon
from partnerships.exchange.models import Entry, Receipt
from partnerships.exchange.queries.addressing import addressed_ids
from partnerships.organisations.models import EDITING_ROLES, Membership, Role
from partnerships.people.models import User

#: So many days before its last day, both sides are reminded, once.
LEAD_DAYS = 7


def remind_of_closing(*, now: dt.datetime, most: int = 200) -> int:
    """Write to the two sides of what nobody has answered and what closes within a week; returns how many letters.

    Its own side: whoever wrote it, or the leads. The side it asks by name or partnership: the colleague it was referred
    to, or the leads. The whole network is not written to. Each entry is claimed before its letters leave: a crash may
    lose a reminder, and never repeats one.
    """
    sent = 0
    for _ in range(most):
        entry = _claim(now)
        if entry is None:
            break
        for person, own in _recipients(entry):
            sent += send_closing_soon(entry, person, own=own)
    return sent


@transaction.atomic
def _claim(now: dt.datetime) -> Entry | None:
    today = timezone.localdate(now)
    entry = (
        Entry.objects.unanswered()
        .select_for_update(of=("self",), skip_locked=True)
        .filter(
            is_open=True,
            reminded_at=None,
            closes_on__gte=today,
            closes_on__lte=today + dt.timedelta(days=LEAD_DAYS),
            # What was shared with a few days to go needs no reminder the moment it is shared.
            shared_at__lt=now - dt.timedelta(days=1),
        )
        .select_related("organisation")
        .order_by("closes_on", "pk")
        .first()
    )
    if entry is not None:
        Entry.objects.filter(pk=entry.pk).update(reminded_at=now)
    return entry


def _recipients(entry: Entry) -> list[tuple[User, bool]]:
    current = Membership.objects.current()
    writer = current.filter(person=entry.created_by_id, organisation=entry.organisation_id, role__in=EDITING_ROLES)
    own = writer if writer.exists() else current.filter(organisation=entry.organisation_id, role=Role.LEAD)
    people = {row.person_id: (row.person, True) for row in own.select_related("person").order_by("pk")}
    declined = Receipt.objects.filter(entry=entry, declined_at__isnull=False).values_list("organisation_id", flat=True)
    asked = (addressed_ids(entry) or set()) - set(declined)
    referred = dict(
        Receipt.objects.filter(entry=entry, referred_to__isnull=False).values_list("organisation_id", "referred_to")
    )
    for row in current.filter(organisation__in=asked, role__in=EDITING_ROLES).select_related("person").order_by("pk"):
        colleague = referred.get(row.organisation_id)
        if row.person_id == colleague or (colleague is None and row.is_lead):
            people.setdefault(row.person_id, (row.person, False))
    return list(people.values())
