"""Emails in the journal, so that a restore sends nothing twice.

An email is recognised by its kind, its recipient and its parameters. Where the clock would write other parameters after
a restore, such as the number of a report that it freezes again, `params["slot"]` says what stays the same. If it would
put the things that it tells together differently, its kind names them (`EmailKind.things`), and each is remembered by
itself.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction

from partnerships.kit import journal
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.kinds import Batch, Candidate, kind_of
from partnerships.outbox.models import DeliveredBefore, Email, EmailStatus, Lane

#: Codes in the journal: an accepted email, and changes of an address.
ACCEPTED, SUPPRESSED = "accepted", "suppressed"


class Facts(NamedTuple):
    """What the journal keeps of an accepted email.

    `told` is what its composer needs to know after a restore. `notices` are those in a summary, by what they are
    recognised by.
    """

    email: int
    kind: str
    person: int | None
    address: str
    params: Mapping[str, Any]
    told: Sequence[Sequence[int | str]]
    notices: Sequence[Sequence[int | str]] = ()

    def as_json(self) -> dict[str, Any]:
        """The facts for the journal, with hashes of address, parameters and the things that it tells."""
        things = things_of(self.kind, self.params)
        facts = {
            "email": self.email,
            "kind": self.kind,
            "person": self.person,
            "address": journal.address_hash(self.address),
            "params": params_hash(self.params),
            "told": self.told,
        }
        # Under keys of their own, which versions before 1 December 2026 pass over: they can still apply the line.
        if things:
            facts["things"] = [thing_hash(thing) for thing in things]
        if self.notices:
            facts["notices"] = self.notices
        return facts


def params_hash(params: Mapping[str, Any]) -> str:
    """A hash of an email's slot or else its parameters, to recognise it; "" if it has none."""
    return thing_hash(params.get("slot", params)) if params else ""


def things_of(kind: str, params: Mapping[str, Any]) -> list[Any]:
    """What an email of this kind tells, one by one; none if it is recognised as a whole."""
    email_kind = kind_of(kind)
    return list(email_kind.things(params)) if email_kind is not None and email_kind.things is not None else []


def hashes_of(kind: str, params: Mapping[str, Any]) -> list[str]:
    """By what an email is recognised after a restore."""
    return [thing_hash(thing) for thing in things_of(kind, params)] or [params_hash(params)]


def thing_hash(thing: Any) -> str:
    """A hash of something that is told (JSON values), to recognise it."""
    return hashlib.sha256(json.dumps(thing, sort_keys=True, default=str).encode()).hexdigest()[:40]


def facts_of(candidate: Candidate, batch: Batch) -> Facts:
    """What the journal keeps of an email of this batch."""
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
    """Settle emails already delivered before the restore.

    Emails that the restored database lacks are remembered.
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
    new = remember(
        [
            Delivered(line["kind"], line["person"], known_hash, line["email"], journal.moment(line))
            for line in unknown
            for known_hash in line.get("things") or [line["params"]]
        ]
    )
    for hooks in registered_hooks():
        hooks.delivered_before(lines=lines, now=now)
    return journal.Redone(count + new)


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


class Delivered(NamedTuple):
    """What an email that was delivered before a restore is recognised by."""

    kind: str
    person: int | None
    params_hash: str
    email: int
    at: dt.datetime


def remember(delivered: Sequence[Delivered]) -> int:
    """Remember what was delivered before a restore; how many emails are new. May run twice."""
    numbers = {one.email for one in delivered}
    known = DeliveredBefore.objects.filter(email_id__in=numbers)
    already = set(known.values_list("email_id", "kind", "params_hash"))
    fresh = [one for one in delivered if (one.email, one.kind, one.params_hash) not in already]
    DeliveredBefore.objects.bulk_create(
        [
            DeliveredBefore(
                kind=one.kind, person_id=one.person, params_hash=one.params_hash, email_id=one.email, at=one.at
            )
            for one in fresh
        ],
        ignore_conflicts=True,
    )
    return len({one.email for one in fresh})


def delivered_before(candidates: Collection[Candidate]) -> set[int]:
    """Emails delivered before a restore; each remembered delivery stops one."""
    if not candidates or not DeliveredBefore.objects.exists():
        return set()
    keys = {
        candidate.pk: (candidate.due.kind, candidate.due.person_id, params_hash(candidate.due.params))
        for candidate in candidates
        if candidate.due.params
    }
    return _take(keys)


def untold(*, kind: str, person_id: int, things: Sequence[Any]) -> list[Any]:
    """The things of an email that were not told before a restore; each remembered one is left out once.

    Call inside the transaction that records the email.
    """
    if not things or not DeliveredBefore.objects.exists():
        return list(things)
    told = _take({place: (kind, person_id, thing_hash(thing)) for place, thing in enumerate(things)})
    return [thing for place, thing in enumerate(things) if place not in told]


def told_in_a_summary(notices: Sequence[tuple[str, int, Mapping[str, Any]]]) -> set[int]:
    """The places of those notices (kind, person and parameters) that a summary told before a restore.

    Each is left out once.
    """
    if not notices or not DeliveredBefore.objects.exists():
        return set()
    return _take(
        {
            place: (kind, person_id, params_hash(params))
            for place, (kind, person_id, params) in enumerate(notices)
            if params
        }
    )


def _take(keys: Mapping[int, tuple[str, int | None, str]]) -> set[int]:
    """The emails whose kind, person and hash are remembered; each is forgotten then.

    Only these very deliveries are locked: another sender may have other emails to the same people now.
    """
    wanted = set(keys.values())
    known = DeliveredBefore.objects.filter(person_id__in={person for _, person, _ in wanted})
    numbers = [pk for pk, *key in known.values_list("pk", "kind", "person_id", "params_hash") if tuple(key) in wanted]
    by_key: dict[tuple[str, int | None, str], list[int]] = {}
    for row in DeliveredBefore.objects.select_for_update(skip_locked=True).filter(pk__in=numbers).order_by("pk"):
        by_key.setdefault((row.kind, row.person_id, row.params_hash), []).append(row.pk)
    taken: set[int] = set()
    used: list[int] = []
    for place, key in keys.items():
        if remembered := by_key.get(key):
            taken.add(place)
            used.append(remembered.pop())
    DeliveredBefore.objects.filter(pk__in=used).delete()
    return taken
