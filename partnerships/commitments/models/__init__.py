"""Models of commitments, their progress, evidence, due dates, reminders and units."""

from partnerships.commitments.models.choices import (
    FINAL_STATUSES,
    TRANSITIONS,
    UNDELIVERED_STATUSES,
    UNDER_WAY_STATUSES,
    Kind,
    Status,
)
from partnerships.commitments.models.commitments import Commitment, CommitmentQuerySet, commitment_readers, overdue_on
from partnerships.commitments.models.delivery import Evidence, Progress, Slippage
from partnerships.commitments.models.reminders import Reminder
from partnerships.commitments.models.routes import ACTION_VERIFIERS, CONFIRMERS, ROUTES, VERIFIERS
from partnerships.commitments.models.units import Unit, unit_fault, unit_words

__all__ = [
    "ACTION_VERIFIERS",
    "CONFIRMERS",
    "FINAL_STATUSES",
    "ROUTES",
    "TRANSITIONS",
    "UNDELIVERED_STATUSES",
    "UNDER_WAY_STATUSES",
    "VERIFIERS",
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
