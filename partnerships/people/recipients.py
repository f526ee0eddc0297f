"""Says on a page who will get an email about what was just done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from partnerships.outbox.content import will_be_emailed
from partnerships.outbox.models import Email
from partnerships.outbox.services import noting_emails
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Recipients:
    """The emails recorded within a block."""

    emails: list[Email]

    def sentence(self) -> str:
        """A sentence with the recipients; empty without any.

        Begins with a space: ` An email will be sent to Ben West.`
        """
        ids = {email.person_id for email in self.emails if email.person_id is not None}
        people = User.objects.filter(pk__in=ids).order_by("name", "pk") if ids else ()
        return will_be_emailed([person.display_name for person in people])


@contextmanager
def collect_recipients() -> Iterator[Recipients]:
    """Collects the emails that services record within the block."""
    with noting_emails() as emails:
        yield Recipients(emails)
