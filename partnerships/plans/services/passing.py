"""What becomes of plans when a body that goes on passes its part in a partnership, or a plan, to another."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Model, Q, QuerySet

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Handover, Organisation
from partnerships.organisations.obligations import Change, Moving, kept_value
from partnerships.plans.models import OwnershipOffer, PastPartnership, Plan, PlanOwner, Share
from partnerships.plans.queries import possible_owners
from partnerships.plans.services.parting import Parting, end_part
from partnerships.plans.services.recording import journal_audience, journal_offer_end
from partnerships.plans.services.sharing import journal_share

#: What the end of a part in a partnership changes, so that undoing the succession puts it back.
_CHANGING: tuple[tuple[type[Model], str, tuple[str, ...]], ...] = (
    (Plan, "pk", ("partnership", "audience")),
    (PlanOwner, "plan", ("ended_at", "ended_because")),
    (Share, "plan", ("revoked_at",)),
    (OwnershipOffer, "plan", ("withdrawn_at",)),
)


def leave_with_part_passed_on(partnerships: Collection[int], moving: Moving) -> list[Change]:
    """End what a body that goes on has in plans of partnerships in which another takes its place.

    Plans with a line of their own that is accepted pass by that line.
    """
    if not _goes_on(moving):
        return []
    accepted = Handover.objects.ready().filter(succession=moving.succession, predecessor=moving.source, kind="plans")
    by_lines = list(accepted.values_list("record", flat=True))
    changes = []
    for partnership in Partnership.objects.filter(pk__in=partnerships).order_by("pk"):
        within = Plan.objects.filter(partnership=partnership).exclude(pk__in=by_lines)
        changes += _end_part(within, partnership, moving.source, moving)
    return changes


def leave_with_plan_taken_over(plans: Collection[int], moving: Moving) -> list[Change]:
    """End the place in a partnership of plans that passed to an organisation that takes no part in it.

    Where there are other owners, it is no owner; where there are none, the plan leaves the partnership.
    """
    if not _goes_on(moving):
        return []
    changes = []
    passed = Plan.objects.filter(pk__in=plans).exclude(partnership=None)
    for partnership in Partnership.objects.filter(pk__in=passed.values("partnership")).order_by("pk"):
        if not possible_owners(partnership).filter(pk=moving.target.pk).exists():
            changes += _end_part(passed.filter(partnership=partnership), partnership, moving.target, moving)
    return changes


def put_back(changes: Sequence[Change], now: dt.datetime) -> None:
    """Note in the journal what undoing a succession gave back, or a restore would end it again.

    A plan that is back in its partnership has not left it.
    """
    back: dict[str, dict[int, Change]] = defaultdict(dict)
    for change in changes:
        back[change.table][change.row] = change
    for plan in Plan.objects.filter(pk__in=back[Plan._meta.label]).order_by("pk"):
        values = back[Plan._meta.label][plan.pk].after
        if values.get("partnership") is not None:
            left = PastPartnership.objects.filter(plan=plan, partnership=plan.partnership_id)
            left.filter(pk__in=left.order_by("-left_at", "-pk").values("pk")[:1]).delete()
        if "audience" in values:
            journal_audience(plan, now=now)
    shares = Share.objects.filter(pk__in=back[Share._meta.label], revoked_at=None)
    for share in shares.select_related("plan", "person").order_by("pk"):
        journal_share(share, now=now, undone=True)
    offers = OwnershipOffer.objects.unanswered().filter(pk__in=back[OwnershipOffer._meta.label])
    for offer in offers.select_related("plan", "organisation").order_by("pk"):
        journal_offer_end(offer, now=now, undone=True)


def _goes_on(moving: Moving) -> bool:
    """Whether a succession passes something on that a body which goes on had.

    What a body that has ended still holds waits on its successors' pages until somebody decides.
    """
    return moving.succession is not None and not moving.source.is_ended


def _end_part(
    within: QuerySet[Plan], partnership: Partnership, organisation: Organisation, moving: Moving
) -> list[Change]:
    plans = list(within.values_list("pk", flat=True))
    offered = OwnershipOffer.objects.unanswered().filter(Q(organisation=organisation) | Q(offered_for=organisation))
    watched = [*plans, *offered.values_list("plan", flat=True)]
    before = _values(watched)
    parting = Parting(partnership, organisation, moving.reason, moving.author, moving.now)
    end_part(parting, Plan.objects.filter(pk__in=plans))
    after = _values(watched)
    return [
        Change(table, row, *_differing(values, after[table, row]))
        for (table, row), values in before.items()
        if after[table, row] != values
    ]


def _values(plans: Collection[int]) -> dict[tuple[str, int], dict[str, Any]]:
    """What the rows of these plans say, as changes keep it."""
    return {
        (model._meta.label, row.pop("pk")): {name: kept_value(value) for name, value in row.items()}
        for model, plan, names in _CHANGING
        for row in model._base_manager.filter(**{f"{plan}__in": plans}).order_by("pk").values("pk", *names)
    }


def _differing(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name in before if before[name] != after[name]]
    return {name: before[name] for name in names}, {name: after[name] for name in names}
