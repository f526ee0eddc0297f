"""Recording emails at the next step of a commitment: to those asked for their word, and those who wait for it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import QuerySet

from partnerships.commitments.models import Commitment
from partnerships.commitments.queries import concerned_with
from partnerships.commitments.rights import rights_over, side_of, waits_for
from partnerships.organisations.queries import leads_with_account
from partnerships.outbox.services import record_emails
from partnerships.people.models import User


def tell_asked(kind: str, commitment: Commitment, *, author: User, now: dt.datetime, **params: Any) -> None:
    """Tell the leads of the sides whose confirmation or verification it waits for, but for the author."""
    _record(kind, leads_with_account(waits_for(commitment)), commitment, author, now, params)


def tell_concerned(kind: str, commitment: Commitment, *, author: User, now: dt.datetime, **params: Any) -> None:
    """Tell the person who sees it through and those who gave a side's word for it, but for the author."""
    _record(kind, concerned_with(commitment), commitment, author, now, params)


def tell_one(kind: str, person: User, commitment: Commitment, *, author: User, now: dt.datetime) -> None:
    """Tell one person, unless it is the author."""
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
