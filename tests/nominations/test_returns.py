"""Quarterly returns are computed by a worker, completed, sent, confirmed or disputed."""

from __future__ import annotations

import datetime as dt
import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Party, Status
from partnerships.agreements.services import change_status
from partnerships.kit.models import WaitingLine
from partnerships.kit.rights import UnableToAct
from partnerships.nominations import services
from partnerships.nominations.emails import write_return_decided
from partnerships.nominations.lettings.columns import normalise_text
from partnerships.nominations.models import (
    Decision,
    LettingsRun,
    NominationsAgreement,
    NominationsReturn,
    ReturnStatus,
)
from partnerships.nominations.presenting import line_in_words
from partnerships.nominations.queries import records_of, result_of, result_of_record, returns_of, row_outcomes
from partnerships.nominations.queries.returns import percentage, scope_of
from partnerships.nominations.restoring import redo_returns
from partnerships.nominations.rights import rights_over
from partnerships.nominations.services import FiguresChanged, Supplement, UnableToDecide, UnableToReport
from partnerships.nominations.services.lettings import LEASE, LETTINGS_WAIT, delete_uncounted_lettings
from partnerships.nominations.services.recording import RETURN
from partnerships.organisations.models import Area, AreaKind, AreaServed
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.nominations.quarters import (
    CODE,
    collection_year,
    confirm_all_lines,
    confirmed_return,
    counted_return,
    days_after,
    decide_lines,
    fill_in_table,
    lettings_file,
    lettings_of,
    place_of,
    reloaded,
    sent_return,
    started_return,
    upload_lettings,
)
from tests.nominations.signed import sign_nominations
from tests.support.core_files import CANARY, core_file, expected, invent
from tests.support.outbox import deliver, drop_emails
from tests.world import World


def recipients_of(kind: str) -> set[int | None]:
    """Return the ids of the people who get an email of this kind."""
    return set(Email.objects.filter(kind=f"nominations.{kind}").values_list("person_id", flat=True))


def test_a_return_is_computed_to_the_letting(world: World) -> None:
    agreement = world.things["nominations"]
    lettings = lettings_of(world, 400)

    nominations_return = counted_return(world, agreement, lettings)

    lines, outcomes = expected(lettings)
    result = result_of(nominations_return)
    assert {
        (line.bedrooms, line.is_first_let): (line.lettings, line.nominated, line.median_days) for line in result.lines
    } == {key: (one.lettings, one.nominated, one.median_days) for key, one in lines.items()}
    assert {line.bedrooms: line.share for line in result.lines if not line.is_first_let} == {
        "studio": 50,
        "1": 50,
        "2": 75,
        "3": 75,
        "4": 75,
    }
    assert result.total.lettings == outcomes["used"]
    assert sum(outcome.number for outcome in row_outcomes(nominations_return.run)) == 400


def test_kept_rows_go_when_they_are_counted(world: World) -> None:
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
    agreement = world.things["nominations"]
    nominations_return = counted_return(world, agreement)
    first_total = result_of(nominations_return).total

    upload_lettings(world, nominations_return, lettings_of(world, 60, seed=2))
    services.count_waiting(now=days_after())

    lines, _ = expected(lettings_of(world, 60, seed=2))
    total = result_of(reloaded(nominations_return)).total
    assert total.lettings == sum(line.lettings for line in lines.values())
    assert total.lettings != first_total.lettings


def test_lettings_of_a_return_that_was_sent_are_not_replaced(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    with pytest.raises(UnableToReport, match="sent to the council"):
        upload_lettings(world, nominations_return, lettings_of(world))


def test_the_same_upload_twice_changes_nothing(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    lines = list(nominations_return.lines.order_by("pk").values())

    upload_lettings(world, nominations_return, lettings_of(world))
    services.count_waiting(now=days_after())

    assert list(nominations_return.lines.order_by("pk").values()) == lines


def test_a_share_with_four_decimals_does_not_change_a_decided_line(unsigned: World) -> None:
    world = unsigned
    agreement = sign_nominations(world, relets_2="66.6667")
    nominations_return = sent_return(world, agreement)
    disputed_line, *other_lines = nominations_return.lines.order_by("pk").values_list("pk", flat=True)
    decisions = dict.fromkeys(other_lines, (Decision.CONFIRMED, "")) | {disputed_line: (Decision.DISPUTED, "No.")}
    decide_lines(world, nominations_return, decisions)

    upload_lettings(world, nominations_return, lettings_of(world))
    services.count_waiting(now=days_after())

    assert nominations_return.lines.filter(decision=Decision.CONFIRMED).count() == len(other_lines)


def test_beginning_a_return_again_gives_the_same(world: World) -> None:
    agreement = world.things["nominations"]

    assert started_return(world, agreement) == started_return(world, agreement)
    assert NominationsReturn.objects.count() == 1


def test_a_return_needs_a_quarter_that_is_over_and_terms_in_it(world: World) -> None:
    agreement = world.things["nominations"]
    starts_on = place_of(world).starts_on

    for day, message in (
        (starts_on, "not over"),
        (starts_on - dt.timedelta(days=1), "begins"),
        (dt.date(2024, 4, 1), "No terms"),
    ):
        with pytest.raises(UnableToReport, match=message):
            services.start_return(agreement=agreement, starts_on=day, author=world.amina, now=timezone.now())


def test_the_export_of_another_year_is_refused(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    content = core_file(lettings_of(world, 5), year=2024)
    assert collection_year() >= 2026

    with pytest.raises(UnableToReport, match="referral_register"):
        services.store_lettings(
            nominations_return=nominations_return, file=lettings_file(content), author=world.amina, now=days_after()
        )


def test_a_run_of_a_worker_that_died_is_taken_up_again(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    upload_lettings(world, nominations_return, lettings_of(world))
    LettingsRun.objects.update(claimed_until=days_after() + LEASE)

    count_during_lease = services.count_waiting(now=days_after())
    count_after_lease = services.count_waiting(now=days_after() + LEASE + dt.timedelta(minutes=1))
    count_of_next_worker = services.count_waiting(now=days_after() + LEASE * 3)

    assert count_during_lease == 0
    assert count_after_lease == 1
    assert count_of_next_worker == 0


def test_a_run_fails_if_its_author_may_not_report_any_more(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    upload_lettings(world, nominations_return, lettings_of(world))
    world.amina.memberships.update(ends_on=timezone.localdate())

    services.count_waiting(now=days_after())

    run = LettingsRun.objects.get()
    assert "can no longer change this return" in run.error
    assert run.content is None
    assert not nominations_return.lines.exists()


def test_an_error_while_counting_deletes_the_kept_rows(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    upload_lettings(world, nominations_return, lettings_of(world))

    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError("Broken")

    monkeypatch.setattr("partnerships.nominations.services.lettings.count_lettings", fail)
    with pytest.raises(ValueError, match="Broken"):
        services.count_waiting(now=days_after())

    run = LettingsRun.objects.get()
    assert run.content is None
    assert not run.is_running
    assert services.count_waiting(now=days_after()) == 0


def test_rows_that_nobody_counted_are_deleted_after_two_days(world: World) -> None:
    upload_lettings(world, started_return(world, world.things["nominations"]), lettings_of(world))

    assert delete_uncounted_lettings(days_after() + LETTINGS_WAIT - dt.timedelta(hours=1), dry_run=False) == 0
    assert delete_uncounted_lettings(days_after() + LETTINGS_WAIT + dt.timedelta(minutes=1), dry_run=True) == 1
    assert delete_uncounted_lettings(days_after() + LETTINGS_WAIT + dt.timedelta(minutes=1), dry_run=False) == 1
    assert LettingsRun.objects.get().content is None


def test_the_provider_adds_what_core_lacks(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = next(line for line in result_of(nominations_return).lines if line.lettings - line.nominated >= 2)
    result_before = line.result

    refusals = {"Rent arrears": 3, "Unsuitable home": 0}
    lines = {line.pk: Supplement(offers=9, not_supplied=2, refusals=refusals, in_time=line.lettings - 2)}
    fill_in_table(nominations_return, lines, world.amina)

    result = result_of(reloaded(nominations_return))
    line = nominations_return.lines.get(pk=line.pk)
    assert line.offers == 9
    assert line.not_supplied == 2
    assert line.in_time == line.lettings - 2
    assert line.days == (10 if line.is_first_let else 3)
    assert f"within {line.days} working days for {line.in_time}" in line_in_words(line)
    assert result.total.in_time == percentage(line.in_time, line.lettings)
    assert result.refusals == [("Rent arrears", 3)]
    assert line.result.counting == result_before.counting - 2


def test_more_vacancies_without_a_nominee_than_others_are_refused(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    line = result_of(nominations_return).lines[0]

    for supplement, message in (
        (Supplement(not_supplied=line.lettings + 1), "at most"),
        (Supplement(refusals={"Rent arrears": -1}), "enter numbers from 0"),
        (Supplement(in_time=line.lettings + 1), "at most"),
    ):
        with pytest.raises(UnableToReport, match=message):
            fill_in_table(nominations_return, {line.pk: supplement}, world.amina)


def test_the_lead_of_the_council_gets_an_email_about_a_return(world: World) -> None:
    sent_return(world, world.things["nominations"])

    assert recipients_of("return_sent") == {world.ben.pk}
    assert not mail.outbox


def test_a_return_is_settled_once_the_council_has_confirmed_every_line(world: World) -> None:
    nominations_return = sent_return(world, world.things["nominations"])

    confirm_all_lines(world, nominations_return)

    nominations_return = reloaded(nominations_return)
    assert nominations_return.status == ReturnStatus.SETTLED
    assert nominations_return.settled_at is not None
    assert recipients_of("return_decided") == {world.amina.pk}
    assert not mail.outbox


def test_every_step_of_a_confirmed_return_is_recorded(world: World) -> None:
    confirmed_return(world, world.things["nominations"])

    kinds = Event.objects.filter(kind__startswith="nominations.").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        "nominations.return_started",
        "nominations.lettings_read",
        "nominations.return_sent",
        "nominations.lines_decided",
        "nominations.return_agreed",
    ]


def disputed_return(world: World) -> tuple[NominationsReturn, int]:
    """Return a return whose first line the council has disputed, and the id of that line. The others are confirmed."""
    nominations_return = sent_return(world, world.things["nominations"])
    disputed_id, *other_ids = nominations_return.lines.order_by("pk").values_list("pk", flat=True)
    decisions = dict.fromkeys(other_ids, (Decision.CONFIRMED, ""))
    decisions[disputed_id] = (Decision.DISPUTED, "One is missing.")
    decide_lines(world, nominations_return, decisions)
    return reloaded(nominations_return), disputed_id


def test_a_return_with_a_disputed_line_is_returned_to_the_provider(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world)

    assert nominations_return.status == ReturnStatus.DISPUTED
    assert nominations_return.lines.get(pk=disputed_id).reason == "One is missing."


def test_only_the_disputed_line_of_a_return_sent_again_has_no_decision(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world)

    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    nominations_return = reloaded(nominations_return)
    assert nominations_return.status == ReturnStatus.SENT
    assert nominations_return.sendings == 2
    assert list(nominations_return.lines.filter(decision="").values_list("pk", flat=True)) == [disputed_id]


def test_a_return_is_settled_once_its_disputed_line_is_confirmed(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    decide_lines(world, reloaded(nominations_return), {disputed_id: (Decision.CONFIRMED, "")})

    assert reloaded(nominations_return).is_settled


@pytest.mark.parametrize(
    ("changed", "decision"),
    [
        (Supplement(not_supplied=1), ""),
        (Supplement(offers=12), ""),
        (Supplement(refusals={"Rent arrears": 2}), ""),
        (Supplement(), "confirmed"),
    ],
)
def test_a_line_that_changed_is_decided_again(world: World, changed: Supplement, decision: str) -> None:
    nominations_return = sent_return(world, world.things["nominations"])
    disputed_line, *other_lines = list(result_of(nominations_return).lines)
    line = next(other_line for other_line in other_lines if other_line.lettings > other_line.nominated)
    decisions = {other_line.pk: (Decision.CONFIRMED, "") for other_line in other_lines}
    decide_lines(world, nominations_return, decisions | {disputed_line.pk: (Decision.DISPUTED, "No.")})

    lines = {line.pk: changed}
    fill_in_table(nominations_return, lines, world.amina)

    assert nominations_return.lines.get(pk=line.pk).decision == decision


def test_two_people_who_fill_in_the_table_do_not_overwrite_each_other(world: World) -> None:
    nominations_return = counted_return(world, world.things["nominations"])
    first, second, third = nominations_return.lines.prefetch_related("refusals").order_by("pk")[:3]
    figures_seen = services.saved_supplements([first, second, third])

    def save(author: User, lines: dict[int, Supplement]) -> None:
        services.complete_return(
            nominations_return=nominations_return,
            figures=figures_seen | lines,
            figures_seen=figures_seen,
            author=author,
            now=days_after(),
        )

    save(world.amina, {first.pk: Supplement(offers=9), second.pk: Supplement(refusals={"Rent arrears": 2})})
    # Eddie read the same page: his other line is saved, and Amina's lines, which he left alone, stay.
    save(world.eddie, {third.pk: Supplement(offers=4)})
    with pytest.raises(FiguresChanged, match=first.words):
        save(world.eddie, {first.pk: Supplement(offers=8), third.pk: Supplement(offers=5)})

    saved = services.saved_supplements(nominations_return.lines.prefetch_related("refusals"))
    assert saved[first.pk].offers == 9
    assert saved[second.pk].refusals == {"Rent arrears": 2}
    assert saved[third.pk].offers == 4


def test_the_last_quarter_of_an_ended_agreement_is_reported_and_corrected(world: World) -> None:
    agreement = world.things["nominations"]
    quarter = place_of(world).starts_on
    ended_at = days_after() - (days_after().date() - quarter - dt.timedelta(days=40))
    change_status(
        partnership=agreement.partnership, status=Status.ENDED, reason="Sold.", author=world.amina, now=ended_at
    )
    agreement = NominationsAgreement.objects.for_pages().get(pk=agreement.pk)

    with pytest.raises(UnableToReport, match="not over"):
        services.start_return(agreement=agreement, starts_on=quarter, author=world.amina, now=ended_at)
    nominations_return = sent_return(world, agreement)
    disputed_line, *other_lines = nominations_return.lines.order_by("pk").values_list("pk", flat=True)
    decide_lines(
        world,
        nominations_return,
        dict.fromkeys(other_lines, (Decision.CONFIRMED, "")) | {disputed_line: (Decision.DISPUTED, "No.")},
    )
    task_titles = [task.title for task in tasks_of_person(world.amina, days_after())]
    fill_in_table(nominations_return, {disputed_line: Supplement(offers=77)}, world.amina)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    assert {outcome.label for outcome in row_outcomes(nominations_return.run)} >= {
        "The tenancy starts after the agreement ended"
    }
    assert f"Nominations, {nominations_return.quarter}" in task_titles
    assert reloaded(nominations_return).status == ReturnStatus.SENT
    assert nominations_return.lines.get(pk=disputed_line).offers == 77


def test_email_about_a_reopened_return_names_who_reopened_it(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    drop_emails()

    services.reopen_return(
        nominations_return=nominations_return, reason="A home is missing.", author=world.ben, now=days_after()
    )

    [email] = deliver()
    assert f"{world.ben.display_name} has reopened the confirmed nominations return" in email.body


def test_a_confirmed_return_is_corrected_with_its_record_kept(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    first_record = nominations_return.records.get()
    line_id = next(line.pk for line in result_of(nominations_return).lines if line.lettings > line.nominated)
    line = nominations_return.lines.get(pk=line_id)
    reopen(nominations_return, world.ben)

    fill_in_table(nominations_return, {line.pk: Supplement(offers=41)}, world.amina)
    send_and_confirm(world, nominations_return)

    correction, stored_record = records_of(reloaded(nominations_return))
    assert correction.number == 2
    assert correction.reason == "A home is missing."
    assert correction.words == "Correction 1"
    assert offers_of(correction, line.words) == [41]
    assert result_of_record(correction).total == result_of(reloaded(nominations_return)).total
    assert stored_record.pk == first_record.pk
    assert stored_record.content == first_record.content
    assert offers_of(stored_record, line.words) == [line.offers]


def reopen(nominations_return: Any, author: User, reason: str = "A home is missing.") -> None:
    """Reopen a confirmed return, so that it can be corrected."""
    services.reopen_return(nominations_return=nominations_return, reason=reason, author=author, now=days_after())


def send_and_confirm(world: World, nominations_return: Any) -> None:
    """Send the corrected return, whose lines then have no decision, and confirm every line."""
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())
    sent_again = reloaded(nominations_return)
    assert set(sent_again.lines.values_list("decision", flat=True)) == {""}
    confirm_all_lines(world, sent_again)


def offers_of(record: Any, line_words: str) -> list[int]:
    """Return the offers of a line in a record."""
    return [line.offers for line in result_of_record(record).lines if line.words == line_words]


def test_a_return_is_not_reopened_without_a_reason(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    with pytest.raises(UnableToReport, match="Enter what"):
        reopen(nominations_return, world.ben, reason=" ")


def test_the_provider_learns_that_its_return_was_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    reopen(nominations_return, world.ben)

    assert recipients_of("return_reopened") == {world.amina.pk}
    assert "Correct this reopened return" in {item.action for item in tasks_of_person(world.amina, days_after())}


def test_a_return_that_is_open_already_is_not_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    reopen(nominations_return, world.amina)

    with pytest.raises(UnableToReport, match="only a confirmed"):
        reopen(nominations_return, world.ben)


def test_the_email_about_a_decision_is_dropped_once_the_return_is_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    due: Any = SimpleNamespace(params={"return": nominations_return.pk, "sending": nominations_return.sendings})

    content_before = write_return_decided(due, world.amina, days_after())
    services.reopen_return(
        nominations_return=nominations_return, reason="A home is missing.", author=world.ben, now=days_after()
    )

    assert not isinstance(content_before, str)
    assert write_return_decided(due, world.amina, days_after()) == "The return has been sent again or reopened."


def send_with_answer(world: World, nominations_return: NominationsReturn, line_id: int) -> None:
    """Send a disputed return again as Amina, with an answer to the dispute about a line."""
    services.send_return(
        nominations_return=nominations_return,
        answers={line_id: "It was let in March."},
        author=world.amina,
        now=days_after(),
    )


def test_the_provider_answers_a_dispute_in_words(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world)

    send_with_answer(world, nominations_return, disputed_id)

    line = nominations_return.lines.get(pk=disputed_id)
    assert line.decision == ""
    assert line.reason == "One is missing."
    assert line.answer == "It was let in March."


def test_the_record_of_a_return_has_disputes_and_their_answers(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world)
    send_with_answer(world, nominations_return, disputed_id)

    decide_lines(world, reloaded(nominations_return), {disputed_id: (Decision.CONFIRMED, "")})

    (record,) = records_of(reloaded(nominations_return))
    assert [(line.reason, line.answer) for line in result_of_record(record).lines if line.reason] == [
        ("One is missing.", "It was let in March.")
    ]


def test_a_restore_names_returns_that_had_come_further(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    lines = [
        json.loads(waiting_line.text)
        for waiting_line in WaitingLine.objects.order_by("pk")
        if RETURN in waiting_line.text
    ]
    lines = [line for line in lines if line["what"] == RETURN]

    report_for_present_status = redo_returns(lines, days_after())
    NominationsReturn.objects.filter(pk=nominations_return.pk).update(status=ReturnStatus.SENT, settled_at=None)
    report_for_earlier_status = redo_returns(lines, days_after())

    assert [line["status"] for line in lines] == ["sent", "settled"]
    assert report_for_present_status.problems == []
    assert len(report_for_earlier_status.problems) == 1
    assert "its status was “confirmed”" in report_for_earlier_status.problems[0]


@pytest.fixture
def nominations_return_to_decide(world: World) -> NominationsReturn:
    """Return a return that the provider has sent to the council."""
    return sent_return(world, world.things["nominations"])


def id_of_a_line(nominations_return: NominationsReturn) -> int:
    """Return the id of the oldest line of a return."""
    return nominations_return.lines.order_by("pk").values_list("pk", flat=True)[0]


def test_a_dispute_needs_a_reason(world: World, nominations_return_to_decide: NominationsReturn) -> None:
    decision = {id_of_a_line(nominations_return_to_decide): (Decision.DISPUTED, " ")}

    with pytest.raises(UnableToDecide, match="enter why"):
        decide_lines(world, nominations_return_to_decide, decision)


def test_a_line_of_another_return_is_not_decided(world: World, nominations_return_to_decide: NominationsReturn) -> None:
    with pytest.raises(UnableToDecide, match="another return"):
        decide_lines(world, nominations_return_to_decide, {0: (Decision.CONFIRMED, "")})


def test_a_line_is_decided_only_with_the_newest_figures(
    world: World, nominations_return_to_decide: NominationsReturn
) -> None:
    decision = {id_of_a_line(nominations_return_to_decide): (Decision.CONFIRMED, "")}
    nominations_return_to_decide.sendings = 7  # in the meantime the provider sent it again

    with pytest.raises(UnableToDecide, match="sent this return again"):
        decide_lines(world, nominations_return_to_decide, decision)


def test_a_return_is_sent_once_its_lettings_are_counted(world: World) -> None:
    nominations_return = started_return(world, world.things["nominations"])
    upload_lettings(world, nominations_return, lettings_of(world))

    with pytest.raises(UnableToReport, match="counted"):
        services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())


def test_without_data_sharing_nobody_begins_a_return(unsigned: World) -> None:
    world = unsigned
    agreement = sign_nominations(world, shares_data=False)

    with pytest.raises(UnableToAct):
        started_return(world, agreement)


def test_a_successor_s_return_of_an_earlier_quarter_counts_the_predecessor_s_area(world: World) -> None:
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


def test_only_council_and_provider_find_returns(world: World) -> None:
    agreement = world.things["nominations"]
    nominations_return = confirmed_return(world, agreement)

    for person, is_side in ((world.amina, True), (world.ben, True), (world.nadia, False), (world.chidi, False)):
        assert NominationsReturn.objects.visible_to(person).filter(pk=nominations_return.pk).exists() is is_side
        assert rights_over(agreement, person, timezone.now()).reads_returns is is_side
    assert list(returns_of(agreement)) == [nominations_return]


def test_a_quarter_without_lettings_is_a_return_too(world: World) -> None:
    agreement = world.things["nominations"]
    lettings_elsewhere = invent(place_of(world), 3, year=collection_year(), odd=False)
    for letting in lettings_elsewhere:
        letting.cells["la"] = "E07000999"

    nominations_return = confirmed_return(world, agreement, lettings_elsewhere)

    assert nominations_return.is_settled
    assert result_of(nominations_return).total.achieved is None
