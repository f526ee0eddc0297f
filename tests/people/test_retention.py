"""Retention rules remove the right data on time, and dry runs, failures and metrics say so."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from partnerships.agreements.models import Document
from partnerships.agreements.services import (
    UnableToRestoreDocument,
    add_document,
    remove_document,
    restore_document,
)
from partnerships.digests import retention as digest_retention
from partnerships.digests.models import Delivery
from partnerships.digests.services import add_stakeholder, refuse_questions, stop
from partnerships.kit.operators import wait_for_alerts
from partnerships.people import data_rules, retention
from partnerships.people.models import Invitation, RetentionRuleState, RetentionRun, SecurityEvent, User
from partnerships.people.personal_data import erase_person
from partnerships.people.retention import RULES, RetentionRule, apply_retention, overdue_rules, time_since_complete
from partnerships.people.services import close_account, create_invitation
from partnerships.people.tasks import apply_retention_now
from partnerships.surveys import services as surveys
from partnerships.surveys.models import AnswerMode, Round
from tests.people.test_leaving_and_erasing import read_all_rows
from tests.surveys.asking import prepared_round
from tests.world import World, join

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


@pytest.mark.parametrize(("days", "remaining_count"), [(6, 1), (7, 0), (8, 0)])
def test_invitations_are_removed_seven_days_after_they_expire(world: World, days: int, remaining_count: int) -> None:
    now = timezone.now()
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=now)

    apply_retention(now=invitation.expires_at + days * DAY)

    assert Invitation.objects.count() == remaining_count


@pytest.mark.parametrize(("days", "remaining_count"), [(364, 1), (365, 0), (366, 0)])
def test_the_security_log_is_kept_for_a_year(world: World, days: int, remaining_count: int) -> None:
    now = timezone.now()
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=now - days * DAY)

    apply_retention(now=now)

    assert SecurityEvent.objects.count() == remaining_count


def test_a_clock_set_forward_does_not_empty_the_security_log(world: World) -> None:
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=timezone.now())

    apply_retention(now=timezone.now() + 1000 * DAY)

    assert SecurityEvent.objects.exists()


@pytest.mark.parametrize(("days", "is_erased"), [(729, False), (730, True)])
def test_leavers_are_erased_after_two_years(world: World, days: int, is_erased: bool) -> None:
    now = timezone.now()
    close_account(person=world.eddie, author=world.dee, reason="Left.", now=now)

    apply_retention(now=now + days * DAY)

    world.eddie.refresh_from_db()
    assert (world.eddie.erased_at is not None) is is_erased


def test_a_dry_run_counts_and_removes_nothing(world: World) -> None:
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())

    outcome = apply_retention(now=invitation.expires_at + 30 * DAY, dry_run=True)

    assert outcome.removed["invitations"] == 1
    assert Invitation.objects.exists()


@pytest.fixture
def asked_stakeholder(world: World) -> User:
    """Return Paula, after Amina has asked her by email to follow Larkhaven's plans."""
    person: User = add_stakeholder(
        email="paula@council.example",
        name="Paula Quiet",
        target=world.larkhaven,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    ).person
    Delivery.objects.filter(recipient=person).update(status="sent", settled_at=timezone.now())
    return person


@pytest.mark.parametrize(("days", "is_erased"), [(29, False), (31, True)])
def test_stakeholders_who_never_answered_are_erased_after_thirty_days(
    world: World, asked_stakeholder: User, days: int, is_erased: bool
) -> None:
    apply_retention(now=timezone.now() + days * DAY)

    asked_stakeholder.refresh_from_db()
    assert (asked_stakeholder.erased_at is not None) is is_erased
    assert (asked_stakeholder.name == "") is is_erased


def opened_survey(world: World) -> Round:
    """Return an open survey of three people of the council, who are known only from the survey."""
    survey = prepared_round(world, way=AnswerMode.NAMED, asked={"council": 3})
    return surveys.open_round(survey_round=survey, author=world.amina, now=timezone.now())


def invited_people() -> QuerySet[User]:
    """Return the people whom the survey invited, without those who are erased."""
    return User.objects.filter(email__endswith="@members.example")


def test_people_known_only_from_a_survey_are_kept_while_it_is_open(world: World) -> None:
    opened_survey(world)

    apply_retention(now=timezone.now() + 31 * DAY)

    assert invited_people().count() == 3


@pytest.mark.parametrize(("days", "remaining_count"), [(29, 3), (31, 0)])
def test_people_known_only_from_a_survey_are_erased_a_month_after_its_emails(
    world: World, days: int, remaining_count: int
) -> None:
    now = timezone.now()
    survey = opened_survey(world)
    surveys.abandon_round(survey_round=survey, reason="Not now.", author=world.amina, now=now)

    apply_retention(now=now + days * DAY)

    assert invited_people().count() == remaining_count


def test_an_address_typed_by_mistake_for_a_surveys_moderator_is_erased(world: World) -> None:
    now = timezone.now()
    survey = prepared_round(world, asked={})
    surveys.name_moderator(survey_round=survey, address="typed@outside.example", author=world.amina, now=now)
    surveys.name_moderator(survey_round=survey, address="right@outside.example", author=world.amina, now=now)

    apply_retention(now=now + 31 * DAY)

    assert not User.objects.filter(email="typed@outside.example").exists()
    assert User.objects.filter(email="right@outside.example").exists()


@pytest.mark.parametrize(("days", "remaining_count"), [(179, 8), (181, 0)])
def test_invitations_of_a_survey_that_never_opens_are_deleted(world: World, days: int, remaining_count: int) -> None:
    survey = prepared_round(world, asked={"council": 8})

    apply_retention(now=survey.created_at + days * DAY)

    assert survey.invitations.count() == remaining_count


def test_a_stakeholder_who_refused_is_kept(world: World, asked_stakeholder: User) -> None:
    stop(subscriptions=asked_stakeholder.subscriptions.all(), author=asked_stakeholder, reason="", now=timezone.now())

    apply_retention(now=timezone.now() + 60 * DAY)

    asked_stakeholder.refresh_from_db()
    assert asked_stakeholder.erased_at is None


def test_stakeholder_who_refused_a_question_is_kept_although_asked_again(asked_stakeholder: User) -> None:
    asked_stakeholder.subscriptions.update(refused_at=timezone.now() - 200 * DAY)

    apply_retention(now=timezone.now() + 60 * DAY)

    asked_stakeholder.refresh_from_db()
    assert asked_stakeholder.erased_at is None


def test_stakeholder_who_refused_all_questions_is_kept_although_asked_again(asked_stakeholder: User) -> None:
    refuse_questions(person=asked_stakeholder, now=timezone.now() - 200 * DAY)

    apply_retention(now=timezone.now() + 60 * DAY)

    asked_stakeholder.refresh_from_db()
    assert asked_stakeholder.erased_at is None


def test_a_stakeholder_with_a_membership_is_kept(world: World, asked_stakeholder: User) -> None:
    join(asked_stakeholder, world.larkhaven, "viewer", timezone.now())

    apply_retention(now=timezone.now() + 60 * DAY)

    asked_stakeholder.refresh_from_db()
    assert asked_stakeholder.erased_at is None


@pytest.fixture
def removed_document(world: World) -> Document:
    """Return a document that Amina has removed."""
    now = timezone.now()
    document = add_document(
        partnership=world.partnership,
        title="Minutes",
        file=ContentFile(b"Minutes.\n", name="minutes.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=now,
    )
    remove_document(document=document, author=world.amina, now=now)
    return document


@pytest.mark.parametrize(("days", "is_kept"), [(364, True), (365, False)])
def test_the_file_of_a_removed_document_is_deleted_after_a_year(
    removed_document: Document, days: int, is_kept: bool
) -> None:
    name, storage = removed_document.file.name, removed_document.file.storage
    assert removed_document.removed_at is not None

    apply_retention(now=removed_document.removed_at + days * DAY)

    removed_document.refresh_from_db()
    assert storage.exists(name) is is_kept
    assert bool(removed_document.file) is is_kept
    assert removed_document.title == "Minutes"


def test_a_document_without_its_file_cannot_be_restored(world: World, removed_document: Document) -> None:
    apply_retention(now=timezone.now() + 366 * DAY)

    with pytest.raises(UnableToRestoreDocument, match="its file has been deleted"):
        restore_document(document=removed_document, author=world.dee, now=timezone.now())


def test_a_dry_run_of_every_rule_changes_no_row(world: World, asked_stakeholder: User) -> None:
    create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=timezone.now())
    rows_before = read_all_rows()

    outcome = apply_retention(now=timezone.now() + 1000 * DAY, dry_run=True)

    assert outcome.removed["stakeholders who never answered"] == 2, "Nothing names Sol either."
    assert outcome.failed == {}
    assert read_all_rows() == rows_before


def run_hourly_task(at: dt.datetime) -> int | None:
    """Run the hourly task with all clocks at this time; return the removed invitations, or None if nothing was due."""
    with time_machine.travel(at, tick=False), patch.object(retention, "_database_clock", return_value=at):
        apply_retention_now()
    run = RetentionRun.objects.filter(began_at=at).first()
    return run.removed["invitations"] if run and run.ended_at else None


def test_a_worker_whose_clock_is_years_ahead_erases_nobody(world: World) -> None:
    close_account(person=world.eddie, author=world.dee, reason="Moved on.", now=timezone.now())

    with time_machine.travel(timezone.now() + 1000 * DAY, tick=False):
        apply_retention_now()

    world.eddie.refresh_from_db()
    assert world.eddie.erased_at is None


def night_after_expiry(invitation: Invitation) -> dt.datetime:
    """Return ten past three in a night after which the invitation is no longer stored."""
    return (invitation.expires_at + 30 * DAY).replace(hour=3, minute=10, second=0, microsecond=0)


def test_retention_does_not_run_at_midnight(world: World) -> None:
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    midnight = night_after_expiry(invitation).replace(hour=0, minute=30)

    removed_count = run_hourly_task(midnight)

    assert removed_count is None


def test_retention_runs_after_two_o_clock(world: World) -> None:
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())

    removed_count = run_hourly_task(night_after_expiry(invitation))

    assert removed_count == 1


@pytest.mark.parametrize("hours", [1, 12])
def test_retention_runs_once_a_day_however_often_the_task_runs(world: World, hours: int) -> None:
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    night = night_after_expiry(invitation)
    run_hourly_task(night)
    create_invitation(person=world.sol, invited_by=None, now=invitation.created_at)

    removed_count = run_hourly_task(night + hours * HOUR)

    assert removed_count is None
    assert Invitation.objects.exists()


def test_retention_runs_again_on_the_next_day(world: World) -> None:
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    night = night_after_expiry(invitation)
    run_hourly_task(night)
    create_invitation(person=world.sol, invited_by=None, now=invitation.created_at)

    removed_on_next_day = run_hourly_task(night + DAY)

    assert removed_on_next_day == 1
    assert RetentionRun.objects.count() == 2


def fail(now: dt.datetime, dry_run: bool) -> int:
    """Fail as a rule."""
    raise OSError("The disk is full.")


@pytest.fixture
def failing_rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Add a rule that fails and is applied before all others, and return its name."""
    with monkeypatch.context() as patched:
        patched.setitem(RULES, "a rule that fails", RetentionRule("", "", "", "", fail))
        yield "a rule that fails"


def nightly_run_after(when: dt.datetime) -> dt.datetime:
    """Return ten past three on the next day."""
    return (when + DAY).replace(hour=3, minute=10, second=0, microsecond=0)


def test_one_failing_rule_does_not_stop_the_others(world: World, failing_rule: str) -> None:
    invitation, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())

    outcome = apply_retention(now=invitation.expires_at + 30 * DAY)

    assert outcome.failed == {failing_rule: "OSError"}
    assert not Invitation.objects.exists()
    assert set(outcome.removed) == set(RULES) - {failing_rule}


def test_each_rule_records_its_last_complete_run(world: World, failing_rule: str) -> None:
    first_run = timezone.now()
    second_run = first_run + DAY
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(RULES, failing_rule, RULES["tallies"])
        apply_retention(now=first_run)
    apply_retention(now=second_run)

    ages = time_since_complete(now=second_run)
    assert ages[failing_rule] == DAY
    assert ages["invitations"] == dt.timedelta(0)
    assert RetentionRuleState.objects.get(rule=failing_rule).error == "OSError"


def test_a_dry_run_does_not_count_as_a_complete_run(world: World) -> None:
    apply_retention(now=timezone.now(), dry_run=True)

    assert set(time_since_complete(now=timezone.now()).values()) == {None}


def test_no_rule_is_overdue_a_day_after_its_last_complete_run(world: World, failing_rule: str) -> None:
    now = timezone.now()
    apply_retention(now=now)

    rules = overdue_rules(now=now + DAY)

    assert rules == []


def test_every_rule_is_overdue_three_days_after_its_last_complete_run(world: World, failing_rule: str) -> None:
    now = timezone.now()
    apply_retention(now=now)

    rules = overdue_rules(now=now + 3 * DAY)

    assert rules == sorted(RULES)


def test_operators_are_alerted_about_overdue_rules(
    world: World, failing_rule: str, settings: Any, mailoutbox: list[EmailMessage]
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]
    now = timezone.now()
    apply_retention(now=now)

    with time_machine.travel(now + 3 * DAY, tick=False):
        apply_retention_now()
    wait_for_alerts(seconds=60)

    [alert] = [email for email in mailoutbox if email.subject == "[Common Ground] Retention is overdue"]
    assert failing_rule in alert.body


def test_metrics_give_the_days_since_each_rules_last_complete_run(
    world: World, failing_rule: str, client: Client, settings: Any
) -> None:
    settings.METRICS_TOKEN = "prometheus-may-read"
    apply_retention(now=timezone.now() - 3 * DAY)

    page = client.get("/metrics", headers={"Authorization": "Bearer prometheus-may-read"}).content.decode()

    figures = dict(re.findall(r'^retention_days_since_complete_run{rule="([^"]+)"} (\S+)$', page, re.MULTILINE))
    assert float(figures["invitations"]) == pytest.approx(3, abs=0.01)
    assert figures[failing_rule] == "+Inf"
    assert set(figures) == set(RULES)


class TimeIsUp(Exception):
    """Raised instead of the soft time limit of a worker."""


@pytest.fixture
def call_order(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace all rules by "a", which never ends in time, and "b"; return the names in the order of their calls."""
    calls: list[str] = []

    def slow(now: dt.datetime, dry_run: bool) -> int:
        calls.append("a")

        def act(thing: int) -> None:
            calls.append(f"a {thing}")
            raise TimeIsUp("time is up")

        return retention.count_successes([1, 2], act)

    for name in list(RULES):
        monkeypatch.delitem(RULES, name)
    monkeypatch.setitem(RULES, "a", RetentionRule("", "", "", "", slow))
    monkeypatch.setitem(RULES, "b", RetentionRule("", "", "", "", lambda now, dry_run: calls.append("b") or 0))
    return calls


def test_a_rule_that_never_ends_in_time_does_not_stop_the_others(world: World, call_order: list[str]) -> None:
    with pytest.raises(TimeIsUp, match="time is up"):
        apply_retention(now=world.now, stop_on=(TimeIsUp,))

    with pytest.raises(TimeIsUp, match="time is up"):
        apply_retention(now=world.now + HOUR, stop_on=(TimeIsUp,))

    assert call_order == ["a", "a 1", "b", "a", "a 1"]
    assert RetentionRuleState.objects.get(rule="a").error == "TimeIsUp"


@pytest.fixture
def killing_rule(call_order: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the rule "a" kill its process."""

    def kill(now: dt.datetime, dry_run: bool) -> int:
        raise SystemExit("killed")

    monkeypatch.setitem(RULES, "a", RetentionRule("", "", "", "", kill))


def run_until_killed(now: dt.datetime) -> None:
    """Apply the rules in a process that a rule kills."""
    with pytest.raises(SystemExit, match="killed"):
        apply_retention(now=now)


def test_a_rule_whose_process_is_killed_is_tried_after_the_others(
    world: World, killing_rule: None, call_order: list[str]
) -> None:
    run_until_killed(world.now)

    run_until_killed(world.now + HOUR)

    assert call_order == ["b"]


def test_a_rule_whose_process_is_killed_is_overdue_after_three_days(world: World, killing_rule: None) -> None:
    run_until_killed(world.now)

    rules = overdue_rules(now=world.now + 3 * DAY)

    assert rules == ["a"]


def erase_all_but_eddie(*, person: User, **rest: Any) -> dict[str, int]:
    """Erase a person, but fail for Eddie, the first in these tests."""
    if person.name == "Eddie Larch":
        raise OSError("The disk is full.")
    return erase_person(person=person, **rest)


def test_a_leaver_who_cannot_be_erased_does_not_block_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now()
    close_account(person=world.eddie, author=world.dee, reason="Left.", now=now)
    close_account(person=world.vera, author=world.dee, reason="Left.", now=now)
    monkeypatch.setattr(data_rules, "erase_person", erase_all_but_eddie)

    outcome = apply_retention(now=now + 730 * DAY)

    world.vera.refresh_from_db()
    assert world.vera.erased_at is not None
    assert outcome.failed == {"leavers": "OSError"}


def test_a_stakeholder_who_cannot_be_erased_does_not_block_the_others(
    world: World, asked_stakeholder: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent_people = [world.eddie, asked_stakeholder]
    monkeypatch.setattr(digest_retention, "stakeholders_who_never_answered", lambda now: iter(silent_people))
    monkeypatch.setattr(digest_retention, "erase_person", erase_all_but_eddie)

    outcome = apply_retention(now=timezone.now())

    asked_stakeholder.refresh_from_db()
    assert asked_stakeholder.erased_at is not None
    assert outcome.failed == {"stakeholders who never answered": "OSError"}


@pytest.fixture
def second_deletion_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the first deletion succeed, and every later one fail."""
    delete = QuerySet.delete
    deletions: list[QuerySet[Any]] = []

    def delete_once(rows: QuerySet[Any]) -> Any:
        if deletions:
            raise OSError("The disk is full.")
        deletions.append(rows)
        return delete(rows)

    monkeypatch.setattr(QuerySet, "delete", delete_once)


def test_deleted_batches_stay_deleted_when_a_later_batch_fails(
    world: World, second_deletion_fails: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    create_invitation(person=world.sol, invited_by=None, now=world.now)
    create_invitation(person=world.eddie, invited_by=None, now=world.now)
    create_invitation(person=world.vera, invited_by=None, now=world.now)

    with pytest.raises(OSError, match="disk"):
        retention.delete_in_batches(Invitation.objects.all(), dry_run=False)

    assert Invitation.objects.count() == 1


def test_changed_batches_stay_changed_when_a_later_batch_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    changed_batches: list[QuerySet[User]] = []

    def change(rows: QuerySet[User]) -> int:
        if changed_batches:
            raise OSError("The disk is full.")
        changed_batches.append(rows)
        return rows.update(name="Forgotten")

    with pytest.raises(OSError, match="disk"):
        retention.change_in_batches(User.objects.all(), change, dry_run=False)

    assert User.objects.filter(name="Forgotten").count() == 2


def test_the_command_runs_every_rule_and_fails_if_one_failed(world: World, failing_rule: str) -> None:
    create_invitation(person=world.sol, invited_by=None, now=timezone.now() - 100 * DAY)

    with pytest.raises(CommandError, match="1 rules failed: a rule that fails"):
        call_command("apply_retention")

    assert not Invitation.objects.exists()


def test_a_failed_rule_is_reported_to_operators(
    world: World, failing_rule: str, settings: Any, mailoutbox: list[EmailMessage]
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]

    removed = run_hourly_task(nightly_run_after(timezone.now()))
    wait_for_alerts(seconds=60)

    assert removed is None
    assert [email.subject for email in mailoutbox] == ["[Common Ground] Retention rules failed"]
    assert f"{failing_rule}: OSError" in mailoutbox[0].body
    assert "disk is full" not in mailoutbox[0].body


@pytest.fixture
def night_of_failure(world: World, failing_rule: str) -> Iterator[dt.datetime]:
    """Return the time of a nightly run in which a rule failed. The rule would succeed now."""
    night = nightly_run_after(timezone.now())
    run_hourly_task(night)
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(RULES, failing_rule, RULES["tallies"])
        yield night


def test_a_failed_rule_is_not_retried_after_twenty_minutes(night_of_failure: dt.datetime) -> None:
    # The first run may still be running.
    removed_count = run_hourly_task(night_of_failure + dt.timedelta(minutes=20))

    assert removed_count is None


def test_a_failed_rule_is_retried_after_an_hour(night_of_failure: dt.datetime) -> None:
    removed_count = run_hourly_task(night_of_failure + HOUR)

    assert removed_count == 0
    assert RetentionRun.objects.get().ended_at is not None
