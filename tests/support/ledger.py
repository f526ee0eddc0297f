"""Change stored emails in tests in ways that the database refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from partnerships.outbox.models import Email


@contextmanager
def without_guard() -> Iterator[None]:
    """Let the tables' owner change any column of any email within the block."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE outbox_email DISABLE TRIGGER USER")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_email ENABLE TRIGGER USER; SET CONSTRAINTS ALL DEFERRED")


def rewrite(pk: int | None = None, **values: Any) -> None:
    """Set values of all emails, or of one email."""
    with without_guard():
        emails = Email.objects.all() if pk is None else Email.objects.filter(pk=pk)
        emails.update(**values)
