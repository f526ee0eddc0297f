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
            one.pk,
            f"{one.get_direction_display()}: {one.title}",
            one.get_absolute_url(),
            Purpose.DISCUSSION,
            f"{one.organisation.display_name}, {one.status_words.lower()}"
            + (f", closes {long_date(one.closes_on)}" if one.closes_on else ""),
        )
        for one in rows
    ]
