"""Find the commitments that serve an objective of their partnership."""

from __future__ import annotations

from collections.abc import Collection

from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.serving import Provider, ServingRecord
from partnerships.commitments.models import FINAL_STATUSES, Commitment
from partnerships.commitments.queries.listings import sorted_by_due_date
from partnerships.people.models import User

#: The most commitments that a form offers.
MAX_CHOICES = 200
#: The longest text of a commitment in a list, in characters.
MAX_TITLE = 80


def _title(commitment: Commitment) -> str:
    """Return the reference and the text of a commitment, shortened for a list."""
    text = commitment.text
    if len(text) > MAX_TITLE:
        text = f"{text[:MAX_TITLE].rstrip()} …"
    return f"{commitment.reference}: {text}"


def _choices(user: User, partnership: Partnership) -> list[tuple[str, str]]:
    """Return the unfinished commitments of the partnership that the person may see, as choices of a form."""
    commitments = Commitment.objects.visible_to(user).filter(partnership=partnership)
    unfinished_commitments = sorted_by_due_date(commitments.exclude(status__in=FINAL_STATUSES))
    return [(str(commitment.pk), _title(commitment)) for commitment in unfinished_commitments[:MAX_CHOICES]]


def _records_by_key(user: User, keys: Collection[str]) -> dict[str, ServingRecord]:
    """Return the commitments with these ids that the person may see, by id."""
    today = timezone.localdate()
    ids = [int(key) for key in keys if key.isdecimal()]
    record_by_key: dict[str, ServingRecord] = {}
    for commitment in Commitment.objects.visible_to(user).filter(pk__in=ids):
        record_by_key[str(commitment.pk)] = ServingRecord(
            title=_title(commitment),
            path=commitment.get_absolute_url(),
            summary=commitment.get_status_display().lower(),
            is_overdue=commitment.is_overdue(today),
        )
    return record_by_key


SERVING = Provider(
    code="commitment", label="commitment", plural_label="Commitments", choices=_choices, read=_records_by_key
)
