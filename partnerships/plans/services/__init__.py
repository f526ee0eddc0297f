"""Services of plans; other rooms import them from here."""

from partnerships.documents import PieceConflict
from partnerships.documents.services import UnableToPublish, UnableToSavePiece
from partnerships.plans.services.attaching import UnableToAttach, attach_document
from partnerships.plans.services.commenting import UnableToComment, add_comment, set_resolved
from partnerships.plans.services.drafting import (
    UnableToCreatePlan,
    create_plan,
    discard_draft,
    lock_open_draft,
    move_piece,
    save_items,
    save_piece,
)
from partnerships.plans.services.escalating import escalate_signatories
from partnerships.plans.services.lifecycle import (
    UnableToChangeStatus,
    UnableToPinBaseline,
    change_audience,
    change_status,
    pin_baseline,
)
from partnerships.plans.services.opening import UnableToEmbargo, lift_embargoes
from partnerships.plans.services.owning import (
    UnableToChangeOwners,
    answer_offer,
    give_up_ownership,
    offer_ownership,
    withdraw_offer,
)
from partnerships.plans.services.papers import stored_pdf
from partnerships.plans.services.publishing import (
    DraftChoices,
    publish_piece,
    publish_version,
)
from partnerships.plans.services.reminding import remind_signatories
from partnerships.plans.services.sharing import (
    UnableToAskForAccess,
    UnableToShare,
    answer_request,
    ask_for_access,
    log_share_opening,
    revoke_share,
    share_draft,
)
from partnerships.plans.services.signatories import (
    UnableToRequestSignOff,
    change_due_day,
    release_signatories,
    remove_signatory,
    request_sign_off,
)
from partnerships.plans.services.signing import UnableToSign, meet_condition, sign_off

__all__ = [
    "DraftChoices",
    "PieceConflict",
    "UnableToAskForAccess",
    "UnableToAttach",
    "UnableToChangeOwners",
    "UnableToChangeStatus",
    "UnableToComment",
    "UnableToCreatePlan",
    "UnableToEmbargo",
    "UnableToPinBaseline",
    "UnableToPublish",
    "UnableToRequestSignOff",
    "UnableToSavePiece",
    "UnableToShare",
    "UnableToSign",
    "add_comment",
    "answer_offer",
    "answer_request",
    "ask_for_access",
    "attach_document",
    "change_audience",
    "change_due_day",
    "change_status",
    "create_plan",
    "discard_draft",
    "escalate_signatories",
    "give_up_ownership",
    "lift_embargoes",
    "lock_open_draft",
    "log_share_opening",
    "meet_condition",
    "move_piece",
    "offer_ownership",
    "pin_baseline",
    "publish_piece",
    "publish_version",
    "release_signatories",
    "remind_signatories",
    "remove_signatory",
    "request_sign_off",
    "revoke_share",
    "save_items",
    "save_piece",
    "set_resolved",
    "share_draft",
    "sign_off",
    "stored_pdf",
    "withdraw_offer",
]
