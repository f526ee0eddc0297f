"""Calls of services of surveys that send emails, with who gets each."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.outbox.services import recording_no_emails
from partnerships.surveys import services
from partnerships.surveys.models import AnswerMode, Round
from tests.surveys.asking import answer_as_everybody, known_to_all, opened_round, prepared_round
from tests.telling.case import Act, case
from tests.world import World


def _asking_ben(world: World) -> Round:
    survey_round = prepared_round(world, way=AnswerMode.NAMED, asked={})
    services.invite_people(
        survey_round=survey_round, addresses=[world.ben.email], group="council", author=world.amina, now=timezone.now()
    )
    return survey_round


@case(("surveys.invitation", "ben"))
def survey_opened(world: World) -> Act:
    survey_round = _asking_ben(world)
    return lambda: services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


@case(("surveys.reminder", "ben"))
def survey_reminded(world: World) -> Act:
    survey_round = services.open_round(survey_round=_asking_ben(world), author=world.amina, now=timezone.now())
    return lambda: services.remind_everyone(survey_round=survey_round, author=world.amina, now=timezone.now())


@case(("surveys.agreement", "chidi"))
def survey_reader_asked(world: World) -> Act:
    survey_round = prepared_round(world, moderator=world.chidi)
    return lambda: services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())


@case(("surveys.declined", "amina"), ("surveys.declined", "ben"))
def survey_reader_declined(world: World) -> Act:
    survey_round = prepared_round(world, moderator=world.chidi)
    with recording_no_emails():
        services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    return lambda: services.decline_to_moderate(survey_round=survey_round, author=world.chidi, now=timezone.now())


@case(("surveys.joining", "chidi"), ("surveys.joining", "hana"))
def partnership_asked_to_join_a_survey(world: World) -> Act:
    survey_round = prepared_round(world)
    other = known_to_all(world)
    return lambda: services.ask_to_join(
        survey_round=survey_round, partnership=other, author=world.amina, now=timezone.now()
    )


@case(("surveys.results", "amina"), ("surveys.results", "ben"), ("surveys.comments", "chidi"))
def survey_closed(world: World) -> Act:
    survey_round = answer_as_everybody(opened_round(world, moderator=world.chidi))
    Round.objects.filter(pk=survey_round.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=1))
    return lambda: services.close_due(now=timezone.now())
