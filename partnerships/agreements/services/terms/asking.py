"""Ask parties to sign a version of the terms, renew their links, and stop asking."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Sequence

from django.utils import timezone

from partnerships.agreements.models import JOINING_SIGNING_PERIOD, TermsSignatory, TermsVersion
from partnerships.agreements.queries.signers import signers_of
from partnerships.kit import journal
from partnerships.kit.link_keys import end_links, next_key
from partnerships.organisations.models import Organisation
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def ask_to_sign(
    version: TermsVersion,
    organisation_id: int,
    *,
    author: User | None,
    sender: Organisation | None,
    now: dt.datetime,
    joins: bool = False,
    questions: Sequence[str] = (),
) -> TermsSignatory:
    """Ask a party to sign a version, and email a link to each person who may sign.

    `joins` means that the party joined while the version was in force. It then has `JOINING_SIGNING_PERIOD` to sign,
    whatever the deadline of the proposal was. Lock the partnership first.
    """
    deadline = version.proposal.sign_by if version.proposal else None
    if joins:
        deadline = timezone.localdate(now) + JOINING_SIGNING_PERIOD
    values = {
        "role": "Signatory",
        "joins": joins,
        "questions": list(questions),
        "due_on": deadline,
        "asked_by": author,
        "asked_at": now,
        "reminded_at": None,
        "removed_at": None,
        "escalated_at": None,
    }

    # A party that was asked before gets a new link, and its earlier links stop working.
    signatory, is_new = TermsSignatory.objects.update_or_create(
        version=version,
        organisation_id=organisation_id,
        create_defaults=values | {"link_key": secrets.token_hex(16)},
        defaults=values,
    )
    if not is_new:
        renew_link(signatory, now=now)
    send_request(signatory, version, sender=sender, now=now)
    return signatory


def send_request(
    signatory: TermsSignatory,
    version: TermsVersion,
    *,
    sender: Organisation | None,
    now: dt.datetime,
    reminder: bool = False,
    only_ids: list[int] | None = None,
) -> None:
    """Email a personal link to the people who may sign for the party, or only to those with `only_ids`."""
    today = timezone.localdate(now)
    signer_ids = [signer.pk for signer in signers_of(signatory.organisation_id, version.partnership_id, today)]
    recipient_ids = signer_ids if only_ids is None else [pk for pk in signer_ids if pk in only_ids]
    # Store everybody who may sign now. `ask_new_signers` later finds the people who are not among them.
    signatory.asked_people = sorted(signer_ids)
    signatory.save(update_fields=["asked_people"])

    last_asked_at = signatory.reminded_at or signatory.asked_at
    record_emails(
        kind="agreements.terms_request",
        people=recipient_ids,
        params={
            "signatory": signatory.pk,
            "key": signatory.link_key[:8],
            "reminder": reminder,
            "owed_since": last_asked_at.isoformat() if reminder else "",
        },
        sender_id=sender.pk if sender else None,
        now=now,
    )


#: Name of the lines in the journal which record that a party is no longer asked to sign.
SIGNATORY = "terms signatory"
#: Name of the lines in the journal which record that a party's links to sign were renewed.
LINKS = "links to sign terms"


def signatory_identity(signatory: TermsSignatory) -> str:
    """Return the hash by which the journal recognises a request to sign."""
    version, organisation = signatory.version, signatory.organisation
    return journal.identity(
        version.partnership_id, version.number, version.published_at, organisation.pk, organisation.created_at
    )


def stop_asking(signatory: TermsSignatory, *, now: dt.datetime) -> None:
    """Stop asking a party to sign, and make its links stop working. Lock the partnership first."""
    signatory.removed_at = now
    signatory.link_key = next_key(signatory.link_key)
    signatory.save(update_fields=["removed_at", "link_key"])
    journal.note(SIGNATORY, now=now, signatory=signatory.pk, same=signatory_identity(signatory))


def stop_asking_all(version: TermsVersion, *, now: dt.datetime) -> None:
    """Stop asking the parties to sign a version. Lock the partnership first."""
    for signatory in version.signatories.filter(removed_at=None).select_related("organisation"):
        signatory.version = version
        stop_asking(signatory, now=now)


def renew_link(signatory: TermsSignatory, *, now: dt.datetime) -> None:
    """Make the links that a party's signers have received stop working. Lock the partnership first."""
    end_links(signatory, line=LINKS, same=signatory_identity(signatory), now=now)
