"""Two changes of a commitment at the same moment are both applied, because services lock its row.

Some tests replace the locked read by an unlocked one, to prove that the lock is needed.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Commitment, Progress, Status
from partnerships.commitments.services import confirming, delivery
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from tests.commitments.promises import agree, propose
from tests.support.at_once import run_at_once
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def remove_lock(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Return a function that replaces the locked read of a module by an unlocked one.

    Each of two threads then waits until the other has read the commitment too, so both read before either writes.
    """

    def remove_lock_from(module: Any) -> None:
        both_have_read = threading.Barrier(2)

        def read_without_lock(commitment: Commitment) -> Commitment:
            commitment = Commitment.objects.select_related("giver", "receiver").get(pk=commitment.pk)
            both_have_read.wait(60)
            return commitment

        monkeypatch.setattr(module, "lock_commitment", read_without_lock)

    return remove_lock_from


def confirm_as_both_leads(world: World, commitment: Commitment) -> None:
    """Confirm a commitment as Amina and as Ben at the same moment."""

    def confirm(organisation: Organisation, lead: User) -> None:
        services.confirm_commitment(
            commitment=commitment, organisation=organisation, author=lead, revision=1, now=timezone.now()
        )

    run_at_once(lambda: confirm(world.larkhaven, world.amina), lambda: confirm(world.westmarch, world.ben))


def test_commitment_is_agreed_when_two_leads_confirm_at_the_same_moment(committed_world: World) -> None:
    commitment = propose(committed_world)

    confirm_as_both_leads(committed_world, commitment)

    commitment.refresh_from_db()
    assert commitment.status == Status.AGREED


def test_two_confirmations_without_the_lock_do_not_make_an_agreement(
    committed_world: World, remove_lock: Callable[[Any], None]
) -> None:
    commitment = propose(committed_world)
    remove_lock(confirming)

    confirm_as_both_leads(committed_world, commitment)

    commitment.refresh_from_db()
    assert commitment.giver_confirmed_at is not None
    assert commitment.receiver_confirmed_at is not None
    assert commitment.status == Status.PROPOSED


def report_twice_at_once(world: World, commitment: Commitment) -> list[Any]:
    """Send the same progress report of Eddie twice at the same moment, and return both outcomes."""

    def report() -> Progress:
        return services.record_progress(
            commitment=commitment,
            status=Status.IN_PROGRESS,
            delivered=Decimal(10),
            newest_seen_id=0,
            author=world.eddie,
            now=timezone.now(),
        )

    return run_at_once(report, report)


def test_report_sent_twice_at_once_is_recorded_once(committed_world: World) -> None:
    commitment = agree(committed_world)

    outcomes = report_twice_at_once(committed_world, commitment)

    assert Progress.objects.count() == 1
    assert sum(isinstance(outcome, services.UnableToRecordProgress) for outcome in outcomes) == 1


def test_report_sent_twice_at_once_without_the_lock_is_recorded_twice(
    committed_world: World, remove_lock: Callable[[Any], None]
) -> None:
    commitment = agree(committed_world)
    remove_lock(delivery)

    report_twice_at_once(committed_world, commitment)

    assert Progress.objects.count() == 2


def test_form_sent_twice_at_once_makes_one_commitment(committed_world: World) -> None:
    key = uuid.uuid4()

    def propose_with_key() -> Commitment:
        return propose(committed_world, key=key)

    outcomes = run_at_once(propose_with_key, propose_with_key)

    commitment = Commitment.objects.get()
    assert outcomes == [commitment, commitment]
