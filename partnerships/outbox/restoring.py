"""Emails in the journal, so that a restore sends nothing twice."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction

from partnerships.kit import journal
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.kinds import Candidate, kind_of
from partnerships.outbox.models import DeliveredBefore, Email, EmailStatus, Lane

#: Codes in the journal: an accepted email, and changes of an address.
ACCEPTED, SUPPRESSED = "accepted", "suppressed"


class Facts(NamedTuple):
    """What the journal keeps of an accepted email.

    `told` is what its composer needs to know after a restore.
    """

    email: int
    kind: str
    person: int | None
    address: str
    params: Mapping[str, Any]
    told: Sequence[Sequence[int | str]]

    def as_json(self) -> dict[str, Any]:
        """The facts for the journal, with hashes of address and parameters."""
        return {
            "email": self.email,
            "kind": self.kind,
            "person": self.person,
            "address": journal.address_hash(self.address),
            "params": params_hash(self.params),
            "told": self.told,
        }


def params_hash(params: Mapping[str, Any]) -> str:
    """A hash of an email's parameters, to recognise it; "" if it has none."""
    if not params:
        return ""
    return hashlib.sha256(json.dumps(params, sort_keys=True, default=str).encode()).hexdigest()[:40]


def facts_of(candidate: Candidate, told_facts: Sequence[Sequence[int | str]]) -> Facts:
    """What the journal keeps of an email."""
    due = candidate.due
    return Facts(
        email=due.pk, kind=due.kind, person=due.person_id, address=candidate.address, params=due.params, told=told_facts
    )


@transaction.atomic
def redo_accepted(lines: Sequence[dict[str, Any]], now: dt.datetime) -> journal.Redone:
    """Settle emails already delivered before the restore.

    Those that the restored database lacks are remembered.
    """
    # An email in doubt may have two lines, and its number may have been used again since the restore.
    by_number = {line["email"]: line for line in lines}
    emails = Email.objects.filter(pk__in=by_number)
    was_open = {email.pk: email.is_open for email in emails if _is_same(email, by_number[email.pk])}
    settled = Email.objects.open().filter(pk__in=[pk for pk, is_open in was_open.items() if is_open])
    count = settled.update(
        status=EmailStatus.SENT, settled_at=now, reason="Accepted before the restore.", reason_code=""
    )
    unknown = [line for number, line in by_number.items() if number not in was_open and _is_remembered(line)]
    rows = [
        DeliveredBefore(
            kind=line["kind"],
            person_id=line["person"],
            params_hash=line["params"],
            email_id=line["email"],
            at=dt.datetime.fromisoformat(line["at"]),
        )
        for line in unknown
    ]
    numbers = [row.email_id for row in rows]
    already = set(DeliveredBefore.objects.filter(email_id__in=numbers).values_list("email_id", flat=True))
    fresh = [row for row in rows if row.email_id not in already]
    DeliveredBefore.objects.bulk_create(fresh, ignore_conflicts=True)
    for hooks in registered_hooks():
        hooks.delivered_before(lines=lines, now=now)
    return journal.Redone(count + len(fresh))


def _is_same(email: Email, line: dict[str, Any]) -> bool:
    return (email.kind, email.person_id, params_hash(email.params)) == (line["kind"], line["person"], line["params"])


def _is_remembered(line: dict[str, Any]) -> bool:
    """Whether sending it again would be a repeat.

    Account emails and confirmations are sent again: the link in the delivered one no longer works.
    """
    kind = kind_of(line["kind"])
    if kind is None or kind.lane != Lane.NOTICE or not line["params"]:
        return False
    return kind.keeps_its_link or not kind.is_secret


def delivered_before(candidates: Collection[Candidate]) -> set[int]:
    """Emails delivered before a restore; each remembered delivery stops one.

    Only the deliveries of these very emails are locked: another sender may have other emails to the same people now.
    """
    if not candidates or not DeliveredBefore.objects.exists():
        return set()
    keys = {
        candidate.pk: (candidate.due.kind, candidate.due.person_id, params_hash(candidate.due.params))
        for candidate in candidates
        if candidate.due.params
    }
    wanted = set(keys.values())
    known = DeliveredBefore.objects.filter(person_id__in={person for _, person, _ in wanted})
    numbers = [pk for pk, *key in known.values_list("pk", "kind", "person_id", "params_hash") if tuple(key) in wanted]
    by_email: dict[tuple[str, int | None, str], list[int]] = {}
    for row in DeliveredBefore.objects.select_for_update(skip_locked=True).filter(pk__in=numbers).order_by("pk"):
        by_email.setdefault((row.kind, row.person_id, row.params_hash), []).append(row.pk)
    delivered: set[int] = set()
    used: list[int] = []
    for pk, key in keys.items():
        if remembered := by_email.get(key):
            delivered.add(pk)
            used.append(remembered.pop())
    DeliveredBefore.objects.filter(pk__in=used).delete()
    return delivered
