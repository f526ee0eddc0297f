"""The cost of sending does not grow with the number of emails that were sent before.

Rows are found by index, and settled on a second connection.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import override_settings
from django.utils import timezone

from partnerships.digests.models import Delivery, DeliveryItem, Preference, Subscription
from partnerships.digests.planning.watermarks import start_watermarks
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox import draining, settling
from partnerships.outbox.answers import Answer, Outcome
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.models import Bounce, Email, Lane, Suppression
from partnerships.outbox.restoring import JournalFacts
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, open_plan, publish, with_plan
from tests.support.constraints import check_once
from tests.support.kept_rows import build_once
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

#: The number of followers of the plan.
READERS = 60
#: The number of digests of the past, of waiting emails, and of suppressed addresses.
EMAILS = 12_000
#: No statement may read more rows than this. A run of 60 digests needs far fewer, unless it reads other emails as well.
MAX_ROWS = EMAILS // 2
#: Tables and functions in which a statement may look up rows in memory, because they never have many rows.
SMALL_TABLES = (
    "plans_planowner",  # owners
    "digests_opendigest",  # digests being made
    "Function Scan on pg_catalog.unnest c ",  # claimed emails, each looked up
    "Function Scan on included ",  # their readers
)
#: What EXPLAIN ANALYZE calls the rows that a node of a query plan read but did not return.
DISCARDED_ROWS = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")


@dataclass(frozen=True)
class Ledger:
    """A world with a public plan, its followers and many earlier emails."""

    world: World
    plan_id: int

    @property
    def plan(self) -> Plan:
        """Return the plan as it is stored now."""
        return Plan.objects.get(pk=self.plan_id)


@pytest.fixture(scope="module", params=["statistics of empty tables", "statistics without waiting emails"])
def ledger(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ledger]:
    """Create a ledger once for all tests, and roll its changes back.

    Both parameters have the same rows. PostgreSQL plans queries by its last statistics, which may be from before the
    emails were added. Sending must be quick with these statistics too.
    """
    files = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("ledger"), DIGEST_SETTLE_MINUTES=0)
    with django_db_blocker.unblock(), files, transaction.atomic():
        world = build_once(with_plan)
        ledger_in_use = Ledger(world, open_plan(world).pk)
        empty_ledger()
        now = timezone.now()
        followers = add_followers(ledger_in_use.plan, now)
        add_old_digests(ledger_in_use.plan, followers, now)
        if request.param == "statistics without waiting emails":
            analyse_tables()
        add_waiting_emails(now)
        add_suppressions(now)
        check_once()  # otherwise the end of each test would check all of these rows again
        yield ledger_in_use
        transaction.set_rollback(True)


def empty_ledger() -> None:
    """Delete all emails and followers, and let PostgreSQL's statistics say so."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE outbox_email, digests_subscription, digests_watermark, outbox_suppression CASCADE")
    analyse_tables()


def analyse_tables() -> None:
    """Renew PostgreSQL's statistics, from which it plans queries."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def add_followers(plan: Plan, now: dt.datetime) -> list[User]:
    """Create 60 followers of the plan."""
    people = User.objects.bulk_create([User(email=f"reader{number}@elsewhere.example") for number in range(READERS)])
    Preference.objects.bulk_create([Preference(person=person, introduced_at=now) for person in people])
    subscriptions = Subscription.objects.bulk_create(
        Subscription(person=person, plan=plan, status="confirmed", how="self", asked_at=now, confirmed_at=now)
        for person in people
    )
    start_watermarks(subscriptions=[subscription.pk for subscription in subscriptions], now=now)
    return people


def add_old_digests(plan: Plan, people: list[User], now: dt.datetime) -> None:
    """Add 12,000 digests that these people received ninety days ago."""
    sent_at = now - dt.timedelta(days=90)
    old_emails = Email.objects.bulk_create(
        Email(
            person_id=people[number % len(people)].pk,
            lane=Lane.DIGEST,
            kind="digests.digest",
            message_id=f"<old-{number}@ground.example>",
            status="sent",
            created_at=sent_at,
            available_at=sent_at,
            settled_at=sent_at,
        )
        for number in range(EMAILS)
    )
    DeliveryItem.objects.bulk_create(
        DeliveryItem(delivery_id=email.pk, plan=plan, from_number=0, to_number=1, reading_class="outside")
        for email in old_emails
    )


def add_waiting_emails(now: dt.datetime) -> None:
    """Add 12,000 emails to other people, which wait until tomorrow."""
    other_people = User.objects.bulk_create(
        [User(email=f"other{number}@elsewhere.example") for number in range(EMAILS)]
    )
    Email.objects.bulk_create(
        Email(
            person_id=person.pk,
            lane=Lane.DIGEST,
            kind="digests.digest",
            message_id=f"<waits-{person.pk}@ground.example>",
            created_at=now,
            available_at=now + dt.timedelta(days=1),
        )
        for person in other_people
    )


def add_suppressions(now: dt.datetime) -> None:
    """Suppress 12,000 addresses."""
    Suppression.objects.bulk_create(
        Suppression(address=f"gone{number}@elsewhere.example", reason="It came back.", since=now)
        for number in range(EMAILS)
    )


@contextmanager
def explained(options: str, *settings: str) -> Iterator[dict[str, Any]]:
    """Explain each statement about digests or emails before it runs.

    `options` are options of EXPLAIN, and `settings` are settings of PostgreSQL under which it plans the statement, for
    example "enable_seqscan = off". Yields the lines of the explanation, by statement.
    """
    lines_by_statement: dict[str, Any] = {}

    def explain_and_run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        statement = sql.strip()
        # `rows_planned_once` sends settings and a prepared statement at once, such as "SET …; EXECUTE planned_1 (…)".
        last_statement = statement.rpartition("; ")[2]
        if last_statement.startswith("EXECUTE"):
            statement = last_statement
        if statement.startswith("EXECUTE") or (
            statement.startswith(("SELECT", "WITH", "UPDATE", "INSERT", "DELETE"))
            and ("digests_" in statement or "outbox_" in statement)
        ):
            cursor = context["cursor"].cursor
            # The settings are rolled back, and so is the statement, which EXPLAIN ANALYZE runs.
            cursor.execute("; ".join(["SAVEPOINT explaining", *(f"SET LOCAL {setting}" for setting in settings)]))
            cursor.execute(f"EXPLAIN ({options}) {statement}", params)
            lines_by_statement[statement] = [line for (line,) in cursor.fetchall()]
            cursor.execute("ROLLBACK TO explaining")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain_and_run):
        yield lines_by_statement


def lookups_in_memory(lines_by_statement: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each statement that looks up values in memory, with the node of its query plan that does so."""
    for statement, lines in lines_by_statement.items():
        node = ""
        for line in lines:
            if "(cost=" in line:  # the first line of a node
                node = line
            if "hashed SubPlan" in line:
                yield statement, node


def rows_read(node: dict[str, Any]) -> float:
    """Return how many rows a node of a query plan, and the nodes below it, read from tables or discarded."""
    rows_per_loop = float(sum(node.get(name, 0) for name in DISCARDED_ROWS))
    if "Relation Name" in node:  # the node reads a table
        rows_per_loop += node["Actual Rows"]
    rows_below = sum(rows_read(inner_node) for inner_node in node.get("Plans", ()))
    return float(rows_per_loop * node["Actual Loops"] + rows_below)


def statements_reading_too_much(explanations: dict[str, Any]) -> dict[str, float]:
    """Return the statements that read too many rows, each with the number of rows.

    `explanations` is what `explained("ANALYZE, FORMAT JSON")` yields. Each has a single line, which has a single plan.
    """
    row_counts = {statement: rows_read(plan[0]["Plan"]) for statement, (plan,) in explanations.items()}
    return {statement: row_count for statement, row_count in row_counts.items() if row_count > MAX_ROWS}


def test_no_statement_of_a_run_reads_all_earlier_emails(ledger: Ledger, office: PostOffice) -> None:
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())

    with explained("ANALYZE, FORMAT JSON", "enable_seqscan = off") as explanations:
        office.drain()

    assert len(office.sent) == READERS
    assert statements_reading_too_much(explanations) == {}


def test_no_statement_about_a_strangers_bounce_reads_all_earlier_emails(ledger: Ledger) -> None:
    unknown_email = {"message_id": "<unknown@elsewhere.example>", "provider_id": "unknown"}

    with explained("ANALYZE, FORMAT JSON", "enable_seqscan = off") as explanations:
        note_bounce(kind=Bounce.Kind.SOFT, address="", text="A stranger's report.", now=timezone.now(), **unknown_email)

    assert explanations  # looking for the email
    assert statements_reading_too_much(explanations) == {}


def test_rows_are_looked_up_by_index_even_when_that_looks_expensive(ledger: Ledger, office: PostOffice) -> None:
    publish(ledger.plan, 80, author=ledger.world.amina)

    with explained("VERBOSE", "enable_seqscan = off", "random_page_cost = 100000") as lines_by_statement:
        plan_round(now=timezone.now())
        office.drain()

    lookups_in_large_tables = [
        (statement, node)
        for statement, node in lookups_in_memory(lines_by_statement)
        if not any(table in f"{statement}\n{node}" for table in SMALL_TABLES)
    ]
    assert len(office.sent) == READERS
    assert lookups_in_large_tables == []


@pytest.mark.parametrize(
    ("quick_seconds", "batch_sizes"),
    [(60.0, [1, 2, 4, 4]), (0.0, [1, 1, 1, 1])],
    ids=["every batch is quick", "no batch is quick"],
)
def test_batches_grow_to_their_limit_while_sending_is_quick(
    ledger: Ledger,
    office: PostOffice,
    monkeypatch: pytest.MonkeyPatch,
    quick_seconds: float,
    batch_sizes: list[int],
) -> None:
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())
    claimed_limits: list[int] = []
    claim_emails = draining.claim_emails

    def claim_and_note_limit(**options: Any) -> Any:
        claimed_limits.append(options["limit"])
        return claim_emails(**options)

    monkeypatch.setattr(draining, "claim_emails", claim_and_note_limit)
    monkeypatch.setattr(draining, "FIRST_BATCH", 1)
    monkeypatch.setattr(draining, "QUICK_SECONDS", quick_seconds)

    draining.drain(seconds=120, batch=4, connect=lambda: office)

    assert claimed_limits[:4] == batch_sizes
    assert len(office.sent) == READERS


@pytest.fixture
def group_sizes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the sizes of the groups in which emails are settled. No email is changed."""
    sizes: list[int] = []

    def note_size(answers: list[Answer], **_options: Any) -> Counter[str]:
        sizes.append(len(answers))
        return Counter(accepted=len(answers))

    monkeypatch.setattr(settling, "settle_together", note_size)
    return sizes


def add_accepted_emails(settler: settling.Settler, count: int) -> None:
    """Add the answers of a mail server that accepted this many emails."""
    for email_id in range(count):
        facts = JournalFacts(email_id, "tests.notice", 1, "a@b.example", {}, ())
        settler.add(Answer(email_id, Outcome.ACCEPTED), facts)


def test_accepted_emails_are_settled_in_groups_of_ten(group_sizes: list[int]) -> None:
    """A killed worker may send the emails of one group again, so groups are small."""
    settler = settling.Settler()

    add_accepted_emails(settler, 41)

    assert group_sizes == [10, 10, 10, 10]


def test_incomplete_group_is_settled_before_the_next_batch_is_composed(group_sizes: list[int]) -> None:
    settler = settling.Settler()
    add_accepted_emails(settler, 41)

    settler.settle()

    assert group_sizes[-1] == 1
    assert settler.counts == {"accepted": 41}


def test_the_last_emails_of_a_run_are_shared_between_workers(ledger: Ledger, settings: Any) -> None:
    settings.WORKER_CONCURRENCY = 2
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())

    share = draining._share(250, "all")

    assert share == READERS // 2 == 30


def test_share_of_a_worker_is_no_larger_than_its_batch(ledger: Ledger, settings: Any) -> None:
    settings.WORKER_CONCURRENCY = 2
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())

    share = draining._share(20, "all")

    assert share == 20


def test_share_of_a_worker_is_at_least_25_emails(ledger: Ledger, settings: Any) -> None:
    settings.WORKER_CONCURRENCY = 2
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())
    due_emails = Delivery.objects.filter(status="queued", available_at__lte=timezone.now())
    due_emails.update(available_at="2999-01-01T00:00Z")

    share_without_due_emails = draining._share(250, "all")

    assert share_without_due_emails == 25
