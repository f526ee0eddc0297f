"""A worker imports previews, and the progress is still there after the page was closed."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError, connection, connections, transaction
from django.db.utils import DEFAULT_DB_ALIAS
from django.urls import reverse
from django.utils import timezone

from housing.celery import SCHEDULE
from partnerships.kit import leased_jobs
from partnerships.kit.leased_jobs import LONG_ENOUGH, shown_progress
from partnerships.organisations.models import Organisation
from partnerships.transfer import tasks
from partnerships.transfer.models import ImportJob, ImportRun, RunStatus
from partnerships.transfer.services.files import File
from partnerships.transfer.services.locking import IMPORTS_LOCK
from partnerships.transfer.services.registers import (
    Choices,
    UnableToApply,
    apply_waiting,
    confirm_headings,
    discard_preview,
    jobs,
    preview_register,
    queue_import,
)
from partnerships.transfer.services.registers.jobs import LEASE
from tests.world import World, make_world

from .lists import COUNCILS

NOW = timezone.now


def preview(world: World, text: str = COUNCILS) -> ImportRun:
    """Let Dee preview a list of councils, and return the run."""
    return preview_register(
        register="councils",
        file=File("councils_2025-07.csv", text.encode()),
        author=world.dee,
        now=NOW(),
        choices=Choices(),
    )


@pytest.mark.django_db
def test_applied_import_has_the_number_and_the_page_of_its_preview() -> None:
    world = make_world()
    run = preview(world)

    queue_import(run=run, author=world.dee, now=NOW())
    assert tasks.apply_waiting() == 1

    applied_run = ImportRun.objects.get(pk=run.pk)
    assert applied_run.status == RunStatus.APPLIED
    assert applied_run.by == world.dee
    assert applied_run.content is None
    assert not ImportJob.objects.exists()
    assert SCHEDULE["transfer.apply_waiting"]["task"] == tasks.apply_waiting.name


@pytest.mark.django_db
def test_page_shows_the_progress_when_it_is_opened_again(client: Any) -> None:
    world = make_world()
    client.force_login(world.dee)
    run = preview(world)
    queue_import(run=run, author=world.dee, now=NOW())
    run_url = reverse("admin:transfer_importrun_change", args=[run.pk])

    assert "We will start within 20 seconds." in client.get(run_url).content.decode()
    ImportJob.objects.update(done=25, total=380)

    page = client.get(run_url).content.decode()
    assert "25 of 380 done." in page
    assert "Import list" not in page


@pytest.mark.django_db
def test_import_that_is_queued_cannot_be_queued_again_or_discarded() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=NOW())

    with pytest.raises(UnableToApply, match="already running"):
        queue_import(run=run, author=world.dee, now=NOW())
    with pytest.raises(UnableToApply, match="is running"):
        discard_preview(run=run, author=world.dee, now=NOW())


@pytest.mark.django_db
def test_another_worker_does_the_job_of_a_worker_that_died() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=NOW())
    ImportJob.objects.update(claimed_until=NOW() + LEASE)

    assert apply_waiting(now=NOW() + dt.timedelta(minutes=1)) == 0
    assert apply_waiting(now=NOW() + LEASE) == 1

    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED


@pytest.mark.django_db
def test_refused_import_shows_the_reason_and_can_be_started_again(client: Any) -> None:
    world = make_world()
    client.force_login(world.dee)
    run = preview(world)
    world.dee.is_staff = False
    world.dee.save(update_fields=["is_staff"])
    ImportJob.objects.create(run=run, asked_at=NOW(), asked_by=world.dee)
    before = Organisation.objects.count()

    apply_waiting(now=NOW())

    assert "may no longer import" in ImportJob.objects.get().error
    assert Organisation.objects.count() == before
    world.dee.is_staff = True
    world.dee.save(update_fields=["is_staff"])
    page = client.get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()
    assert "We did not import the file, so we changed nothing." in page
    queue_import(run=run, author=world.dee, now=NOW())
    assert apply_waiting(now=NOW()) == 1
    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED


@pytest.mark.django_db
def test_headings_of_a_running_import_cannot_be_changed() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=NOW())

    with pytest.raises(UnableToApply, match="is running"):
        confirm_headings(run=run, publisher="Anybody", headings={}, author=world.dee, now=NOW())


@pytest.mark.django_db
@pytest.mark.parametrize("error", [SoftTimeLimitExceeded, OperationalError])
def test_import_that_fails_shows_an_error_and_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """An import fails if it takes longer than a task may, or a statement takes longer than the database allows."""

    def too_slow(**kwargs: object) -> None:
        if error is SoftTimeLimitExceeded:
            raise SoftTimeLimitExceeded
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '10ms'")
            cursor.execute("SELECT pg_sleep(1)")

    world = make_world()
    queue_import(run=preview(world), author=world.dee, now=NOW())
    monkeypatch.setattr(jobs, "apply_preview", too_slow)

    with pytest.raises(error):
        apply_waiting(now=NOW())

    assert "took longer than 14 minutes" in ImportJob.objects.get().error
    assert apply_waiting(now=NOW() + LEASE) == 0


@pytest.mark.django_db
def test_job_after_a_long_one_is_done_by_the_next_task(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    clock = [0.0]
    for _ in range(2):
        queue_import(run=preview(world), author=world.dee, now=NOW())

    def take_long(*, run: ImportRun, **options: object) -> None:
        clock[0] += LONG_ENOUGH + 1
        ImportJob.objects.filter(run=run).delete()

    monkeypatch.setattr(jobs, "apply_preview", take_long)
    monkeypatch.setattr(leased_jobs, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    assert [apply_waiting(now=NOW()) for _ in range(3)] == [1, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_import_that_waits_too_long_for_another_is_tried_again() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=NOW())
    other_connection = connections.create_connection(DEFAULT_DB_ALIAS)
    with closing(other_connection), other_connection.cursor() as cursor, connection.cursor() as cursor_of_import:
        cursor.execute("SELECT pg_advisory_lock(%s)", [IMPORTS_LOCK])
        cursor_of_import.execute("SET lock_timeout = '100ms'")
        assert apply_waiting(now=NOW()) == 1
        cursor_of_import.execute("RESET lock_timeout")

    job = ImportJob.objects.get()
    assert job.error == ""
    assert job.claimed_until is None
    assert apply_waiting(now=NOW()) == 1
    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED


@pytest.mark.django_db(transaction=True)
def test_progress_is_visible_before_the_import_ends() -> None:
    world = make_world()
    job = queue_import(run=preview(world), author=world.dee, now=NOW())
    other_connection = connections.create_connection(DEFAULT_DB_ALIAS)

    with transaction.atomic(), shown_progress(job) as progress:
        Organisation.objects.update(website="https://not-yet.example/")
        progress(25, 380)
        with other_connection.cursor() as cursor:
            cursor.execute("SELECT done, total FROM transfer_importjob")
            visible_progress = cursor.fetchone()
        transaction.set_rollback(True)
    other_connection.close()

    assert visible_progress == (25, 380)


@pytest.mark.django_db(transaction=True)
def test_import_that_writes_its_progress_does_not_wait_for_itself() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=NOW())

    assert apply_waiting(now=NOW()) == 1

    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED
    assert not ImportJob.objects.exists()
