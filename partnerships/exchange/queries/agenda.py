"""What asks and offers put on the agenda of a partnership's meeting."""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.agreements.agenda import Purpose, Since, Suggestion, first_of_each
from partnerships.agreements.models import Partnership
from partnerships.exchange.models import Entry, Status
from partnerships.kit.dates import long_date
from partnerships.people.models import User


def waiting_entries(user: User, partnerships: Sequence[Partnership], since: Since) -> list[Suggestion]:
    """Open asks and offers of the partnerships, those without an answer first."""
    rows = (
        Entry.objects.visible_to(user)
        .filter(partnership__in=partnerships, is_open=True)
        .exclude(status=Status.DRAFT)
        .select_related("organisation")
    )
    return [
        Suggestion(
            partnership=row.partnership_id,
            subject_kind="entry",
            subject_id=row.pk,
            title=f"{row.get_direction_display()}: {row.title}",
            path=row.get_absolute_url(),
            purpose=Purpose.DISCUSSION,
            detail=f"{row.organisation.display_name}, {row.status_words.lower()}"
            + (f", closes {long_date(row.closes_on)}" if row.closes_on else ""),
        )
        for row in first_of_each(rows, "answered_at", "shared_at", "pk")
    ]
