"""Keeps emails from being sent twice after a backup is restored, by what the journal says about accepted ones.

An email is recognised by its kind, its recipient and a hash of its parameters. Two kinds of email need more, because
jobs by the clock write them again after a restore:

* The parameters may differ, such as the id of a report that is frozen again. Then `params["slot"]` has what stays the
  same, and is used in place of the parameters.
* The same things may be in a different email. Then the kind names them (`EmailKind.things`), and each thing is
  recognised by itself.
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
from partnerships.outbox.kinds import Batch, Candidate, kind_of
from partnerships.outbox.models import DeliveredBefore, Email, EmailStatus, Lane

#: The kinds of journal line about accepted emails, and about suppressed and released addresses.
ACCEPTED, SUPPRESSED = "accepted", "suppressed"

#: By what a delivery is recognised: kind, person and hash.
_Key: TypeAlias = tuple[str, int | None, str]


class Facts(NamedTuple):
    """An accepted email in the journal.

    `told` is what its composer needs to know after a restore. `notices` are the notices in a summary, each with the
    hashes by which it is recognised.
    """

    email: int
    kind: str
    person: int | None
    address: str
    params: Mapping[str, Any]
    told: Sequence[Sequence[int | str]]
    notices: Sequence[Sequence[int | str]] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the line of the journal, with hashes in place of the address, the parameters and the things."""
        things = things_of(self.kind, self.params)
        facts = {
            "email": self.email,
            "kind": self.kind,
            "person": self.person,
            "address": journal.address_hash(self.address),
            "params": params_hash(self.params),
            "told": self.told,
        }
        # Versions before 1 December 2026 do not know these keys and ignore them, so they can still apply the line.
        if things:
            facts["things"] = [thing_hash(thing) for thing in things]
        if self.notices:
            facts["notices"] = self.notices
        return facts


def params_hash(params: Mapping[str, Any]) -> str:
    """Return a hash of an email's slot, or else of its parameters; "" if it has no parameters."""
    if not params:
        return ""
    return thing_hash(params.get("slot", params))


def things_of(kind: str, params: Mapping[str, Any]) -> list[Any]:
    """Return the pieces of news in an email of this kind; empty if the email is recognised as a whole."""
    email_kind = kind_of(kind)
    if email_kind is None or email_kind.things is None:
        return []
    return list(email_kind.things(params))


def hashes_of(kind: str, params: Mapping[str, Any]) -> list[str]:
    """Return the hashes by which an email is recognised after a restore."""
    return [thing_hash(thing) for thing in things_of(kind, params)] or [params_hash(params)]


def thing_hash(thing: Any) -> str:
    """Return a hash of one piece of news (JSON values)."""
    return hashlib.sha256(json.dumps(thing, sort_keys=True, default=str).encode()).hexdigest()[:40]


def facts_of(candidate: Candidate, batch: Batch) -> Facts:
    """Return what the journal records about an email of this batch."""
    due = candidate.due
    return Facts(
        email=due.pk,
        kind=due.kind,
        person=due.person_id,
        address=candidate.address,
        params=due.params,
        told=batch.told.get(due.pk, ()),
        notices=batch.notices.get(due.pk, ()),
    )


@transaction.atomic
def redo_accepted(lines: Sequence[dict[str, Any]], now: dt.datetime) -> journal.Redone:
    """Settle the emails that were delivered after the backup, and remember those that the database does not have.

    May run twice.
    """
    # An email in doubt may have two lines, and its id may have been used again since the restore.
    line_by_id = {line["email"]: line for line in lines}
    emails = Email.objects.filter(pk__in=line_by_id)
    is_open_by_id = {email.pk: email.is_open for email in emails if _is_same(email, line_by_id[email.pk])}
    open_ids = [pk for pk, is_open in is_open_by_id.items() if is_open]
    settled_count = (
        Email.objects.open()
        .filter(pk__in=open_ids)
        .update(status=EmailStatus.SENT, settled_at=now, reason="Accepted before the restore.", reason_code="")
    )

    lines_of_missing = [line for pk, line in line_by_id.items() if pk not in is_open_by_id and _is_remembered(line)]
    remembered_count = remember(
        [
            Delivered(line["kind"], line["person"], recognised_by, line["email"], journal.moment(line))
            for line in lines_of_missing
            for recognised_by in line.get("things") or [line["params"]]
        ]
    )
    for hooks in registered_hooks():
        hooks.delivered_before(lines=lines, now=now)
    return journal.Redone(settled_count + remembered_count)


def _is_same(email: Email, line: dict[str, Any]) -> bool:
    """Whether the email with the id of the line is the one that the line is about."""
    return (email.kind, email.person_id, params_hash(email.params)) == (line["kind"], line["person"], line["params"])


def _is_remembered(line: dict[str, Any]) -> bool:
    """Whether sending the email of this line again would only repeat it.

    Account emails and confirmations are sent again, because the link in the delivered one no longer works.
    """
    kind = kind_of(line["kind"])
    if kind is None or kind.lane != Lane.NOTICE or not line["params"]:
        return False
    return kind.keeps_its_link or not kind.is_secret


class Delivered(NamedTuple):
    """An email that was delivered before a restore, with one hash by which it is recognised."""

    kind: str
    person: int | None
    params_hash: str
    email: int
    at: dt.datetime


def remember(delivered: Sequence[Delivered]) -> int:
    """Remember what was delivered before a restore; returns how many emails are new. May run twice."""
    existing_rows = DeliveredBefore.objects.filter(email_id__in={item.email for item in delivered})
    existing_keys = set(existing_rows.values_list("email_id", "kind", "params_hash"))
    new_items = [item for item in delivered if (item.email, item.kind, item.params_hash) not in existing_keys]
    DeliveredBefore.objects.bulk_create(
        [
            DeliveredBefore(
                kind=item.kind, person_id=item.person, params_hash=item.params_hash, email_id=item.email, at=item.at
            )
            for item in new_items
        ],
        ignore_conflicts=True,
    )
    return len({item.email for item in new_items})


def delivered_before(candidates: Collection[Candidate]) -> set[int]:
    """Return the ids of emails that were delivered before a restore; each remembered delivery stops one email."""
    if not candidates or not DeliveredBefore.objects.exists():
        return set()
    keys = {
        candidate.pk: (candidate.due.kind, candidate.due.person_id, params_hash(candidate.due.params))
        for candidate in candidates
        if candidate.due.params
    }
    return _use_up(keys)


def untold(*, kind: str, person_id: int, things: Sequence[Any]) -> list[Any]:
    """Return the news that no email told the person before a restore; each remembered piece is left out once.

    Call it in the transaction that records the email.
    """
    if not things or not DeliveredBefore.objects.exists():
        return list(things)
    told_indexes = _use_up({index: (kind, person_id, thing_hash(thing)) for index, thing in enumerate(things)})
    return [thing for index, thing in enumerate(things) if index not in told_indexes]


def told_in_a_summary(notices: Sequence[tuple[str, int, Mapping[str, Any]]]) -> set[int]:
    """Return the indexes of the notices that a summary told before a restore; each remembered one is left out once.

    Each notice is given as its kind, person and parameters.
    """
    if not notices or not DeliveredBefore.objects.exists():
        return set()
    return _use_up(
        {
            index: (kind, person_id, params_hash(params))
            for index, (kind, person_id, params) in enumerate(notices)
            if params
        }
    )


def _use_up(keys: Mapping[int, _Key]) -> set[int]:
    """Forget one remembered delivery for each of these keys that has one; returns the indexes of these keys.

    Only the deliveries in question are locked: another sender may have other emails to the same people now.
    """
    wanted_keys = set(keys.values())
    deliveries = DeliveredBefore.objects.filter(person_id__in={person_id for _, person_id, _ in wanted_keys})
    matching_ids = [
        pk
        for pk, kind, person_id, hash_ in deliveries.values_list("pk", "kind", "person_id", "params_hash")
        if (kind, person_id, hash_) in wanted_keys
    ]
    locked = DeliveredBefore.objects.select_for_update(skip_locked=True).filter(pk__in=matching_ids).order_by("pk")
    delivery_ids_by_key: dict[_Key, list[int]] = {}
    for delivery in locked:
        key = (delivery.kind, delivery.person_id, delivery.params_hash)
        delivery_ids_by_key.setdefault(key, []).append(delivery.pk)

    remembered: set[int] = set()
    used_ids: list[int] = []
    for index, key in keys.items():
        delivery_ids = delivery_ids_by_key.get(key)
        if delivery_ids:
            remembered.add(index)
            used_ids.append(delivery_ids.pop())
    DeliveredBefore.objects.filter(pk__in=used_ids).delete()
    return remembered
