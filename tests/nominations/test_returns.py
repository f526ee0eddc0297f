"""Quarterly returns are started, and a worker counts their lettings."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from django.db import connection
from django.utils import timezone

from partnerships.agreements.models import Party
from partnerships.kit.rights import UnableToAct
from partnerships.nominations import services
from partnerships.nominations.lettings.columns import normalise_text
from partnerships.nominations.models import (
    Decision,
    LettingsRun,
    NominationsReturn,
)
from partnerships.nominations.queries import result_of, returns_of, row_outcomes
from partnerships.nominations.queries.returns import scope_of
from partnerships.nominations.services import UnableToReport
from partnerships.nominations.services.lettings import LEASE, LETTINGS_WAIT, delete_uncounted_lettings
from partnerships.organisations.models import Area, AreaKind, AreaServed
from tests.nominations.quarters import (
    CODE,
    collection_year,
    confirmed_return,
    counted_return,
    days_after,
    disputed_return,
    lettings_file,
    lettings_of,
    place_of,
    reloaded,
    started_return,
    upload_lettings,
)
from tests.nominations.signed import sign_nominations
from tests.support.core_files import CANARY, core_file, expected, invent
from tests.world import World


def test_a_return_is_computed_to_the_letting(world: World) -> None:
    lettings = lettings_of(world, 400)

    nominations_return = counted_return(world, world.things["nominations"], lettings)

    lines, outcomes = expected(lettings)
    result = result_of(nominations_return)
    assert {
        (line.bedrooms, line.is_first_let): (line.lettings, line.nominated, line.median_days) for line in result.lines
    } == {key: (one.lettings, one.nominated, one.median_days) for key, one in lines.items()}
    assert result.total.lettings == outcomes["used"]
    assert sum(outcome.number for outcome in row_outcomes(nominations_return.run)) == 400


def test_the_lines_of_relets_have_the_agreed_shares(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])

    lines = result_of(nominations_return).lines

    assert {line.bedrooms: line.share for line in lines if not line.is_first_let} == {
        "studio": 50,
        "1": 50,
        "2": 75,
        "3": 75,
        "4": 75,
    }


def test_kept_rows_are_deleted_when_they_are_counted(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])

    run = LettingsRun.objects.get(nominations_return=nominations_return)
    assert run.content is None
    assert run.columns == []
    assert run.done == 200
    assert run.total == 200
    assert run.finished_at == days_after() or not run.is_running


def test_nothing_about_households_reaches_the_database(world: World) -> None:
    agreement = world.things["nominations"]
    upload_lettings(world, started_return(world, agreement), lettings_of(world))

    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s', [f"%{CANARY}%"])
            assert cursor.fetchone() == (0,), table
    content = LettingsRun.objects.get().content
    assert CANARY.encode() not in bytes(content or b"")


def test_a_second_upload_replaces_the_first(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    first_total = result_of(nominations_return).total
    other_lettings = lettings_of(world, 60, seed=2)
    upload_lettings(world, nominations_return, other_lettings)

    services.count_waiting(now=days_after())

    lines, _ = expected(other_lettings)
    total = result_of(reloaded(nominations_return)).total
    assert total.lettings == sum(line.lettings for line in lines.values())
    assert total.lettings != first_total.lettings


def test_lettings_of_a_return_that_was_sent_are_not_replaced(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    with pytest.raises(UnableToReport, match="This return has been sent to the council, so you cannot change it now"):
        upload_lettings(world, nominations_return, lettings_of(world))


def test_the_same_upload_twice_changes_nothing(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    lines = list(nominations_return.lines.order_by("pk").values())
    upload_lettings(world, nominations_return, lettings_of(world))

    services.count_waiting(now=days_after())

    assert list(nominations_return.lines.order_by("pk").values()) == lines


def test_a_share_with_four_decimals_does_not_change_a_decided_line(unsigned: World) -> None:
    nominations_return, disputed_id = disputed_return(unsigned, sign_nominations(unsigned, relets_2="66.6667"))
    upload_lettings(unsigned, nominations_return, lettings_of(unsigned))

    services.count_waiting(now=days_after())

    undecided_lines = nominations_return.lines.exclude(decision=Decision.CONFIRMED)
    assert [line.pk for line in undecided_lines] == [disputed_id]


def test_starting_a_return_again_gives_the_same(world: World) -> None:
    agreement = world.things["nominations"]
    first_return = started_return(world, agreement)

    second_return = started_return(world, agreement)

    assert second_return == first_return
    assert NominationsReturn.objects.count() == 1


def test_a_return_is_not_started_before_its_quarter_is_over(world: World) -> None:
    starts_on = place_of(world).starts_on

    with pytest.raises(UnableToReport, match="This quarter is not over yet"):
        start_return_today(world, starts_on)


def test_a_return_is_not_started_for_a_day_that_begins_no_quarter(world: World) -> None:
    day_before_the_quarter = place_of(world).starts_on - dt.timedelta(days=1)

    with pytest.raises(UnableToReport, match="A quarter begins on the first of January, April, July or October"):
        start_return_today(world, day_before_the_quarter)


def test_a_return_is_not_started_for_a_quarter_without_terms(world: World) -> None:
    quarter_before_the_agreement = dt.date(2024, 4, 1)

    with pytest.raises(UnableToReport, match="No terms with shares for nominations were in force in this quarter"):
        start_return_today(world, quarter_before_the_agreement)


def start_return_today(world: World, starts_on: dt.date) -> None:
    """Start the return of the quarter that begins on a day, as Amina, today."""
    services.start_return(
        agreement=world.things["nominations"], starts_on=starts_on, author=world.amina, now=timezone.now()
    )


def test_the_export_of_another_year_is_refused(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    # Exports have the column `referral_register` since 2026.
    file_of_2024 = lettings_file(core_file(lettings_of(world, 5), year=2024))
    assert collection_year() >= 2026

    with pytest.raises(UnableToReport, match="the columns referral_register and referral_noms, which are missing"):
        services.store_lettings(
            nominations_return=nominations_return, file=file_of_2024, author=world.amina, now=days_after()
        )


@pytest.fixture
def claimed_run(world: World) -> LettingsRun:
    """Return the run of an upload that a worker has claimed but not counted, as if the worker had died."""
    upload_lettings(world, started_return(world, world.things["nominations"]), lettings_of(world))
    LettingsRun.objects.update(claimed_until=days_after() + LEASE)
    return LettingsRun.objects.get()


@pytest.mark.usefixtures("claimed_run")
def test_a_run_that_a_worker_has_claimed_is_left_alone() -> None:
    attempts = services.count_waiting(now=days_after())

    assert attempts == 0


@pytest.mark.usefixtures("claimed_run")
def test_a_run_of_a_worker_that_died_is_taken_up_again() -> None:
    attempts = services.count_waiting(now=days_after() + LEASE + dt.timedelta(minutes=1))

    assert attempts == 1


@pytest.mark.usefixtures("claimed_run")
def test_a_run_that_was_taken_up_again_is_counted_once() -> None:
    services.count_waiting(now=days_after() + LEASE + dt.timedelta(minutes=1))

    attempts = services.count_waiting(now=days_after() + LEASE * 3)

    assert attempts == 0


def test_a_run_fails_if_its_author_may_not_report_any_more(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    upload_lettings(world, nominations_return, lettings_of(world))
    world.amina.memberships.update(ends_on=timezone.localdate())

    services.count_waiting(now=days_after())

    run = LettingsRun.objects.get()
    assert "can no longer change this return" in run.error
    assert run.content is None
    assert not nominations_return.lines.exists()


@pytest.fixture
def broken_counting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the counting of lettings raise an error."""

    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError("Broken")

    monkeypatch.setattr("partnerships.nominations.services.lettings.count_lettings", fail)


@pytest.mark.usefixtures("broken_counting")
def test_an_error_while_counting_deletes_the_kept_rows(world: World) -> None:
    upload_lettings(world, started_return(world, world.things["nominations"]), lettings_of(world))

    with pytest.raises(ValueError, match="Broken"):
        services.count_waiting(now=days_after())

    run = LettingsRun.objects.get()
    assert run.content is None
    assert not run.is_running


@pytest.mark.usefixtures("broken_counting")
def test_a_run_that_failed_is_not_taken_up_again(world: World) -> None:
    upload_lettings(world, started_return(world, world.things["nominations"]), lettings_of(world))
    with contextlib.suppress(ValueError):
        services.count_waiting(now=days_after())

    attempts = services.count_waiting(now=days_after())

    assert attempts == 0


@pytest.fixture
def uncounted_run(world: World) -> LettingsRun:
    """Return the run of an upload that no worker has counted."""
    upload_lettings(world, started_return(world, world.things["nominations"]), lettings_of(world))
    return LettingsRun.objects.get()


def test_rows_that_nobody_counted_are_kept_for_two_days(uncounted_run: LettingsRun) -> None:
    deleted = delete_uncounted_lettings(days_after() + LETTINGS_WAIT - dt.timedelta(hours=1), dry_run=False)

    uncounted_run.refresh_from_db()
    assert deleted == 0
    assert uncounted_run.content is not None


def test_rows_that_nobody_counted_are_deleted_after_two_days(uncounted_run: LettingsRun) -> None:
    deleted = delete_uncounted_lettings(days_after() + LETTINGS_WAIT + dt.timedelta(minutes=1), dry_run=False)

    uncounted_run.refresh_from_db()
    assert deleted == 1
    assert uncounted_run.content is None


def test_dry_run_counts_rows_that_would_be_deleted_and_keeps_them(uncounted_run: LettingsRun) -> None:
    would_be_deleted = delete_uncounted_lettings(days_after() + LETTINGS_WAIT + dt.timedelta(minutes=1), dry_run=True)

    uncounted_run.refresh_from_db()
    assert would_be_deleted == 1
    assert uncounted_run.content is not None


def test_a_return_cannot_be_sent_before_its_lettings_are_counted(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    upload_lettings(world, nominations_return, lettings_of(world))

    with pytest.raises(UnableToReport, match="Upload the lettings first, and wait until they are counted"):
        services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())


def test_a_return_cannot_be_started_without_data_sharing(unsigned: World) -> None:
    agreement = sign_nominations(unsigned, shares_data=False)

    with pytest.raises(UnableToAct, match="You do not have permission to do this"):
        started_return(unsigned, agreement)


def test_a_successors_return_of_an_earlier_quarter_counts_the_predecessors_area(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = started_return(world, agreement)
    # Harbour takes the council's place, and serves another area from the next quarter on.
    Party.objects.filter(pk=agreement.council_id).update(organisation=world.harbour)
    area = Area.objects.create(code="E06000999", name="Estuary", kind=AreaKind.DISTRICT)
    AreaServed.objects.create(organisation=world.harbour, area=area, starts_on=nominations_return.quarter.ends_on)

    scope = scope_of(reloaded(nominations_return))

    assert scope is not None
    assert CODE in scope.areas
    assert "E06000999" not in scope.areas
    assert normalise_text(world.westmarch.name) in scope.area_names


@pytest.mark.parametrize("name", ["amina", "ben"])
def test_council_and_provider_find_returns(world: World, name: str) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    visible_returns = NominationsReturn.objects.visible_to(getattr(world, name))

    assert list(visible_returns) == [nominations_return]


@pytest.mark.parametrize("name", ["nadia", "chidi"])
def test_people_of_other_organisations_do_not_find_returns(world: World, name: str) -> None:
    confirmed_return(world, world.things["nominations"])

    visible_returns = NominationsReturn.objects.visible_to(getattr(world, name))

    assert not visible_returns.exists()


def test_the_agreement_has_its_returns(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    returns = returns_of(agreement)

    assert list(returns) == [nominations_return]


def test_a_return_of_a_quarter_without_lettings_is_settled(world: World) -> None:
    lettings_elsewhere = invent(place_of(world), 3, year=collection_year(), odd=False)
    for letting in lettings_elsewhere:
        letting.cells["la"] = "E07000999"

    nominations_return = confirmed_return(world, world.things["nominations"], lettings_elsewhere)

    assert nominations_return.is_settled
    assert result_of(nominations_return).total.achieved is None
