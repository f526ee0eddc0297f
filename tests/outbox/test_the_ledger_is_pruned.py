"""Texts of emails are kept for 30 days, addresses for a year, and rows for three years, month by month."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import psycopg2
import pytest
from django.core import mail
from django.db import InternalError, OperationalError, connection
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
    """Apply the retention rules as the hourly job does, and return the number of rows removed."""
    return sum(tidy(now=NOW, dry_run=dry_run).values())


@pytest.mark.parametrize(("age", "is_kept"), [(29, True), (30, False), (31, False)])
def test_message_as_sent_is_kept_for_30_days(age: int, is_kept: bool) -> None:
    old_email = create_sent_email(NOW - age * DAY)

    expected_count = prune(dry_run=True)
    prune()

    assert expected_count == (0 if is_kept else 1)
    old_email.refresh_from_db()
    assert (old_email.recipe is not None, old_email.memo is not None) == (is_kept, is_kept)
    assert old_email.address == "amina@larkhaven.example"


@pytest.mark.parametrize(("age", "is_kept"), [(364, True), (365, False), (366, False)])
def test_addresses_and_server_replies_are_kept_for_a_year(age: int, is_kept: bool) -> None:
    old_email = create_sent_email(NOW - age * DAY, recipe=None, memo=None)
    old_bounce = create_bounce(NOW - age * DAY)

    expected_count = prune(dry_run=True)
    prune()

    assert expected_count == (0 if is_kept else 2)
    old_email.refresh_from_db()
    old_bounce.refresh_from_db()
    personal_texts = (
        old_email.address,
        old_email.subject,
        old_email.reason,
        old_bounce.address,
        old_bounce.text,
    )
    assert [text != "" for text in personal_texts] == [is_kept] * 5
    # The parameters of kinds with a stop link are not cleared (tests/lists/test_views.py).
    assert old_email.params == ({"plan": 3} if is_kept else {})


def test_person_kind_and_status_of_an_email_are_kept_after_a_year() -> None:
    old_email = create_sent_email(NOW - 366 * DAY)

    prune()

    old_email.refresh_from_db()
    assert (old_email.person_id, old_email.kind, old_email.status) == (7, "tests.old", "sent")


def test_open_email_keeps_everything() -> None:
    old_email = create_sent_email(NOW - 400 * DAY, status="queued", settled_at=None)

    prune()

    old_email.refresh_from_db()
    assert old_email.recipe is not None
    assert old_email.address == "amina@larkhaven.example"


def scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the nodes of a query plan that read emails and bounces, partition by partition."""
    if plan.get("Relation Name", "").startswith(("outbox_email_", "outbox_bounce_")):
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


def test_retention_reads_only_what_is_to_be_cleared() -> None:
    """Retention runs each hour on tens of millions of emails, so an index must have exactly the rows to clear."""
    with CaptureQueriesContext(connection) as queries:
        prune(dry_run=True)
        prune()
    owner("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")

    nodes: list[dict[str, Any]] = []
    for statement in (query["sql"] for query in queries if query["sql"].startswith("SELECT")):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
            nodes += scans(cursor.fetchone()[0][0]["Plan"])

    assert len(nodes) > 100
    assert [node for node in nodes if "Filter" in node or node["Node Type"] == "Seq Scan"] == []


def test_erasure_finds_emails_to_an_address_alone_by_an_index(world: World) -> None:
    """The query runs for each person, in a table with resets and alerts of three years."""
    put_alerts_in_every_month()
    owner("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
    with CaptureQueriesContext(connection) as queries:
        clear_addresses(world.chidi)

    by_address = queries[0]["sql"]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {by_address}")
        nodes = list(scans(cursor.fetchone()[0][0]["Plan"]))

    assert len(nodes) > 10
    assert [node for node in nodes if "upper" not in node.get("Index Cond", "")] == []


def put_alerts_in_every_month() -> None:
    """Record emails to addresses without an account in each month, and update PostgreSQL's statistics.

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
    owner("ANALYZE outbox_email")


def owner(statement: str) -> None:
    """Run SQL as the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(statement)


def month_of(moment: dt.datetime) -> tuple[int, int]:
    """Return the first id of a month, and the first id of the next month."""
    return retention.first_id_of_month(moment), retention.first_id_of_month(moment) + (1 << 40)


def put_partition(table: str, moment: dt.datetime) -> None:
    """Create a partition of a past month, as in an old ledger."""
    first, end = month_of(moment)
    owner(f"CREATE TABLE {table}_{moment:%Y_%m} PARTITION OF {table} FOR VALUES FROM ({first}) TO ({end})")


@pytest.fixture
def months() -> list[dt.datetime]:
    """Return the month three years ago, the two before it, and partitions for these and for an older time.

    The older partition is for emails from before there were monthly partitions. Months are by the database's clock,
    which decides what is dropped.
    """
    owner("SET CONSTRAINTS ALL IMMEDIATE")
    now = timezone.now()
    kept = dt.datetime(now.year - ROW_RETENTION_YEARS, now.month, 1, tzinfo=dt.UTC)
    last = kept - DAY
    before = last.replace(day=1) - DAY
    for table in ("outbox_email", "outbox_bounce"):
        owner(f"DROP TABLE {table}_before")
        first, _ = month_of(before)
        owner(f"CREATE TABLE {table}_before PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO ({first})")
        for month in (before, last, kept):
            put_partition(table, month)
    return [before, last, kept]


def partitions() -> set[str]:
    """Return the names of all partitions of emails."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'outbox_email'::regclass")
        return {row[0] for row in cursor.fetchall()}


def test_month_is_dropped_three_years_after_its_last_day(months: list[dt.datetime]) -> None:
    before, last, kept = months
    this = f"outbox_email_{timezone.now():%Y_%m}"

    prune()

    assert partitions().isdisjoint({f"outbox_email_{before:%Y_%m}", f"outbox_email_{last:%Y_%m}"})
    assert {f"outbox_email_{kept:%Y_%m}", this} <= partitions()


def test_emails_from_before_partitions_are_removed_after_three_years(months: list[dt.datetime]) -> None:
    create_sent_email(timezone.now(), id=5)
    create_sent_email(timezone.now())

    prune()

    assert "outbox_email_before" not in partitions()
    assert not Email.objects.filter(pk=5).exists()


def test_old_message_ids_are_removed_after_their_emails(months: list[dt.datetime]) -> None:
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


def test_old_month_stays_while_it_has_an_open_email(months: list[dt.datetime]) -> None:
    before, last, _ = months
    first, _ = month_of(last)
    create_sent_email(last, id=first + 1, status="queued", settled_at=None)

    prune()

    assert f"outbox_email_{last:%Y_%m}" in partitions()
    assert f"outbox_email_{before:%Y_%m}" not in partitions()


def test_items_of_a_digest_are_dropped_with_its_month(months: list[dt.datetime]) -> None:
    first, _ = month_of(months[1])
    new_email = create_sent_email(timezone.now())
    for number in (first + 1, new_email.pk):
        DeliveryItem.objects.create(delivery_id=number, plan_id=1, from_number=0, to_number=1, reading_class="public")

    prune()

    assert list(DeliveryItem.objects.values_list("delivery_id", flat=True)) == [new_email.pk]


def test_partitions_exist_a_year_ahead() -> None:
    # The tables may have been made last month, just before midnight.
    assert retention.count_months_ready(now=timezone.now()) >= 11


def test_making_partitions_fills_a_year_and_a_second_run_makes_none() -> None:
    now = timezone.now()

    retention.make_partitions(now=now)
    months_ready, figures = retention.count_months_ready(now=now), queue_figures()
    made_again = retention.make_partitions(now=now)

    assert (months_ready, figures["months_ready"]) == (12, 12)
    assert made_again == 0


def drop_months_after(count: int) -> None:
    """Drop the partitions after this many months."""
    now = timezone.now()
    for ahead in range(count + 1, 13):
        year, month = divmod(now.year * 12 + now.month - 1 + ahead, 12)
        for table in ("outbox_email", "outbox_bounce"):
            owner(f"DROP TABLE IF EXISTS {table}_{year}_{month + 1:02}")


@pytest.mark.parametrize(("ready", "is_told"), [(2, False), (1, True)])
def test_operators_are_alerted_when_partitions_run_out(
    ready: int, is_told: bool, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.ADMINS = [("Operators", "operators@ground.example")]
    monkeypatch.setattr(operators, "_channels", [])  # straight to the mail server: another test covers the alert
    owner("SET CONSTRAINTS ALL IMMEDIATE")
    drop_months_after(ready)
    monkeypatch.setattr(retention, "MONTHS_AHEAD", ready)

    tasks.prepare_partitions()

    wait_for_alerts(seconds=60)
    alert_texts = [message.body for message in mail.outbox if "running out of partitions" in message.subject]
    assert len(alert_texts) == int(is_told)
    assert not is_told or "Partitions exist for 1 month after" in alert_texts[0]


@pytest.mark.django_db(transaction=True)
def test_making_partitions_waits_only_briefly_for_long_reads() -> None:
    drop_months_after(11)
    settings = connection.settings_dict
    reader = psycopg2.connect(
        dbname=settings["NAME"],
        host=settings["HOST"],
        port=settings["PORT"],
        user=settings["USER"],
        password=settings["PASSWORD"],
    )
    try:
        reader.cursor().execute("SELECT 1 FROM outbox_email LIMIT 1")
        started_at = time.monotonic()
        tasks.prepare_partitions()
        waited_seconds = time.monotonic() - started_at
    finally:
        reader.close()

    assert waited_seconds < 10
    assert retention.count_months_ready(now=timezone.now()) == 11

    tasks.prepare_partitions()  # runs again an hour later

    assert retention.count_months_ready(now=timezone.now()) == 12


@pytest.mark.django_db(transaction=True)
def test_retention_of_emails_runs_although_dropping_months_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise OperationalError("lock timeout")

    monkeypatch.setattr(retention, "drop_partitions", fail)
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
    def fail() -> int:
        raise OperationalError("lock timeout")

    monkeypatch.setattr(retention, "drop_partitions", fail)
    EmailRequest.objects.create(address="sol@tenants.example", typed_at=timezone.now() - 2 * DAY)

    with pytest.raises(OperationalError, match="lock timeout"):
        tidy(now=timezone.now())

    assert not EmailRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_rows_cleared_before_a_failure_stay_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    first, second = (create_sent_email(NOW - 40 * DAY + number * DAY) for number in range(2))
    refusal = "BEGIN RAISE EXCEPTION 'A disk is full'; END"
    owner(f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ {refusal} $$")
    owner(
        "CREATE TRIGGER refuse BEFORE UPDATE ON outbox_email FOR EACH ROW"
        f" WHEN (NEW.id = {second.pk}) EXECUTE FUNCTION refuse()"
    )
    try:
        with pytest.raises(InternalError, match="A disk is full"):
            prune()
    finally:
        owner("DROP TRIGGER refuse ON outbox_email; DROP FUNCTION refuse")

    first.refresh_from_db()
    second.refresh_from_db()
    assert first.recipe is None
    assert second.recipe is not None
