"""Changes at the same moment on real connections lose nothing with the row lock, and would without it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Progress, Status
from partnerships.commitments.services import confirming, delivery
from tests.commitments.promises import agree, propose
from tests.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shown(transactional_db: None) -> World:
    """Return the world, committed so that other connections see it."""
    return make_world()


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run functions at the same time, each on its own connection, and return their results or exceptions."""
    start = threading.Barrier(len(jobs))
    outcomes = [None] * len(jobs)

    def run(index: int, job: Callable[[], Any]) -> None:
        start.wait(60)
        try:
            outcomes[index] = job()
        except Exception as error:  # noqa: BLE001 - the test looks at whatever was raised
            outcomes[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return outcomes


@pytest.fixture
def slow_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that replaces the locked read in a module, so that both threads read before either writes."""

    def read_without_lock(module: Any) -> None:
        both_have_read = threading.Barrier(2)

        def unlocked(commitment: Commitment) -> Commitment:
            found = Commitment.objects.select_related("giver", "receiver").get(pk=commitment.pk)
            both_have_read.wait(60)
            return found

        monkeypatch.setattr(module, "lock_commitment", unlocked)

    return read_without_lock


def confirm_both(world: World, commitment: Commitment) -> list[Any]:
    def confirm(organisation: Any, lead: Any) -> Callable[[], Any]:
        return lambda: services.confirm_commitment(
            commitment=commitment, organisation=organisation, author=lead, revision=1, now=timezone.now()
        )

    return at_once(confirm(world.larkhaven, world.amina), confirm(world.westmarch, world.ben))


def test_commitment_is_agreed_when_two_leads_confirm_at_the_same_moment(shown: World) -> None:
    commitment = propose(shown)

    confirm_both(shown, commitment)

    commitment.refresh_from_db()
    assert commitment.status == Status.AGREED


def test_two_confirmations_without_the_lock_do_not_make_an_agreement(
    shown: World, slow_reading: Callable[[Any], None]
) -> None:
    commitment = propose(shown)
    slow_reading(confirming)

    confirm_both(shown, commitment)

    commitment.refresh_from_db()
    assert commitment.giver_confirmed_at is not None
    assert commitment.receiver_confirmed_at is not None
    assert commitment.status == Status.PROPOSED


def report_twice(world: World, commitment: Commitment) -> list[Any]:
    def report() -> Progress:
        return services.record_progress(
            commitment=commitment,
            status=Status.IN_PROGRESS,
            delivered=Decimal(10),
            newest_seen_id=0,
            author=world.eddie,
            now=timezone.now(),
        )

    return at_once(report, report)


def test_report_sent_twice_at_once_is_recorded_once(shown: World) -> None:
    commitment = agree(shown)

    outcomes = report_twice(shown, commitment)

    assert Progress.objects.count() == 1
    assert sum(isinstance(outcome, services.UnableToRecordProgress) for outcome in outcomes) == 1


def test_report_sent_twice_at_once_without_the_lock_is_recorded_twice(
    shown: World, slow_reading: Callable[[Any], None]
) -> None:
    commitment = agree(shown)
    slow_reading(delivery)

    report_twice(shown, commitment)

    assert Progress.objects.count() == 2


def test_form_sent_twice_at_once_makes_one_commitment(shown: World) -> None:
    key = uuid.uuid4()

    outcomes = at_once(lambda: propose(shown, key=key), lambda: propose(shown, key=key))

    assert Commitment.objects.count() == 1
    assert outcomes[0] == outcomes[1]
