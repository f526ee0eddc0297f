"""The migration adds the right codes for the reasons of emails and of suppressed addresses."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import InternalError, connection, transaction
from django.utils import timezone

from partnerships.outbox.models import Email, Suppression
from partnerships.outbox.queries.queue import queue_figures
from tests.support.migrating import migrated_back

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

#: The last migration before reasons had codes.
WITHOUT_CODES = [("outbox", "0003_index_what_pages_ask_for")]
#: For each email: its status, its reason, and the code that the migration adds.
EMAILS = (
    ("queued", "It could not be written: KeyError (news.py, line 7)", "not_composed"),
    ("failed", "It could not be written: there is no kind room.gone.", "not_composed"),
    ("failed", "It may have arrived: the mail server did not say, 3 times.", "may_have_arrived"),
    ("failed", "550 5.7.1 Not today", ""),
    ("sent", "", ""),
)
#: For each suppressed address: its reason, and the code that the migration adds.
SUPPRESSIONS = (
    ("The mail server refused the address: 550 5.1.1", "refused"),
    ("They marked our mail as unwanted: abuse", "complaint"),
    ("Mail came back for good: 5.1.1", "bounced"),
    ("Mail came back 5 times in 30 days; the last time: full", "bounced_often"),
    ("As it was before a backup was restored.", "other"),
)


def insert(statement: str, values: list[Any]) -> int:
    """Insert one row by SQL, and return its id."""
    with connection.cursor() as cursor:
        cursor.execute(f"{statement} RETURNING id", values)
        return int(cursor.fetchone()[0])


def test_reasons_get_codes_and_settled_emails_stay_unchanged() -> None:
    now = timezone.now()
    with migrated_back(WITHOUT_CODES):
        email_ids = [
            insert(
                "INSERT INTO outbox_email (lane, kind, status, reason, available_at, created_at, settled_at)"
                " VALUES (1, 'tests.old', %s, %s, %s, %s, %s)",
                [status, reason, now, now, None if status == "queued" else now],
            )
            for status, reason, _ in EMAILS
        ]
        suppression_ids = [
            insert(
                "INSERT INTO outbox_suppression (address, reason, since) VALUES (%s, %s, %s)",
                [f"somebody{number}@elsewhere.example", reason, now],
            )
            for number, (reason, _) in enumerate(SUPPRESSIONS)
        ]
        history_count = Suppression.pgh_event_model.objects.count()

    assert [Email.objects.get(pk=pk).reason_code for pk in email_ids] == [code for *_, code in EMAILS]
    assert [Suppression.objects.get(pk=pk).cause for pk in suppression_ids] == [cause for _, cause in SUPPRESSIONS]
    assert Suppression.pgh_event_model.objects.count() == history_count
    assert queue_figures()["not_composed"] == 2
    with pytest.raises(InternalError, match="The ledger stands"), transaction.atomic():
        Email.objects.filter(pk=email_ids[3]).update(reason_code="not_composed")
