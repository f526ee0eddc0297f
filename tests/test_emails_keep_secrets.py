"""No email quotes anything but what is listed here.

For each kind of email, every text column of every room gets a word of its own. A new column is private until somebody
lists it.
"""

from __future__ import annotations

from collections import defaultdict

import pytest
from django.core import mail
from django.db import transaction

from partnerships.exchange.models import Entry
from tests.support.canaries import columns, fill, words_in
from tests.support.outbox import deliver, drop_emails, recorded
from tests.telling import answers, lower_rooms, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import World

__all__ = ["answers", "lower_rooms", "terms", "upper_rooms"]  # they fill the table

#: What emails may quote, to people who may read the record. Everything else that people write stays out of them.
SHOWN = frozenset(
    {
        # What records, people and organisations are called.
        "agreements.Holder.name",
        "agreements.Partnership.title",
        "agreements.Post.title",
        "commitments.Commitment.text",
        "conversations.AgendaItem.title",
        "conversations.Conversation.subject",
        "conversations.Meeting.place",
        "conversations.Meeting.title",
        "exchange.Entry.title",
        "organisations.Organisation.name",
        "organisations.Organisation.short_name",
        "people.User.name",
        "plans.AccessRequest.about",
        "plans.Plan.title",
        "plans.Signatory.role",
        # What one person wrote for the readers of the email.
        "agreements.Notice.reason",
        "agreements.Notice.withdrawn_because",
        "agreements.Partnership.purpose",
        "agreements.Party.reason",
        "agreements.TermsProposal.outcome",
        "agreements.TermsProposal.reason",
        "agreements.TermsSignature.name",
        "agreements.TermsSignature.reason",
        "agreements.TermsSignature.role",
        "agreements.TermsVersion.note",
        "answers.Answer.reason",
        "organisations.AccessRequest.message",
        "organisations.AccessRequest.name",
        "organisations.AccessRequest.organisation_name",
        "conversations.Meeting.note",
        "conversations.Meeting.reason",
        "people.Invitation.message",
        "organisations.AccessRequest.reason",
        "plans.AccessRequest.message",
        "plans.OwnershipOffer.message",
        "plans.OwnershipOffer.reason",
        "plans.Share.message",
        # A view that the reader follows.
        "lists.SavedView.name",
    }
)


def columns_in_emails(world: World, name: str) -> dict[str, set[str]]:
    """The columns that the emails of a service quote, by address."""
    labels = {column.word: column.label for column in columns()}
    found: dict[str, set[str]] = defaultdict(set)
    with transaction.atomic():
        act = CASES[name].prepare(world)
        drop_emails()
        mail.outbox.clear()
        act()
        fill(columns())
        for one in deliver():
            whole = f"{one.message().as_string()} {one.subject} {one.body} {one.alternatives}"
            found[one.to[0]] |= {labels[word] for word in words_in(whole)}
        reasons = [(one.kind, one.reason) for one in recorded() if one.status != "sent"]
        assert found, reasons
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("name", [name for name, one in CASES.items() if one.told])
def test_emails_quote_only_what_is_listed(world: World, name: str) -> None:
    quoted = columns_in_emails(world, name)

    for address, labels in quoted.items():
        assert labels <= SHOWN, (address, sorted(labels - SHOWN))


def test_a_quoted_private_note_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Entry, "amount", property(lambda entry: entry.private_note))

    quoted = columns_in_emails(world, "entry_shared_with_those_asked")

    assert any("exchange.Entry.private_note" in labels for labels in quoted.values())
