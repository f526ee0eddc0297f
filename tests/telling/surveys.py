"""Services of surveys that tell somebody."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from partnerships.surveys import services
from partnerships.surveys.models import Round, Way
from tests.surveys.asking import everybody_answered, opened, prepared
from tests.telling.case import Act, case
from tests.world import World


def _asking_ben(w: World) -> Round:
    found = prepared(w, way=Way.NAMED, asked={})
    services.invite(found=found, addresses=[w.ben.email], group="council", author=w.amina, now=timezone.now())
    return found


@case(("surveys.invitation", "ben"))
def survey_opened(w: World) -> Act:
    found = _asking_ben(w)
    return lambda: services.open_round(found=found, author=w.amina, now=timezone.now())


@case(("surveys.reminder", "ben"))
def survey_reminded(w: World) -> Act:
    found = services.open_round(found=_asking_ben(w), author=w.amina, now=timezone.now())
    return lambda: services.remind(found=found, author=w.amina, now=timezone.now())


@case(("surveys.results", "amina"), ("surveys.results", "ben"), ("surveys.comments", "chidi"))
def survey_closed(w: World) -> Act:
    found = everybody_answered(opened(w, moderator=w.chidi))
    Round.objects.filter(pk=found.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=1))
    return lambda: services.close_due(now=timezone.now())
