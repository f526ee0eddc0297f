"""Commitments: who promised what, when it is due, and what was delivered."""

from partnerships.commitments.models.choices import ENDS, OVER, TRANSITIONS, UNDER_WAY, Kind, Status
from partnerships.commitments.models.commitments import Commitment, CommitmentQuerySet, commitment_readers, overdue_on
from partnerships.commitments.models.delivery import Evidence, Progress, Slippage
from partnerships.commitments.models.reminders import Reminder
from partnerships.commitments.models.routes import CONFIRMING, ROUTES, VERIFYING, VERIFYING_ACTIONS
from partnerships.commitments.models.units import Unit, unit_fault, unit_words

__all__ = [
    "CONFIRMING",
    "ENDS",
    "OVER",
    "ROUTES",
    "TRANSITIONS",
    "UNDER_WAY",
    "VERIFYING",
    "VERIFYING_ACTIONS",
    "Commitment",
    "CommitmentQuerySet",
    "Evidence",
    "Kind",
    "Progress",
    "Reminder",
    "Slippage",
    "Status",
    "Unit",
    "commitment_readers",
    "overdue_on",
    "unit_fault",
    "unit_words",
]
