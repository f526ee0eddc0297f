"""Followers of a council get emails about milestones whose dates changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from partnerships.digests.emails import rendering, selecting
from partnerships.digests.services import add_confirmed_subscription
from partnerships.organisations.models import Organisation
from partnerships.people.services import person_for_address
from tests.digests.conftest import PostOffice, play, text_of
from tests.support.pages import collapse

from .lists import COUNCILS, import_list, import_plans
from .test_local_plans import PLANS, TIMETABLE
from .test_standards import PLANS as STANDARD_PLANS
from .test_standards import TIMETABLE as STANDARD_TIMETABLE
from .test_standards import import_councils_with_planning_area

pytestmark = pytest.mark.django_db


def test_digest_gives_both_dates_of_a_moved_milestone(settings: Any) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    selecting.clear_cache()
    rendering.clear_caches()
    import_list("councils", COUNCILS)
    now = timezone.now()
    import_plans(PLANS.encode(), TIMETABLE.encode(), now=now - dt.timedelta(days=2))
    mere = Organisation.objects.get(name="Mere Council")
    councillor = person_for_address(email="councillor@mere.example", name="Councillor Reed")
    add_confirmed_subscription(
        person=councillor,
        target=mere,
        author=None,
        organisation=mere,
        frequency="at_once",
        now=now - dt.timedelta(days=1),
    )
    office = PostOffice()
    play(office)

    import_plans(PLANS.encode(), TIMETABLE.replace("2027,mere-joint", "2028-03,mere-joint").encode(), now=now)
    play(office, now=timezone.now() + dt.timedelta(minutes=1))

    (email,) = office.to(councillor)
    email_text = text_of(email)
    assert "Mere and March Joint Plan" in email_text
    assert "Estimated plan adoption date" in email_text
    assert "2027" in email_text
    assert "March 2028" in email_text
    assert "planning data" in email_text


def test_digest_says_when_an_event_was_planned_and_when_it_happened(settings: Any) -> None:
    settings.DIGEST_SETTLE_MINUTES = 0
    selecting.clear_cache()
    rendering.clear_caches()
    import_councils_with_planning_area()
    now = timezone.now()
    import_plans(STANDARD_PLANS.encode(), STANDARD_TIMETABLE.encode(), now=now - dt.timedelta(days=2))
    westmarch = Organisation.objects.get(name="Westmarch Borough Council")
    councillor = person_for_address(email="councillor@westmarch.example", name="Councillor Reed")
    add_confirmed_subscription(
        person=councillor,
        target=westmarch,
        author=None,
        organisation=westmarch,
        frequency="at_once",
        now=now - dt.timedelta(days=1),
    )
    office = PostOffice()
    play(office)

    later_timetable = STANDARD_TIMETABLE.replace("2029-03,,", "2029-09,2029-10-02,")
    import_plans(STANDARD_PLANS.encode(), later_timetable.encode(), now=now)
    play(office, now=timezone.now() + dt.timedelta(minutes=1))

    (email,) = office.to(councillor)
    email_text = collapse(text_of(email))
    assert "Plan adopted" in email_text
    assert "March 2029" in email_text
    assert "September 2029" in email_text
    assert "2 October 2029" in email_text
