"""Every service that emails people records one email for each.

Each kind of email has its service.
"""

from __future__ import annotations

import pytest
from django.db import transaction
from django.utils import timezone

from partnerships.outbox.kinds import all_kinds
from partnerships.outbox.services import UnableToRecordEmail, record_email
from partnerships.people.models import User
from tests.plans.drafts import ask_signatures, published
from tests.support.outbox import drop_emails, recorded
from tests.telling import answers, lower_rooms, terms, upper_rooms
from tests.telling.case import CASES
from tests.world import World

__all__ = ["answers", "lower_rooms", "terms", "upper_rooms"]  # they fill the table
NOW = timezone.now


def _told() -> list[tuple[str, str]]:
    people = User.objects.in_bulk([email.person_id for email in recorded() if email.person_id])
    queued = [email for email in recorded() if email.is_open]
    return sorted(
        (email.kind, people[email.person_id].email.partition("@")[0] if email.person_id else "") for email in queued
    )


@pytest.mark.parametrize("name", CASES)
def test_service_records_one_email_for_each_recipient(world: World, name: str) -> None:
    act = CASES[name].prepare(world)
    drop_emails()

    act()

    assert _told() == sorted(CASES[name].told)


def test_every_kind_of_email_has_a_service_in_the_table() -> None:
    recorded_here = {kind for one in CASES.values() for kind, _ in one.told}
    # Tests of digests and of alerts cover those two rooms; other tests register their own kinds.
    elsewhere = ("digests.", "outbox.", "tests.")
    known = {kind.code for kind in all_kinds() if not kind.code.startswith(elsewhere)}

    assert recorded_here == known


def test_rolled_back_change_records_no_email(world: World) -> None:
    plan = published(world)
    drop_emails()

    for act in (lambda: lower_rooms.invite_nina(world, world.amina), lambda: ask_signatures(plan, world)):
        with transaction.atomic():
            act()
            transaction.set_rollback(True)

    assert _told() == []


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(UnableToRecordEmail):
        record_email(kind="people.account", address="x@y.example", now=NOW())
