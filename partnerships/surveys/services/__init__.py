"""Services of surveys."""

from partnerships.surveys.services.acting import UnableToLink, link_action, link_new_record, unlink_action
from partnerships.surveys.services.answering import UnableToAnswer, answer_by_name, answer_by_token
from partnerships.surveys.services.closing import close_due
from partnerships.surveys.services.joining import answer_joining, ask_to_join, remove_joining
from partnerships.surveys.services.moderating import UnableToModerate, decide_comments
from partnerships.surveys.services.moderators import (
    agree_to_moderate,
    ask_moderator,
    decline_to_moderate,
    name_moderator,
)
from partnerships.surveys.services.question_sets import UnableToAddQuestions, add_question_set
from partnerships.surveys.services.recording import UnableToRun
from partnerships.surveys.services.rounds import (
    abandon_round,
    ask_by_name,
    invite_people,
    open_round,
    prepare_round,
    remind_everyone,
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
    "agree_to_moderate",
    "answer_by_name",
    "answer_by_token",
    "answer_joining",
    "ask_by_name",
    "ask_moderator",
    "ask_to_join",
    "close_due",
    "decide_comments",
    "decline_to_moderate",
    "invite_people",
    "link_action",
    "link_new_record",
    "name_moderator",
    "open_round",
    "prepare_round",
    "remind_everyone",
    "remove_joining",
    "unlink_action",
    "withdraw_invitation",
]
