"""Nominations agreements and their returns."""

from partnerships.nominations.models.agreement import NominationsAgreement
from partnerships.nominations.models.records import ReturnRecord
from partnerships.nominations.models.returns import (
    WRITABLE_STATUSES,
    Decision,
    LettingsRun,
    NominationsReturn,
    Refusal,
    ReturnLine,
    ReturnQuerySet,
    ReturnStatus,
)

__all__ = [
    "WRITABLE_STATUSES",
    "Decision",
    "LettingsRun",
    "NominationsAgreement",
    "NominationsReturn",
    "Refusal",
    "ReturnLine",
    "ReturnQuerySet",
    "ReturnRecord",
    "ReturnStatus",
]
