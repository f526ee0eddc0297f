"""An email is recorded with the change that it tells of, or not at all."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from partnerships.outbox.services import UnableToRecordEmail, record_email
from tests.plans.drafts import ask_signatures, published
from tests.support.outbox import drop_emails, recorded
from tests.telling.lower_rooms import invite_nina
from tests.world import World


def test_rolled_back_change_records_no_email(world: World) -> None:
    plan = published(world)
    drop_emails()

    for act in (lambda: invite_nina(world, world.amina), lambda: ask_signatures(plan, world)):
        with transaction.atomic():
            act()
            transaction.set_rollback(True)

    assert [email for email in recorded() if email.is_open] == []


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(UnableToRecordEmail):
        record_email(kind="people.account", address="x@y.example", now=timezone.now())
