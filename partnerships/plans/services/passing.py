"""End an organisation's part in plans after a successor took over one of its plans or partnerships.

This is only needed if the organisation continues, for example after a transfer of functions. The plans that
did not pass to the successor then remain with the organisation.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet

from partnerships.agreements.models import Partnership
from partnerships.organisations.models import Handover, Organisation
from partnerships.organisations.obligations import Change, RecordMove, json_value
from partnerships.plans.models import OwnershipOffer, PastPartnership, Plan, PlanOwner, Share
from partnerships.plans.queries import possible_owners
from partnerships.plans.services.departures import PlanDeparture, end_part_in_plans
from partnerships.plans.services.recording import journal_audience, journal_offer_end
from partnerships.plans.services.sharing import journal_share


@dataclass(frozen=True, slots=True)
class _ChangedTable:
    """A table that changes when a part in a partnership ends. `plan` is the lookup of the row's plan."""

    model: type[Model]
    plan: str
    fields: tuple[str, ...]


#: The values in these tables are recorded before and after the change, so that undoing the succession restores them.
_CHANGED_TABLES = (
    _ChangedTable(Plan, plan="pk", fields=("partnership", "audience")),
    _ChangedTable(PlanOwner, plan="plan", fields=("ended_at", "ended_because")),
    _ChangedTable(Share, plan="plan", fields=("revoked_at",)),
    _ChangedTable(OwnershipOffer, plan="plan", fields=("withdrawn_at",)),
)


class _Row(NamedTuple):
    """A row of one of the `_CHANGED_TABLES`."""

    table: str
    pk: int


_ValuesByRow = dict[_Row, dict[str, Any]]


def end_part_in_passed_on_partnerships(partnership_ids: Collection[int], move: RecordMove) -> list[Change]:
    """End a continuing organisation's part in the plans of partnerships in which a successor replaces it.

    A plan with its own accepted handover is left out, because that handover decides who owns the plan.
    """
    if not _source_continues(move):
        return []
    handovers = Handover.objects.ready_to_apply().filter(
        succession=move.succession, predecessor=move.source, kind="plans"
    )
    handed_over_ids = list(handovers.values_list("record", flat=True))
    changes = []
    for partnership in Partnership.objects.filter(pk__in=partnership_ids).order_by("pk"):
        plans = Plan.objects.filter(partnership=partnership).exclude(pk__in=handed_over_ids)
        changes += _end_part(plans, partnership, move.source, move)
    return changes


def end_part_in_passed_on_plans(plan_ids: Collection[int], move: RecordMove) -> list[Change]:
    """End the part of the new owner in plans of partnerships to which the new owner does not belong.

    If such a plan has other owners, they keep the plan and the new owner does not own it. If it has no other owner,
    the plan leaves the partnership.
    """
    if not _source_continues(move):
        return []
    new_owner = move.target
    changes = []
    plans_in_partnerships = Plan.objects.filter(pk__in=plan_ids).exclude(partnership=None)
    for partnership in Partnership.objects.filter(pk__in=plans_in_partnerships.values("partnership")).order_by("pk"):
        if not possible_owners(partnership).filter(pk=new_owner.pk).exists():
            partnership_plans = plans_in_partnerships.filter(partnership=partnership)
            changes += _end_part(partnership_plans, partnership, new_owner, move)
    return changes


def journal_restored_rights(changes: Sequence[Change], now: dt.datetime) -> None:
    """Record in the journal what undoing a succession restored, so that a restore does not end it again.

    If a plan has returned to its partnership, the record that it left is deleted.
    """
    changes_by_table: dict[str, dict[int, Change]] = defaultdict(dict)
    for change in changes:
        changes_by_table[change.table][change.row] = change

    plan_changes = changes_by_table[Plan._meta.label]
    for plan in Plan.objects.filter(pk__in=plan_changes).order_by("pk"):
        restored_values = plan_changes[plan.pk].after
        if restored_values.get("partnership") is not None:
            _delete_last_departure(plan)
        if "audience" in restored_values:
            journal_audience(plan, now=now)

    shares = Share.objects.filter(pk__in=changes_by_table[Share._meta.label], revoked_at=None)
    for share in shares.select_related("plan", "person").order_by("pk"):
        journal_share(share, now=now, undone=True)

    offers = OwnershipOffer.objects.unanswered().filter(pk__in=changes_by_table[OwnershipOffer._meta.label])
    for offer in offers.select_related("plan", "organisation").order_by("pk"):
        journal_offer_end(offer, now=now, undone=True)


def _delete_last_departure(plan: Plan) -> None:
    """Delete the record of the last time that the plan left its present partnership."""
    departures = PastPartnership.objects.filter(plan=plan, partnership=plan.partnership_id)
    last_departure = departures.order_by("-left_at", "-pk")[:1]
    departures.filter(pk__in=last_departure.values("pk")).delete()


def _source_continues(move: RecordMove) -> bool:
    """Return whether a succession passes a record on from an organisation that has not ended.

    The plans of an organisation that has ended are not changed here. Its successors' pages list them until a lead
    decides.
    """
    return move.succession is not None and not move.source.is_ended


def _end_part(
    plans: QuerySet[Plan], partnership: Partnership, organisation: Organisation, move: RecordMove
) -> list[Change]:
    """End the organisation's part in these plans, and return the changed values of their rows."""
    departure = PlanDeparture(
        partnership=partnership,
        organisation=organisation,
        reason=move.reason,
        author=move.author,
        now=move.now,
    )
    plan_ids = list(plans.values_list("pk", flat=True))
    # Ending the part also withdraws the organisation's offers of other plans.
    offers = OwnershipOffer.objects.unanswered().filter(Q(organisation=organisation) | Q(offered_for=organisation))
    affected_plan_ids = [*plan_ids, *offers.values_list("plan", flat=True)]

    values_before = _values_by_row(affected_plan_ids)
    end_part_in_plans(departure, Plan.objects.filter(pk__in=plan_ids))
    return _changes_between(values_before, _values_by_row(affected_plan_ids))


def _changes_between(values_before: _ValuesByRow, values_after: _ValuesByRow) -> list[Change]:
    """Return a change for each row with values that differ, containing only these values."""
    changes = []
    for row, before in values_before.items():
        after = values_after[row]
        changed_names = [name for name in before if before[name] != after[name]]
        if changed_names:
            changes.append(
                Change(
                    table=row.table,
                    row=row.pk,
                    before={name: before[name] for name in changed_names},
                    after={name: after[name] for name in changed_names},
                )
            )
    return changes


def _values_by_row(plan_ids: Collection[int]) -> _ValuesByRow:
    """Return the values of the `_CHANGED_TABLES` for these plans, by row, as JSON stores them."""
    values_by_row: _ValuesByRow = {}
    for table in _CHANGED_TABLES:
        rows = table.model._base_manager.filter(**{f"{table.plan}__in": plan_ids}).order_by("pk")
        for values in rows.values("pk", *table.fields):
            row = _Row(table.model._meta.label, values.pop("pk"))
            values_by_row[row] = {name: json_value(value) for name, value in values.items()}
    return values_by_row
