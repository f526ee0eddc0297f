"""Providers that are slow, hang, drop or refuse cause few duplicates, and affect no other recipients."""

from __future__ import annotations

from typing import Any

import pytest

from partnerships.outbox.models import Email
from tests.outbox.notices import KIND, record_notices, send
from tests.outbox.provider import Provider
from tests.world import World


def test_slow_provider_gets_each_email_once(world: World, provider: Provider) -> None:
    provider.behaviours = {world.ben.email: "slow", world.amina.email: "slow"}
    record_notices(world.amina, world.ben, world.vera)

    send(3)

    assert provider.received == {world.amina.email: 1, world.ben.email: 1, world.vera.email: 1}
    assert set(Email.objects.filter(kind=KIND).values_list("status", flat=True)) == {"sent"}
    assert Email.objects.get(person_id=world.ben.pk, kind=KIND).provider_id == f"number-{world.ben.email}"


@pytest.mark.parametrize("behaviour", ["hang", "stall", "drip", "drop", 500, 502, 503, 504])
def test_provider_that_never_accepts_gets_three_copies_at_most(
    world: World, provider: Provider, settings: Any, behaviour: Any
) -> None:
    settings.ANYMAIL["REQUESTS_TIMEOUT"] = (2, 2)  # for each read
    settings.EMAIL_DATA_TIMEOUT = 4  # for the whole answer
    settings.EMAIL_TIMEOUT = 1
    provider.behaviours = {world.ben.email: behaviour}
    failed_email, *_others = record_notices(world.ben, world.amina, world.vera)

    send(6)

    assert provider.received == {world.ben.email: 3, world.amina.email: 1, world.vera.email: 1}
    failed_email.refresh_from_db()
    assert failed_email.status == "failed"
    assert failed_email.reason.startswith("The email may have arrived: ")
    if behaviour == "drip":
        assert failed_email.reason.endswith("did not answer in time.")
    else:
        assert not failed_email.reason.endswith("did not answer in time.")


@pytest.mark.parametrize(("http_status", "email_status"), [(422, "failed"), (401, "queued"), (429, "queued")])
def test_refusal_by_a_provider_leaves_no_doubt(
    world: World, provider: Provider, settings: Any, http_status: int, email_status: str
) -> None:
    settings.EMAIL_RETRY_SECONDS = 60
    provider.behaviours = {world.ben.email: http_status}
    [email] = record_notices(world.ben)

    send()

    email.refresh_from_db()
    assert email.status == email_status
    assert not email.in_doubt
    assert email.doubts == 0


def test_unreachable_provider_costs_no_delivery_attempt(world: World, provider: Provider) -> None:
    provider.shutdown()
    provider.server_close()
    [email] = record_notices(world.ben)

    send(2)

    email.refresh_from_db()
    assert email.status == "queued"
    assert not email.in_doubt
    assert email.doubts == 0
