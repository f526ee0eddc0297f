"""The cost of sending does not grow with what was sent before.

Rows are found by index, and settled on a second connection.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.digests.models import Delivery, DeliveryItem, Preference, Subscription
from partnerships.digests.planning.watermarks import start_watermarks
from partnerships.digests.queries.naming import named_to_followers
from partnerships.digests.services.sweep import plan_round
from partnerships.outbox import draining, settling
from partnerships.outbox.answers import Answer, Outcome
from partnerships.outbox.models import Email, Lane, Suppression
from partnerships.outbox.restoring import Facts
from partnerships.people.models import User
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, publish
from tests.world import World

READERS, EMAILS = 60, 12_000


@pytest.fixture(params=["nothing was ever sent", "all was sent and nothing waits"])
def ledger(request: pytest.FixtureRequest, world: World, opened: Plan) -> Plan:
    """A plan with 60 followers and 12,000 earlier digests.

    12,000 emails to others wait for their hour, and 12,000 addresses are suppressed. PostgreSQL's statistics are from
    before the last rows were added.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE outbox_email, digests_subscription, digests_watermark, outbox_suppression CASCADE")
        cursor.execute("ANALYZE")
    now = timezone.now()
    then = now - dt.timedelta(days=90)
    people = User.objects.bulk_create([User(email=f"reader{number}@elsewhere.example") for number in range(READERS)])
    Preference.objects.bulk_create([Preference(person=person, introduced_at=now) for person in people])
    asked = [
        Subscription(person=person, plan=opened, status="confirmed", how="self", asked_at=now, confirmed_at=now)
        for person in people
    ]
    start_watermarks(subscriptions=[one.pk for one in Subscription.objects.bulk_create(asked)], now=now)
    old = Email.objects.bulk_create(
        Email(
            person_id=people[number % len(people)].pk,
            lane=Lane.DIGEST,
            kind="digests.digest",
            message_id=f"<old-{number}@ground.example>",
            status="sent",
            created_at=then,
            available_at=then,
            settled_at=then,
        )
        for number in range(EMAILS)
    )
    DeliveryItem.objects.bulk_create(
        DeliveryItem(delivery_id=one.pk, plan=opened, from_number=0, to_number=1, reading_class="outside")
        for one in old
    )
    if request.param == "all was sent and nothing waits":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    others = User.objects.bulk_create([User(email=f"other{number}@elsewhere.example") for number in range(EMAILS)])
    Email.objects.bulk_create(
        Email(
            person_id=person.pk,
            lane=Lane.DIGEST,
            kind="digests.digest",
            message_id=f"<waits-{person.pk}@ground.example>",
            created_at=now,
            available_at=now + dt.timedelta(days=1),
        )
        for person in others
    )
    Suppression.objects.bulk_create(
        Suppression(address=f"gone{number}@elsewhere.example", reason="It came back.", since=now)
        for number in range(EMAILS)
    )
    return opened


@contextmanager
def explained(options: str, *settings: str) -> Iterator[dict[str, Any]]:
    """Explain each statement about digests before it runs.

    Yields what PostgreSQL says, by statement.
    """
    said: dict[str, Any] = {}

    def look(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        statement = sql.strip()
        planned = statement.rpartition("; ")[2]  # prepared by `rows_planned_once`
        statement = planned if planned.startswith("EXECUTE") else statement
        if statement.startswith("EXECUTE") or (
            statement.startswith(("SELECT", "WITH", "UPDATE", "INSERT", "DELETE"))
            and ("digests_" in statement or "outbox_" in statement)
        ):
            cursor = context["cursor"].cursor
            cursor.execute("; ".join(["SAVEPOINT looking", *(f"SET LOCAL {one}" for one in settings)]))
            cursor.execute(f"EXPLAIN ({options}) {statement}", params)
            said[statement] = [line for (line,) in cursor.fetchall()]
            cursor.execute("ROLLBACK TO looking")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield said


def _with_hashes(lines: list[str]) -> Iterator[str]:
    """The nodes of a query plan that look something up in memory."""
    node = ""
    for line in lines:
        if "(cost=" in line:
            node = line
        if "hashed SubPlan" in line:
            yield node


def _rows(plan: dict[str, Any]) -> float:
    """Rows that a query plan read from tables or discarded."""
    names = ("Rows Removed by Filter", "Rows Removed by Join Filter", "Rows Removed by Index Recheck")
    own = sum(plan.get(name, 0.0) for name in names) + ("Relation Name" in plan and plan["Actual Rows"])
    own *= plan["Actual Loops"]
    return float(own + sum(_rows(inner) for inner in plan.get("Plans", ())))


def test_no_statement_of_a_run_reads_all_earlier_emails(ledger: Plan, world: World, office: PostOffice) -> None:
    publish(ledger, 80, author=world.amina)
    plan_round(now=timezone.now())

    with explained("ANALYZE, FORMAT JSON", "enable_seqscan = off") as said:
        office.drain()

    assert len(office.sent) == READERS
    counts = {statement: _rows(plan[0]["Plan"]) for statement, (plan,) in said.items()}
    assert [(count, statement) for statement, count in counts.items() if count > EMAILS // 2] == []


def test_rows_are_looked_up_by_index_even_when_that_looks_expensive(
    ledger: Plan, world: World, office: PostOffice
) -> None:
    publish(ledger, 80, author=world.amina)

    with explained("VERBOSE", "enable_seqscan = off", "random_page_cost = 100000") as said:
        plan_round(now=timezone.now())
        office.drain()

    assert len(office.sent) == READERS
    in_memory = [statement for statement, lines in said.items() if any("hashed SubPlan" in line for line in lines)]
    few = (
        "plans_planowner",  # owners
        "digests_opendigest",  # digests being made
        "Function Scan on pg_catalog.unnest c ",  # claimed emails, each looked up
        "Function Scan on included ",  # their readers
    )
    hashed = [(statement, node) for statement in in_memory for node in _with_hashes(said[statement])]
    assert [one for one in hashed if not any(words in part for words in few for part in one)] == []


def test_the_names_for_many_readers_take_two_queries(
    world: World, plan: Plan, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    people = [world.amina, world.ben, world.vera, world.chidi, world.nadia, world.hana]
    asked = Subscription.objects.bulk_create(
        Subscription(
            person=person, partnership=world.partnership, status="confirmed", how="self", asked_at=now, confirmed_at=now
        )
        for person in people
    )

    with django_assert_max_num_queries(2):
        named = named_to_followers(Subscription.objects.for_listing(), now)

    inside = {one.pk for one in asked if Partnership.objects.visible_to(one.person).filter(pk=one.partnership_id)}
    assert named == inside
    assert 0 < len(inside) < len(people)


@pytest.mark.parametrize(("quick", "sizes"), [(60.0, [1, 2, 4, 4]), (0.0, [1, 1, 1, 1])])
def test_a_drain_starts_small_and_grows_while_sending_is_quick(
    ledger: Plan, world: World, office: PostOffice, monkeypatch: pytest.MonkeyPatch, quick: float, sizes: list[int]
) -> None:
    publish(ledger, 80, author=world.amina)
    plan_round(now=timezone.now())
    asked: list[int] = []
    claim = draining.claim

    def look(**how: Any) -> Any:
        asked.append(how["limit"])
        return claim(**how)

    monkeypatch.setattr(draining, "claim", look)
    monkeypatch.setattr(draining, "FIRST_BATCH", 1)
    monkeypatch.setattr(draining, "_QUICK", quick)
    draining.drain(seconds=120, batch=4, connect=lambda: office)

    assert asked[:4] == sizes
    assert len(office.sent) == READERS


def test_unsettled_answers_stay_within_what_a_killed_worker_may_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []

    def look(answers: list[Answer], **how: Any) -> Counter[str]:
        groups.append(len(answers))
        return Counter(accepted=len(answers))

    monkeypatch.setattr(settling, "settle", look)
    settler = settling.Settler()
    for number in range(41):
        settler.put(Answer(number, Outcome.ACCEPTED), Facts(number, "tests.notice", 1, "a@b.example", {}, ()))

    assert groups == [10] * 4
    settler.settle()  # no more come while the next batch is composed
    assert groups[-1] == 1
    assert settler.counts == {"accepted": 41}


def test_the_last_emails_of_a_run_are_shared_between_workers(ledger: Plan, world: World, settings: Any) -> None:
    settings.WORKER_CONCURRENCY = 2
    publish(ledger, 80, author=world.amina)
    plan_round(now=timezone.now())

    assert READERS == 60
    assert draining._share(250, "all") == 30
    assert draining._share(20, "all") == 20
    Delivery.objects.filter(status="queued", available_at__lte=timezone.now()).update(available_at="2999-01-01T00:00Z")
    assert draining._share(250, "all") == 25
