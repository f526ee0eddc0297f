"""Texts of emails are kept for 30 days, addresses for a year, and rows for three years, month by month."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.core import mail
from django.db import DEFAULT_DB_ALIAS, InternalError, OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partnerships.digests.models import DeliveryItem, EmailRequest
from partnerships.digests.queries.queue import queue_figures
from partnerships.digests.retention import tidy
from partnerships.kit import operators
from partnerships.kit.operators import wait_for_alerts
from partnerships.outbox import retention, tasks
from partnerships.outbox.models import ROW_RETENTION_YEARS, Bounce, Email, LegacyMessageId, ReportSeen, SendCount
from partnerships.people.email_data import clear_addresses
from partnerships.people.retention import apply_retention
from tests.world import World

NOW = dt.datetime(2027, 6, 15, 4, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db


def create_sent_email(created_at: dt.datetime, **values: Any) -> Email:
    """Create an email that was sent when it was recorded."""
    defaults = {
        "lane": 1,
        "kind": "tests.old",
        "person_id": 7,
        "status": "sent",
        "address": "amina@larkhaven.example",
        "subject": "Homes by the water",
        "recipe": ["layout", []],
        "memo": {"waiting": []},
        "params": {"plan": 3},
        "reason": "250 taken",
        "available_at": created_at,
        "created_at": created_at,
        "settled_at": created_at,
    }
    return Email.objects.create(**(defaults | values))


def create_bounce(at: dt.datetime) -> Bounce:
    """Create a bounce with an address and a text."""
    return Bounce.objects.create(
        kind="soft", address="amina@larkhaven.example", email_id=1, person_id=7, at=at, text="450 full"
    )


def prune(*, dry_run: bool = False) -> int:
    """Apply the retention rules as the hourly job does, and return the number of rows cleared or removed.

    A dry run changes nothing, and returns the number of rows that a run would change.
    """
    return sum(tidy(now=NOW, dry_run=dry_run).values())


def test_message_as_sent_is_kept_for_30_days() -> None:
    email = create_sent_email(NOW - 29 * DAY)

    count = prune()

    email.refresh_from_db()
    assert count == 0
    assert email.recipe == ["layout", []]
    assert email.memo == {"waiting": []}


def test_message_as_sent_is_cleared_after_30_days() -> None:
    email = create_sent_email(NOW - 30 * DAY)

    count = prune()

    email.refresh_from_db()
    assert count == 1
    assert email.recipe is None
    assert email.memo is None
    assert email.address == "amina@larkhaven.example"


def test_addresses_and_server_replies_are_kept_for_a_year() -> None:
    email = create_sent_email(NOW - 364 * DAY, recipe=None, memo=None)
    bounce = create_bounce(NOW - 364 * DAY)

    count = prune()

    email.refresh_from_db()
    bounce.refresh_from_db()
    assert count == 0
    assert email.address == "amina@larkhaven.example"
    assert email.subject == "Homes by the water"
    assert email.reason == "250 taken"
    assert email.params == {"plan": 3}
    assert bounce.address == "amina@larkhaven.example"
    assert bounce.text == "450 full"


def test_addresses_and_server_replies_are_cleared_after_a_year() -> None:
    email = create_sent_email(NOW - 365 * DAY, recipe=None, memo=None)
    bounce = create_bounce(NOW - 365 * DAY)

    count = prune()

    email.refresh_from_db()
    bounce.refresh_from_db()
    assert count == 2
    assert email.address == ""
    assert email.subject == ""
    assert email.reason == ""
    assert email.params == {}, "Except for kinds with a stop link (tests/lists/test_views.py)."
    assert bounce.address == ""
    assert bounce.text == ""


def test_dry_run_counts_what_a_run_would_clear() -> None:
    recent_email = create_sent_email(NOW - 29 * DAY)
    old_email = create_sent_email(NOW - 365 * DAY, recipe=None, memo=None)
    create_bounce(NOW - 365 * DAY)

    count = prune(dry_run=True)

    recent_email.refresh_from_db()
    old_email.refresh_from_db()
    assert count == 2
    assert recent_email.recipe == ["layout", []]
    assert old_email.address == "amina@larkhaven.example"


def test_person_kind_and_status_of_an_email_are_kept_after_a_year() -> None:
    email = create_sent_email(NOW - 366 * DAY)

    prune()

    email.refresh_from_db()
    assert email.person_id == 7
    assert email.kind == "tests.old"
    assert email.status == "sent"


def test_open_email_keeps_everything() -> None:
    email = create_sent_email(NOW - 400 * DAY, status="queued", settled_at=None)

    prune()

    email.refresh_from_db()
    assert email.recipe == ["layout", []]
    assert email.address == "amina@larkhaven.example"


def scans_of(statement: str) -> list[dict[str, Any]]:
    """Return how PostgreSQL would read emails and bounces for this statement, partition by partition."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        query_plan = cursor.fetchone()[0][0]["Plan"]
    return [node for node in nodes_of(query_plan) if reads_ledger(node)]


def nodes_of(query_plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each step of a query plan."""
    yield query_plan
    for inner_plan in query_plan.get("Plans", ()):
        yield from nodes_of(inner_plan)


def reads_ledger(node: dict[str, Any]) -> bool:
    return node.get("Relation Name", "").startswith(("outbox_email_", "outbox_bounce_"))


def forbid_full_scans() -> None:
    """Let PostgreSQL use indexes, even for the small tables of tests."""
    run_sql("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")


def test_retention_reads_only_what_is_to_be_cleared() -> None:
    """Retention runs each hour on tens of millions of emails, so an index must have exactly the rows to clear."""
    with CaptureQueriesContext(connection) as queries:
        prune(dry_run=True)
        prune()
    forbid_full_scans()

    scans = [scan for query in queries if query["sql"].startswith("SELECT") for scan in scans_of(query["sql"])]
    assert len(scans) > 100
    assert [scan for scan in scans if "Filter" in scan or scan["Node Type"] == "Seq Scan"] == []


def test_erasure_finds_emails_to_an_address_alone_by_an_index(world: World) -> None:
    """The query runs for each person, in a table with resets and alerts of three years."""
    create_alerts_in_every_month()
    forbid_full_scans()

    with CaptureQueriesContext(connection) as queries:
        clear_addresses(world.chidi)

    scans = scans_of(queries[0]["sql"])
    assert len(scans) > 10
    assert [scan for scan in scans if "upper" not in scan.get("Index Cond", "")] == [], "The index has upper(address)."


def create_alerts_in_every_month() -> None:
    """Create emails to addresses without an account in each month, and update PostgreSQL's statistics.

    Otherwise the statistics that autovacuum made from another test's emails would decide which index is used. If these
    say that each email has a person, PostgreSQL looks for the emails without one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^outbox_email_[0-9_]+$'")
        months = [name.removeprefix("outbox_email_").split("_") for (name,) in cursor.fetchall()]
    for year, month in months:
        moment = dt.datetime(int(year), int(month), 15, tzinfo=dt.UTC)
        for number in range(30):
            create_sent_email(moment, person_id=None, address=f"alerts-{number}@larkhaven.example")
    run_sql("ANALYZE outbox_email")


def run_sql(statement: str) -> None:
    """Run SQL that returns nothing, as the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def month_of(moment: dt.datetime) -> tuple[int, int]:
    """Return the first id of a month, and the first id of the next month."""
    return retention.first_id_of_month(moment), retention.first_id_of_month(moment) + (1 << 40)


def create_partition(table: str, moment: dt.datetime) -> None:
    """Create the partition of a past month, as an old ledger has it."""
    first, end = month_of(moment)
    run_sql(f"CREATE TABLE {table}_{moment:%Y_%m} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({end})")


@dataclass
class OldMonths:
    """A moment in each of three months. The ledger keeps `kept`, which was three years ago, and drops the others."""

    two_months_before: dt.datetime
    month_before: dt.datetime
    kept: dt.datetime


@pytest.fixture
def old_months() -> OldMonths:
    """Create a partition for each of three old months, and one for emails from before there were monthly partitions.

    Months are by the database's clock, which decides what is dropped.
    """
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    now = timezone.now()
    kept = dt.datetime(now.year - ROW_RETENTION_YEARS, now.month, 1, tzinfo=dt.UTC)
    month_before = kept - DAY
    two_months_before = month_before.replace(day=1) - DAY
    for table in ("outbox_email", "outbox_bounce"):
        run_sql(f"DROP TABLE {table}_before")
        first_id, _ = month_of(two_months_before)
        run_sql(f"CREATE TABLE {table}_before PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO ({first_id})")
        for month in (two_months_before, month_before, kept):
            create_partition(table, month)
    return OldMonths(two_months_before, month_before, kept)


def email_partitions() -> set[str]:
    """Return the names of all partitions of emails."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox_email'::regclass")
        return {row[0] for row in cursor.fetchall()}


def test_month_is_dropped_three_years_after_its_last_day(old_months: OldMonths) -> None:
    prune()

    partitions = email_partitions()
    assert f"outbox_email_{old_months.two_months_before:%Y_%m}" not in partitions
    assert f"outbox_email_{old_months.month_before:%Y_%m}" not in partitions
    assert f"outbox_email_{old_months.kept:%Y_%m}" in partitions
    assert f"outbox_email_{timezone.now():%Y_%m}" in partitions


def test_emails_from_before_partitions_are_removed_after_three_years(old_months: OldMonths) -> None:
    create_sent_email(timezone.now(), id=5)
    create_sent_email(timezone.now())

    prune()

    assert "outbox_email_before" not in email_partitions()
    assert not Email.objects.filter(pk=5).exists()


def test_old_message_ids_are_removed_after_their_emails(old_months: OldMonths) -> None:
    LegacyMessageId.objects.create(message_id="<old@localhost>", email_id=5)
    create_sent_email(timezone.now(), id=5)
    create_sent_email(timezone.now())

    prune()  # removes the email
    prune()

    assert not LegacyMessageId.objects.exists()


def test_emails_from_before_partitions_are_kept_for_three_years() -> None:
    old_email = create_sent_email(timezone.now(), id=5)
    LegacyMessageId.objects.create(message_id="<old@localhost>", email_id=5)

    prune()

    assert Email.objects.filter(pk=old_email.pk).exists()
    assert LegacyMessageId.objects.exists()


def test_old_month_stays_while_it_has_an_open_email(old_months: OldMonths) -> None:
    first_id, _ = month_of(old_months.month_before)
    create_sent_email(old_months.month_before, id=first_id + 1, status="queued", settled_at=None)

    prune()

    partitions = email_partitions()
    assert f"outbox_email_{old_months.month_before:%Y_%m}" in partitions
    assert f"outbox_email_{old_months.two_months_before:%Y_%m}" not in partitions


def test_items_of_a_digest_are_dropped_with_its_month(old_months: OldMonths) -> None:
    first_id, _ = month_of(old_months.month_before)
    new_email = create_sent_email(timezone.now())
    for email_id in (first_id + 1, new_email.pk):
        DeliveryItem.objects.create(delivery_id=email_id, plan_id=1, from_number=0, to_number=1, reading_class="public")

    prune()

    assert list(DeliveryItem.objects.values_list("delivery_id", flat=True)) == [new_email.pk]


def test_partitions_exist_a_year_ahead() -> None:
    # The tables may have been made last month, just before midnight.
    assert retention.count_months_ready(now=timezone.now()) >= 11


def test_making_partitions_fills_a_year() -> None:
    now = timezone.now()

    retention.make_partitions(now=now)

    assert retention.count_months_ready(now=now) == 12
    assert queue_figures()["months_ready"] == 12


def test_second_run_makes_no_partitions() -> None:
    now = timezone.now()
    retention.make_partitions(now=now)

    assert retention.make_partitions(now=now) == 0


def drop_months_after(count: int) -> None:
    """Drop the partitions after this many months."""
    now = timezone.now()
    for ahead in range(count + 1, 13):
        year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
        for table in ("outbox_email", "outbox_bounce"):
            run_sql(f"DROP TABLE IF EXISTS {table}_{year}_{month + 1:02}")


def prepare_only(months_ahead: int, monkeypatch: pytest.MonkeyPatch, settings: Any) -> list[str]:
    """Let the job find no more than these partitions, and return the texts of its alerts about partitions."""
    settings.ADMINS = [("Operators", "operators@ground.example")]
    monkeypatch.setattr(operators, "_channels", [])  # straight to the mail server: another test covers the alert
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    drop_months_after(months_ahead)
    monkeypatch.setattr(retention, "MONTHS_AHEAD", months_ahead)
    tasks.prepare_partitions()
    wait_for_alerts(seconds=60)
    return [message.body for message in mail.outbox if "running out of partitions" in message.subject]


def test_operators_are_alerted_when_partitions_run_out(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    [alert_text] = prepare_only(1, monkeypatch, settings)

    assert "Partitions exist for 1 month after" in alert_text


def test_operators_are_not_alerted_with_partitions_for_two_months(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    assert prepare_only(2, monkeypatch, settings) == []


@contextmanager
def long_read_of_emails() -> Iterator[None]:
    """Keep a transaction open on another connection that has read emails, as a long report does."""
    with closing(connections.create_connection(DEFAULT_DB_ALIAS)) as reader:
        reader.set_autocommit(False)
        with reader.cursor() as cursor:
            cursor.execute("SELECT 1 FROM outbox_email LIMIT 1")
        yield
        reader.rollback()


@pytest.mark.django_db(transaction=True)
def test_making_partitions_waits_only_briefly_for_long_reads() -> None:
    drop_months_after(11)

    with long_read_of_emails():
        started_at = time.monotonic()
        tasks.prepare_partitions()
        waited_seconds = time.monotonic() - started_at

    assert waited_seconds < 10
    assert retention.count_months_ready(now=timezone.now()) == 11


@pytest.mark.django_db(transaction=True)
def test_partitions_are_made_an_hour_after_a_long_read() -> None:
    drop_months_after(11)
    with long_read_of_emails():
        tasks.prepare_partitions()

    tasks.prepare_partitions()

    assert retention.count_months_ready(now=timezone.now()) == 12


def fail_to_drop_partitions() -> int:
    raise OperationalError("lock timeout")


@pytest.mark.django_db(transaction=True)
def test_retention_of_emails_runs_although_dropping_months_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "drop_partitions", fail_to_drop_partitions)
    long_ago = timezone.now() - 400 * DAY
    ReportSeen.objects.create(event_id="seen", seen_at=long_ago)
    SendCount.objects.create(domain="larkhaven.example", minute=long_ago, count=3)
    EmailRequest.objects.create(address="sol@tenants.example", typed_at=long_ago)

    outcome = apply_retention(now=timezone.now())

    assert outcome.failed == {"rows of emails": "OperationalError"}
    assert not ReportSeen.objects.exists()
    assert not SendCount.objects.exists()
    assert not EmailRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_hourly_job_removes_the_rest_and_reports_the_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "drop_partitions", fail_to_drop_partitions)
    EmailRequest.objects.create(address="sol@tenants.example", typed_at=timezone.now() - 2 * DAY)

    with pytest.raises(OperationalError, match="lock timeout"):
        tidy(now=timezone.now())

    assert not EmailRequest.objects.exists()


@contextmanager
def updates_refused(email: Email) -> Iterator[None]:
    """Let the database refuse to update this email within the block."""
    body = "BEGIN RAISE EXCEPTION 'A disk is full'; END"
    run_sql(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$")
    run_sql(
        "CREATE TRIGGER refuse BEFORE UPDATE ON outbox_email FOR EACH ROW"
        f" WHEN (NEW.id = {email.pk}) EXECUTE FUNCTION refuse()"
    )
    try:
        yield
    finally:
        run_sql("DROP TRIGGER refuse ON outbox_email; DROP FUNCTION refuse")


@pytest.mark.django_db(transaction=True)
def test_rows_cleared_before_a_failure_stay_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    first, second = (create_sent_email(NOW - days * DAY) for days in (40, 39))

    with updates_refused(second), pytest.raises(InternalError, match="A disk is full"):
        prune()

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.recipe is None
    assert second.recipe == ["layout", []]
