"""Services that change commitments."""

from partnerships.commitments.services.confirming import UnableToConfirm, confirm_commitment
from partnerships.commitments.services.delivery import (
    UnableToEscalate,
    UnableToRecordProgress,
    UnableToVerify,
    escalate,
    exceeds_promise,
    record_progress,
    send_back,
    verify_delivery,
)
from partnerships.commitments.services.emails import email_leads_about_proposals, email_owners
from partnerships.commitments.services.ending import UnableToEnd, end_commitment
from partnerships.commitments.services.evidence import UnableToAttach, attach_evidence, remove_evidence
from partnerships.commitments.services.ownership import (
    UnableToChangeOwner,
    UnableToRemind,
    change_owner,
    hand_over_commitments,
    remind_owner,
)
from partnerships.commitments.services.proposing import UnableToPropose, propose_action, propose_commitment
from partnerships.commitments.services.registers import RegisterProgress, RegisterPromise, create_from_register
from partnerships.commitments.services.reminders import remind_owners
from partnerships.commitments.services.stakeholders import mark_for_stakeholders
from partnerships.commitments.services.terms import UnableToChangeDueDate, UnableToEdit, change_due_date, edit_proposal

__all__ = [
    "RegisterProgress",
    "RegisterPromise",
    "UnableToAttach",
    "UnableToChangeDueDate",
    "UnableToChangeOwner",
    "UnableToConfirm",
    "UnableToEdit",
    "UnableToEnd",
    "UnableToEscalate",
    "UnableToPropose",
    "UnableToRecordProgress",
    "UnableToRemind",
    "UnableToVerify",
    "attach_evidence",
    "change_due_date",
    "change_owner",
    "confirm_commitment",
    "create_from_register",
    "edit_proposal",
    "email_leads_about_proposals",
    "email_owners",
    "end_commitment",
    "escalate",
    "exceeds_promise",
    "hand_over_commitments",
    "mark_for_stakeholders",
    "propose_action",
    "propose_commitment",
    "record_progress",
    "remind_owner",
    "remind_owners",
    "remove_evidence",
    "send_back",
    "verify_delivery",
]
