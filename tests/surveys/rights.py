"""The people who may call the services of surveys."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.utils import timezone

from partnerships.agreements.models import Objective, Partnership
from partnerships.people.models import User
from partnerships.surveys import services
from partnerships.surveys.models import Action, AnswerMode, Joining, QuestionSet, Round
from partnerships.surveys.queries.rounds import invitation_list_hash
from tests.support.rights import ADMINISTRATOR, EDITORS, LEAD, NOBODY, PARTNER, PARTNER_EDITORS, Row
from tests.surveys.asking import (
    agreed_round,
    closed_round,
    end_all_rounds,
    known_to_all,
    morning_after,
    objective,
    opened_round,
    prepared_round,
)
from tests.world import World

LEADS = LEAD | PARTNER
#: Personas who are leads of parties of the Harbour Partnership.
OTHER_LEADS = frozenset({"stranger", "former"})


def _prepare(world: World, author: User) -> Round:
    return services.prepare_round(
        partnership=world.partnership,
        title="How are we doing?",
        question_set=QuestionSet.objects.get(code="health", version=1),
        way=AnswerMode.NAMED,
        closes_on=timezone.localdate() + dt.timedelta(days=14),
        author=author,
        now=timezone.now(),
    )


def _linked(world: World) -> Action:
    end_all_rounds(world)
    return Action.objects.create(
        round=closed_round(world), theme="trust", objective=objective(world), added_at=timezone.now()
    )


def _draft(world: World) -> Round:
    end_all_rounds(world)
    return prepared_round(world)


def _agreed_draft(world: World) -> Round:
    return agreed_round(_draft(world))


def _open_round(world: World) -> Round:
    end_all_rounds(world)
    return opened_round(world)


class JoiningRequest(NamedTuple):
    """A draft of a round, and another partnership that can be asked to join it."""

    survey_round: Round
    partnership: Partnership


def _draft_and_partner(world: World) -> JoiningRequest:
    return JoiningRequest(_draft(world), known_to_all(world))


class ClosedRound(NamedTuple):
    """A closed round, and an objective that can be linked to its results."""

    survey_round: Round
    objective: Objective


def _closed_with_objective(world: World) -> ClosedRound:
    end_all_rounds(world)
    return ClosedRound(closed_round(world), objective(world))


def _asked_to_moderate(world: World) -> Round:
    survey_round = _draft(world)
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    return survey_round


def _asked_to_join(world: World) -> Joining:
    end_all_rounds(world)
    return services.ask_to_join(
        survey_round=prepared_round(world), partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )


def _joined(world: World) -> Joining:
    joining = _asked_to_join(world)
    services.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())
    return joining


QUESTIONS = (
    'name = "One"\nlanguages = ["en"]\n[[dimensions]]\nkey = "trust"\nname.en = "Trust"\nstatement.en = "We trust."\n'
)

ROWS = (
    Row(
        "surveys.add_question_set",
        lambda world, author, _: services.add_question_set(code="one", text=QUESTIONS, author=author),
        ADMINISTRATOR,
    ),
    Row("surveys.prepare_round", lambda world, author, _: _prepare(world, author), LEADS, end_all_rounds),
    Row(
        "surveys.invite_people",
        lambda world, author, survey_round: services.invite_people(
            survey_round=survey_round,
            addresses=["one@more.example"],
            group="council",
            author=author,
            now=timezone.now(),
        ),
        LEADS,
        _draft,
    ),
    Row(
        "surveys.withdraw_invitation",
        lambda world, author, survey_round: services.withdraw_invitation(
            survey_round=survey_round,
            invitation=survey_round.invitations.all()[0].pk,
            author=author,
            now=timezone.now(),
        ),
        LEADS,
        _draft,
    ),
    Row(
        "surveys.open_round",
        lambda world, author, survey_round: services.open_round(
            survey_round=survey_round, author=author, now=timezone.now()
        ),
        LEADS,
        _agreed_draft,
    ),
    Row(
        "surveys.ask_by_name",
        lambda world, author, survey_round: services.ask_by_name(
            survey_round=survey_round, author=author, now=timezone.now()
        ),
        LEADS,
        _draft,
    ),
    Row(
        "surveys.name_moderator",
        lambda world, author, survey_round: services.name_moderator(
            survey_round=survey_round, address="ona@outside.example", author=author, now=timezone.now()
        ),
        LEADS,
        _draft,
    ),
    Row(
        "surveys.ask_moderator",
        lambda world, author, survey_round: services.ask_moderator(
            survey_round=survey_round, author=author, now=timezone.now()
        ),
        LEADS,
        _draft,
    ),
    Row(
        "surveys.ask_to_join",
        lambda world, author, request: services.ask_to_join(
            survey_round=request.survey_round, partnership=request.partnership, author=author, now=timezone.now()
        ),
        LEADS,
        _draft_and_partner,
    ),
    Row(
        "surveys.answer_joining",
        lambda world, author, joining: services.answer_joining(
            joining=joining, joins=True, author=author, now=timezone.now()
        ),
        OTHER_LEADS,
        _asked_to_join,
    ),
    Row(
        "surveys.remove_joining",
        lambda world, author, joining: services.remove_joining(joining=joining, author=author, now=timezone.now()),
        LEADS,
        _joined,
    ),
    Row(
        "surveys.remind_everyone",
        lambda world, author, survey_round: services.remind_everyone(
            survey_round=survey_round, author=author, now=timezone.now()
        ),
        LEADS,
        _open_round,
    ),
    Row(
        "surveys.abandon_round",
        lambda world, author, survey_round: services.abandon_round(
            survey_round=survey_round, reason="Too soon.", author=author, now=timezone.now()
        ),
        LEADS,
        _open_round,
    ),
    Row(
        "surveys.unlink_action",
        lambda world, author, linked: services.unlink_action(
            survey_round=linked.round, action_pk=linked.pk, author=author, now=morning_after(linked.round)
        ),
        EDITORS | PARTNER_EDITORS,
        _linked,
    ),
    Row(
        "surveys.link_action",
        lambda world, author, closed: services.link_action(
            survey_round=closed.survey_round,
            theme="trust",
            choice=f"objective-{closed.objective.pk}",
            author=author,
            now=morning_after(closed.survey_round),
        ),
        EDITORS | PARTNER_EDITORS,
        _closed_with_objective,
    ),
    Row(
        "surveys.link_new_record",
        lambda world, author, closed: services.link_new_record(
            survey_round=closed.survey_round,
            theme="trust",
            record=closed.objective,
            author=author,
            now=morning_after(closed.survey_round),
        ),
        EDITORS | PARTNER_EDITORS,
        _closed_with_objective,
    ),
    # The moderator alone may, who is none of the personas.
    Row(
        "surveys.agree_to_moderate",
        lambda world, author, survey_round: services.agree_to_moderate(
            survey_round=survey_round, list_hash=invitation_list_hash(survey_round), author=author, now=timezone.now()
        ),
        NOBODY,
        _asked_to_moderate,
    ),
    Row(
        "surveys.decline_to_moderate",
        lambda world, author, survey_round: services.decline_to_moderate(
            survey_round=survey_round, author=author, now=timezone.now()
        ),
        NOBODY,
        _asked_to_moderate,
    ),
    Row(
        "surveys.decide_comments",
        lambda world, author, closed: services.decide_comments(
            survey_round=closed.survey_round,
            shown={},
            withheld=set(),
            author=author,
            now=morning_after(closed.survey_round),
        ),
        NOBODY,
        _closed_with_objective,
    ),
)
WITHOUT_A_PERSON = {
    "surveys.close_due": "called by the clock",
    "surveys.answer_by_token": "the token is the right, and nobody may know whose it is",
    "surveys.answer_by_name": "the signed link is the right",
    "surveys.lock_draft": "finds a draft for other services",
    "surveys.lock_own_draft": "finds a draft for other services",
    "surveys.record_event": "records what another service did",
}
