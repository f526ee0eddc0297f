"""What happens to plans, signatures, offers and shared drafts when an organisation ends and another succeeds it.

Plans that are not over, requests to sign, open offers and active shares pass to the successor. Decisions on plans that
were made already stay as they are.
"""

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


def _owned_plans(organisation: Organisation, _day: dt.date) -> QuerySet[Plan]:
    """Return the plans that the organisation owns and that are not over, with their homes."""
    owned_plan_ids = PlanOwner.objects.filter(organisation=organisation).values("plan")
    return (
        Plan.objects.filter(pk__in=owned_plan_ids)
        .exclude(status__in=FINAL_STATUSES)
        .annotate(homes=Sum("sites__homes"))
    )


def _describe_plan(plan: Any, _organisation: Organisation) -> HeldRecord:
    """Return the description of a plan for lists. Needs the annotation `homes`."""
    return HeldRecord(
        pk=plan.pk,
        title=plan.title,
        path=plan.get_absolute_url(),
        what=str(plan.get_status_display()),
        homes=Decimal(plan.homes) if plan.homes else None,
        generic_title=f"Plan {plan.pk}",
    )


def _end_ownership(move: RecordMove) -> dict[str, Any]:
    """Return the new values of an ownership if the successor owns the plan already. It ends."""
    return {"ended_at": move.now, "ended_because": OwnershipEndReason.HANDED_OVER.value}


PLANS = Obligation(
    code="plans",
    label="Plans",
    columns=(
        Column("plans.PlanOwner.organisation", record="plan", only=Q(ended_at=None), end_values=_end_ownership),
        Column("plans.Share.shown_for", record="plan", only=Q(revoked_at=None)),
        Column("plans.OwnershipOffer.offered_for", record="plan", only=Q(answered_at=None, withdrawn_at=None)),
    ),
    records=_owned_plans,
    describe=_describe_plan,
    target="plan",
    within=lambda plan: ("partnership", plan.partnership_id) if plan.partnership_id else ("", None),
)


def _has_decided(_successor_id: int) -> Q:
    """Return the condition that a signatory has decided on the present version.

    The row of such a signatory remains with the organisation that decided, because nobody may change a decision.
    """
    valid_sign_offs = SignOff.objects.filter(version__number__gte=F("plan__substantive_number"))
    return Q(Exists(valid_sign_offs.filter(plan=OuterRef("plan"), organisation=OuterRef("organisation"))))


def _undecided_signatories(organisation: Organisation, _day: dt.date) -> QuerySet[Signatory]:
    """Return the requests to sign a plan on which the organisation has not decided yet."""
    signatories = Signatory.objects.filter(organisation=organisation, removed_at=None)
    return (
        signatories.exclude(plan__status__in=FINAL_STATUSES)
        .exclude(_has_decided(organisation.pk))
        .select_related("plan")
    )


def _describe_signatory(signatory: Signatory, _organisation: Organisation) -> HeldRecord:
    """Return the description of a request to sign a plan for lists."""
    return HeldRecord(
        pk=signatory.pk,
        title=signatory.plan.title,
        path=signatory.plan.get_absolute_url(),
        what=signatory.role,
        generic_title=f"Signature {signatory.pk}",
    )


SIGNING = Obligation(
    code="signing",
    label="Plans to sign",
    columns=(
        Column(
            "plans.Signatory.organisation",
            cannot_move_to=_has_decided,
            end_values=lambda move: {"removed_at": move.now},
        ),
    ),
    records=_undecided_signatories,
    describe=_describe_signatory,
)


def _open_offers(organisation: Organisation, _day: dt.date) -> QuerySet[OwnershipOffer]:
    """Return the open offers of plans to the organisation."""
    return OwnershipOffer.objects.acceptable().filter(organisation=organisation).select_related("plan")


def _describe_offer(offer: OwnershipOffer, _organisation: Organisation) -> HeldRecord:
    """Return the description of an offer of a plan for lists."""
    return HeldRecord(
        pk=offer.pk,
        title=offer.plan.title,
        path=offer.plan.get_absolute_url(),
        what="Offered",
        generic_title=f"Plan {offer.plan_id}",
    )


OFFERED = Obligation(
    code="offered_plans",
    label="Plans offered to the organisation",
    columns=(Column("plans.OwnershipOffer.organisation", end_values=lambda move: {"withdrawn_at": move.now}),),
    records=_open_offers,
    describe=_describe_offer,
)


def _active_shares(organisation: Organisation, day: dt.date) -> QuerySet[Share]:
    """Return the drafts that are shared with people of the organisation on a day."""
    shares = Share.objects.filter(organisation=organisation, revoked_at=None)
    return shares.filter(Q(ends_on=None) | Q(ends_on__gte=day)).select_related("plan", "person")


def _describe_share(share: Share, _organisation: Organisation) -> HeldRecord:
    """Return the description of a shared draft for lists."""
    return HeldRecord(
        pk=share.pk,
        title=share.plan.title,
        path=share.plan.get_absolute_url(),
        what=share.person.display_name,
        generic_title=f"Shared draft {share.pk}",
    )


SHARES = Obligation(
    code="shares",
    label="Drafts shared with people of the organisation",
    columns=(Column("plans.Share.organisation"),),
    records=_active_shares,
    describe=_describe_share,
)


def register() -> None:
    """Register the records that pass to a successor, and the columns that change only in a merge or never."""
    for obligation in (PLANS, SIGNING, OFFERED, SHARES):
        register_obligation(obligation)
    register_following_columns("plans.Comment.organisation")
    register_signing_events(EventKind.VERSION_APPROVED, EventKind.VERSION_APPROVED_WITH_CONDITION)
    register_staying_columns(
        "the record of who published or signed, which never changes",
        "plans.Version.organisation",
        "plans.SignOff.organisation",
    )
