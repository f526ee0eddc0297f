"""Tell a person after an action who will be emailed about it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from partnerships.outbox.content import WE_WILL_EMAIL, WILL_BE_SENT, email_notice_sentence
from partnerships.outbox.groups import FOR_CONSENT
from partnerships.outbox.kinds import email_kind_with_code
from partnerships.outbox.models import Email, Lane
from partnerships.outbox.services import collecting_emails
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class RecordedEmails:
    """The emails that services recorded within a block."""

    emails: list[Email]

    def sentence(self, *, besides: Collection[int | None] = ()) -> str:
        """Return sentences that name the recipients: “ An email will be sent to Ben West.”

        The text begins with a space, and is "" without recipients. People with the ids in `besides` are left out.
        People who are asked to confirm their address are left out, too, because nobody may learn who owns an address
        before.
        """
        return self._sentence(WE_WILL_EMAIL, besides, about_account=True) + self._sentence(
            WILL_BE_SENT, besides, about_account=False
        )

    def _sentence(self, words: str, besides: Collection[int | None], *, about_account: bool) -> str:
        """Return a sentence that names the recipients of account emails or of other emails; "" if there are none."""
        person_ids = {
            email.person_id
            for email in self.emails
            if email.person_id is not None
            and email.person_id not in besides
            and (email.lane == Lane.ACCOUNT) == about_account
            and not _asks_to_confirm(email)
        }
        people = User.objects.filter(pk__in=person_ids).order_by("name", "pk") if person_ids else ()
        return email_notice_sentence([person.display_name for person in people], words=words)


def _asks_to_confirm(email: Email) -> bool:
    """Return True if the email asks a stakeholder to confirm that they want digests."""
    kind = email_kind_with_code(email.kind)
    return kind is not None and kind.always == FOR_CONSENT


@contextmanager
def collect_recipients() -> Iterator[RecordedEmails]:
    """Collect the emails that services record within the `with` block.

    Call `sentence()` of the result after the block, when all emails have been recorded.
    """
    with collecting_emails() as emails:
        yield RecordedEmails(emails)
