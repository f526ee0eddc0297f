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


@dataclass(frozen=True)
class Ledger:
    """A world with a public plan, its followers and many earlier emails."""

    world: World
    number: int

    @property
    def plan(self) -> Plan:
        """Return the plan as it is stored now."""
        return Plan.objects.get(pk=self.number)


@pytest.fixture(scope="module", params=["nothing was ever sent", "all was sent and nothing waits"])
def ledger(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ledger]:
    """Create a ledger once for all tests, and roll its changes back."""
    files = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("ledger"), DIGEST_SETTLE_MINUTES=0)
    with django_db_blocker.unblock(), files, transaction.atomic():
        world = build_once(with_plan)
        ledger_in_use = Ledger(world, open_plan(world).pk)
        empty_ledger()
        now = timezone.now()
        followers = add_followers(ledger_in_use.plan, now)
        add_old_digests(ledger_in_use.plan, followers, now)
        if request.param == "all was sent and nothing waits":
            analyse_tables()  # PostgreSQL's statistics include no email that waits
        add_waiting_emails(now)
        add_suppressions(now)
        check_once()
        yield ledger_in_use
        transaction.set_rollback(True)


def empty_ledger() -> None:
    """Delete all emails and followers, and let PostgreSQL's statistics say so."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
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
    """Explain each statement about digests before it runs.

    Yields the lines of PostgreSQL's explanation, by statement.
    """
    lines_by_statement: dict[str, Any] = {}

    def explain_and_run(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        statement = sql.strip()
        planned = statement.rpartition("; ")[2]  # prepared by `rows_planned_once`
        statement = planned if planned.startswith("EXECUTE") else statement
        if statement.startswith("EXECUTE") or (
            statement.startswith(("SELECT", "WITH", "UPDATE", "INSERT", "DELETE"))
            and ("digests_" in statement or "outbox_" in statement)
        ):
            cursor = context["cursor"].cursor
            cursor.execute("; ".join(["SAVEPOINT looking", *(f"SET LOCAL {setting}" for setting in settings)]))
            cursor.execute(f"EXPLAIN ({options}) {statement}", params)
            lines_by_statement[statement] = [line for (line,) in cursor.fetchall()]
            cursor.execute("ROLLBACK TO looking")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain_and_run):
        yield lines_by_statement


def _with_hashes(lines: list[str]) -> Iterator[str]:
    """Yield the nodes of a query plan that look up values in memory."""
    node = ""
    for line in lines:
        if "(cost=" in line:
            node = line
        if "hashed SubPlan" in line:
            yield node


def _rows(plan: dict[str, Any]) -> float:
    """Return how many rows a query plan read from tables or discarded."""
    names = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    own = sum(plan.get(name, 0.0) for name in names) + ("Relation Name" in plan and plan["Actual Rows"])
    own *= plan["Actual Loops"]
    return float(own + sum(_rows(inner) for inner in plan.get("Plans", ())))


def test_no_statement_of_a_run_or_a_strangers_report_reads_all_earlier_emails(
    ledger: Ledger, office: PostOffice
) -> None:
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())

    unknown = {"message_id": "<unknown@elsewhere.example>", "provider_id": "unknown"}

    with explained("ANALYZE, FORMAT JSON", "enable_seqscan = off") as plan_by_statement:
        office.drain()
        note_bounce(kind=Bounce.Kind.SOFT, address="", text="A stranger's report.", now=timezone.now(), **unknown)

    assert len(office.sent) == READERS
    counts = {statement: _rows(plan[0]["Plan"]) for statement, (plan,) in plan_by_statement.items()}
    assert [(count, statement) for statement, count in counts.items() if count > EMAILS // 2] == []


def test_rows_are_looked_up_by_index_even_when_that_looks_expensive(ledger: Ledger, office: PostOffice) -> None:
    publish(ledger.plan, 80, author=ledger.world.amina)

    with explained("VERBOSE", "enable_seqscan = off", "random_page_cost = 100000") as lines_by_statement:
        plan_round(now=timezone.now())
        office.drain()

    assert len(office.sent) == READERS
    in_memory = [
        statement for statement, lines in lines_by_statement.items() if any("hashed SubPlan" in line for line in lines)
    ]
    small_tables = (
        "plans_planowner",  # owners
        "digests_opendigest",  # digests being made
        "Function Scan on pg_catalog.unnest c ",  # claimed emails, each looked up
        "Function Scan on included ",  # their readers
    )
    hashed = [(statement, node) for statement in in_memory for node in _with_hashes(lines_by_statement[statement])]
    assert [
        plan_lines for plan_lines in hashed if not any(words in part for words in small_tables for part in plan_lines)
    ] == []


@pytest.mark.parametrize(("quick", "sizes"), [(60.0, [1, 2, 4, 4]), (0.0, [1, 1, 1, 1])])
def test_a_drain_starts_small_and_grows_while_sending_is_quick(
    ledger: Ledger, office: PostOffice, monkeypatch: pytest.MonkeyPatch, quick: float, sizes: list[int]
) -> None:
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())
    limits: list[int] = []
    claim = draining.claim_emails

    def claim_and_count(**how: Any) -> Any:
        limits.append(how["limit"])
        return claim(**how)

    monkeypatch.setattr(draining, "claim_emails", claim_and_count)
    monkeypatch.setattr(draining, "FIRST_BATCH", 1)
    monkeypatch.setattr(draining, "_QUICK_SECONDS", quick)
    draining.drain(seconds=120, batch=4, connect=lambda: office)

    assert limits[:4] == sizes
    assert len(office.sent) == READERS


def test_unsettled_answers_stay_within_what_a_killed_worker_may_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    group_sizes: list[int] = []

    def count_answers(answers: list[Answer], **how: Any) -> Counter[str]:
        group_sizes.append(len(answers))
        return Counter(accepted=len(answers))

    monkeypatch.setattr(settling, "settle_together", count_answers)
    settler = settling.Settler()
    for number in range(41):
        settler.add(Answer(number, Outcome.ACCEPTED), JournalFacts(number, "tests.notice", 1, "a@b.example", {}, ()))

    assert group_sizes == [10] * 4
    settler.settle()  # no more come while the next batch is composed
    assert group_sizes[-1] == 1
    assert settler.counts == {"accepted": 41}


def test_the_last_emails_of_a_run_are_shared_between_workers(ledger: Ledger, settings: Any) -> None:
    settings.WORKER_CONCURRENCY = 2
    publish(ledger.plan, 80, author=ledger.world.amina)
    plan_round(now=timezone.now())

    assert READERS == 60
    assert draining._share(250, "all") == 30
    assert draining._share(20, "all") == 20
    Delivery.objects.filter(status="queued", available_at__lte=timezone.now()).update(available_at="2999-01-01T00:00Z")
    assert draining._share(250, "all") == 25
