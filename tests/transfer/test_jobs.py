"""A worker imports previews, and the progress is still there after the page was closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace

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
from partnerships.people.models import User
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
from tests.support.signing_in import signed_in
from tests.world import World, make_world

from .lists import COUNCILS


def preview(world: World, text: str = COUNCILS) -> ImportRun:
    """Let Dee preview a list of councils, and return the run."""
    return preview_register(
        register="councils",
        file=File("councils_2025-07.csv", text.encode()),
        author=world.dee,
        now=timezone.now(),
        choices=Choices(),
    )


@pytest.mark.django_db
def test_applied_import_has_the_number_and_the_page_of_its_preview() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())

    applied_count = tasks.apply_waiting()

    assert applied_count == 1
    applied_run = ImportRun.objects.get(pk=run.pk)
    assert applied_run.status == RunStatus.APPLIED
    assert applied_run.by == world.dee
    assert applied_run.content is None
    assert not ImportJob.objects.exists()


def test_schedule_has_the_task_that_applies_imports() -> None:
    assert SCHEDULE["transfer.apply_waiting"]["task"] == tasks.apply_waiting.name


def page_for_dee(world: World, run: ImportRun) -> str:
    """Return the page of an import as Dee, an administrator, sees it."""
    return signed_in(world.dee).get(reverse("admin:transfer_importrun_change", args=[run.pk])).content.decode()


@pytest.mark.django_db
def test_page_of_a_queued_import_says_when_it_will_start() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())

    page = page_for_dee(world, run)

    assert "We will start within 20 seconds." in page


@pytest.mark.django_db
def test_page_of_a_running_import_shows_its_progress() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())
    ImportJob.objects.update(done=25, total=380)

    page = page_for_dee(world, run)

    assert "25 of 380 done." in page
    assert "Import list" not in page


@pytest.mark.django_db
def test_queued_import_cannot_be_queued_again() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())

    with pytest.raises(UnableToApply, match="already running"):
        queue_import(run=run, author=world.dee, now=timezone.now())


@pytest.mark.django_db
def test_queued_import_cannot_be_discarded() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())

    with pytest.raises(UnableToApply, match="is running"):
        discard_preview(run=run, author=world.dee, now=timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("waited", "applied_count", "status"),
    [
        pytest.param(dt.timedelta(minutes=1), 0, RunStatus.PREVIEWED, id="before the lease ends"),
        pytest.param(LEASE, 1, RunStatus.APPLIED, id="when the lease ends"),
    ],
)
def test_another_worker_does_the_job_of_a_worker_that_died(
    waited: dt.timedelta, applied_count: int, status: RunStatus
) -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())
    claimed_at = timezone.now()
    ImportJob.objects.update(claimed_until=claimed_at + LEASE)

    count = apply_waiting(now=claimed_at + waited)

    assert count == applied_count
    assert ImportRun.objects.get(pk=run.pk).status == status


def set_administrator(person: User, *, is_staff: bool) -> None:
    """Make a person an administrator, or no longer one."""
    person.is_staff = is_staff
    person.save(update_fields=["is_staff"])


@pytest.fixture
def refused_run(world: World) -> ImportRun:
    """Return an import that was refused, because Dee was not an administrator when a worker took it."""
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())
    set_administrator(world.dee, is_staff=False)
    apply_waiting(now=timezone.now())
    set_administrator(world.dee, is_staff=True)
    return run


@pytest.mark.django_db
def test_import_of_a_former_administrator_is_refused() -> None:
    world = make_world()
    queue_import(run=preview(world), author=world.dee, now=timezone.now())
    set_administrator(world.dee, is_staff=False)
    count_before = Organisation.objects.count()

    apply_waiting(now=timezone.now())

    assert "may no longer import" in ImportJob.objects.get().error
    assert Organisation.objects.count() == count_before


@pytest.mark.django_db
def test_page_of_a_refused_import_says_that_nothing_was_changed(world: World, refused_run: ImportRun) -> None:
    page = page_for_dee(world, refused_run)

    assert "We did not import the file, so we changed nothing." in page


@pytest.mark.django_db
def test_refused_import_can_be_started_again(world: World, refused_run: ImportRun) -> None:
    queue_import(run=refused_run, author=world.dee, now=timezone.now())

    applied_count = apply_waiting(now=timezone.now())

    assert applied_count == 1
    assert ImportRun.objects.get(pk=refused_run.pk).status == RunStatus.APPLIED


@pytest.mark.django_db
def test_headings_of_a_running_import_cannot_be_changed() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())

    with pytest.raises(UnableToApply, match="is running"):
        confirm_headings(run=run, publisher="Anybody", headings={}, author=world.dee, now=timezone.now())


def exceed_time_of_task(**kwargs: object) -> None:
    """Fail as Celery does if a task takes longer than it may."""
    raise SoftTimeLimitExceeded


def exceed_time_of_statement(**kwargs: object) -> None:
    """Fail as the database does if a statement takes longer than it may."""
    # PostgreSQL cancels the statement after 10 ms, which Django raises as an OperationalError.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10ms'")
        cursor.execute("SELECT pg_sleep(1)")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("import_too_slowly", "error"),
    [(exceed_time_of_task, SoftTimeLimitExceeded), (exceed_time_of_statement, OperationalError)],
    ids=["task", "statement"],
)
def test_import_that_takes_too_long_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, import_too_slowly: Callable[..., None], error: type[Exception]
) -> None:
    world = make_world()
    queue_import(run=preview(world), author=world.dee, now=timezone.now())
    monkeypatch.setattr(jobs, "apply_preview", import_too_slowly)
    with pytest.raises(error):
        apply_waiting(now=timezone.now())

    count_after_lease = apply_waiting(now=timezone.now() + LEASE)

    assert "took longer than 14 minutes" in ImportJob.objects.get().error
    assert count_after_lease == 0


@pytest.mark.django_db
def test_job_after_a_long_one_is_done_by_the_next_task(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    seconds = [0.0]
    for _ in range(2):
        queue_import(run=preview(world), author=world.dee, now=timezone.now())

    def take_long(*, run: ImportRun, **options: object) -> None:
        """Let the clock pass the time after which a task takes no other job."""
        seconds[0] += LONG_ENOUGH + 1
        ImportJob.objects.filter(run=run).delete()

    monkeypatch.setattr(jobs, "apply_preview", take_long)
    monkeypatch.setattr(leased_jobs, "time", SimpleNamespace(monotonic=lambda: seconds[0]))

    job_counts = [apply_waiting(now=timezone.now()) for _ in range(3)]

    assert job_counts == [1, 1, 0]


@contextmanager
def another_import_in_progress() -> Iterator[None]:
    """Hold the lock of imports in another connection, and let this one wait for it for only 0.1 seconds."""
    other_connection = connections.create_connection(DEFAULT_DB_ALIAS)
    with closing(other_connection), other_connection.cursor() as other_cursor, connection.cursor() as cursor:
        other_cursor.execute("SELECT pg_advisory_lock(%s)", [IMPORTS_LOCK])
        cursor.execute("SET lock_timeout = '100ms'")
        yield
        cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_import_that_waits_too_long_for_another_is_put_back_in_the_queue() -> None:
    world = make_world()
    queue_import(run=preview(world), author=world.dee, now=timezone.now())

    with another_import_in_progress():
        job_count = apply_waiting(now=timezone.now())

    assert job_count == 1
    job = ImportJob.objects.get()
    assert job.error == ""
    assert job.claimed_until is None


@pytest.mark.django_db(transaction=True)
def test_import_that_waited_too_long_for_another_is_tried_again() -> None:
    world = make_world()
    run = preview(world)
    queue_import(run=run, author=world.dee, now=timezone.now())
    with another_import_in_progress():
        apply_waiting(now=timezone.now())

    applied_count = apply_waiting(now=timezone.now())

    assert applied_count == 1
    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED


@pytest.mark.django_db(transaction=True)
def test_progress_is_visible_before_the_import_ends() -> None:
    world = make_world()
    job = queue_import(run=preview(world), author=world.dee, now=timezone.now())
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
    queue_import(run=run, author=world.dee, now=timezone.now())

    applied_count = apply_waiting(now=timezone.now())

    assert applied_count == 1
    assert ImportRun.objects.get(pk=run.pk).status == RunStatus.APPLIED
    assert not ImportJob.objects.exists()
