"""Emails are recorded with their change or not at all, and emails that are held wait."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from partnerships.outbox.claiming import has_due_emails
from partnerships.outbox.services import UnableToRecordEmail, record_email, record_emails
from tests.plans.drafts import ask_signatures, published_plan
from tests.support.ledger import rewrite
from tests.support.outbox import deliver, drop_emails, recorded
from tests.telling.lower_rooms import invite_nina
from tests.world import World


def test_rolled_back_change_records_no_email(world: World) -> None:
    plan = published_plan(world)
    drop_emails()

    with transaction.atomic():
        invite_nina(world, world.amina)
        ask_signatures(plan, world)
        transaction.set_rollback(True)

    assert [email for email in recorded() if email.is_open] == []


def test_somebody_named_twice_gets_one_email(world: World) -> None:
    people = [world.ben.pk, world.hana.pk, world.ben.pk]

    with transaction.atomic():
        emails = record_emails(kind="plans.mention", people=people, now=timezone.now())

    assert [email.person_id for email in emails] == sorted({world.ben.pk, world.hana.pk})


def test_while_emails_are_held_only_account_emails_leave(world: World, settings: Any) -> None:
    plan = published_plan(world)
    drop_emails()
    invite_nina(world, world.amina)
    ask_signatures(plan, world)
    settings.EMAILS_HELD = True

    sent_to = [email.to for email in deliver()]

    assert sent_to == [["nina@larkhaven.example"]]
    assert [email.kind for email in recorded() if email.is_open] == ["plans.sign_off_request"]


def test_account_email_is_left_to_the_reserved_sender_for_half_a_minute(world: World) -> None:
    drop_emails()
    invite_nina(world, world.amina)

    assert has_due_emails(lanes="account")
    assert not has_due_emails(lanes="others")


def test_other_senders_take_an_account_email_that_has_waited_half_a_minute(world: World) -> None:
    drop_emails()
    invite_nina(world, world.amina)

    rewrite(available_at=timezone.now() - dt.timedelta(seconds=31))

    assert has_due_emails(lanes="others"), "The reserved sender may be down."


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused() -> None:
    with pytest.raises(UnableToRecordEmail, match="in the transaction of the change"):
        record_email(kind="people.account", address="x@y.example", now=timezone.now())
