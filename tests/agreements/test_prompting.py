"""Objectives and terms are listed in agendas, in reports and among stuck records when they need attention."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils import timezone

from partnerships.agreements.agenda import LookBack, agenda_sources
from partnerships.agreements.figures import ReportPeriod, figures_of
from partnerships.agreements.models import Objective, TermsVersion
from partnerships.agreements.services import ProgressReport, add_objective, report_progress
from partnerships.agreements.stuck import stuck_records_in
from partnerships.organisations.models import Organisation
from tests.agreements.signing import propose_change, sign
from tests.support.moments import today
from tests.support.terms import agree_terms, put_up
from tests.world import World

DAY = dt.timedelta(days=1)


def add_blocked_objective(world: World) -> Objective:
    """Add an objective of Larkhaven that is behind and blocked."""
    objective = add_objective(
        partnership=world.partnership,
        text="Start 40 homes",
        measure="Homes started",
        unit="homes",
        baseline=Decimal(0),
        baseline_on=today() - 100 * DAY,
        target=Decimal(40),
        target_on=today() + 100 * DAY,
        organisation=world.larkhaven,
        owner=None,
        author=world.amina,
        now=timezone.now(),
    )
    report_progress(
        objective=objective,
        report=ProgressReport(on=today() - 5 * DAY, figure=Decimal(10), blocked_by="No planning permission"),
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    return objective


def agenda_items(world: World) -> dict[str, str]:
    """Return the items that the sources propose to Ben, by heading."""
    since = LookBack({world.partnership.pk: timezone.now() - 90 * DAY}, timezone.now())
    return {
        source.heading: f"{suggestion.title}: {suggestion.detail}"
        for source in agenda_sources()
        for suggestion in source.suggest(world.ben, [world.partnership], since)
    }


def stuck_records(world: World, now: dt.datetime, reader: Any = None) -> dict[str, str]:
    """Return who must act on each kind of stuck record that the reader (by default Ben) sees."""
    return {item.what: item.waits_for for item in stuck_records_in(reader or world.ben, [world.partnership.pk], now)}


def report_blocks(world: World, organisation: Organisation) -> dict[str, Any]:
    """Return the blocks of figures in the organisation's progress report on the last 30 days, by heading."""
    party = world.party(organisation)
    period = ReportPeriod(party=party, start=today() - 30 * DAY, end=today() + DAY, today=today())
    return {block["heading"]: block for block in figures_of(period)}


def test_a_blocked_objective_is_on_the_agenda(world: World) -> None:
    add_blocked_objective(world)

    assert "Start 40 homes (behind)" in agenda_items(world)["Objectives behind or blocked"]


def test_a_blocked_objective_is_in_the_progress_report_of_its_organisation(world: World) -> None:
    add_blocked_objective(world)

    block = report_blocks(world, world.larkhaven)["Objectives"]

    assert block["summary"] == "1 open, 1 reported on in this period, 1 behind or blocked."
    assert "blocked: No planning permission" in block["lines"][0]["figure"]


def test_a_blocked_objective_is_stuck_for_partners_only(world: World) -> None:
    add_blocked_objective(world)

    assert stuck_records(world, timezone.now())["Objective blocked"] == world.larkhaven.display_name
    assert stuck_records(world, timezone.now(), world.chidi) == {}


def send_amendment_that_westmarch_has_not_signed(world: World) -> None:
    """Send an amendment for signature, and sign it for Larkhaven only."""
    agree_terms(world.partnership, world.amina)
    version = put_up(propose_change(world, world.amina, world.larkhaven, text="We meet twice."), world.amina)
    sign(version, world.amina, world.larkhaven)


def test_terms_that_wait_for_signatures_are_on_the_agenda(world: World) -> None:
    send_amendment_that_westmarch_has_not_signed(world)

    assert "Amendment 1 of" in agenda_items(world)["Terms to sign"]


def test_terms_that_a_party_must_sign_are_in_its_progress_report(world: World) -> None:
    send_amendment_that_westmarch_has_not_signed(world)

    assert report_blocks(world, world.westmarch)["Terms"]["summary"] == "0 proposed, 1 to sign."


def test_terms_that_wait_for_signatures_are_stuck_after_two_weeks(world: World) -> None:
    send_amendment_that_westmarch_has_not_signed(world)

    stuck_today = stuck_records(world, timezone.now())
    stuck_later = stuck_records(world, timezone.now() + 15 * DAY)

    assert "Terms not signed" not in stuck_today
    assert stuck_later["Terms not signed"] == world.westmarch.display_name


def test_a_draft_that_nobody_changes_is_stuck_for_those_who_may_read_it(
    world: World, agreed_terms: TermsVersion
) -> None:
    propose_change(world, world.amina, world.larkhaven, text="We meet twice.")
    later = timezone.now() + 31 * DAY

    assert stuck_records(world, later)["Draft of terms not changed for a while"] == world.larkhaven.display_name
    assert "Draft of terms not changed for a while" not in stuck_records(world, later, world.vera)
