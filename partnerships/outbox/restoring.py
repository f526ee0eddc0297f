"""Prevents emails from being sent twice after a backup is restored.

For example, a reminder was sent an hour after the backup. The journal has a line about it, because a mail server
accepted it. When the scheduled job records the same reminder again, it is dropped.

An email is identified by its kind, its recipient and a hash of its parameters. Two sorts of email need more:

* The parameters may differ after the restore, such as the id of a report that is frozen again. `params["slot"]` then
  has the values that do not change, and is used instead of the parameters.
* The same facts may be in a different email, such as several dates in one reminder. The function
  `EmailKind.reported_facts` then returns these facts, and each fact is identified separately.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from django.db import transaction

from partnerships.kit import journal
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.kinds import Batch, Candidate, email_kind_with_code
from partnerships.outbox.models import DeliveredBefore, Email, EmailStatus, Lane

#: The kinds of journal line about accepted emails, and about suppressed and released addresses.
ACCEPTED, SUPPRESSED = "accepted", "suppressed"

#: The values that identify a delivery: kind, person and hash.
_Key: TypeAlias = tuple[str, int | None, str]


class JournalFacts(NamedTuple):
    """What the journal stores about an accepted email.

    `told` has what the composer must remember after a restore, such as the news in a digest. `notices` are the notices
    in a summary, each with the hashes that identify it.
    """

    email_id: int
    kind: str
    person_id: int | None
    address: str
    params: Mapping[str, Any]
    told: Sequence[Sequence[int | str]]
    notices: Sequence[Sequence[int | str]] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the line of the journal, with hashes instead of the address, the parameters and the reported facts."""
        reported = facts_reported(self.kind, self.params)
        facts = {
            "email": self.email_id,
            "kind": self.kind,
            "person": self.person_id,
            "address": journal.address_hash(self.address),
            "params": params_hash(self.params),
            "told": self.told,
        }
        # Versions before 1 December 2026 do not know these keys and ignore them, so they can still apply the line.
        if reported:
            facts["things"] = [fact_hash(fact) for fact in reported]
        if self.notices:
            facts["notices"] = self.notices
        return facts


def params_hash(params: Mapping[str, Any]) -> str:
    """Return a hash of an email's slot or, without one, of its parameters. It is "" without parameters."""
    if not params:
        return ""
    return fact_hash(params.get("slot", params))


def facts_reported(kind: str, params: Mapping[str, Any]) -> list[Any]:
    """Return the facts that an email of this kind reports, or no facts if the email is identified as a whole."""
    email_kind = email_kind_with_code(kind)
    if email_kind is None or email_kind.reported_facts is None:
        return []
    return list(email_kind.reported_facts(params))


def email_hashes(kind: str, params: Mapping[str, Any]) -> list[str]:
    """Return the hashes that identify an email after a restore."""
    return [fact_hash(fact) for fact in facts_reported(kind, params)] or [params_hash(params)]


def fact_hash(fact: Any) -> str:
    """Return a hash of one fact in an email, which consists of JSON values."""
    return hashlib.sha256(json.dumps(fact, sort_keys=True, default=str).encode()).hexdigest()[:40]


def journal_facts(candidate: Candidate, batch: Batch) -> JournalFacts:
    """Return the facts that the journal records about an email of this batch."""
    due = candidate.due
    return JournalFacts(
        email_id=due.pk,
        kind=due.kind,
        person_id=due.person_id,
        address=candidate.address,
        params=due.params,
        told=batch.told.get(due.pk, ()),
        notices=batch.notices.get(due.pk, ()),
    )


@transaction.atomic
def redo_accepted(lines: Sequence[dict[str, Any]], now: dt.datetime) -> journal.RedoResult:
    """Settle the emails that were delivered after the backup, and remember those that the database does not have.

    May run twice, with the same result.
    """
    # An email in doubt may have two lines, and its id may have been used again since the restore.
    line_by_id = {line["email"]: line for line in lines}
    emails = Email.objects.filter(pk__in=line_by_id)
    is_open_by_id = {email.pk: email.is_open for email in emails if _is_same(email, line_by_id[email.pk])}
    open_ids = [pk for pk, is_open in is_open_by_id.items() if is_open]
    settled_count = (
        Email.objects.unsettled()
        .filter(pk__in=open_ids)
        .update(status=EmailStatus.SENT, settled_at=now, reason="Accepted before the restore.", reason_code="")
    )

    lines_of_missing = [
        line for pk, line in line_by_id.items() if pk not in is_open_by_id and _must_not_be_repeated(line)
    ]
    remembered_count = remember_deliveries(
        [
            DeliveredEmail(line["kind"], line["person"], identifying_hash, line["email"], journal.moment(line))
            for line in lines_of_missing
            for identifying_hash in line.get("things") or [line["params"]]
        ]
    )
    for hooks in registered_hooks():
        hooks.delivered_before(lines=lines, now=now)
    return journal.RedoResult(settled_count + remembered_count)


def _is_same(email: Email, line: dict[str, Any]) -> bool:
    """Return True if the line is about this email, and not about another email that had the same id."""
    return (email.kind, email.person_id, params_hash(email.params)) == (line["kind"], line["person"], line["params"])


def _must_not_be_repeated(line: dict[str, Any]) -> bool:
    """Return True if sending the email of this line again would only repeat it.

    Account emails and confirmations are sent again, because the link in the delivered one no longer works.
    """
    kind = email_kind_with_code(line["kind"])
    if kind is None or kind.lane != Lane.NOTICE or not line["params"]:
        return False
    return kind.keeps_its_link or not kind.is_secret


class DeliveredEmail(NamedTuple):
    """An email that was delivered before a restore, with one hash that identifies it."""

    kind: str
    person_id: int | None
    params_hash: str
    email_id: int
    at: dt.datetime


def remember_deliveries(delivered: Sequence[DeliveredEmail]) -> int:
    """Remember emails that were delivered before a restore, and return how many are new. May run twice."""
    existing_rows = DeliveredBefore.objects.filter(email_id__in={item.email_id for item in delivered})
    existing_keys = set(existing_rows.values_list("email_id", "kind", "params_hash"))
    new_items = [item for item in delivered if (item.email_id, item.kind, item.params_hash) not in existing_keys]
    DeliveredBefore.objects.bulk_create(
        [
            DeliveredBefore(
                kind=item.kind,
                person_id=item.person_id,
                params_hash=item.params_hash,
                email_id=item.email_id,
                at=item.at,
            )
            for item in new_items
        ],
        ignore_conflicts=True,
    )
    return len({item.email_id for item in new_items})


def ids_delivered_before(candidates: Collection[Candidate]) -> set[int]:
    """Return the ids of emails that were delivered before a restore, and forget these deliveries.

    Each remembered delivery stops one email.
    """
    if not candidates or not DeliveredBefore.objects.exists():
        return set()
    key_by_id = {
        candidate.pk: (candidate.due.kind, candidate.due.person_id, params_hash(candidate.due.params))
        for candidate in candidates
        if candidate.due.params
    }
    return _use_up_deliveries(key_by_id)


def unreported_facts(*, kind: str, person_id: int, facts: Sequence[Any]) -> list[Any]:
    """Return the facts that no email reported to the person before a restore.

    Each remembered fact is left out once, and then forgotten. Call this in the transaction that records the email.
    """
    if not facts or not DeliveredBefore.objects.exists():
        return list(facts)
    reported_indexes = _use_up_deliveries(
        {index: (kind, person_id, fact_hash(fact)) for index, fact in enumerate(facts)}
    )
    return [fact for index, fact in enumerate(facts) if index not in reported_indexes]


def indexes_in_summaries(notices: Sequence[tuple[str, int, Mapping[str, Any]]]) -> set[int]:
    """Return the indexes of the notices that a summary contained before a restore.

    Each notice is a tuple of its kind, person and parameters. It is returned only once, and then forgotten.
    """
    if not notices or not DeliveredBefore.objects.exists():
        return set()
    return _use_up_deliveries(
        {
            index: (kind, person_id, params_hash(params))
            for index, (kind, person_id, params) in enumerate(notices)
            if params
        }
    )


def _use_up_deliveries(key_by_index: Mapping[int, _Key]) -> set[int]:
    """Forget one remembered delivery for each of these keys, and return the indexes of the keys that had one.

    Only matching deliveries are locked, because another sender may have other emails to the same people at the same
    time.
    """
    keys = set(key_by_index.values())
    deliveries = DeliveredBefore.objects.filter(person_id__in={person_id for _kind, person_id, _hash in keys})
    matching_ids = [
        pk
        for pk, kind, person_id, params_hash in deliveries.values_list("pk", "kind", "person_id", "params_hash")
        if (kind, person_id, params_hash) in keys
    ]
    locked_deliveries = DeliveredBefore.objects.select_for_update(skip_locked=True).filter(pk__in=matching_ids)
    delivery_ids_by_key: dict[_Key, list[int]] = {}
    for delivery in locked_deliveries.order_by("pk"):
        key = (delivery.kind, delivery.person_id, delivery.params_hash)
        delivery_ids_by_key.setdefault(key, []).append(delivery.pk)

    used_indexes: set[int] = set()
    used_ids: list[int] = []
    for index, key in key_by_index.items():
        delivery_ids = delivery_ids_by_key.get(key)
        if delivery_ids:
            used_indexes.add(index)
            used_ids.append(delivery_ids.pop())
    DeliveredBefore.objects.filter(pk__in=used_ids).delete()
    return used_indexes
