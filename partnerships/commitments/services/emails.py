"""Record emails about commitments, for a worker to compose and send."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from partnerships.commitments.emails import people_asked
from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import concerned_with
from partnerships.commitments.rights import rights_over, side_of, waits_for
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def email_asked(kind: str, commitment: Commitment, *, author: User, now: dt.datetime, **params: Any) -> None:
    """Email the leads who must confirm or verify, but not the author."""
    _record(kind, people_asked(commitment), commitment, author, now, params)


def email_leads_about_proposals(*, commitments: Iterable[Commitment], author: User, now: dt.datetime) -> None:
    """Send each lead one email about all of these proposals that they must confirm, but none to the author."""
    commitments_by_group: dict[frozenset[int], list[int]] = {}
    for commitment in commitments:
        organisation_ids = frozenset(organisation.pk for organisation in waits_for(commitment))
        commitments_by_group.setdefault(organisation_ids, []).append(commitment.pk)
    commitments_by_person: dict[int, list[int]] = {}
    # One query for all commitments that wait for the same organisations.
    for organisation_ids, ids in commitments_by_group.items():
        for person in leads_with_account(organisation_ids).exclude(pk=author.pk).values_list("pk", flat=True):
            commitments_by_person.setdefault(person, []).extend(ids)
    for person, ids in sorted(commitments_by_person.items()):
        record_emails(
            kind="commitments.proposed_together",
            people=[person],
            params={"commitment": ids[0], "commitments": ids, "author": author.pk},
            now=now,
        )


def email_owners(*, commitments: Iterable[Commitment], author: User, reminds: bool, now: dt.datetime) -> None:
    """Send each owner one email about all their commitments among these, but none to the author.

    The email says that they are now the owner or, with `reminds`, reminds them. Call this in the transaction of the
    change, with the commitments as they are after the change.
    """
    commitments_by_person: dict[int, list[int]] = {}
    owned = Commitment.objects.filter(pk__in=[commitment.pk for commitment in commitments], owner__is_active=True)
    for pk, owner in owned.exclude(owner=author).order_by("pk").values_list("pk", "owner"):
        commitments_by_person.setdefault(owner or 0, []).append(pk)
    for person, ids in sorted(commitments_by_person.items()):
        record_emails(
            kind="commitments.owned_together",
            people=[person],
            params={"commitment": ids[0], "commitments": ids, "author": author.pk, "reminds": reminds},
            now=now,
        )


def email_concerned(kind: str, commitment: Commitment, *, author: User, now: dt.datetime, **params: Any) -> None:
    """Email the owner, the proposer and the people who confirmed, but not the author."""
    _record(kind, concerned_with(commitment), commitment, author, now, params)


def email_one(kind: str, person: User, commitment: Commitment, *, author: User, now: dt.datetime) -> None:
    """Email one person, unless they are the author."""
    _record(kind, User.objects.filter(pk=person.pk), commitment, author, now, {})


def _record(
    kind: str,
    people: QuerySet[User],
    commitment: Commitment,
    author: User,
    now: dt.datetime,
    params: dict[str, Any],
) -> None:
    side = side_of(rights_over(commitment, author, now))
    record_emails(
        kind=f"commitments.{kind}",
        people=people.exclude(pk=author.pk).values_list("pk", flat=True),
        params={"commitment": commitment.pk, "author": author.pk, **params},
        sender_id=side.pk if side else None,
        now=now,
    )
