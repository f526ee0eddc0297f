"""Services of surveys that tell somebody."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.outbox.services import without_emails
from partnerships.surveys import services
from partnerships.surveys.models import Round, Way
from tests.surveys.asking import answer_as_everybody, known_to_all, opened_round, prepared
from tests.telling.case import Act, case
from tests.world import World


def _asking_ben(w: World) -> Round:
    found = prepared(w, way=Way.NAMED, asked={})
    services.invite(survey_round=found, addresses=[w.ben.email], group="council", author=w.amina, now=timezone.now())
    return found


@case(("surveys.invitation", "ben"))
def survey_opened(w: World) -> Act:
    found = _asking_ben(w)
    return lambda: services.open_round(survey_round=found, author=w.amina, now=timezone.now())


@case(("surveys.reminder", "ben"))
def survey_reminded(w: World) -> Act:
    found = services.open_round(survey_round=_asking_ben(w), author=w.amina, now=timezone.now())
    return lambda: services.remind(survey_round=found, author=w.amina, now=timezone.now())


@case(("surveys.agreement", "chidi"))
def survey_reader_asked(w: World) -> Act:
    found = prepared(w, moderator=w.chidi)
    return lambda: services.ask_moderator(survey_round=found, author=w.amina, now=timezone.now())


@case(("surveys.declined", "amina"), ("surveys.declined", "ben"))
def survey_reader_declined(w: World) -> Act:
    found = prepared(w, moderator=w.chidi)
    with without_emails():
        services.ask_moderator(survey_round=found, author=w.amina, now=timezone.now())
    return lambda: services.decline_to_moderate(survey_round=found, author=w.chidi, now=timezone.now())


@case(("surveys.joining", "chidi"), ("surveys.joining", "hana"))
def partnership_asked_to_join_a_survey(w: World) -> Act:
    found = prepared(w)
    other = known_to_all(w)
    return lambda: services.ask_to_join(survey_round=found, partnership=other, author=w.amina, now=timezone.now())


@case(("surveys.results", "amina"), ("surveys.results", "ben"), ("surveys.comments", "chidi"))
def survey_closed(w: World) -> Act:
    found = answer_as_everybody(opened_round(w, moderator=w.chidi))
    Round.objects.filter(pk=found.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=1))
    return lambda: services.close_due(now=timezone.now())
