"""Dates that act: start, review and end come by the clock, whether or not a job has run."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Partnership, Status, gap_between, has_status_on
from partnerships.agreements.queries import find_partnerships
from partnerships.agreements.services import (
    UnableToChangeStatus,
    UnableToEditSettings,
    change_status,
    edit_settings,
    record_due_steps,
)
from partnerships.outbox.models import Email
from tests.support.terms import agree_terms
from tests.world import World

LONDON = ZoneInfo("Europe/London")


def at(day: dt.date, hour: int = 12, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour, minute), LONDON)


def agree(world: World, *, starts: dt.date, review: dt.date, ends: dt.date | None = None, **terms: object) -> None:
    """Sign the Estuary Partnership off with these dates, today."""
    agree_terms(
        world.partnership,
        world.amina,
        starts_on=starts.isoformat(),
        review_on=review.isoformat(),
        ends_on=ends.isoformat() if ends else "",
        **terms,
    )


def days(count: int) -> dt.date:
    return timezone.localdate() + dt.timedelta(days=count)


def reasons(world: World) -> list[str]:
    found = Event.objects.filter(target_kind="partnership", target_id=world.partnership.pk, actor_id=None)
    return [event.data["reason"] for event in found.filter(kind="partnership.status_changed").order_by("pk")]


def test_a_partnership_agreed_ahead_of_its_start_begins_on_that_day(world: World) -> None:
    agree(world, starts=days(10), review=days(100))
    assert world.partnership.status == Status.AGREED

    early = record_due_steps(now=at(days(9)))
    on_the_day = record_due_steps(now=at(days(10), 0, 1))
    again = record_due_steps(now=at(days(10)))

    assert (early, on_the_day, again) == (0, 1, 0)
    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ACTIVE
    assert reasons(world) == ["Its start date has come."]


def test_a_partnership_past_its_end_reads_as_ended_before_the_job_ran(world: World) -> None:
    agree(world, starts=days(0), review=days(20), ends=days(30))

    with time_machine.travel(at(days(30), 23, 59)):
        assert not Partnership.objects.get(pk=world.partnership.pk).is_over
    with time_machine.travel(at(days(31), 0, 1)):
        late = Partnership.objects.get(pk=world.partnership.pk)
        assert (late.status, late.state, late.is_over) == (Status.ACTIVE, Status.ENDED, True)
        assert late not in Partnership.objects.live()
        assert late in find_partnerships(user=world.amina, status="ended")
        with pytest.raises(UnableToEditSettings, match="over"):
            edit_settings(partnership=late, title="Quays", reason="New name.", author=world.amina, now=timezone.now())
        with pytest.raises(UnableToChangeStatus, match="end date has passed"):
            change_status(partnership=late, status="suspended", reason="Why.", author=world.amina, now=timezone.now())


def test_the_job_records_the_end_once_and_emails_the_leads(world: World) -> None:
    agree(world, starts=days(0), review=days(20), ends=days(30))
    record_due_steps(now=at(days(20)))

    first = record_due_steps(now=at(days(35)))
    again = record_due_steps(now=at(days(36)))

    assert (first, again) == (1, 0)
    world.partnership.refresh_from_db()
    assert (world.partnership.status, world.partnership.ends_on) == (Status.ENDED, days(30))
    assert reasons(world) == ["Its review date has come.", "Its end date has come."]
    told = Email.objects.filter(kind="agreements.date_came", params__status="ended")
    assert set(told.values_list("person_id", flat=True)) == {world.amina.pk, world.ben.pk}


def test_a_partnership_that_goes_on_does_not_end_on_its_end_date(world: World) -> None:
    agree(world, starts=days(0), review=days(40), ends=days(30), goes_on=True)

    steps = record_due_steps(now=at(days(35)))

    world.partnership.refresh_from_db()
    assert (steps, world.partnership.status) == (0, Status.ACTIVE)
    with time_machine.travel(at(days(35))):
        change_status(
            partnership=world.partnership, status="ended", reason="Done.", author=world.amina, now=timezone.now()
        )
        assert world.partnership.ends_on == timezone.localdate()


def test_a_job_that_missed_days_catches_up_step_by_step(world: World) -> None:
    agree(world, starts=days(10), review=days(20), ends=days(300))

    record_due_steps(now=at(days(25)))

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.UNDER_REVIEW
    assert reasons(world) == ["Its start date has come.", "Its review date has come."]


@pytest.mark.parametrize("day", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_a_day_begins_at_midnight_in_london_also_when_clocks_change(world: World, day: dt.date) -> None:
    Partnership.objects.filter(pk=world.partnership.pk).update(
        status=Status.ACTIVE, starts_on=dt.date(2026, 1, 1), ends_on=day
    )

    before_midnight = record_due_steps(now=at(day, 23, 59))
    after_midnight = record_due_steps(now=at(day + dt.timedelta(days=1), 0, 0))

    assert (before_midnight, after_midnight) == (0, 1)


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("stored", list(Status))
@pytest.mark.parametrize("shift", [-15, -5, 5, 15])
def test_lists_and_pages_agree_on_the_status(world: World, stored: str, shift: int, goes_on: bool) -> None:
    today = dt.date(2027, 6, 1)
    one = world.partnership
    one.status, one.goes_on = stored, goes_on
    one.starts_on = today + dt.timedelta(days=shift)
    one.review_on, one.ends_on = one.starts_on + dt.timedelta(days=10), one.starts_on + dt.timedelta(days=12)
    one.save()

    by_query = [
        status for status in Status if Partnership.objects.filter(has_status_on(status, today), pk=one.pk).exists()
    ]

    assert by_query == [one.state_on(today)]


def test_the_gap_between_two_agreements_is_said_in_days() -> None:
    old = Partnership(status="ended", starts_on=dt.date(2024, 4, 1), ends_on=dt.date(2027, 3, 31))

    def words(starts: dt.date | None) -> str:
        gap = gap_between(old, Partnership(status="active", starts_on=starts))
        return gap.words if gap else ""

    assert words(dt.date(2027, 4, 13)) == "12 days without cover: 1 to 12 April 2027"
    assert words(dt.date(2027, 5, 3)) == "32 days without cover: 1 April to 2 May 2027"
    assert words(dt.date(2027, 4, 2)) == "1 day without cover: 1 April 2027"
    assert words(None) == "Without cover since 1 April 2027"
    assert words(dt.date(2027, 4, 1)) == ""
