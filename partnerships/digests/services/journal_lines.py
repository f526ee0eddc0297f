"""Writes subscriptions, refusals and choices to the journal, so that restoring a backup does not undo them."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.digests.models import Subscription
from partnerships.exchange.models import Entry
from partnerships.kit import journal
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.refusals import address_hashes
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation

#: The kinds of journal line that this room writes. `journal_subscription` and the functions after it explain them.
SUBSCRIPTION, REFUSED_ALL, MATCHES, LINKS, WAY = "subscription", "refused all", "matches", "links", "notices"


def subscription_identity(subscription: Subscription) -> str:
    """Return a hash that identifies a subscription in the journal by its person and its target."""
    target: tuple[int | str | None, ...]
    newer_target_id = subscription.request_id or subscription.commitment_id or subscription.recommendation_id
    if newer_target_id or subscription.key:
        target = (subscription.target_kind, subscription.target_id, subscription.key)
    else:
        # Older journals contain hashes of these three fields, because other records could not be followed then.
        target = (subscription.plan_id, subscription.partnership_id, subscription.organisation_id)
    return journal.identity(subscription.person_id, subscription.person.joined_at, *target)


def target_identity(subscription: Subscription) -> str:
    """Return a hash that identifies the followed record in the journal."""
    target = subscription.target
    key = (subscription.key,) if subscription.key else ()
    return journal.identity(subscription.target_kind, target.pk, _created_at(target), *key)


def _created_at(target: Plan | Partnership | Organisation | Entry | Commitment | Recommendation) -> dt.datetime:
    """Return when the target was created."""
    if isinstance(target, Recommendation):
        return target.source.recorded_at
    if isinstance(target, Commitment):
        return target.proposed_at
    return target.created_at


def person_identity(person: User) -> str:
    """Return a hash that identifies a person in the journal."""
    return journal.identity(person.pk, person.joined_at)


def journal_subscription(subscription: Subscription, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal that a subscription has ended, and whether the person refused it.

    With `undone`, write that it is active again. The line contains the person and the target, because after a restore a
    refusal is recorded even if the backup has no row for the subscription.
    """
    journal.note(
        SUBSCRIPTION,
        now=now,
        subscription=subscription.pk,
        same=subscription_identity(subscription),
        refused=subscription.refused_at is not None,
        undone=undone,
        person=subscription.person_id,
        plan=subscription.plan_id,
        partnership=subscription.partnership_id,
        organisation=subscription.organisation_id,
        request=subscription.request_id,
        commitment=subscription.commitment_id,
        recommendation=subscription.recommendation_id,
        key=subscription.key,
        target=target_identity(subscription),
    )


def journal_refusal(person: User, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal that a person refuses all confirmation emails.

    With `undone`, write that they allow them again. The line contains a hash of their address, so that the refusal is
    valid even after restoring a backup in which the person does not exist.
    """
    journal.note(
        REFUSED_ALL,
        now=now,
        person=person.pk,
        address=journal.address_hash(person.email),
        joined=person.joined_at.isoformat(),
        refusal="" if undone else address_hashes(person.email)[0],
        undone=undone,
    )


def journal_matches(person: User, *, now: dt.datetime, undone: bool = False) -> None:
    """Write to the journal that a person has turned matches off or, with `undone`, on again."""
    journal.note(MATCHES, now=now, person=person.pk, same=person_identity(person), undone=undone)


def journal_way(person: User, group: str, way: str, *, now: dt.datetime) -> None:
    """Write to the journal how a person wants to get the notices of a group."""
    journal.note(WAY, now=now, person=person.pk, same=person_identity(person), group=group, way=way)


def journal_links(person: User, link_key: str, *, now: dt.datetime) -> None:
    """Write to the journal that earlier links in a person's emails no longer work."""
    journal.note(LINKS, now=now, person=person.pk, same=person_identity(person), key=journal.identity(link_key))
