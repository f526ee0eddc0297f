"""Services of surveys."""

from partnerships.surveys.services.acting import UnableToLink, link_action, unlink_action
from partnerships.surveys.services.answering import UnableToAnswer, answer_by_name, answer_by_token
from partnerships.surveys.services.closing import close_due
from partnerships.surveys.services.moderating import UnableToModerate, decide_comments
from partnerships.surveys.services.question_sets import UnableToAddQuestions, add_question_set
from partnerships.surveys.services.rounds import (
    UnableToRun,
    abandon_round,
    invite,
    open_round,
    prepare_round,
    remind,
    withdraw_invitation,
)

__all__ = [
    "UnableToAddQuestions",
    "UnableToAnswer",
    "UnableToLink",
    "UnableToModerate",
    "UnableToRun",
    "abandon_round",
    "add_question_set",
    "answer_by_name",
    "answer_by_token",
    "close_due",
    "decide_comments",
    "invite",
    "link_action",
    "open_round",
    "prepare_round",
    "remind",
    "unlink_action",
    "withdraw_invitation",
]
