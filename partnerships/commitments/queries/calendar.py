"""Due dates of commitments for calendars."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q
from django.utils.text import Truncator

from partnerships.activity.queries import Revision, revisions_of
from partnerships.commitments.models import Commitment, CommitmentQuerySet
from partnerships.commitments.models.choices import UNDELIVERED_STATUSES
from partnerships.kit.calendars import CalendarEntry, CalendarKind
from partnerships.organisations.models import Organisation
from partnerships.people.models import User


def due_entries(user: User, partnership: int | None) -> list[CalendarEntry]:
    """Return the due dates in a partnership.

    Without a partnership, return those of the person's own commitments and of their organisations' commitments.
    """
    commitments = Commitment.objects.followed_by(user).filter(due_on__isnull=False)
    if partnership is None:
        own_ids = list(Organisation.objects.of_person(user).values_list("pk", flat=True))
        commitments = commitments.filter(Q(owner=user) | Q(giver__in=own_ids) | Q(receiver__in=own_ids))
    else:
        commitments = commitments.filter(partnership=partnership)
    return _entries(commitments)


def due_dates_of(user: User, commitments: Collection[int]) -> list[CalendarEntry]:
    """Return the due dates of these commitments, given by id."""
    return _entries(Commitment.objects.followed_by(user).filter(due_on__isnull=False, pk__in=commitments))


def _entries(with_due_date: CommitmentQuerySet) -> list[CalendarEntry]:
    """Return the calendar entries of the due dates of these commitments."""
    commitments = list(with_due_date.select_related("giver", "partnership").order_by("pk"))
    revisions = revisions_of([commitment.pk for commitment in commitments], "commitment")
    entries = []
    for commitment in commitments:
        revision = revisions.get(commitment.pk, Revision(number=0, at=commitment.proposed_at))
        entries.append(_due_date_entry(commitment, revision))
    return entries


def _due_date_entry(commitment: Commitment, revision: Revision) -> CalendarEntry:
    """Return the calendar entry of a due date. An entry of a commitment that ended undelivered is cancelled."""
    assert commitment.due_on is not None  # the query leaves out commitments without a due date
    return CalendarEntry(
        kind=CalendarKind.DUE,
        key=f"commitment-{commitment.pk}",
        title=f"Due: {commitment.reference} {Truncator(commitment.text).chars(90)}",
        path=commitment.get_absolute_url(),
        starts=commitment.due_on,
        note=f"{commitment.giver_words}: {commitment.get_status_display().lower()}",
        within=commitment.partnership.title if commitment.partnership else "",
        partnership=commitment.partnership_id,
        changed_at=revision.at,
        sequence=revision.number,
        is_cancelled=commitment.status in UNDELIVERED_STATUSES,
    )


ENTRIES = (due_entries,)
