"""Reminders are sent once, at the lead times that each owner chose."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import services
from partnerships.commitments.models import Status
from partnerships.people.lead_times import choose_lead_times
from tests.commitments.promises import agree, in_days, report
from tests.support.outbox import deliver, drop_emails, recorded
from tests.support.signing_in import signed_in
from tests.world import World


def remind_in_days(days: int = 0) -> int:
    """Record the reminders as the task does this many days from now, and return how many reminders it recorded."""
    now = timezone.now() + dt.timedelta(days=days)
    return services.remind_owners(now=now)


def test_owner_is_reminded_at_the_default_lead_times(world: World) -> None:
    agree(world, due_on=in_days(20))
    drop_emails()

    reminders_by_day = {days: remind_in_days(days) for days in range(22)}

    # These are 14 and 3 days before the due date, and the due date itself.
    assert {days for days, count in reminders_by_day.items() if count} == {6, 17, 20}
    assert sum(reminders_by_day.values()) == 3
    assert {email.to[0] for email in deliver()} == {"eddie@larkhaven.example"}


def test_owner_is_reminded_at_the_lead_times_they_chose(world: World) -> None:
    agree(world, due_on=in_days(20))
    choose_lead_times(person=world.eddie, days={"commitments": [7]}, now=timezone.now())

    days_with_reminder = [days for days in range(22) if remind_in_days(days)]

    assert days_with_reminder == [13]


def test_owner_who_chose_no_reminders_gets_none(world: World) -> None:
    agree(world, due_on=in_days(2))
    choose_lead_times(person=world.eddie, days={"commitments": []}, now=timezone.now())

    count = remind_in_days()

    assert count == 0


def test_owner_gets_one_email_if_several_lead_times_have_passed(world: World) -> None:
    agree(world, due_on=in_days(2))
    drop_emails()

    count = remind_in_days()

    assert count == 1
    assert "is due in 2 days" in deliver()[0].subject


def test_running_the_task_twice_sends_one_email(world: World) -> None:
    agree(world, due_on=in_days(3))

    count_of_first_run = remind_in_days()
    count_of_second_run = remind_in_days()

    assert count_of_first_run == 1
    assert count_of_second_run == 0


def test_owner_is_reminded_again_of_a_changed_due_date(world: World) -> None:
    commitment = agree(world, due_on=in_days(3))
    remind_in_days()
    services.change_due_date(
        commitment=commitment, due_on=in_days(30), reason="Late.", author=world.eddie, now=timezone.now()
    )

    count = remind_in_days(16)  # 14 days before the changed date

    assert count == 1


def test_no_reminder_is_sent_after_delivery(world: World) -> None:
    commitment = agree(world, due_on=in_days(3))
    remind_in_days()
    report(world, commitment, Status.DONE, delivered=commitment.quantity)

    deliver()

    assert [email.status for email in recorded("commitments.reminder")] == ["suppressed"]


def test_no_reminder_is_sent_to_an_owner_who_has_left(world: World) -> None:
    agree(world, due_on=in_days(3))
    remind_in_days()
    world.eddie.memberships.update(ends_on=timezone.localdate())

    deliver()

    assert [email.status for email in recorded("commitments.reminder")] == ["suppressed"]


def test_email_says_the_same_in_text_and_html(world: World) -> None:
    commitment = agree(world, due_on=in_days(3), text="Homes & gardens at <Quayside>.")
    drop_emails()

    remind_in_days()

    (email,) = deliver()
    html = email.alternatives[0].content
    assert "Homes & gardens at <Quayside>." in email.body
    assert "Homes &amp; gardens at &lt;Quayside&gt;." in html
    for part in (email.body, html):
        assert commitment.reference in part
        assert "0 of 60 homes" in part
        assert commitment.get_absolute_url() in part


def test_address_of_reminders_in_older_emails_leads_to_the_choices(world: World) -> None:
    response = signed_in(world.ben).get("/commitments/reminders/")

    assert response.url == reverse("digests:manage")
