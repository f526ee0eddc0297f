"""After a backup, a restore and the journal, no email is sent twice, and erased people stay erased."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.utils import timezone

from partnerships.agreements.services import remove_party
from partnerships.digests import services
from partnerships.digests.services.sweep import plan_round
from partnerships.kit import journal
from partnerships.outbox.bounces import suppress_address
from partnerships.people.personal_data import erase_person
from partnerships.people.services import close_account
from partnerships.plans.services import create_plan, publish_version
from tests.digests.conftest import PostOffice, quay
from tests.faults.restore import run
from tests.faults.test_a_backup_is_restored import RESTORED, empty_database
from tests.world import World, make_world

__all__ = ["empty_database"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def world(settings: Any) -> World:
    """Return the named world, with digests that are sent at once."""
    settings.DIGEST_SETTLE_MINUTES = 0
    return make_world()


def follow_and_publish(world: World) -> Any:
    """Let Ben and Vera follow a plan that has a first version."""
    now = timezone.now()
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=None,
        title="Quay",
        kind="delivery",
        audience="network",
        author=world.amina,
        now=now,
    )
    publish_version(plan=plan, author=world.amina, note="First.", content=quay(120), now=now)
    for person in (world.ben, world.vera):
        services.add_confirmed_subscription(person=person, target=plan, author=None, now=timezone.now())
    return plan


def test_after_a_restore_nothing_is_sent_twice_and_erased_people_stay_erased(
    world: World, empty_database: dict[str, Any], tmp_path: Path, settings: Any
) -> None:
    plan = follow_and_publish(world)
    publish_version(plan=plan, author=world.amina, note="Fewer.", content=quay(100), now=timezone.now())
    plan_round(now=timezone.now())  # two digests are queued
    backup = str(tmp_path / "backup")
    run("pg_dump", "--format", "custom", "--file", backup, connection.settings_dict["NAME"])
    erased_address = world.chidi.email
    office = PostOffice()
    office.drain()
    end_rights_after_the_backup(world)

    run("pg_restore", "--exit-on-error", "--no-comments", "--dbname", RESTORED, backup)
    environ = {"JOURNAL_ROOT": str(settings.JOURNAL_ROOT), "SECRET_KEY": settings.SECRET_KEY}
    first_output = run_on_restored("after_restore", **environ)
    second_output = run_on_restored("after_restore", **environ)

    assert "1 people erased again" in first_output
    assert "0 people erased again" in second_output
    assert {email.recipient for email in office.sent} >= {world.ben.email, world.vera.email}
    check_numbers_go_on()
    check_restored_rights(world, erased_address)
    check_nothing_is_sent_twice(world, plan)


def end_rights_after_the_backup(world: World) -> None:
    """Erase Chidi, and end what four others could do or receive."""
    erase_person(person=world.chidi, author=world.dee, reason="Asked.", now=timezone.now())
    close_account(person=world.nadia, author=world.dee, reason="Left.", now=timezone.now())
    suppress_address(address=world.hana.email, reason="Came back.", email_id=None, author_id=None, now=timezone.now())
    remove_party(party=world.party(world.westmarch), reason="Over.", author=world.amina, now=timezone.now())
    services.stop_everything(person=world.vera, author=world.vera, reason="Enough.", now=timezone.now())


def restored_value(query: str, parameters: Sequence[object] = ()) -> object:
    """Return the only value that a query finds in the restored database."""
    with closing(psycopg2.connect(**connection.get_connection_params() | {"dbname": RESTORED})) as restored:
        cursor = restored.cursor()
        cursor.execute(query, parameters)
        [value] = cursor.fetchone()
        return value


def check_numbers_go_on() -> None:
    """Check that the next number of each sequence is higher than any that was given after the backup."""
    numbers_before = numbers(connection.settings_dict["NAME"])
    restored_numbers = numbers(RESTORED)
    assert not [name for name, number in numbers_before.items() if restored_numbers[name] <= number]


def check_restored_rights(world: World, erased_address: str) -> None:
    """Check that everything that ended after the backup has ended in the restored database, too."""
    people = "SELECT count(*) FROM people_user WHERE email = %s"
    assert restored_value(people, [erased_address]) == 0
    assert restored_value("SELECT is_active FROM people_user WHERE id = %s", [world.nadia.pk]) is False
    party = world.party(world.westmarch)
    assert restored_value("SELECT status FROM agreements_party WHERE id = %s", [party.pk]) == "left"
    suppressions = "SELECT count(*) FROM outbox_suppression WHERE address = %s"
    assert restored_value(suppressions, [world.hana.email]) == 1
    refusal = "SELECT refused_at IS NOT NULL FROM digests_preference WHERE person_id = %s"
    assert restored_value(refusal, [world.vera.pk]) is True


def check_nothing_is_sent_twice(world: World, plan: Any) -> None:
    """Check that no digest waits, and that the next one begins with the version that was last sent."""
    waiting = "SELECT count(*) FROM outbox_email WHERE status IN ('queued', 'sending') AND lane > 0"
    assert restored_value(waiting) == 0
    watermark = "SELECT min(number) FROM digests_watermark WHERE plan_id = %s AND recipient_id IN %s"
    assert restored_value(watermark, [plan.pk, (world.ben.pk, world.vera.pk)]) == 2


def numbers(database: str) -> dict[str, int]:
    """Return the last number that each sequence of a database gave; 0 if none."""
    back = psycopg2.connect(**connection.get_connection_params() | {"dbname": database})
    try:
        with back.cursor() as cursor:
            cursor.execute("SELECT sequencename, COALESCE(last_value, 0) FROM pg_sequences WHERE schemaname = 'public'")
            return dict(cursor.fetchall())
    finally:
        back.close()


def run_on_restored(*words: str, **environ: str) -> str:
    """Run a command on the restored database; returns its output."""
    database = connection.settings_dict
    user_and_host = (
        f"{database['USER']}:{database['PASSWORD']}@{database['HOST'].replace('/', '%2F')}:{database['PORT']}"
    )
    result = subprocess.run(
        [sys.executable, "manage.py", *words],
        env={
            **os.environ,
            "DATABASE_URL": f"postgres://{user_and_host}/{RESTORED}",
            "EMAILS_HELD": "1",
            "DEBUG": "1",
            **environ,
        },
        cwd=django_settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_after_restore_refuses_to_run_unless_emails_are_held(settings: Any) -> None:
    settings.EMAILS_HELD = False

    with pytest.raises(CommandError, match="EMAILS_HELD=1"):
        call_command("after_restore")


def test_after_restore_refuses_to_run_without_a_journal(settings: Any) -> None:
    settings.EMAILS_HELD = True

    with pytest.raises(CommandError, match="There is no journal"):
        call_command("after_restore", "--since", timezone.now().isoformat())


def test_after_restore_refuses_to_run_with_an_empty_journal(settings: Any) -> None:
    settings.EMAILS_HELD = True
    Path(settings.JOURNAL_ROOT).mkdir(exist_ok=True)
    Path(settings.JOURNAL_ROOT, "2026-11.jsonl").touch()

    with pytest.raises(CommandError, match="There is no journal"):
        call_command("after_restore", "--since", timezone.now().isoformat())


def test_after_restore_runs_without_a_journal_if_the_operator_says_so(settings: Any) -> None:
    settings.EMAILS_HELD = True

    call_command("after_restore", "--since", timezone.now().isoformat(), "--without-journal")


def test_after_restore_runs_with_an_empty_journal_if_the_operator_says_so(settings: Any) -> None:
    settings.EMAILS_HELD = True
    Path(settings.JOURNAL_ROOT).mkdir(exist_ok=True)
    Path(settings.JOURNAL_ROOT, "2026-11.jsonl").touch()

    call_command("after_restore", "--since", timezone.now().isoformat(), "--without-journal")


def test_after_restore_reads_the_files_of_all_machines(settings: Any) -> None:
    now = timezone.now()
    root = Path(settings.JOURNAL_ROOT)
    root.mkdir(exist_ok=True)
    for name in ("", "-web2", "-worker"):
        line = f'{{"at":"{now.isoformat()}","what":"here{name}"}}\n'
        (root / f"{now.astimezone(dt.UTC):%Y-%m}{name}.jsonl").write_text(line)

    read = [line["what"] for line in journal.lines(since=now - dt.timedelta(minutes=5))]

    assert sorted(read) == ["here", "here-web2", "here-worker"]
