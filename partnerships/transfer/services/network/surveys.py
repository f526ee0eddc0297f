"""Replay how surveys were opened, answered and closed, comments approved, and objectives linked."""

from __future__ import annotations

import datetime as dt
from functools import partial

from partnerships.surveys import sealing, services
from partnerships.surveys.bodies import Group
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import AnswerMode, CommentStatus, Round
from partnerships.surveys.queries.rounds import invitation_list_hash, newest_question_sets
from partnerships.transfer.services.network.partnerships import partnership_of
from partnerships.transfer.services.network.replaying import Item, Network

#: How long after the opening people answer, and the time at which a survey closes, on the day after its last day.
ANSWERED_AFTER, CLOSED_AT = dt.timedelta(days=1), dt.time(8)


def schedule_surveys(network: Network) -> None:
    """Schedule the events of surveys. Objectives that follow from a survey are linked at the end of loading."""
    for index, item in enumerate(network.file["surveys"]):
        path = f"surveys[{index}]"
        closes_at = dt.datetime.combine(item["closes_on"] + dt.timedelta(days=1), CLOSED_AT, tzinfo=dt.UTC)
        network.schedule(item["at"], path, partial(_open, network, item))
        network.schedule(item["at"] + ANSWERED_AFTER, path, partial(_answer, item))
        network.schedule(closes_at, path, partial(_close, network, item))
        network.schedule(network.now, path, partial(_link, network, item))


def _open(network: Network, item: Item, now: dt.datetime) -> None:
    """Open a round with the newest set of questions. The answers are a later event."""
    partnership, author = partnership_of(network, item["partnership"]), network.actor(item["by"])
    assert partnership is not None  # required in the file
    survey_round = services.prepare_round(
        partnership=partnership,
        title=item["title"],
        question_set=newest_question_sets()[0],
        way=AnswerMode.ANONYMOUS,
        closes_on=item["closes_on"],
        moderator=network.people[item["moderator"]].email,
        author=author,
        now=now,
    )
    for group in Group:
        addresses = [invited_person["email"] for invited_person in item["asked"] if invited_person["group"] == group]
        services.invite_people(survey_round=survey_round, addresses=addresses, group=group, author=author, now=now)
    moderator = network.people[item["moderator"]]
    services.ask_moderator(survey_round=survey_round, author=author, now=now)
    services.agree_to_moderate(
        survey_round=survey_round, list_hash=invitation_list_hash(survey_round), author=moderator, now=now
    )
    services.open_round(survey_round=survey_round, author=author, now=now)
    item["round"] = survey_round.pk


def _answer(item: Item, now: dt.datetime) -> None:
    """Answer for each invited person, with the file's answers in order."""
    survey_round = Round.objects.for_pages().get(pk=item["round"])
    people = list(survey_round.invitations.order_by("pk").values_list("person_id", flat=True))
    tokens = sealing.tokens_of(survey_round.key_name, people)
    dimensions = [dimension.key for dimension in survey_round.questions().dimensions]
    for person, item_answer in zip(people, item["answers"], strict=False):
        scores = {
            key: int(score) for key, score in zip(dimensions, item_answer["scores"], strict=False) if score.isdecimal()
        }
        answer = Answer(item_answer["group"], scores, item_answer["expects"], item_answer["comments"])
        services.answer_by_token(token=tokens[person], answer=answer, now=now)


def _close(network: Network, item: Item, now: dt.datetime) -> None:
    """Close the round, and approve all comments as its moderator."""
    services.close_due(now=now)
    survey_round = Round.objects.for_pages().get(pk=item["round"])
    sealing.destroy_key(survey_round.key_name)  # loading drops callbacks after commit, which would do this
    text_by_pk = {comment.pk: comment.text for comment in survey_round.comments.filter(status=CommentStatus.WAITING)}
    if text_by_pk:
        moderator = network.people[item["moderator"]]
        services.decide_comments(survey_round=survey_round, shown=text_by_pk, withheld=set(), author=moderator, now=now)


def _link(network: Network, item: Item, now: dt.datetime) -> None:
    survey_round = Round.objects.get(pk=item["round"])
    for action in item["actions"]:
        choice = f"objective-{network.recall('objectives', action['objective']).pk}"
        services.link_action(
            survey_round=survey_round, theme=action["theme"], choice=choice, author=network.actor(item["by"]), now=now
        )
