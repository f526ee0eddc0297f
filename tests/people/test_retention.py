"""What is past its time goes: not a day sooner, and in a dry run not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.utils import timezone

from partnerships.agreements.services import (
    UnableToRestoreDocument,
    add_document,
    remove_document,
    restore_document,
)
from partnerships.digests.models import Delivery
from partnerships.digests.services import add_stakeholder, refuse_questions, stop
from partnerships.people.models import Invitation, RetentionRun, SecurityEvent, User
from partnerships.people.retention import RULES, RetentionRule, apply_retention
from partnerships.people.services import close_account, create_invitation
from partnerships.people.tasks import apply_retention_now
from tests.people.test_leaving_and_erasing import everything_kept
from tests.world import World, join

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)


@pytest.mark.parametrize(("days", "left"), [(6, 1), (7, 0), (8, 0)])
def test_an_invitation_goes_seven_days_after_it_ends(world: World, days: int, left: int) -> None:
    now = timezone.now()
    made, _ = create_invitation(person=world.sol, invited_by=None, now=now)

    apply_retention(now=made.expires_at + days * DAY)

    assert Invitation.objects.count() == left


@pytest.mark.parametrize(("days", "left"), [(364, 1), (365, 0), (366, 0)])
def test_the_security_log_is_kept_for_a_year(world: World, days: int, left: int) -> None:
    now = timezone.now()
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=now)

    apply_retention(now=now + days * DAY)

    assert SecurityEvent.objects.count() == left


@pytest.mark.parametrize(("days", "erased"), [(729, False), (730, True)])
def test_a_leaver_is_forgotten_after_two_years(world: World, days: int, erased: bool) -> None:
    now = timezone.now()
    close_account(person=world.eddie, author=world.dee, reason="Left.", now=now)

    apply_retention(now=now + days * DAY)

    world.eddie.refresh_from_db()
    assert (world.eddie.erased_at is not None) is erased


def test_a_dry_run_counts_and_removes_nothing(world: World) -> None:
    made, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())

    counts = apply_retention(now=made.expires_at + 30 * DAY, dry_run=True)

    assert counts["invitations"] == 1
    assert Invitation.objects.exists()


@pytest.fixture
def asked(world: World) -> User:
    """Somebody whom Amina asked to follow Larkhaven's plans, by a letter that has gone out."""
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


@pytest.mark.parametrize(("days", "erased"), [(29, False), (31, True)])
def test_who_was_asked_and_never_answered_is_forgotten(world: World, asked: User, days: int, erased: bool) -> None:
    apply_retention(now=timezone.now() + days * DAY)

    asked.refresh_from_db()
    assert (asked.erased_at is not None) is erased
    assert (asked.name == "") is erased


def test_who_said_no_is_remembered_so_that_nobody_asks_again_soon(world: World, asked: User) -> None:
    stop(subscriptions=asked.subscriptions.all(), author=asked, reason="", now=timezone.now())

    apply_retention(now=timezone.now() + 60 * DAY)

    asked.refresh_from_db()
    assert asked.erased_at is None


@pytest.mark.parametrize("refused", ["this", "all questions"])
def test_a_no_is_remembered_though_a_partner_has_asked_again_since(asked: User, refused: str) -> None:
    before = timezone.now() - 200 * DAY
    if refused == "this":
        asked.subscriptions.update(refused_at=before)
    else:
        refuse_questions(person=asked, now=before)

    apply_retention(now=timezone.now() + 60 * DAY)

    asked.refresh_from_db()
    assert asked.erased_at is None


def test_who_is_named_elsewhere_is_no_stranger(world: World, asked: User) -> None:
    join(asked, world.larkhaven, "viewer", timezone.now())

    apply_retention(now=timezone.now() + 60 * DAY)

    asked.refresh_from_db()
    assert asked.erased_at is None


@pytest.mark.parametrize(("days", "kept"), [(364, True), (365, False)])
def test_the_file_of_a_removed_document_goes_after_a_year_and_its_row_stays(
    world: World, days: int, kept: bool, django_capture_on_commit_callbacks: Any
) -> None:
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
    name, storage = document.file.name, document.file.storage

    with django_capture_on_commit_callbacks(execute=True):
        apply_retention(now=now + days * DAY)

    document.refresh_from_db()
    assert storage.exists(name) is kept
    assert bool(document.file) is kept
    assert document.title == "Minutes"
    if not kept:
        with pytest.raises(UnableToRestoreDocument, match="no longer kept"):
            restore_document(document=document, author=world.dee, now=now)


def test_a_dry_run_of_everything_changes_no_row(world: World, asked: User) -> None:
    create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=timezone.now())
    before = everything_kept()

    counts = apply_retention(now=timezone.now() + 1000 * DAY, dry_run=True)

    assert counts["stakeholders who never answered"] == 1
    assert everything_kept() == before


def tick(at: dt.datetime) -> int | None:
    """What an hourly tick at a moment removed; None where there was nothing for it to do."""
    with time_machine.travel(at, tick=False):
        apply_retention_now()
    run = RetentionRun.objects.filter(began_at=at).first()
    return run.removed["invitations"] if run and run.ended_at else None


def test_however_often_the_clock_ticks_retention_runs_once_a_day(world: World) -> None:
    made, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())
    night = (made.expires_at + 30 * DAY).replace(hour=3, minute=10, second=0, microsecond=0)

    assert tick(night.replace(hour=0, minute=30)) is None, "The night has not come."
    assert tick(night) == 1
    create_invitation(person=world.sol, invited_by=None, now=made.created_at)
    assert [tick(night + HOUR), tick(night + 12 * HOUR)] == [None, None]
    assert Invitation.objects.exists()

    assert tick(night + DAY) == 1
    assert RetentionRun.objects.count() == 2


def test_a_run_that_was_cut_off_is_taken_up_by_a_later_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    night = timezone.now().replace(hour=3, minute=10, second=0, microsecond=0)

    def fails(now: dt.datetime, dry_run: bool) -> int:
        raise OSError("The disk is full.")

    with monkeypatch.context() as patched:
        patched.setitem(RULES, "a rule that fails", RetentionRule("", "", "", "", fails))
        with pytest.raises(OSError, match="disk"):
            tick(night)
        assert tick(night + dt.timedelta(minutes=20)) is None, "It may still be running."

    assert tick(night + HOUR) == 0
    assert RetentionRun.objects.get().ended_at is not None
