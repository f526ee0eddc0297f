"""What leavers left without an owner, as work that waits for leads."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from partnerships.kit.waiting import Waiting
from partnerships.organisations.audience import Organisations, Reach
from partnerships.organisations.models import Membership, Organisation, Role
from partnerships.organisations.owned import left_without_owner
from partnerships.organisations.waiting import Source
from partnerships.people.models import User


def _leavers(now: dt.datetime) -> Reach:
    """Former memberships, for leads: without any, nothing was left behind."""
    ended = Membership.objects.filter(accepted_at__isnull=False, ends_on__lte=timezone.localdate(now))
    return Reach(ended, (Organisations("organisation", roles=(Role.LEAD,)),))


def _left_wanted(user: User, now: dt.datetime) -> list[Waiting]:
    """One line per organisation, except for what has lines of its own."""
    bodies = Organisation.objects.of_person(user, Role.LEAD).filter(
        pk__in=_leavers(now).of(user).values("organisation")
    )
    found = []
    for body in bodies.order_by("name", "pk"):
        groups = [group for group in left_without_owner(body, timezone.localdate(now)) if not group.kind.waits_alone]
        if groups:
            left = ", ".join(f"{group.kind.label} ({len(group.things)})" for group in groups)
            found.append(
                Waiting(
                    what="Hand over what has no owner",
                    title=f"{left} of {body.display_name}",
                    path=reverse("organisations:without-owner", args=[body.pk]),
                )
            )
    return found


#: Work that waits for leads: what nobody took over.
LEFT_OVER = (Source(_left_wanted, lambda now: (_leavers(now),)),)
