"""Refusals that must be applied again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.digests.models import Preference, Subscription
from partnerships.digests.services.stopping import REFUSED_ALL, SUBSCRIPTION, end_subscriptions, subscription_identity
from partnerships.kit.journal import Redone, address_hash, not_undone, register_redo, same_rows
from partnerships.people.models import User

_REASON = "Stopped before a backup was restored."


def redo_subscriptions(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """End the subscriptions that ended after the backup."""
    redone = Redone()
    subscriptions = Subscription.objects.live().filter(pk__in={line["subscription"] for line in lines})
    for subscription, line in same_rows(
        "subscription",
        lines,
        subscriptions.select_related("person").order_by("pk"),
        same=subscription_identity,
        began=lambda one: one.confirmed_at or one.asked_at,
        redone=redone,
    ):
        if not line.get("undone"):
            author = subscription.person if line["refused"] else None
            redone.done += end_subscriptions([subscription], author=author, reason=_REASON, now=now)
    return redone


def redo_refused_all(lines: Sequence[dict[str, Any]], now: dt.datetime) -> Redone:
    """Record again who wants no questions."""
    hashes = {line["person"]: line["address"] for line in not_undone("person", lines)}
    people = [one.pk for one in User.objects.filter(pk__in=hashes) if address_hash(one.email) == hashes[one.pk]]
    Preference.objects.bulk_create([Preference(person_id=pk) for pk in people], ignore_conflicts=True)
    refused = Preference.objects.filter(person__in=people, refused_at=None)
    return Redone(refused.update(refused_at=now, tells_matches=False))


def register() -> None:
    """Register both for after a restore."""
    register_redo(SUBSCRIPTION, "subscriptions stopped again", redo_subscriptions)
    register_redo(REFUSED_ALL, "people who want no questions", redo_refused_all)
