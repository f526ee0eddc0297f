"""Finds the subscriptions whose record the follower, or the organisation that asked them, may see by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from partnerships.activity.registry import kind_named
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import ALL_READERS, Partnership, Party
from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.commitments.models import Commitment
from partnerships.digests.models import Subscription
from partnerships.digests.queries.readers import reach_of
from partnerships.exchange.models import Entry
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.audience import reaches_person
from partnerships.organisations.holdings import for_a_few_records
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.content import content_for_outside, get_piece, normalise
from partnerships.plans.models import Plan, Version
from partnerships.recommendations.models import Recommendation


class FollowedTarget(NamedTuple):
    """The target of a subscription, and the organisation that added the follower.

    This is a named tuple and not a model, because a batch of emails reads many. `audience` is the partnership's.
    """

    pk: int
    plan_id: int | None
    partnership_id: int | None
    organisation_id: int | None
    request_id: int | None
    commitment_id: int | None
    recommendation_id: int | None
    added_for_id: int | None
    audience: str | None


#: The columns of `FollowedTarget`.
_TARGETS_BY_ID = """
SELECT s.id, s.plan_id, s.partnership_id, s.organisation_id, s.request_id, s.commitment_id, s.recommendation_id,
       s.added_for_id, a.audience
  FROM digests_subscription s LEFT JOIN agreements_partnership a ON a.id = s.partnership_id
 WHERE s.id = ANY(%s)
"""


def open_to_askers(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """Return the ids of the subscriptions whose target the organisation that added the follower may read."""
    return _readable_ids(
        [
            FollowedTarget(
                pk=subscription.pk,
                plan_id=subscription.plan_id,
                partnership_id=subscription.partnership_id,
                organisation_id=subscription.organisation_id,
                request_id=subscription.request_id,
                commitment_id=subscription.commitment_id,
                recommendation_id=subscription.recommendation_id,
                added_for_id=subscription.added_for_id,
                audience=subscription.partnership.audience if subscription.partnership is not None else None,
            )
            for subscription in subscriptions
        ],
        now,
    )


def open_by_id(subscription_ids: Collection[int], now: dt.datetime) -> set[int]:
    """Return the ids of the subscriptions whose target the organisation that added the follower may read.

    This reads the subscriptions by id. `open_to_askers` takes subscriptions that the caller has read.
    """
    if not subscription_ids:
        return set()
    rows = rows_planned_once(_TARGETS_BY_ID, [sorted(subscription_ids)], generic_plan=True)
    return _readable_ids([FollowedTarget(*row) for row in rows], now)


def _readable_ids(targets: Collection[FollowedTarget], now: dt.datetime) -> set[int]:
    """Return the ids of the subscriptions whose target stakeholders may see by name (docs/rights.md)."""
    reach = reach_of({target.plan_id for target in targets if target.plan_id is not None}, now)
    inside_pairs = set(zip(reach.inside_plans, reach.inside_organisations, strict=True))
    private_partnership_ids = {
        target.partnership_id
        for target in targets
        if target.partnership_id is not None and target.audience != PartnershipAudience.NETWORK
    }

    party_pairs: set[tuple[int, int]] = set()
    if private_partnership_ids:
        present_parties = Party.objects.accepted().filter(partnership__in=private_partnership_ids)
        party_pairs = set(present_parties.values_list("partnership", "organisation"))
    marked_ids = _marked_ids(targets)

    def is_readable(target: FollowedTarget) -> bool:
        """Return whether the organisation that added the follower may read the target, by the rule for its kind."""
        if target.plan_id is not None:
            # Anybody may follow a public plan, so no organisation needs to have added the follower.
            if target.plan_id in reach.public:
                return True
            # Every organisation of the network may read the plan, so it does not matter which one added the follower.
            if target.plan_id in reach.network:
                return target.added_for_id is not None
            return (target.plan_id, target.added_for_id) in inside_pairs
        # The name of a partnership that the whole network may see is no secret.
        if target.partnership_id is not None and target.audience != PartnershipAudience.NETWORK:
            return (target.partnership_id, target.added_for_id) in party_pairs
        # A lead decides for each ask, offer and commitment whether stakeholders may know about it.
        if target.request_id is not None or target.commitment_id is not None:
            return target.pk in marked_ids
        # Organisations are public, and stakeholders are told nothing about recommendations.
        return target.recommendation_id is None

    return {target.pk for target in targets if is_readable(target)}


def _marked_ids(targets: Collection[FollowedTarget]) -> set[int]:
    """Return the ids of subscriptions to asks, offers and commitments that stakeholders may be told about.

    A lead must have marked the record, and the organisation that added the stakeholder must take part in its
    partnership.
    """
    marked_ids: set[int] = set()
    for field, kind in (("request", SubjectKind.REQUEST), ("commitment", SubjectKind.COMMITMENT)):
        subscription_ids = [target.pk for target in targets if getattr(target, f"{field}_id") is not None]
        record_kind = kind_named(kind.value)
        if not subscription_ids or record_kind is None or record_kind.marked_ids is None:
            continue
        party = Party.objects.accepted().filter(
            partnership=OuterRef(f"{field}__partnership"), organisation=OuterRef("added_for")
        )
        is_marked = Q((f"{field}__in", record_kind.marked_ids()))
        subscriptions = Subscription.objects.filter(is_marked, Exists(party), pk__in=subscription_ids)
        marked_ids |= set(subscriptions.values_list("pk", flat=True))
    return marked_ids


def _ids_visible_to(person: User, subscriptions: Collection[Subscription]) -> set[int]:
    """Return the ids of the subscriptions whose target this person, who has an account, may see."""
    record_groups: list[list[int]] = []
    for field in _TARGET_FIELDS:
        record_ids = {getattr(subscription, f"{field}_id") for subscription in subscriptions}
        record_groups.append(list(record_ids - {None}))
    subscription_ids = [subscription.pk for subscription in subscriptions]
    return set(rows_for(_visible_to, person, subscription_ids, *record_groups))


#: The fields of `Subscription` that refer to the followed record, in the order of the parameters of `_visible_to`.
_TARGET_FIELDS = ("plan", "partnership", "organisation", "request", "commitment", "recommendation")


def records_known_to(person: User) -> dict[str, QuerySet[Any]]:
    """Return the records that a person with an account may know by name, by the field of `Subscription`."""
    return {
        "plan": Plan.objects.visible_to(person),
        "partnership": Partnership.objects.visible_to(person),
        "organisation": Organisation.objects.visible_to(person),
        "request": Entry.objects.followed_by(person),
        "commitment": Commitment.objects.followed_by(person),
        "recommendation": Recommendation.objects.visible_to(person),
    }


def _visible_to(
    person: User,
    subscription_ids: list[int],
    plan_ids: list[int],
    partnership_ids: list[int],
    organisation_ids: list[int],
    requests: list[int],
    commitment_ids: list[int],
    recommendations: list[int],
) -> QuerySet[Subscription, int]:
    """Return the ids of the subscriptions whose target the person may see.

    The caller passes the ids of the targets by kind.
    """
    with for_a_few_records():
        visible_records = records_known_to(person)
    # Filter by the ids of the targets, because PostgreSQL would otherwise work out the rights to every plan.
    record_groups = (plan_ids, partnership_ids, organisation_ids, requests, commitment_ids, recommendations)
    condition = Q(pk__in=[])
    for field, ids in zip(_TARGET_FIELDS, record_groups, strict=True):
        visible_ids = visible_records[field].filter(pk__in=ids).values("pk")
        condition |= Q((f"{field}__in", visible_ids))
    visible = Subscription.objects.filter(condition, pk__in=subscription_ids)
    return visible.values_list("pk", flat=True)


def named_to_followers(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """Return the ids of the subscriptions whose own follower may know the name of the target today.

    A stakeholder may know what the organisation that added them may read, and a person with an account what they may
    see. All partnerships are looked up in one query, because a batch of emails names many.
    """
    of_stakeholders: list[Subscription] = []
    to_partnerships: list[Subscription] = []
    to_other_records: list[Subscription] = []
    for subscription in subscriptions:
        if subscription.person.is_stakeholder:
            of_stakeholders.append(subscription)
        elif subscription.partnership_id is not None:
            to_partnerships.append(subscription)
        else:
            to_other_records.append(subscription)

    named_ids = open_to_askers(of_stakeholders, now)
    if to_partnerships:
        may_see = reaches_person(Partnership, ALL_READERS, record=OuterRef("partnership"), person=OuterRef("person"))
        subscription_ids = [subscription.pk for subscription in to_partnerships]
        visible = Subscription.objects.filter(may_see, pk__in=subscription_ids)
        named_ids |= set(visible.values_list("pk", flat=True))
    for subscription in to_other_records:
        named_ids |= _ids_visible_to(subscription.person, [subscription])
    return named_ids


def set_names_for_followers(subscriptions: Iterable[Subscription], now: dt.datetime) -> list[Subscription]:
    """Set `named` and `piece_name` on each subscription as its own follower may see them, and return the list."""
    rows = list(subscriptions)
    named_ids = named_to_followers(rows, now)
    for subscription in rows:
        subscription.named = subscription.pk in named_ids
    _set_piece_names(rows)
    return rows


def _set_piece_names(subscriptions: Collection[Subscription]) -> None:
    """Set the names of sites and milestones, except names that only people inside the plan may read."""
    piece_subscriptions = [subscription for subscription in subscriptions if subscription.key and subscription.named]
    if not piece_subscriptions:
        return
    plan_ids = {subscription.plan_id for subscription in piece_subscriptions}
    newest_versions = Version.objects.filter(plan__in=plan_ids, number=F("plan__current_number"))
    content_by_plan = {
        plan_id: content_for_outside(normalise(content))
        for plan_id, content in newest_versions.values_list("plan", "content")
    }
    for subscription in piece_subscriptions:
        content = content_by_plan.get(subscription.plan_id or 0)
        piece = get_piece(content, subscription.key) if content is not None else None
        subscription.piece_name = str(piece["name"]) if piece else ""


def set_names_for(reader: User, subscriptions: Iterable[Subscription], now: dt.datetime) -> list[Subscription]:
    """Set `named` and `piece_name` as this reader may see them, and return the list; `shown_name` uses both.

    The subscriptions are the reader's own, or belong to stakeholders of the reader's organisation.
    """
    rows = list(subscriptions)
    if reader.is_stakeholder:
        named_ids = open_to_askers(rows, now)
    else:
        named_ids = _ids_visible_to(reader, rows) if rows else set()
    for subscription in rows:
        subscription.named = subscription.pk in named_ids
    _set_piece_names(rows)
    return rows


def may_still_be_asked(subscription: Subscription, now: dt.datetime) -> bool:
    """Return whether an email may still ask the person about this subscription. Such an email names the target."""
    return bool(named_to_followers([subscription], now))


def askable_again(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """Return the ids of the refused subscriptions for which the person may request a new confirmation email.

    The person may do so while the refusal prevents partners from asking, and at any time for a public plan. Otherwise
    the partner must ask again, because the partner may no longer want to.
    """
    refused_subscriptions = [subscription for subscription in subscriptions if subscription.is_refused]
    recent_ids = {subscription.pk for subscription in refused_subscriptions if subscription.was_refused_recently(now)}
    older_subscriptions = [subscription for subscription in refused_subscriptions if subscription.pk not in recent_ids]
    plan_ids = {subscription.plan_id for subscription in older_subscriptions if subscription.plan_id is not None}
    if not plan_ids:
        return recent_ids
    public_plan_ids = set(Plan.objects.public().filter(pk__in=plan_ids).values_list("pk", flat=True))
    to_public_plans = [subscription for subscription in older_subscriptions if subscription.plan_id in public_plan_ids]
    return recent_ids | {subscription.pk for subscription in to_public_plans}
