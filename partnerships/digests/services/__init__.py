"""Services that change subscriptions, preferences, notices and the emails of this room."""

from partnerships.digests.services.answering import allow_questions, confirm, refuse_questions
from partnerships.digests.services.asking import (
    UnableToSubscribe,
    ask_again,
    ask_again_for_person,
    give_up_asking,
    remind,
)
from partnerships.digests.services.by_role import end_role_rule, follow_for_post, set_role_rule
from partnerships.digests.services.choosing import save_choices
from partnerships.digests.services.following import (
    add_confirmed_subscription,
    add_stakeholder,
    ask_for,
    ask_post_contacts,
    subscribe,
)
from partnerships.digests.services.inbox import UnableToChooseWay, choose_ways, mark_items
from partnerships.digests.services.ledger import UnableToSendAgain, record_look, send_again
from partnerships.digests.services.mailbox import UnableToReadMailbox, read_mailbox, read_new_mail
from partnerships.digests.services.new_links import renew_links, send_links
from partnerships.digests.services.preferences import end_pause, prefer, set_frequency, set_hears
from partnerships.digests.services.readdressing import (
    ask_to_move,
    confirm_with_others,
    correct_address,
    hide_new_address,
)
from partnerships.digests.services.recording import UnableToChangeSubscription
from partnerships.digests.services.stopping import keep_refusal_of, pause, refused_emails, resume, stop, stop_everything
from partnerships.digests.services.stopping_from_email import StopRecord, stop_all, stop_chosen, stop_email
from partnerships.digests.services.undoing_stops import UnableToUndo, last_stop, read_undo, undo_stop, undo_token

__all__ = [
    "StopRecord",
    "UnableToChangeSubscription",
    "UnableToChooseWay",
    "UnableToReadMailbox",
    "UnableToSendAgain",
    "UnableToSubscribe",
    "UnableToUndo",
    "add_confirmed_subscription",
    "add_stakeholder",
    "allow_questions",
    "ask_again",
    "ask_again_for_person",
    "ask_for",
    "ask_post_contacts",
    "ask_to_move",
    "choose_ways",
    "confirm",
    "confirm_with_others",
    "correct_address",
    "end_pause",
    "end_role_rule",
    "follow_for_post",
    "give_up_asking",
    "hide_new_address",
    "keep_refusal_of",
    "last_stop",
    "mark_items",
    "pause",
    "prefer",
    "read_mailbox",
    "read_new_mail",
    "read_undo",
    "record_look",
    "refuse_questions",
    "refused_emails",
    "remind",
    "renew_links",
    "resume",
    "save_choices",
    "send_again",
    "send_links",
    "set_frequency",
    "set_hears",
    "set_role_rule",
    "stop",
    "stop_all",
    "stop_chosen",
    "stop_email",
    "stop_everything",
    "subscribe",
    "undo_stop",
    "undo_token",
]
