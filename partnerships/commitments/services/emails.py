"""Record emails about commitments, for a worker to compose and send."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from partnerships.commitments.emails import deciding_leads
from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import people_concerned_with
from partnerships.commitments.rights import acting_organisation, organisations_to_act, rights_over
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def email_deciding_leads(kind: str, commitment: Commitment, *, author: User, now: dt.datetime, **params: Any) -> None:
    """Email the leads who must confirm or verify, but not the author."""
    _record(kind, deciding_leads(commitment), commitment, author, now, params)


def email_leads_about_proposals(*, commitments: Iterable[Commitment], author: User, now: dt.datetime) -> None:
    """Send each lead one email about all of these proposals that they must confirm. The author gets none."""
    ids_by_organisations: dict[frozenset[int], list[int]] = defaultdict(list)
    for commitment in commitments:
        organisation_ids = frozenset(organisation.pk for organisation in organisations_to_act(commitment))
        ids_by_organisations[organisation_ids].append(commitment.pk)

    # Commitments that the same organisations have to confirm need only one query.
    ids_by_person: dict[int, list[int]] = defaultdict(list)
    for organisation_ids, ids in ids_by_organisations.items():
        leads = leads_with_account(organisation_ids).exclude(pk=author.pk)
        for person_id in leads.values_list("pk", flat=True):
            ids_by_person[person_id] += ids

    for person_id, ids in sorted(ids_by_person.items()):
        record_emails(
            kind="commitments.proposed_together",
            people=[person_id],
            params={"commitment": ids[0], "commitments": ids, "author": author.pk},
            now=now,
        )


def email_owners(*, commitments: Iterable[Commitment], author: User, reminds: bool, now: dt.datetime) -> None:
    """Send each owner one email about all their commitments among these. The author gets none.

    The email says that the recipient is now the owner. With `reminds`, it is a reminder instead. Call this after the
    change and in its transaction, because the owners are read from the database.
    """
    commitment_ids = [commitment.pk for commitment in commitments]
    owned_commitments = Commitment.objects.filter(pk__in=commitment_ids, owner__is_active=True).exclude(owner=author)
    ids_by_owner: dict[int, list[int]] = defaultdict(list)
    for pk, owner_id in owned_commitments.order_by("pk").values_list("pk", "owner"):
        ids_by_owner[owner_id or 0].append(pk)

    for owner_id, ids in sorted(ids_by_owner.items()):
        record_emails(
            kind="commitments.owned_together",
            people=[owner_id],
            params={"commitment": ids[0], "commitments": ids, "author": author.pk, "reminds": reminds},
            now=now,
        )


def email_people_concerned(kind: str, commitment: Commitment, *, author: User, now: dt.datetime, **params: Any) -> None:
    """Email the owner, the proposer and the people who confirmed, but not the author."""
    _record(kind, people_concerned_with(commitment), commitment, author, now, params)


def email_person(kind: str, person: User, commitment: Commitment, *, author: User, now: dt.datetime) -> None:
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
    """Record an email to these people, except the author, from the organisation for which the author acts."""
    sender = acting_organisation(rights_over(commitment, author, now))
    record_emails(
        kind=f"commitments.{kind}",
        people=people.exclude(pk=author.pk).values_list("pk", flat=True),
        params={"commitment": commitment.pk, "author": author.pk, **params},
        sender_id=sender.pk if sender else None,
        now=now,
    )
