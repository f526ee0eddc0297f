"""What the journal knows of subscriptions and refusals, so that a restore does not take them back."""

from __future__ import annotations

import datetime as dt

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.digests.models import Subscription
from partnerships.exchange.models import Entry
from partnerships.kit import journal
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.people.refusals import hashes_of
from partnerships.plans.models import Plan
from partnerships.recommendations.models import Recommendation

#: The journal's names for a subscription, for who wants no questions or no matches, and for renewed links.
SUBSCRIPTION, REFUSED_ALL, MATCHES, LINKS = "subscription", "refused all", "matches", "links"
#: The journal's name for a choice of how notices come.
WAY = "notices"


def subscription_identity(subscription: Subscription) -> str:
    """The journal's hash of who follows what."""
    target: tuple[int | str | None, ...] = (
        subscription.plan_id,
        subscription.partnership_id,
        subscription.organisation_id,
    )
    wider = subscription.request_id or subscription.commitment_id or subscription.recommendation_id
    if wider or subscription.key:
        target = (subscription.target_kind, subscription.target_id, subscription.key)
    return journal.identity(subscription.person_id, subscription.person.joined_at, *target)


def target_identity(subscription: Subscription) -> str:
    """The journal's hash of what is followed."""
    target = subscription.target
    began = _began(target)
    more = (subscription.key,) if subscription.key else ()
    return journal.identity(subscription.target_kind, target.pk, began, *more)


def _began(target: Plan | Partnership | Organisation | Entry | Commitment | Recommendation) -> dt.datetime:
    """When something that is followed began to exist."""
    if isinstance(target, Recommendation):
        return target.source.recorded_at
    return target.proposed_at if isinstance(target, Commitment) else target.created_at


def person_identity(person: User) -> str:
    """The journal's hash of a person."""
    return journal.identity(person.pk, person.joined_at)


def journal_subscription(subscription: Subscription, *, now: dt.datetime, undone: bool = False) -> None:
    """Note that it ended, and whether by a refusal; `undone`: it is on.

    A refusal is made again even if the backup has no row for it, so the line names the person and the target.
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
    """Note that somebody wants no questions; `undone`: they allow them.

    With the hash that refuses their address, for a backup that does not know them.
    """
    journal.note(
        REFUSED_ALL,
        now=now,
        person=person.pk,
        address=journal.address_hash(person.email),
        joined=person.joined_at.isoformat(),
        refusal="" if undone else hashes_of(person.email)[0],
        undone=undone,
    )


def journal_matches(person: User, *, now: dt.datetime, undone: bool = False) -> None:
    """Note that somebody wants no matches; `undone`: they want them."""
    journal.note(MATCHES, now=now, person=person.pk, same=person_identity(person), undone=undone)


def journal_way(person: User, group: str, way: str, *, now: dt.datetime) -> None:
    """Note how somebody wants the notices of a group."""
    journal.note(WAY, now=now, person=person.pk, same=person_identity(person), group=group, way=way)


def journal_links(person: User, link_key: str, *, now: dt.datetime) -> None:
    """Note that earlier links of somebody no longer work."""
    journal.note(LINKS, now=now, person=person.pk, same=person_identity(person), key=journal.identity(link_key))
