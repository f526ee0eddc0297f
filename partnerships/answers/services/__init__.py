"""Everything that writes answers, questions and trust."""

from partnerships.answers.services.answering import (
    UnableToAnswer,
    acknowledge,
    answer_question,
    change_own_name,
    comment_by_link,
    name_colleague,
    record_concern,
)
from partnerships.answers.services.confirming import UnableToConfirm, confirm_reply, drop_incoming, save_forwarded
from partnerships.answers.services.moderating import (
    UnableToDecide,
    approve_answer,
    ask_named_colleague,
    end_trust,
    refuse_answer,
    trust_person,
)
from partnerships.answers.services.questions import UnableToAsk, ask_question, close_question
from partnerships.answers.services.receiving import plans_of_reply, receive_mail

__all__ = [
    "UnableToAnswer",
    "UnableToAsk",
    "UnableToConfirm",
    "UnableToDecide",
    "acknowledge",
    "answer_question",
    "approve_answer",
    "ask_named_colleague",
    "ask_question",
    "change_own_name",
    "close_question",
    "comment_by_link",
    "confirm_reply",
    "drop_incoming",
    "end_trust",
    "name_colleague",
    "plans_of_reply",
    "receive_mail",
    "record_concern",
    "refuse_answer",
    "save_forwarded",
    "trust_person",
]
