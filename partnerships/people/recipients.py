"""Says on a page who will get an email about what was just done."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from partnerships.outbox.content import WE_WILL_EMAIL, WILL_BE_SENT, will_be_emailed
from partnerships.outbox.groups import FOR_CONSENT
from partnerships.outbox.kinds import kind_of
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import noting_emails
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Recipients:
    """The emails recorded within a block."""

    emails: list[Email]

    def sentence(self, *, besides: Collection[int | None] = ()) -> str:
        """Sentences with the recipients, except some people (ids); empty without any.

        Begins with a space: ` An email will be sent to Ben West.` Who is asked to confirm is not named: whose address
        was typed is nobody's business before they do.
        """
        return self._sentence(WE_WILL_EMAIL, besides, of_accounts=True) + self._sentence(
            WILL_BE_SENT, besides, of_accounts=False
        )

    def _sentence(self, words: str, besides: Collection[int | None], *, of_accounts: bool) -> str:
        ids = {
            email.person_id
            for email in self.emails
            if email.person_id is not None and email.person_id not in besides
            if (email.lane == Lane.ACCOUNT) == of_accounts and not _asks_to_confirm(email)
        }
        people = User.objects.filter(pk__in=ids).order_by("name", "pk") if ids else ()
        return will_be_emailed([person.display_name for person in people], words=words)


def _asks_to_confirm(email: Email) -> bool:
    kind = kind_of(email.kind)
    return kind is not None and kind.always == FOR_CONSENT


@contextmanager
def collect_recipients() -> Iterator[Recipients]:
    """Collects the emails that services record within the block."""
    with noting_emails() as emails:
        yield Recipients(emails)
