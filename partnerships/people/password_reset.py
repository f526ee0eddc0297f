"""Password resets by email.

The page only records the address, which the composer of the email looks up. So neither the page nor the time that it
takes reveals whether an address has an account.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction

from partnerships.outbox.content import Content, build_message, ids_to_repeat, link
from partnerships.outbox.kinds import Batch, Candidate, Composer, DueEmail
from partnerships.outbox.services import record_email
from partnerships.people.composing import PersonCandidate
from partnerships.people.models import User
from partnerships.people.services import find_person

RESET_KIND = "people.password_reset"


@transaction.atomic
def ask_for_password_reset(*, address: str, now: dt.datetime) -> None:
    """Record a request for an email to this address. The address is deleted once the email is settled."""
    record_email(kind=RESET_KIND, secrets={"address": address}, now=now)


class PasswordResetComposer(Composer):
    """Composes password resets, only for addresses with an account."""

    def candidates(self, due: Sequence[DueEmail], *, now: dt.datetime) -> list[Candidate]:
        """Return the requests with their people. Requests for an address without an open account are refused."""
        return [self._candidate(request) for request in due]

    def _candidate(self, due: DueEmail) -> Candidate:
        # Stakeholders have no password to reset.
        person = find_person(due.secrets["address"])
        if person is None or person.is_stakeholder or not person.is_active:
            return Candidate(due, "", refusal="No account has the address that was entered.")
        return PersonCandidate(due, person.email, person.get_full_name(), refusal="", person=person)

    def compose(self, candidates: Sequence[Candidate], batch: Batch, *, now: dt.datetime) -> None:
        """Write each email with a link that works once. Repeat the earlier text if it may have been sent before."""
        repeatable_ids = ids_to_repeat(candidates)
        for candidate in candidates:
            if not isinstance(candidate, PersonCandidate):
                continue
            if candidate.pk in repeatable_ids:
                batch.again.append(candidate)
                continue
            batch.messages[candidate.pk] = build_message(
                _content(candidate.person).render(),
                name=candidate.name,
                address=candidate.address,
                message_id=candidate.due.message_id,
                is_secret=True,
                now=now,
            )


def _content(person: User) -> Content:
    token = default_token_generator.make_token(person)
    uid = user_pk_to_url_str(person)
    href = link("account_reset_password_from_key", uidb36=uid, key=token)
    return Content("people/password_reset", {"person": person, "link": href})
