"""Who gets a letter when a commitment comes to its next step: those whose word is asked for, and who wait for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from partnerships.commitments import emails, queries
from partnerships.commitments.models import Commitment
from partnerships.commitments.rights import waits_for
from partnerships.kit.letters import told_by_letter
from partnerships.organisations.queries import leads_with_account
from partnerships.people.models import User


class Letter(Protocol):
    """One of this room's letters about a commitment."""

    def __call__(self, *, commitment: Commitment, person: User, author: User) -> bool: ...


def tell_of_terms(commitment: Commitment, author: User) -> str:
    """Ask the leads whose confirmation it waits for. Returns words about who got a letter."""
    return _send(emails.send_proposed, leads_with_account(waits_for(commitment)), commitment, author)


def tell_of_confirmation(commitment: Commitment, author: User) -> str:
    """Tell those concerned that it is agreed; nobody while the other side has still to confirm, for it was asked."""
    if commitment.is_proposed:
        return ""
    return _send(emails.send_agreed, queries.concerned_with(commitment), commitment, author)


def tell_of_delivery(commitment: Commitment, author: User) -> str:
    """Ask the receiver's leads to verify what is reported done."""
    if not commitment.is_done:
        return ""
    return _send(emails.send_done, leads_with_account(waits_for(commitment)), commitment, author)


def tell_of_answer(commitment: Commitment, author: User) -> str:
    """Tell those concerned whether the receiver verified it."""
    return _send(emails.send_answered, queries.concerned_with(commitment), commitment, author)


def tell_of_end(commitment: Commitment, author: User) -> str:
    """Tell those concerned that it was declined, withdrawn or cancelled."""
    return _send(emails.send_ended, queries.concerned_with(commitment), commitment, author)


def _send(letter: Letter, people: Iterable[User], commitment: Commitment, author: User) -> str:
    """Write to each of them but the author; ` Ben West got a letter.`, or nothing where nobody did."""
    told = [
        person.display_name
        for person in people
        if person.pk != author.pk and letter(commitment=commitment, person=person, author=author)
    ]
    return told_by_letter(told)
