"""Calendar entries for the due dates of commitments."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from partnerships.activity.queries import Revision, revisions_of
from partnerships.commitments.models import Commitment, CommitmentQuerySet
from partnerships.commitments.models.choices import UNDELIVERED_STATUSES
from partnerships.kit.calendars import CalendarEntry, CalendarKind, CalendarSource
from partnerships.kit.text import shorten
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import Membership
from partnerships.people.models import User


def _commitments(user: User, partnership_ids: list[int]) -> CommitmentQuerySet:
    """Return the commitments of these partnerships that have a due date.

    Without partnerships, return the person's own commitments and those of their organisations.
    """
    commitments = _with_due_date(user)
    if partnership_ids:
        return commitments.filter(partnership__in=partnership_ids)
    own_ids = Membership.objects.organisations_of(user)
    return commitments.filter(Q(owner=user) | id_is_among("giver", own_ids) | id_is_among("receiver", own_ids))


def due_dates_of(user: User, commitment_ids: Collection[int]) -> list[CalendarEntry]:
    """Return the due dates of these commitments, given by id."""
    return _entries(list(_with_due_date(user).filter(pk__in=commitment_ids)))


def _with_due_date(user: User) -> CommitmentQuerySet:
    """Return the commitments with a due date that the person may follow."""
    commitments = Commitment.objects.followed_by(user).filter(due_on__isnull=False)
    return commitments.select_related("giver", "partnership").order_by("pk")


def _entries(commitments: list[Commitment]) -> list[CalendarEntry]:
    """Return the calendar entries of the due dates of these commitments."""
    revisions = revisions_of([commitment.pk for commitment in commitments], "commitment")
    entries = []
    for commitment in commitments:
        revision = revisions.get(commitment.pk, Revision(number=0, at=commitment.proposed_at))
        entries.append(_due_date_entry(commitment, revision))
    return entries


def _due_date_entry(commitment: Commitment, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of a due date. It is cancelled if the commitment has ended without a delivery."""
    assert commitment.due_on is not None  # the query leaves out commitments without a due date
    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"commitment-{commitment.pk}",
        title=f"Due: {commitment.reference} {shorten(commitment.text, 90)}",
        path=commitment.get_absolute_url(),
        starts=commitment.due_on,
        note=f"{commitment.giver_words}: {commitment.get_status_display().lower()}",
        within=commitment.partnership.title if commitment.partnership else "",
        partnership=commitment.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=commitment.status in UNDELIVERED_STATUSES,
    )


SOURCES = (CalendarSource(_commitments, _entries),)
