"""The provider fills in what CORE lacks, and corrects the last return of an ended agreement."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.agreements.models import Status
from partnerships.agreements.services import change_status
from partnerships.nominations import services
from partnerships.nominations.models import (
    NominationsAgreement,
    NominationsReturn,
    ReturnLine,
    ReturnStatus,
)
from partnerships.nominations.presenting import line_in_words
from partnerships.nominations.queries import result_of, row_outcomes
from partnerships.nominations.queries.returns import percentage
from partnerships.nominations.services import FiguresChanged, Supplement, UnableToReport
from partnerships.work.queries import tasks_of_person
from tests.nominations.quarters import (
    counted_return,
    days_after,
    disputed_return,
    fill_in_table,
    place_of,
    reloaded,
)
from tests.world import World


def fill_in_a_line(world: World) -> tuple[NominationsReturn, ReturnLine]:
    """Fill in a line of a counted return as Amina. Two of its homes had no nominee in time, and the others had one.

    Return the return and the line, both read again.
    """
    nominations_return = counted_return(world, world.things["nominations"])
    line = next(line for line in result_of(nominations_return).lines if line.lettings - line.nominated >= 2)
    refusals = {"Rent arrears": 3, "Unsuitable home": 0}
    supplement = Supplement(offers=9, not_supplied=2, refusals=refusals, in_time=line.lettings - 2)
    fill_in_table(nominations_return, {line.pk: supplement}, world.amina)
    return reloaded(nominations_return), nominations_return.lines.get(pk=line.pk)


def test_the_provider_adds_what_core_lacks(world: World) -> None:
    _, line = fill_in_a_line(world)

    assert line.offers == 9
    assert line.not_supplied == 2
    assert line.in_time == line.lettings - 2


def test_a_line_says_how_many_nominees_were_named_in_time(world: World) -> None:
    _, line = fill_in_a_line(world)

    words = line_in_words(line)

    agreed_days = 10 if line.is_first_let else 3
    assert line.days == agreed_days
    assert f"within {agreed_days} working days for {line.in_time}" in words


def test_the_total_has_the_percentage_named_in_time(world: World) -> None:
    nominations_return, line = fill_in_a_line(world)

    result = result_of(nominations_return)

    # Only this line says how many nominees were named in time.
    assert result.total.in_time == percentage(line.lettings - 2, line.lettings)


def test_the_result_has_only_the_grounds_with_refusals(world: World) -> None:
    nominations_return, _ = fill_in_a_line(world)

    result = result_of(nominations_return)

    assert result.refusals == [("Rent arrears", 3)]


def test_homes_without_a_nominee_in_time_do_not_count_towards_the_share(world: World) -> None:
    _, line = fill_in_a_line(world)

    assert line.result.counting == line.lettings - 2


@pytest.fixture
def return_to_fill_in(world: World) -> NominationsReturn:
    """Return a return whose lettings are counted."""
    return counted_return(world, world.things["nominations"])


def test_more_homes_without_a_nominee_than_were_let_to_others_are_refused(
    world: World, return_to_fill_in: NominationsReturn
) -> None:
    line = result_of(return_to_fill_in).lines[0]
    supplement = Supplement(not_supplied=line.lettings - line.nominated + 1)
    message = f"Enter at most {line.lettings - line.nominated} without a nominee in time"

    with pytest.raises(UnableToReport, match=message):
        fill_in_table(return_to_fill_in, {line.pk: supplement}, world.amina)


def test_more_nominees_in_time_than_homes_are_refused(world: World, return_to_fill_in: NominationsReturn) -> None:
    line = result_of(return_to_fill_in).lines[0]
    supplement = Supplement(in_time=line.lettings + 1)

    with pytest.raises(UnableToReport, match=f"Enter at most {line.lettings} with a nominee in time"):
        fill_in_table(return_to_fill_in, {line.pk: supplement}, world.amina)


def test_fewer_than_no_refusals_are_refused(world: World, return_to_fill_in: NominationsReturn) -> None:
    line = result_of(return_to_fill_in).lines[0]
    supplement = Supplement(refusals={"Rent arrears": -1})

    with pytest.raises(UnableToReport, match="enter numbers from 0 to 100,000"):
        fill_in_table(return_to_fill_in, {line.pk: supplement}, world.amina)


@pytest.fixture
def table_saved_by_amina(world: World, return_to_fill_in: NominationsReturn) -> NominationsReturn:
    """Return a return with 9 offers in its first line, which Amina saved after Eddie had opened the empty table."""
    line = return_to_fill_in.lines.order_by("pk")[0]
    fill_in_table(return_to_fill_in, {line.pk: Supplement(offers=9)}, world.amina)
    return return_to_fill_in


def save_as_eddie(world: World, nominations_return: NominationsReturn, lines: dict[int, Supplement]) -> None:
    """Save lines of the table as Eddie, who has seen an empty table."""
    empty_table = dict.fromkeys(nominations_return.lines.values_list("pk", flat=True), Supplement())
    services.complete_return(
        nominations_return=nominations_return,
        figures=empty_table | lines,
        figures_seen=empty_table,
        author=world.eddie,
        now=days_after(),
    )


def offers_by_position(nominations_return: NominationsReturn) -> list[int | None]:
    """Return the offers in the first two lines of a return."""
    return list(nominations_return.lines.order_by("pk").values_list("offers", flat=True)[:2])


def test_people_who_fill_in_different_lines_do_not_overwrite_each_other(
    world: World, table_saved_by_amina: NominationsReturn
) -> None:
    second_line = table_saved_by_amina.lines.order_by("pk")[1]

    save_as_eddie(world, table_saved_by_amina, {second_line.pk: Supplement(offers=4)})

    assert offers_by_position(table_saved_by_amina) == [9, 4]


def test_a_person_who_has_not_seen_a_saved_line_cannot_change_it(
    world: World, table_saved_by_amina: NominationsReturn
) -> None:
    first_line, second_line = table_saved_by_amina.lines.order_by("pk")[:2]
    message = f"Another person saved other figures while you filled in the table: {first_line.words}"

    with pytest.raises(FiguresChanged, match=message):
        save_as_eddie(
            world,
            table_saved_by_amina,
            {first_line.pk: Supplement(offers=8), second_line.pk: Supplement(offers=5)},
        )

    assert offers_by_position(table_saved_by_amina) == [9, None]


@pytest.fixture
def ended_agreement(world: World) -> NominationsAgreement:
    """Return the agreement after it has ended within the quarter."""
    agreement = world.things["nominations"]
    change_status(
        partnership=agreement.partnership,
        status=Status.ENDED,
        reason="Sold.",
        author=world.amina,
        now=moment_of_end(world),
    )
    return NominationsAgreement.objects.for_pages().get(pk=agreement.pk)


def moment_of_end(world: World) -> dt.datetime:
    """Return the moment at which the agreement ends in some tests: on the 41st day of the quarter."""
    ended_on = place_of(world).starts_on + dt.timedelta(days=40)
    return timezone.now() + (ended_on - timezone.localdate())


def test_the_last_return_is_not_started_on_the_day_on_which_the_agreement_ends(
    world: World, ended_agreement: NominationsAgreement
) -> None:
    starts_on = place_of(world).starts_on

    with pytest.raises(UnableToReport, match="This quarter is not over yet"):
        services.start_return(
            agreement=ended_agreement, starts_on=starts_on, author=world.amina, now=moment_of_end(world)
        )


def test_the_last_return_does_not_count_tenancies_that_start_after_the_end(
    world: World, ended_agreement: NominationsAgreement
) -> None:
    nominations_return = counted_return(world, ended_agreement)

    outcomes = row_outcomes(nominations_return.run)

    assert "The tenancy starts after the agreement ended" in {outcome.label for outcome in outcomes}


def test_the_provider_has_a_task_about_a_disputed_return_of_an_ended_agreement(
    world: World, ended_agreement: NominationsAgreement
) -> None:
    nominations_return, _ = disputed_return(world, ended_agreement)

    tasks = tasks_of_person(world.amina, days_after())

    assert f"Nominations, {nominations_return.quarter}" in [task.title for task in tasks]


def test_the_last_return_of_an_ended_agreement_is_corrected(
    world: World, ended_agreement: NominationsAgreement
) -> None:
    nominations_return, disputed_id = disputed_return(world, ended_agreement)

    fill_in_table(nominations_return, {disputed_id: Supplement(offers=77)}, world.amina)

    assert nominations_return.lines.get(pk=disputed_id).offers == 77


def test_the_last_return_of_an_ended_agreement_is_sent_again(
    world: World, ended_agreement: NominationsAgreement
) -> None:
    nominations_return, _ = disputed_return(world, ended_agreement)

    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    assert reloaded(nominations_return).status == ReturnStatus.SENT
