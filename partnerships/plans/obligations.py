"""The plans, signatures, offers and shared drafts of an organisation, which a successor may take over."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Column,
    HeldRecord,
    Obligation,
    RecordMove,
    register_following_columns,
    register_obligation,
    register_signing_events,
    register_staying_columns,
)
from partnerships.plans.event_kinds import EventKind
from partnerships.plans.models import (
    FINAL_STATUSES,
    OwnershipEndReason,
    OwnershipOffer,
    Plan,
    PlanOwner,
    Share,
    Signatory,
    SignOff,
)


def _owned_plans(organisation: Organisation, day: dt.date) -> QuerySet[Plan]:
    owned_plan_ids = PlanOwner.objects.filter(organisation=organisation).values("plan")
    return (
        Plan.objects.filter(pk__in=owned_plan_ids)
        .exclude(status__in=FINAL_STATUSES)
        .annotate(homes=Sum("sites__homes"))
    )


def _held_plan(plan: Any, organisation: Organisation) -> HeldRecord:
    homes = Decimal(plan.homes) if plan.homes else None
    status = str(plan.get_status_display())
    return HeldRecord(plan.pk, plan.title, plan.get_absolute_url(), status, homes=homes, outside=f"Plan {plan.pk}")


def _hand_over(move: RecordMove) -> dict[str, Any]:
    return {"ended_at": move.now, "ended_because": OwnershipEndReason.HANDED_OVER.value}


PLANS = Obligation(
    "plans",
    "Plans",
    (
        Column("plans.PlanOwner.organisation", "plan", Q(ended_at=None), ending=_hand_over),
        Column("plans.Share.shown_for", "plan", Q(revoked_at=None)),
        Column("plans.OwnershipOffer.offered_for", "plan", Q(answered_at=None, withdrawn_at=None)),
    ),
    _owned_plans,
    _held_plan,
    target="plan",
    within=lambda plan: ("partnership", plan.partnership_id) if plan.partnership_id else ("", None),
)


def _has_decided(target: int) -> Q:
    """Return the condition that a signatory has decided on the present version.

    The row of such a signatory remains with the organisation that decided, because nobody may change a decision.
    """
    counting_sign_offs = SignOff.objects.filter(version__number__gte=F("plan__substantive_number"))
    return Q(Exists(counting_sign_offs.filter(plan=OuterRef("plan"), organisation=OuterRef("organisation"))))


def _signatories_to_hand_over(organisation: Organisation, day: dt.date) -> QuerySet[Signatory]:
    signatories = Signatory.objects.filter(organisation=organisation, removed_at=None)
    return (
        signatories.exclude(plan__status__in=FINAL_STATUSES)
        .exclude(_has_decided(organisation.pk))
        .select_related("plan")
    )


SIGNING = Obligation(
    "signing",
    "Plans to sign",
    (Column("plans.Signatory.organisation", locked=_has_decided, ending=lambda move: {"removed_at": move.now}),),
    _signatories_to_hand_over,
    lambda signatory, _: HeldRecord(
        signatory.pk,
        signatory.plan.title,
        signatory.plan.get_absolute_url(),
        signatory.role,
        outside=f"Signature {signatory.pk}",
    ),
)
OFFERED = Obligation(
    "offered_plans",
    "Plans offered to the organisation",
    (Column("plans.OwnershipOffer.organisation", ending=lambda move: {"withdrawn_at": move.now}),),
    lambda organisation, _: (
        OwnershipOffer.objects.acceptable().filter(organisation=organisation).select_related("plan")
    ),
    lambda offer, _: HeldRecord(
        offer.pk, offer.plan.title, offer.plan.get_absolute_url(), "Offered", outside=f"Plan {offer.plan_id}"
    ),
)
SHARES = Obligation(
    "shares",
    "Drafts shared with people of the organisation",
    (Column("plans.Share.organisation"),),
    lambda organisation, day: (
        Share.objects.filter(organisation=organisation, revoked_at=None)
        .filter(Q(ends_on=None) | Q(ends_on__gte=day))
        .select_related("plan", "person")
    ),
    lambda share, _: HeldRecord(
        share.pk,
        share.plan.title,
        share.plan.get_absolute_url(),
        share.person.display_name,
        outside=f"Shared draft {share.pk}",
    ),
)


def register() -> None:
    """Register the records that a successor may take over, and the records that remain with the organisation."""
    for obligation in (PLANS, SIGNING, OFFERED, SHARES):
        register_obligation(obligation)
    register_following_columns("plans.Comment.organisation")
    register_signing_events(EventKind.VERSION_APPROVED, EventKind.VERSION_APPROVED_WITH_CONDITION)
    register_staying_columns(
        "the record of who published or signed, which never changes",
        "plans.Version.organisation",
        "plans.SignOff.organisation",
    )
