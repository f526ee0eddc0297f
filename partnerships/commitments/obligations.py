"""Commitments among the records that move when an organisation is succeeded by another."""

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


def _commitments(organisation: Organisation, day: dt.date) -> QuerySet[Commitment]:
    """Return the commitments that are not over and that the organisation gives, receives or owns."""
    of_organisation = Q(giver=organisation) | Q(receiver=organisation) | Q(owner_organisation=organisation)
    return Commitment.objects.filter(of_organisation).exclude(status__in=FINAL_STATUSES)


def _with_target(target_id: int) -> Q:
    """Return a condition for commitments that the target gives or receives already.

    These cannot move to the target, because giver and receiver would be the same organisation.
    """
    return Q(giver=target_id) | Q(receiver=target_id)


def _describe(commitment: Commitment, organisation: Organisation) -> HeldRecord:
    """Return a commitment as a record that moves, with its title, homes and money."""
    verb = "Gives" if commitment.giver_id == organisation.pk else "Receives"
    title = f"{commitment.reference} {shorten(commitment.text, 90)}"
    homes, money = homes_and_money(commitment.quantity, commitment.unit)
    return HeldRecord(
        commitment.pk,
        title,
        commitment.get_absolute_url(),
        verb,
        homes=homes,
        money=money,
        generic_title=f"Commitment {commitment.reference}",
    )


COMMITMENTS = Obligation(
    "commitments",
    "Commitments",
    (
        Column("commitments.Commitment.giver", cannot_move_to=_with_target),
        Column("commitments.Commitment.receiver", cannot_move_to=_with_target),
        Column("commitments.Commitment.owner_organisation", cannot_move_to=_with_target),
        Column("commitments.Commitment.proposed_for", cannot_move_to=_with_target),
    ),
    _commitments,
    _describe,
    target="commitment",
    within=lambda row: ("partnership", row.partnership_id) if row.partnership_id else ("", None),
)


def register() -> None:
    """Register commitments, and the organisations of progress reports and evidence."""
    register_obligation(COMMITMENTS)
    register_following_columns("commitments.Progress.organisation", "commitments.Evidence.added_for")
