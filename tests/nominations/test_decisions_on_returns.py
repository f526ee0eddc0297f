"""The council confirms or disputes the lines of a return, and a confirmed return can be reopened."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail

from partnerships.activity.models import Event
from partnerships.kit.models import WaitingLine
from partnerships.nominations import services
from partnerships.nominations.emails import write_return_decided
from partnerships.nominations.models import (
    Decision,
    NominationsReturn,
    ReturnLine,
    ReturnRecord,
    ReturnStatus,
)
from partnerships.nominations.queries import records_of, result_of, result_of_record
from partnerships.nominations.restoring import redo_returns
from partnerships.nominations.services import Supplement, UnableToDecide, UnableToReport
from partnerships.nominations.services.recording import RETURN_JOURNAL_KIND
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.nominations.quarters import (
    confirm_all_lines,
    confirmed_return,
    days_after,
    decide_lines,
    disputed_return,
    fill_in_table,
    reloaded,
    sent_return,
)
from tests.support.outbox import deliver, drop_emails
from tests.world import World


def recipients_of(kind: str) -> set[int | None]:
    """Return the ids of the people who get an email of this kind."""
    return set(Email.objects.filter(kind=f"nominations.{kind}").values_list("person_id", flat=True))


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


def test_a_return_with_a_disputed_line_is_returned_to_the_provider(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world, world.things["nominations"])

    assert nominations_return.status == ReturnStatus.DISPUTED
    assert nominations_return.lines.get(pk=disputed_id).reason == "One is missing."


def test_only_the_disputed_line_of_a_return_sent_again_has_no_decision(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world, world.things["nominations"])

    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    nominations_return = reloaded(nominations_return)
    assert nominations_return.status == ReturnStatus.SENT
    assert nominations_return.sendings == 2
    assert list(nominations_return.lines.filter(decision="").values_list("pk", flat=True)) == [disputed_id]


def test_a_return_is_settled_once_its_disputed_line_is_confirmed(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world, world.things["nominations"])
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    decide_lines(world, reloaded(nominations_return), {disputed_id: (Decision.CONFIRMED, "")})

    assert reloaded(nominations_return).is_settled


def confirmed_line(nominations_return: NominationsReturn) -> ReturnLine:
    """Return a confirmed line of a disputed return, in which a home went to somebody who was not a nominee."""
    confirmed_lines = nominations_return.lines.filter(decision=Decision.CONFIRMED).order_by("pk")
    return next(line for line in confirmed_lines if line.lettings > line.nominated)


@pytest.mark.parametrize(
    "changed", [Supplement(not_supplied=1), Supplement(offers=12), Supplement(refusals={"Rent arrears": 2})]
)
def test_a_line_that_changed_is_decided_again(world: World, changed: Supplement) -> None:
    nominations_return, _ = disputed_return(world, world.things["nominations"])
    line = confirmed_line(nominations_return)

    fill_in_table(nominations_return, {line.pk: changed}, world.amina)

    line.refresh_from_db()
    assert line.decision == ""


def test_a_line_that_did_not_change_stays_confirmed(world: World) -> None:
    nominations_return, _ = disputed_return(world, world.things["nominations"])
    line = confirmed_line(nominations_return)

    fill_in_table(nominations_return, {line.pk: Supplement()}, world.amina)

    line.refresh_from_db()
    assert line.decision == Decision.CONFIRMED


def test_email_about_a_reopened_return_names_who_reopened_it(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    drop_emails()

    reopen(nominations_return, world.ben)

    [email] = deliver()
    assert f"{world.ben.display_name} has reopened the confirmed nominations return" in email.body


def correct(world: World, nominations_return: NominationsReturn, line: ReturnLine) -> None:
    """Reopen a confirmed return, correct the offers of a line to 41, send it again and confirm every line."""
    reopen(nominations_return, world.ben)
    fill_in_table(nominations_return, {line.pk: Supplement(offers=41)}, world.amina)
    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())
    confirm_all_lines(world, reloaded(nominations_return))


def test_a_corrected_return_gets_a_second_record(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    line = nominations_return.lines.order_by("pk")[0]

    correct(world, nominations_return, line)

    correction, _first_record = records_of(reloaded(nominations_return))
    assert correction.number == 2
    assert correction.reason == "A home is missing."
    assert correction.words == "Correction 1"
    assert offers_of(correction, line.words) == [41]
    assert result_of_record(correction).total == result_of(reloaded(nominations_return)).total


def test_a_corrected_return_keeps_its_first_record(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    first_record = nominations_return.records.get()
    line = nominations_return.lines.order_by("pk")[0]

    correct(world, nominations_return, line)

    _correction, stored_record = records_of(reloaded(nominations_return))
    assert stored_record.pk == first_record.pk
    assert stored_record.content == first_record.content
    assert offers_of(stored_record, line.words) == [line.offers]


def test_reopening_a_return_clears_every_decision(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    reopen(nominations_return, world.ben)

    assert set(nominations_return.lines.values_list("decision", flat=True)) == {""}


def test_a_reopened_return_is_sent_without_decisions(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    reopen(nominations_return, world.ben)

    services.send_return(nominations_return=nominations_return, author=world.amina, now=days_after())

    assert set(nominations_return.lines.values_list("decision", flat=True)) == {""}


def reopen(nominations_return: NominationsReturn, author: User, reason: str = "A home is missing.") -> None:
    """Reopen a confirmed return, so that it can be corrected."""
    services.reopen_return(nominations_return=nominations_return, reason=reason, author=author, now=days_after())


def offers_of(record: ReturnRecord, line_words: str) -> list[int]:
    """Return the offers of a line in a record."""
    return [line.offers for line in result_of_record(record).lines if line.words == line_words]


def test_a_return_is_not_reopened_without_a_reason(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    with pytest.raises(UnableToReport, match="Enter what needs to be corrected"):
        reopen(nominations_return, world.ben, reason=" ")


def test_the_provider_gets_an_email_if_its_return_is_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    reopen(nominations_return, world.ben)

    assert recipients_of("return_reopened") == {world.amina.pk}


def test_the_provider_has_a_task_about_a_reopened_return(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    reopen(nominations_return, world.ben)

    tasks = tasks_of_person(world.amina, days_after())

    assert "Correct this reopened return" in {task.action for task in tasks}


def test_a_return_that_is_open_already_is_not_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    reopen(nominations_return, world.amina)

    with pytest.raises(UnableToReport, match="You can reopen only a confirmed return"):
        reopen(nominations_return, world.ben)


def test_the_email_about_a_decision_is_written_for_a_confirmed_return(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])

    content = write_return_decided(due_email_about(nominations_return), world.amina, days_after())

    assert not isinstance(content, str)


def test_the_email_about_a_decision_is_not_written_once_the_return_is_reopened(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    reopen(nominations_return, world.ben)

    why_not_sent = write_return_decided(due_email_about(nominations_return), world.amina, days_after())

    assert why_not_sent == "The return has been sent again or reopened."


def due_email_about(nominations_return: NominationsReturn) -> Any:
    """Return the part of a due email that says which return, and which sending of it, the email is about."""
    return SimpleNamespace(params={"return": nominations_return.pk, "sending": nominations_return.sendings})


def send_with_answer(world: World, nominations_return: NominationsReturn, line_id: int) -> None:
    """Send a disputed return again as Amina, with an answer to the dispute about a line."""
    services.send_return(
        nominations_return=nominations_return,
        answers={line_id: "It was let in March."},
        author=world.amina,
        now=days_after(),
    )


def test_the_provider_answers_a_dispute_in_words(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world, world.things["nominations"])

    send_with_answer(world, nominations_return, disputed_id)

    line = nominations_return.lines.get(pk=disputed_id)
    assert line.decision == ""
    assert line.reason == "One is missing."
    assert line.answer == "It was let in March."


def test_the_record_of_a_return_has_disputes_and_their_answers(world: World) -> None:
    nominations_return, disputed_id = disputed_return(world, world.things["nominations"])
    send_with_answer(world, nominations_return, disputed_id)

    decide_lines(world, reloaded(nominations_return), {disputed_id: (Decision.CONFIRMED, "")})

    (record,) = records_of(reloaded(nominations_return))
    assert [(line.reason, line.answer) for line in result_of_record(record).lines if line.reason] == [
        ("One is missing.", "It was let in March.")
    ]


def journal_of_returns() -> list[dict[str, Any]]:
    """Return the entries of the journal with the status of returns, in order."""
    entries = [json.loads(waiting_line.text) for waiting_line in WaitingLine.objects.order_by("pk")]
    return [entry for entry in entries if entry["what"] == RETURN_JOURNAL_KIND]


def test_the_journal_notes_each_status_of_a_return_after_its_start(world: World) -> None:
    confirmed_return(world, world.things["nominations"])

    assert [entry["status"] for entry in journal_of_returns()] == ["sent", "settled"]


def test_a_restore_does_not_name_returns_with_their_last_status(world: World) -> None:
    confirmed_return(world, world.things["nominations"])

    report = redo_returns(journal_of_returns(), days_after())

    assert report.problems == []


def test_a_restore_names_returns_whose_last_status_is_lost(world: World) -> None:
    nominations_return = confirmed_return(world, world.things["nominations"])
    # A backup from before the council's confirmation is restored.
    NominationsReturn.objects.filter(pk=nominations_return.pk).update(status=ReturnStatus.SENT, settled_at=None)

    report = redo_returns(journal_of_returns(), days_after())

    [problem] = report.problems
    assert "its status was “confirmed”" in problem


@pytest.fixture
def nominations_return_to_decide(world: World) -> NominationsReturn:
    """Return a return that the provider has sent to the council."""
    return sent_return(world, world.things["nominations"])


def id_of_a_line(nominations_return: NominationsReturn) -> int:
    """Return the id of the oldest line of a return."""
    return nominations_return.lines.order_by("pk").values_list("pk", flat=True)[0]


def test_a_dispute_needs_a_reason(world: World, nominations_return_to_decide: NominationsReturn) -> None:
    decision = {id_of_a_line(nominations_return_to_decide): (Decision.DISPUTED, " ")}

    with pytest.raises(UnableToDecide, match="enter why you dispute this line"):
        decide_lines(world, nominations_return_to_decide, decision)


def test_a_line_of_another_return_is_not_decided(world: World, nominations_return_to_decide: NominationsReturn) -> None:
    with pytest.raises(UnableToDecide, match="Some of these lines belong to another return"):
        decide_lines(world, nominations_return_to_decide, {0: (Decision.CONFIRMED, "")})


def test_a_line_is_decided_only_with_the_newest_figures(
    world: World, nominations_return_to_decide: NominationsReturn
) -> None:
    decision = {id_of_a_line(nominations_return_to_decide): (Decision.CONFIRMED, "")}
    nominations_return_to_decide.sendings = 7  # in the meantime the provider sent it again

    with pytest.raises(UnableToDecide, match="The provider has sent this return again since you opened the page"):
        decide_lines(world, nominations_return_to_decide, decision)
