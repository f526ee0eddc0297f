"""Select the events about commitments that a person may see."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q

from partnerships.activity.registry import Records
from partnerships.agreements.models import Party
from partnerships.commitments.models import Commitment
from partnerships.people.models import User


def events_of_commitments(user: User, records: Records) -> Q:
    """Return a condition for events about these commitments that the person may see.

    People of a former party see the events up to the day on which the party left.
    """
    left_later = Party.objects.left_after("at", user).filter(partnership=OuterRef("within_id"))
    followed = Commitment.objects.followed_by(user).filter(pk__in=records).values("pk")
    return Q(target_id__in=followed) | Q(Exists(left_later), within_kind="partnership")
