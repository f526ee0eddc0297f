"""Refusals that must be applied again after a backup is restored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from partnerships.digests.models import Preference, Subscription
from partnerships.digests.services.stopping import REFUSED, REFUSED_ALL, end_subscriptions
from partnerships.kit.journal import address_hash, not_undone, register_redo
from partnerships.people.models import User

_REASON = "Stopped by the person before a backup was restored."


def redo_refused(lines: Sequence[dict[str, Any]], now: dt.datetime) -> int:
    """End again what people stopped after the backup; return how many."""
    ended = 0
    for line in not_undone("subscription", lines):
        subscription = Subscription.objects.live().select_related("person").filter(pk=line["subscription"]).first()
        if subscription is not None and address_hash(subscription.person.email) == line["address"]:
            ended += end_subscriptions([subscription], author=subscription.person, reason=_REASON, now=now)
    return ended


def redo_refused_all(lines: Sequence[dict[str, Any]], now: dt.datetime) -> int:
    """Record again who wants no questions; return how many."""
    hashes = {line["person"]: line["address"] for line in not_undone("person", lines)}
    people = [one.pk for one in User.objects.filter(pk__in=hashes) if address_hash(one.email) == hashes[one.pk]]
    Preference.objects.bulk_create([Preference(person_id=pk) for pk in people], ignore_conflicts=True)
    return Preference.objects.filter(person__in=people, refused_at=None).update(refused_at=now, tells_matches=False)


def register() -> None:
    """Register both for after a restore."""
    register_redo(REFUSED, "subscriptions stopped again", redo_refused)
    register_redo(REFUSED_ALL, "people who want no questions", redo_refused_all)
