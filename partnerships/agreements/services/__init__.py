"""Services that change partnerships, their parties and documents."""

from partnerships.agreements.services.dates import record_due_steps
from partnerships.agreements.services.documents import (
    UnableToAddDocument,
    UnableToRemoveDocument,
    UnableToRestoreDocument,
    add_document,
    remove_document,
    restore_document,
)
from partnerships.agreements.services.parties import (
    UnableToAnswer,
    UnableToChangeParty,
    UnableToInvite,
    UnableToLeave,
    answer_invitation,
    change_party_role,
    invite_organisation,
    leave_partnership,
    remove_party,
)
from partnerships.agreements.services.partnerships import (
    Terms,
    UnableToCreatePartnership,
    UnableToEditTerms,
    create_partnership,
    edit_terms,
)
from partnerships.agreements.services.posts import (
    Contact,
    UnableToChangePost,
    change_contact,
    create_post,
    end_post,
    fill_post,
    vacate_post,
)
from partnerships.agreements.services.status import (
    UnableToChangeStatus,
    UnableToRenew,
    change_status,
    missing_for,
    renew,
)

__all__ = [
    "Contact",
    "Terms",
    "UnableToAddDocument",
    "UnableToAnswer",
    "UnableToChangeParty",
    "UnableToChangePost",
    "UnableToChangeStatus",
    "UnableToCreatePartnership",
    "UnableToEditTerms",
    "UnableToInvite",
    "UnableToLeave",
    "UnableToRemoveDocument",
    "UnableToRenew",
    "UnableToRestoreDocument",
    "add_document",
    "answer_invitation",
    "change_contact",
    "change_party_role",
    "change_status",
    "create_partnership",
    "create_post",
    "edit_terms",
    "end_post",
    "fill_post",
    "invite_organisation",
    "leave_partnership",
    "missing_for",
    "record_due_steps",
    "remove_document",
    "remove_party",
    "renew",
    "restore_document",
    "vacate_post",
]
