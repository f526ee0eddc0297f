"""Which subscriptions may be named to a person, or asked about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from partnerships.activity.registry import kind_named
from partnerships.activity.subjects import SubjectKind
from partnerships.agreements.models import OUTLINED, Partnership, Party
from partnerships.agreements.models import Audience as PartnershipAudience
from partnerships.commitments.models import Commitment
from partnerships.digests.models import Subscription
from partnerships.digests.queries.readers import reach_of
from partnerships.exchange.models import Entry
from partnerships.kit.database import rows_planned_once
from partnerships.organisations.audience import reaches
from partnerships.organisations.holdings import one_by_one
from partnerships.organisations.models import Organisation
from partnerships.organisations.statements import rows_for
from partnerships.people.models import User
from partnerships.plans.content import get_piece, normalise, outside
from partnerships.plans.models import Plan, Version
from partnerships.recommendations.models import Recommendation


class Followed(NamedTuple):
    """The record that a subscription is to, and the organisation that added the follower.

    It is a named tuple because a batch of emails reads many. `audience` is that of the partnership.
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


_FOLLOWED = """
SELECT s.id, s.plan_id, s.partnership_id, s.organisation_id, s.request_id, s.commitment_id, s.recommendation_id,
       s.added_for_id, a.audience
  FROM digests_subscription s LEFT JOIN agreements_partnership a ON a.id = s.partnership_id
 WHERE s.id = ANY(%s)
"""


def open_to_askers(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """The ids of the subscriptions to records that the organisation that added the follower may read."""
    return _open(
        [
            Followed(
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
    """Do as `open_to_askers`, for subscriptions given by their ids."""
    rows = rows_planned_once(_FOLLOWED, [sorted(subscription_ids)], generic_plan=True) if subscription_ids else []
    return _open([Followed(*row) for row in rows], now)


def _open(subscriptions: Collection[Followed], now: dt.datetime) -> set[int]:
    """The ids of the subscriptions to records that the organisation that added the follower may read."""
    reach = reach_of({subscription.plan_id for subscription in subscriptions if subscription.plan_id is not None}, now)
    inside = set(zip(reach.inside_plans, reach.inside_organisations, strict=True))
    private = [
        subscription.partnership_id
        for subscription in subscriptions
        if subscription.partnership_id is not None and subscription.audience != PartnershipAudience.NETWORK
    ]
    present = Party.objects.present().filter(partnership__in=set(private)) if private else Party.objects.none()
    parties = set(present.values_list("partnership", "organisation"))
    marked_ids = _marked_ids(subscriptions)

    def is_open(followed: Followed) -> bool:
        if followed.plan_id is not None:
            if followed.plan_id in reach.public:
                return True
            if followed.plan_id in reach.network:
                return followed.added_for_id is not None
            return (followed.plan_id, followed.added_for_id) in inside
        if followed.partnership_id is not None and followed.audience != PartnershipAudience.NETWORK:
            return (followed.partnership_id, followed.added_for_id) in parties
        if followed.request_id is not None or followed.commitment_id is not None:
            return followed.pk in marked_ids
        return followed.recommendation_id is None  # stakeholders are told nothing about recommendations

    return {subscription.pk for subscription in subscriptions if is_open(subscription)}


def _marked_ids(subscriptions: Collection[Followed]) -> set[int]:
    """The ids of the subscriptions to asks, offers and commitments that stakeholders may be told about.

    A lead has marked the record, and the organisation that added the stakeholder takes part in its partnership.
    """
    marked_ids: set[int] = set()
    for field, kind in (("request", SubjectKind.REQUEST), ("commitment", SubjectKind.COMMITMENT)):
        ids = [subscription.pk for subscription in subscriptions if getattr(subscription, f"{field}_id") is not None]
        record_kind = kind_named(kind.value)
        if not ids or record_kind is None or record_kind.marked_ids is None:
            continue
        party = Party.objects.present().filter(
            partnership=OuterRef(f"{field}__partnership"), organisation=OuterRef("added_for")
        )
        open_subscriptions = Subscription.objects.filter(
            Exists(party), pk__in=ids, **{f"{field}__in": record_kind.marked_ids()}
        )
        marked_ids |= set(open_subscriptions.values_list("pk", flat=True))
    return marked_ids


def _seen_by(person: User, subscriptions: Collection[Subscription]) -> set[int]:
    """The ids of the subscriptions to records that this person, who has an account, may see."""
    record_groups = [
        list({pk for subscription in subscriptions if (pk := getattr(subscription, f"{field}_id")) is not None})
        for field in _TARGET_FIELDS
    ]
    return set(rows_for(_seen, person, [subscription.pk for subscription in subscriptions], *record_groups))


#: The fields of `Subscription` that refer to what it follows, in the order of the parameters of `_seen`.
_TARGET_FIELDS = ("plan", "partnership", "organisation", "request", "commitment", "recommendation")


def records_known_to(person: User) -> dict[str, QuerySet[Any]]:
    """The records that a person with an account may know by name, by the field of `Subscription`."""
    return {
        "plan": Plan.objects.visible_to(person),
        "partnership": Partnership.objects.visible_to(person),
        "organisation": Organisation.objects.visible_to(person),
        "request": Entry.objects.followed_by(person),
        "commitment": Commitment.objects.followed_by(person),
        "recommendation": Recommendation.objects.visible_to(person),
    }


def _seen(
    person: User,
    subscriptions: list[int],
    plans: list[int],
    partnerships: list[int],
    organisations: list[int],
    requests: list[int],
    commitments: list[int],
    recommendations: list[int],
) -> QuerySet[Subscription, int]:
    """The ids of the subscriptions whose record the person may see; the records are given by kind."""
    with one_by_one():
        known_records = records_known_to(person)
    # Only among these records: otherwise PostgreSQL works out the rights to every plan.
    record_groups = (plans, partnerships, organisations, requests, commitments, recommendations)
    condition = Q(pk__in=[])
    for field, ids in zip(_TARGET_FIELDS, record_groups, strict=True):
        condition |= Q(**{f"{field}__in": known_records[field].filter(pk__in=ids).values("pk")})
    seen = Subscription.objects.filter(condition, pk__in=subscriptions)
    return seen.values_list("pk", flat=True)


def named_to_followers(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """The ids of the subscriptions whose follower may know today what they are about.

    A stakeholder may know what the organisation that added them may read, others what they may see. One query answers
    for all partnerships, because a batch of emails names many.
    """
    rows = list(subscriptions)
    of_stakeholders = [subscription for subscription in rows if subscription.person.is_stakeholder]
    named_ids = open_to_askers(of_stakeholders, now)

    with_account = [subscription for subscription in rows if not subscription.person.is_stakeholder]
    to_partnerships = [subscription.pk for subscription in with_account if subscription.partnership_id is not None]
    if to_partnerships:
        may_see = reaches(Partnership, OUTLINED, record=OuterRef("partnership"), person=OuterRef("person"))
        named_ids |= set(Subscription.objects.filter(may_see, pk__in=to_partnerships).values_list("pk", flat=True))
    for subscription in with_account:
        if subscription.partnership_id is None:
            named_ids |= _seen_by(subscription.person, [subscription])
    return named_ids


def set_names_for_followers(subscriptions: Iterable[Subscription], now: dt.datetime) -> list[Subscription]:
    """Set `named` and `piece_name` on each subscription as its own follower may see them; return the rows."""
    rows = list(subscriptions)
    named_ids = named_to_followers(rows, now)
    for subscription in rows:
        subscription.named = subscription.pk in named_ids
    _set_piece_names(rows)
    return rows


def _set_piece_names(subscriptions: Collection[Subscription]) -> None:
    """Set the names of sites and milestones as people outside the plan see them."""
    with_pieces = [subscription for subscription in subscriptions if subscription.key and subscription.named]
    if not with_pieces:
        return
    newest = Version.objects.filter(
        plan__in={subscription.plan_id for subscription in with_pieces}, number=F("plan__current_number")
    )
    contents = {plan: outside(normalise(content)) for plan, content in newest.values_list("plan", "content")}
    for subscription in with_pieces:
        piece = (
            get_piece(contents[subscription.plan_id], subscription.key) if subscription.plan_id in contents else None
        )
        subscription.piece_name = str(piece["name"]) if piece else ""


def set_names_for(reader: User, subscriptions: Iterable[Subscription], now: dt.datetime) -> list[Subscription]:
    """Set `named` and `piece_name`, from which `shown_name` follows, as this reader may see them; return the rows.

    The subscriptions are the reader's own, or those of stakeholders of the reader's organisation.
    """
    rows = list(subscriptions)
    if reader.is_stakeholder:
        named_ids = open_to_askers(rows, now)
    else:
        named_ids = _seen_by(reader, rows) if rows else set()
    for subscription in rows:
        subscription.named = subscription.pk in named_ids
    _set_piece_names(rows)
    return rows


def may_still_be_asked(subscription: Subscription, now: dt.datetime) -> bool:
    """Whether an email that asks a person may still name what it is about."""
    return bool(named_to_followers([subscription], now))


def askable_again(subscriptions: Iterable[Subscription], now: dt.datetime) -> set[int]:
    """The ids of the refused subscriptions for which the person may request a new confirmation email.

    They may while the refusal holds, and at any time for a public plan. Later, the organisation must ask again.
    """
    refused = [subscription for subscription in subscriptions if subscription.is_refused]
    old = {
        subscription.plan_id
        for subscription in refused
        if subscription.plan_id is not None and not subscription.was_refused(now)
    }
    public = set(Plan.objects.public().filter(pk__in=old).values_list("pk", flat=True)) if old else set()
    return {
        subscription.pk for subscription in refused if subscription.was_refused(now) or subscription.plan_id in public
    }
