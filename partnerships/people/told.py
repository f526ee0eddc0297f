"""Words on a page about who will get an email because of what was just done there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from partnerships.outbox.content import told_by_email
from partnerships.outbox.models import Email
from partnerships.outbox.services import noting_emails
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Told:
    """The emails recorded within a block."""

    emails: list[Email]

    def words(self) -> str:
        """` An email will be sent to Ben West.`, or nothing where nobody gets one."""
        ids = {email.person_id for email in self.emails if email.person_id is not None}
        people = User.objects.filter(pk__in=ids).order_by("name", "pk") if ids else ()
        return told_by_email([person.display_name for person in people])


@contextmanager
def noting_told() -> Iterator[Told]:
    """Note who will get an email because of what services do within the block."""
    with noting_emails() as emails:
        yield Told(emails)
