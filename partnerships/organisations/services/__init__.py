"""Services that change organisations and memberships."""

from partnerships.organisations.services.areas_served import end_area_served, serve_area
from partnerships.organisations.services.consents import record_consent, record_refusal
from partnerships.organisations.services.corrections import (
    UnableToCorrect,
    correct_area,
    correct_area_served,
    correct_name,
)
from partnerships.organisations.services.handing_over import hand_over_records
from partnerships.organisations.services.handover_batches import apply_handovers, undo_handovers
from partnerships.organisations.services.handovers import (
    UnableToHandOverLines,
    answer_handovers,
    propose_handovers,
)
from partnerships.organisations.services.identifiers import (
    UnableToAddIdentifier,
    UnableToCorrectIdentifier,
    add_identifier,
    correct_identifier,
)
from partnerships.organisations.services.invitations import (
    UnableToAcceptMembership,
    UnableToInviteMember,
    accept_membership,
    invitation_for,
    invite_member,
    resend_invitation,
)
from partnerships.organisations.services.memberships import (
    UnableToAddMembership,
    UnableToChangeRole,
    UnableToEndMembership,
    add_membership,
    change_job_title,
    change_role,
    end_membership,
    hide_steps,
)
from partnerships.organisations.services.merging import (
    UnableToMerge,
    keep_apart,
    merge_organisations,
    preview_merge,
    undo_merge,
)
from partnerships.organisations.services.missing import mark_found, mark_missing
from partnerships.organisations.services.names import add_name
from partnerships.organisations.services.organisations import (
    ChangedFields,
    NewOrganisation,
    OrganisationFields,
    UnableToCreateOrganisation,
    UnableToDissolve,
    UnableToUpdateOrganisation,
    create_organisation,
    create_organisations,
    dissolve,
    recheck_own_sign_in,
    update_organisation,
)
from partnerships.organisations.services.own_sign_in import sign_in_refusal
from partnerships.organisations.services.proposals import email_proposals
from partnerships.organisations.services.requests import (
    UnableToAnswerRequest,
    UnableToAskForAccess,
    accept_request,
    ask_for_access,
    decline_request,
)
from partnerships.organisations.services.succession_ties import NewTie, UnableToRecordSuccession, ties_between
from partnerships.organisations.services.successions import (
    UnableToChangeSuccession,
    add_tie,
    change_succession_status,
    correct_succession,
    record_succession,
    remove_tie,
)
from partnerships.organisations.services.taking_effect import take_effect
from partnerships.organisations.services.undoing import undo_succession
from partnerships.organisations.services.vesting import hand_over_due

__all__ = [
    "ChangedFields",
    "NewOrganisation",
    "NewTie",
    "OrganisationFields",
    "UnableToAcceptMembership",
    "UnableToAddIdentifier",
    "UnableToAddMembership",
    "UnableToAnswerRequest",
    "UnableToAskForAccess",
    "UnableToChangeRole",
    "UnableToChangeSuccession",
    "UnableToCorrect",
    "UnableToCorrectIdentifier",
    "UnableToCreateOrganisation",
    "UnableToDissolve",
    "UnableToEndMembership",
    "UnableToHandOverLines",
    "UnableToInviteMember",
    "UnableToMerge",
    "UnableToRecordSuccession",
    "UnableToUpdateOrganisation",
    "accept_membership",
    "accept_request",
    "add_identifier",
    "add_membership",
    "add_name",
    "add_tie",
    "answer_handovers",
    "apply_handovers",
    "ask_for_access",
    "change_job_title",
    "change_role",
    "change_succession_status",
    "correct_area",
    "correct_area_served",
    "correct_identifier",
    "correct_name",
    "correct_succession",
    "create_organisation",
    "create_organisations",
    "decline_request",
    "dissolve",
    "email_proposals",
    "end_area_served",
    "end_membership",
    "hand_over_due",
    "hand_over_records",
    "hide_steps",
    "invitation_for",
    "invite_member",
    "keep_apart",
    "mark_found",
    "mark_missing",
    "merge_organisations",
    "preview_merge",
    "propose_handovers",
    "recheck_own_sign_in",
    "record_consent",
    "record_refusal",
    "record_succession",
    "remove_tie",
    "resend_invitation",
    "serve_area",
    "sign_in_refusal",
    "take_effect",
    "ties_between",
    "undo_handovers",
    "undo_merge",
    "undo_succession",
    "update_organisation",
]
