"""What happens to commitments when an organisation ends and another succeeds it.

Commitments that are not over pass to the successor. Commitments that are over stay as they are.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, QuerySet

from partnerships.commitments.models import FINAL_STATUSES, Commitment
from partnerships.commitments.quantities import homes_and_money
from partnerships.kit.text import shorten
from partnerships.organisations.models import Organisation
from partnerships.organisations.obligations import (
    Column,
    HeldRecord,
    Obligation,
    register_following_columns,
    register_obligation,
)


def _open_commitments(organisation: Organisation, _day: dt.date) -> QuerySet[Commitment]:
    """Return the commitments that are not over and that the organisation gives, receives or owns."""
    of_organisation = Q(giver=organisation) | Q(receiver=organisation) | Q(owner_organisation=organisation)
    return Commitment.objects.filter(of_organisation).exclude(status__in=FINAL_STATUSES)


def _is_with_successor(successor_id: int) -> Q:
    """Return the condition that the successor gives or receives a commitment already.

    Such a commitment stays. If it moved, the successor would be both its giver and its receiver.
    """
    return Q(giver=successor_id) | Q(receiver=successor_id)


def _describe(commitment: Commitment, organisation: Organisation) -> HeldRecord:
    """Return the description of a commitment for lists, with its homes and money."""
    verb = "Gives" if commitment.giver_id == organisation.pk else "Receives"
    title = f"{commitment.reference} {shorten(commitment.text, 90)}"
    homes, money = homes_and_money(commitment.quantity, commitment.unit)
    return HeldRecord(
        pk=commitment.pk,
        title=title,
        path=commitment.get_absolute_url(),
        what=verb,
        homes=homes,
        money=money,
        generic_title=f"Commitment {commitment.reference}",
    )


COMMITMENTS = Obligation(
    code="commitments",
    label="Commitments",
    columns=(
        Column("commitments.Commitment.giver", cannot_move_to=_is_with_successor),
        Column("commitments.Commitment.receiver", cannot_move_to=_is_with_successor),
        Column("commitments.Commitment.owner_organisation", cannot_move_to=_is_with_successor),
        Column("commitments.Commitment.proposed_for", cannot_move_to=_is_with_successor),
    ),
    records=_open_commitments,
    describe=_describe,
    target="commitment",
    within=lambda commitment: ("partnership", commitment.partnership_id) if commitment.partnership_id else ("", None),
)


def register() -> None:
    """Register commitments. The organisations of progress reports and evidence change only in a merge."""
    register_obligation(COMMITMENTS)
    register_following_columns("commitments.Progress.organisation", "commitments.Evidence.added_for")
