"""The job that reads the mailbox reads each email once, and no email delays the others.

Only one worker reads at a time.
"""

from __future__ import annotations

import datetime as dt
import mailbox
import re
from collections.abc import Iterator
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from housing.celery import SCHEDULE, app
from partnerships.answers.models import Incoming
from partnerships.answers.reading import Mail, read_mail
from partnerships.answers.services import outbox_hooks
from partnerships.digests.models import Delivery
from partnerships.digests.services import mailbox as mailboxes
from partnerships.digests.services import read_new_mail
from partnerships.digests.tasks import read_mailbox
from partnerships.kit.operators import wait_for_alerts
from partnerships.outbox import hooks
from tests.answers.test_replies_by_email import reply, reply_to

__all__ = ["reply_to"]


@pytest.fixture
def box(db: None, tmp_path: Path, settings: Any) -> Path:
    """Return an empty Maildir that the job reads."""
    settings.EMAIL_MAILBOX_PATH = str(tmp_path / "box")
    settings.ADMINS = [("Operators", "operators@ground.example")]
    mailbox.Maildir(settings.EMAIL_MAILBOX_PATH)
    cache.clear()
    return tmp_path / "box"


def put_in_mailbox(box: Path, *messages: EmailMessage) -> None:
    """Add these emails to the mailbox, unread."""
    for message in messages:
        mailbox.Maildir(str(box)).add(message)


def flags_of_read_emails(box: Path) -> list[str]:
    """Return the flags of each email that was read: S if it was used, F if it could not be read."""
    return sorted(file.name.rpartition(":2,")[2] for file in (box / "cur").iterdir())


def test_the_job_leaves_new_emails_as_read(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to))

    read_mailbox()

    assert Incoming.objects.get().text == "Please keep the trees."
    assert not list((box / "new").iterdir())
    assert flags_of_read_emails(box) == ["S"]


def test_the_job_reads_an_email_once(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to))
    read_mailbox()

    counts = read_new_mail(now=timezone.now())

    assert counts == {}


def test_beat_starts_the_job_every_minute() -> None:
    assert SCHEDULE["digests.read_mailbox"]["task"] == read_mailbox.name
    assert SCHEDULE["digests.read_mailbox"]["schedule"] == 60


def test_the_job_reads_nothing_while_another_worker_reads(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to))
    cache.add("digests.mailbox", 1, timeout=600)

    read_mailbox()

    assert not Incoming.objects.exists()


def test_the_job_reads_once_the_other_worker_is_done(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to))
    cache.add("digests.mailbox", 1, timeout=600)
    read_mailbox()
    cache.delete("digests.mailbox")

    read_mailbox()

    assert Incoming.objects.count() == 1


@pytest.fixture
def poison_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every reading of an email with the subject "poison" fail."""

    class FailingHooks(hooks.OutboxHooks):
        def received(self, *, raw: bytes, now: Any) -> str:
            if b"Subject: poison" in raw:
                raise ValueError("No program can read this.")
            return ""

    monkeypatch.setattr(hooks, "_registered_hooks", [FailingHooks(), *hooks.registered_hooks()])


@pytest.mark.usefixtures("poison_fails")
def test_an_email_that_always_fails_is_flagged_without_delaying_others(
    box: Path, reply_to: str, mailoutbox: list[Any]
) -> None:
    put_in_mailbox(box, reply(reply_to, Subject="poison"), reply(reply_to, "Thank you."))

    read_mailbox()

    wait_for_alerts(seconds=60)
    assert Incoming.objects.get().text == "Thank you."
    assert flags_of_read_emails(box) == ["F", "S"]
    assert "An email in the mailbox could not be read" in mailoutbox[-1].subject


@pytest.fixture
def poison_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the parsing of an email with the subject "poison" hang in one call of `re`, and stop it after 0.3 seconds."""

    def read_mail_or_hang(raw: bytes) -> Mail | None:
        if b"Subject: poison" in raw:
            re.match(r"(a+)+$", "a" * 60 + "b")
        return read_mail(raw)

    monkeypatch.setattr(outbox_hooks, "read_mail", read_mail_or_hang)
    monkeypatch.setattr(outbox_hooks, "MAX_PARSING_SECONDS", 0.3)


@pytest.mark.usefixtures("poison_hangs")
def test_an_email_whose_parsing_hangs_is_flagged_after_its_time_limit(
    box: Path, reply_to: str, mailoutbox: list[Any]
) -> None:
    put_in_mailbox(box, reply(reply_to, Subject="poison"), reply(reply_to, "Thank you."))

    counts = read_new_mail(now=timezone.now())

    wait_for_alerts(seconds=60)
    assert counts == {"failed": 1, "replies": 1}
    assert Incoming.objects.get().text == "Thank you."
    assert flags_of_read_emails(box) == ["F", "S"]
    assert "TookTooLong" in mailoutbox[-1].body


#: How long after a killed worker the next one reads the mailbox: its lease ends after ten minutes.
AFTER_LEASE = dt.timedelta(minutes=11)


@pytest.fixture
def email_that_killed_workers(box: Path, reply_to: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an email in the mailbox, during which as many workers were killed as may try."""

    def be_killed(name: str, raw: bytes, now: Any) -> str:
        raise SystemExit(9)

    put_in_mailbox(box, reply(reply_to))
    [file] = (box / "new").iterdir()
    with monkeypatch.context() as patched:
        patched.setattr(mailboxes, "_act_or_report", be_killed)
        patched.setattr(cache, "delete", lambda key: None)  # a killed worker does not release its lease
        for kill in range(mailboxes.MAX_TRIES):
            with time_machine.travel(timezone.now() + AFTER_LEASE * kill), pytest.raises(SystemExit, match="9"):
                read_new_mail(now=timezone.now())
    return file


def test_an_email_during_which_two_workers_were_killed_is_flagged(box: Path, email_that_killed_workers: Path) -> None:
    with time_machine.travel(timezone.now() + AFTER_LEASE * mailboxes.MAX_TRIES):
        counts = read_new_mail(now=timezone.now())

    assert counts == {"failed": 1}
    assert [path.name for path in (box / "cur").iterdir()] == [f"{email_that_killed_workers.name}:2,F"]


@pytest.mark.usefixtures("email_that_killed_workers")
def test_a_flagged_email_is_not_read_again() -> None:
    with time_machine.travel(timezone.now() + AFTER_LEASE * mailboxes.MAX_TRIES):
        read_new_mail(now=timezone.now())

        counts = read_new_mail(now=timezone.now())

    assert counts == {}


def read_by_command(box: Path) -> str:
    """Read the mailbox with the command, and return what the command prints."""
    output = StringIO()
    call_command("digests", "bounces", str(box), stdout=output)
    return output.getvalue()


@pytest.mark.usefixtures("poison_hangs")
def test_the_command_reads_the_others_after_a_bad_email(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to, Subject="poison"), reply(reply_to, "Thank you."))

    output = read_by_command(box)

    assert "1 reply" in output
    assert "1 could not be read" in output


@pytest.mark.usefixtures("poison_hangs")
def test_the_command_does_not_read_a_bad_email_again(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to, Subject="poison"), reply(reply_to, "Thank you."))
    read_by_command(box)

    output = read_by_command(box)

    assert "0 already read, 0 could not be read" in output
    assert flags_of_read_emails(box) == ["F", "S"]


def test_the_command_reads_more_emails_than_the_job_does_in_one_run(
    box: Path, reply_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailboxes, "MAX_READ", 1)
    put_in_mailbox(box, reply(reply_to, "Keep the oak."), reply(reply_to, "Keep the elm."))

    output = read_by_command(box)

    assert "2 replies" in output
    assert not list((box / "new").iterdir())


def test_the_command_says_that_the_job_is_reading(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to))
    cache.add("digests.mailbox", 1, timeout=600)

    with pytest.raises(CommandError, match="Try again in a few minutes"):
        call_command("digests", "bounces", str(box))

    assert not Incoming.objects.exists()


def test_file_that_workers_may_not_read_does_not_delay_the_others(
    box: Path, reply_to: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_mailbox(box, reply(reply_to, "One."), reply(reply_to, "Two."))
    unreadable_name = min((box / "new").iterdir()).name
    original_read_bytes = Path.read_bytes

    def read_bytes(file: Path) -> bytes:
        if file.name == unreadable_name:
            raise PermissionError(13, "Permission denied")
        return original_read_bytes(file)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)

    counts = read_new_mail(now=timezone.now())

    wait_for_alerts(seconds=60)
    assert counts == {"failed": 1, "replies": 1}
    assert not list((box / "new").iterdir())


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the time of a run be nearly over after its first email."""
    seconds = iter([0.0, 1.0, mailboxes.MAX_SECONDS + 1.0])
    with monkeypatch.context() as patched:
        patched.setattr(mailboxes, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
        yield


@pytest.mark.usefixtures("slow_clock")
def test_a_run_begins_no_email_shortly_before_its_time_limit(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to, "One."), reply(reply_to, "Two."), reply(reply_to, "Three."))

    counts = read_new_mail(now=timezone.now())

    assert counts == {"replies": 1}
    assert len(list((box / "new").iterdir())) == 2


def test_a_run_may_take_half_the_time_limit_of_tasks() -> None:
    assert app.conf.task_soft_time_limit >= 2 * mailboxes.MAX_SECONDS


def test_a_subject_with_a_null_character_is_read(box: Path, reply_to: str) -> None:
    put_in_mailbox(box, reply(reply_to, Subject="Re: plan"))
    [file] = (box / "new").iterdir()
    file.write_bytes(file.read_bytes().replace(b"Re: plan", b"=?utf-8?q?Re:=00_plan?="))

    counts = read_new_mail(now=timezone.now())

    assert counts == {"replies": 1}
    assert Incoming.objects.get().subject == "Re: plan"


def test_operators_get_an_alert_if_the_mailbox_is_missing(box: Path, settings: Any, mailoutbox: list[Any]) -> None:
    settings.EMAIL_MAILBOX_PATH = str(box / "moved")

    read_mailbox()

    wait_for_alerts(seconds=60)
    assert "The mailbox for bounces and replies cannot be read" in mailoutbox[-1].subject


def test_without_the_setting_the_job_reads_nothing(digest: Delivery, settings: Any) -> None:
    settings.EMAIL_MAILBOX_PATH = ""

    counts = read_new_mail(now=timezone.now())

    assert counts == {}
