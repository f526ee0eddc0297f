"""Services that draft, send, sign and amend terms, and put them in force."""

from partnerships.agreements.services.terms.accepting import record_acceptances
from partnerships.agreements.services.terms.drafting import (
    UnableToPropose,
    move_terms_piece,
    propose_amendment,
    save_terms_piece,
    update_terms_draft,
)
from partnerships.agreements.services.terms.ending import (
    UnableToWithdraw,
    ask_new_signers,
    escalate_late_signatures,
    lapse_proposals,
    remind_terms_signers,
    take_back_terms,
    withdraw_proposal,
)
from partnerships.agreements.services.terms.joining import ask_joined_parties
from partnerships.agreements.services.terms.sending import (
    SignatureRequest,
    UnableToSendForSignature,
    send_for_signature,
)
from partnerships.agreements.services.terms.signing import (
    PaperSignature,
    UnableToSignTerms,
    decline_to_sign,
    record_paper_signature,
    sign_terms,
)
from partnerships.agreements.services.terms.taking_force import record_terms_in_force

__all__ = [
    "PaperSignature",
    "SignatureRequest",
    "UnableToPropose",
    "UnableToSendForSignature",
    "UnableToSignTerms",
    "UnableToWithdraw",
    "ask_joined_parties",
    "ask_new_signers",
    "decline_to_sign",
    "escalate_late_signatures",
    "lapse_proposals",
    "move_terms_piece",
    "propose_amendment",
    "record_acceptances",
    "record_paper_signature",
    "record_terms_in_force",
    "remind_terms_signers",
    "save_terms_piece",
    "send_for_signature",
    "sign_terms",
    "take_back_terms",
    "update_terms_draft",
    "withdraw_proposal",
]
