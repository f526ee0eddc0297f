"""What asks and offers put on the agenda of a partnership's meeting."""

from __future__ import annotations

from partnerships.agreements.agenda import Purpose, Since, Suggestion
from partnerships.agreements.models import Partnership
from partnerships.exchange.models import Entry, Status
from partnerships.kit.dates import long_date
from partnerships.people.models import User


def waiting_entries(user: User, partnership: Partnership, since: Since) -> list[Suggestion]:
    """Open asks and offers of the partnership, those without an answer first."""
    rows = (
        Entry.objects.visible_to(user)
        .filter(partnership=partnership, is_open=True)
        .exclude(status=Status.DRAFT)
        .select_related("organisation")
        .order_by("answered_at", "shared_at", "pk")[:20]
    )
    return [
        Suggestion(
            "entry",
            row.pk,
            f"{row.get_direction_display()}: {row.title}",
            row.get_absolute_url(),
            Purpose.DISCUSSION,
            f"{row.organisation.display_name}, {row.status_words.lower()}"
            + (f", closes {long_date(row.closes_on)}" if row.closes_on else ""),
        )
        for row in rows
    ]
