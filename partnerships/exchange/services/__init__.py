"""Everything that changes asks, offers, answers and matches."""

from partnerships.exchange.services.answering import (
    UnableToAcknowledge,
    UnableToAskQuestion,
    UnableToDecline,
    UnableToRefer,
    acknowledge_entry,
    answer_question,
    ask_question,
    decline_entry,
    refer_entry,
)
from partnerships.exchange.services.drafting import (
    EntryDetails,
    EntrySharing,
    UnableToEditEntry,
    UnableToWriteEntry,
    create_entry,
    edit_entry,
    refusal_of_change,
)
from partnerships.exchange.services.ending import (
    UnableToMarkAgreed,
    UnableToWithdrawEntry,
    lapse_due_entries,
    mark_agreed,
    withdraw_entry,
)
from partnerships.exchange.services.facilitating import (
    UnableToFacilitate,
    end_entry_facilitator,
    name_entry_facilitator,
)
from partnerships.exchange.services.fulfilments import (
    UnableToMeet,
    link_commitment,
    meet_entry,
    transfer_fulfilments,
)
from partnerships.exchange.services.groups import UnableToStartGroupFromAnswer, start_group_from_answer
from partnerships.exchange.services.matches import (
    UnableToDismiss,
    UnableToIntroduce,
    dismiss_match,
    introduce,
    match_due_entries,
)
from partnerships.exchange.services.notices import email_new_entries, remind_of_closing
from partnerships.exchange.services.recording import UnableToChangeEntry
from partnerships.exchange.services.refreshing import fold_counts, refresh_parties, refresh_places
from partnerships.exchange.services.responses import (
    UnableToDecide,
    UnableToRespond,
    UnableToWithdrawResponse,
    decide_response,
    respond,
    withdraw_response,
)
from partnerships.exchange.services.several import (
    UnableToRemindOfEntry,
    email_about_waiting_entries,
    email_facilitators,
    remind_of_entry,
)
from partnerships.exchange.services.sharing import UnableToShareEntry, share_entry
from partnerships.exchange.services.stakeholders import mark_for_stakeholders
from partnerships.exchange.services.status import update_entry_status

__all__ = [
    "EntryDetails",
    "EntrySharing",
    "UnableToAcknowledge",
    "UnableToAskQuestion",
    "UnableToChangeEntry",
    "UnableToDecide",
    "UnableToDecline",
    "UnableToDismiss",
    "UnableToEditEntry",
    "UnableToFacilitate",
    "UnableToIntroduce",
    "UnableToMarkAgreed",
    "UnableToMeet",
    "UnableToRefer",
    "UnableToRemindOfEntry",
    "UnableToRespond",
    "UnableToShareEntry",
    "UnableToStartGroupFromAnswer",
    "UnableToWithdrawEntry",
    "UnableToWithdrawResponse",
    "UnableToWriteEntry",
    "acknowledge_entry",
    "answer_question",
    "ask_question",
    "create_entry",
    "decide_response",
    "decline_entry",
    "dismiss_match",
    "edit_entry",
    "email_about_waiting_entries",
    "email_facilitators",
    "email_new_entries",
    "end_entry_facilitator",
    "fold_counts",
    "introduce",
    "lapse_due_entries",
    "link_commitment",
    "mark_agreed",
    "mark_for_stakeholders",
    "match_due_entries",
    "meet_entry",
    "name_entry_facilitator",
    "refer_entry",
    "refresh_parties",
    "refresh_places",
    "refusal_of_change",
    "remind_of_closing",
    "remind_of_entry",
    "respond",
    "share_entry",
    "start_group_from_answer",
    "transfer_fulfilments",
    "update_entry_status",
    "withdraw_entry",
    "withdraw_response",
]
