"""The start, review and end date of a partnership change its status, even if no job has run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import (
    DateKind,
    DateReminder,
    Notice,
    Partnership,
    Status,
    gap_between,
    has_status_on,
)
from partnerships.agreements.queries import find_partnerships
from partnerships.agreements.queries.dates import dates_ahead, gaps_of, has_gap
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services import (
    UnableToChangeStatus,
    UnableToEditSettings,
    UnableToGiveNotice,
    UnableToLeave,
    UnableToWithdrawNotice,
    answer_invitation,
    carry_out_notices,
    change_status,
    choose_date_reminders,
    edit_settings,
    give_notice,
    invite_organisation,
    leave_partnership,
    record_due_steps,
    remind_of_dates,
    remove_party,
    renew,
    withdraw_notice,
)
from partnerships.kit.dates import long_date
from partnerships.organisations.models import Organisation
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.work.queries import tasks_of_person
from tests.support.outbox import deliver, drop_emails, recorded
from tests.support.pages import collapse
from tests.support.parties import invite_and_accept, leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.support.terms import agree_terms
from tests.world import World

LONDON = ZoneInfo("Europe/London")


def at(day: dt.date, hour: int = 12, minute: int = 0) -> dt.datetime:
    """Return a moment on the day, in London."""
    return dt.datetime.combine(day, dt.time(hour, minute), LONDON)


def sign_with_dates(
    world: World, *, starts: dt.date, review: dt.date, ends: dt.date | None = None, **terms: Any
) -> None:
    """Sign terms of the Estuary Partnership with these dates today."""
    agree_terms(
        world.partnership,
        world.amina,
        starts_on=starts.isoformat(),
        review_on=review.isoformat(),
        ends_on=ends.isoformat() if ends else "",
        **terms,
    )


def days(count: int) -> dt.date:
    """Return the day this many days from today."""
    return timezone.localdate() + dt.timedelta(days=count)


def reasons_of_status_changes(world: World) -> list[str]:
    """Return the reasons of the changes of status that the system made in the Estuary Partnership."""
    events = Event.objects.filter(target_kind="partnership", target_id=world.partnership.pk, actor_id=None)
    return [event.data["reason"] for event in events.filter(kind="partnership.status_changed").order_by("pk")]


def test_a_partnership_signed_ahead_of_its_start_is_agreed(world: World) -> None:
    sign_with_dates(world, starts=days(10), review=days(100))

    assert world.partnership.status == Status.AGREED


def test_a_partnership_agreed_ahead_of_its_start_begins_on_that_day(world: World) -> None:
    sign_with_dates(world, starts=days(10), review=days(100))

    changes_before = record_due_steps(now=at(days(9)))
    changes_on_the_day = record_due_steps(now=at(days(10), 0, 1))
    changes_afterwards = record_due_steps(now=at(days(10)))

    world.partnership.refresh_from_db()
    assert changes_before == 0
    assert changes_on_the_day == 1
    assert changes_afterwards == 0
    assert world.partnership.status == Status.ACTIVE
    assert reasons_of_status_changes(world) == ["The partnership reached its start date."]


def test_a_partnership_is_not_over_on_its_last_day(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(20), ends=days(30))

    with time_machine.travel(at(days(30), 23, 59)):
        assert not Partnership.objects.get(pk=world.partnership.pk).is_over


@pytest.fixture
def partnership_past_its_end(world: World) -> Iterator[Partnership]:
    """Provide the Estuary Partnership on the day after its end, before the job has recorded the end."""
    sign_with_dates(world, starts=days(0), review=days(20), ends=days(30))
    with time_machine.travel(at(days(31), 0, 1)):
        yield Partnership.objects.get(pk=world.partnership.pk)


def test_a_partnership_past_its_end_reads_as_ended_before_the_job_ran(
    world: World, partnership_past_its_end: Partnership
) -> None:
    assert partnership_past_its_end.status == Status.ACTIVE
    assert partnership_past_its_end.state == Status.ENDED
    assert partnership_past_its_end.is_over
    assert partnership_past_its_end not in Partnership.objects.live()
    assert partnership_past_its_end in find_partnerships(user=world.amina, status="ended")


def test_a_partnership_past_its_end_cannot_be_edited_before_the_job_ran(
    world: World, partnership_past_its_end: Partnership
) -> None:
    with pytest.raises(UnableToEditSettings, match="has ended"):
        edit_settings(
            partnership=partnership_past_its_end,
            title="Quays",
            reason="New name.",
            author=world.amina,
            now=timezone.now(),
        )


def test_a_partnership_past_its_end_cannot_be_suspended_before_the_job_ran(
    world: World, partnership_past_its_end: Partnership
) -> None:
    with pytest.raises(UnableToChangeStatus, match="reached its end date"):
        change_status(
            partnership=partnership_past_its_end,
            status="suspended",
            reason="Why.",
            author=world.amina,
            now=timezone.now(),
        )


def test_the_job_records_the_end_once(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(20), ends=days(30))
    record_due_steps(now=at(days(20)))

    first_count = record_due_steps(now=at(days(35)))
    second_count = record_due_steps(now=at(days(36)))

    world.partnership.refresh_from_db()
    assert first_count == 1
    assert second_count == 0
    assert world.partnership.status == Status.ENDED
    assert world.partnership.ends_on == days(30)
    assert reasons_of_status_changes(world) == [
        "The partnership reached its review date.",
        "The partnership reached its end date.",
    ]


def test_the_job_emails_the_leads_about_the_end(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(20), ends=days(30))

    record_due_steps(now=at(days(35)))

    emails = Email.objects.filter(kind="agreements.date_came", params__status="ended")
    assert set(emails.values_list("person_id", flat=True)) == {world.amina.pk, world.ben.pk}


def test_a_partnership_that_goes_on_does_not_end_on_its_end_date(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(40), ends=days(30), goes_on=True)

    change_count = record_due_steps(now=at(days(35)))

    world.partnership.refresh_from_db()
    assert change_count == 0
    assert world.partnership.status == Status.ACTIVE


def test_a_partnership_that_goes_on_ends_on_the_day_on_which_a_lead_ends_it(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(40), ends=days(30), goes_on=True)
    last_day = days(35)

    with time_machine.travel(at(last_day)):
        change_status(
            partnership=world.partnership, status="ended", reason="Done.", author=world.amina, now=timezone.now()
        )

    assert world.partnership.ends_on == last_day


def test_a_job_that_missed_days_catches_up_step_by_step(world: World) -> None:
    sign_with_dates(world, starts=days(10), review=days(20), ends=days(300))

    record_due_steps(now=at(days(25)))

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.UNDER_REVIEW
    assert reasons_of_status_changes(world) == [
        "The partnership reached its start date.",
        "The partnership reached its review date.",
    ]


@pytest.mark.parametrize("day", [dt.date(2027, 3, 28), dt.date(2027, 10, 31)])
def test_a_day_begins_at_midnight_in_london_also_when_clocks_change(world: World, day: dt.date) -> None:
    Partnership.objects.filter(pk=world.partnership.pk).update(
        status=Status.ACTIVE, starts_on=dt.date(2026, 1, 1), ends_on=day
    )

    before_midnight = record_due_steps(now=at(day, 23, 59))
    after_midnight = record_due_steps(now=at(day + dt.timedelta(days=1), 0, 0))

    assert before_midnight == 0
    assert after_midnight == 1


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("stored", list(Status))
@pytest.mark.parametrize("shift", [-15, -5, 5, 15])
def test_lists_and_pages_agree_on_the_status(world: World, stored: str, shift: int, goes_on: bool) -> None:
    today = dt.date(2027, 6, 1)
    partnership = world.partnership
    partnership.status = stored
    partnership.goes_on = goes_on
    partnership.starts_on = today + dt.timedelta(days=shift)
    partnership.review_on = partnership.starts_on + dt.timedelta(days=10)
    partnership.ends_on = partnership.starts_on + dt.timedelta(days=12)
    partnership.save()

    statuses_by_query = [
        status
        for status in Status
        if Partnership.objects.filter(has_status_on(status, today), pk=partnership.pk).exists()
    ]

    assert statuses_by_query == [partnership.state_on(today)]


def test_the_gap_between_two_agreements_is_said_in_days() -> None:
    predecessor = Partnership(status="ended", starts_on=dt.date(2024, 4, 1), ends_on=dt.date(2027, 3, 31))

    def gap_in_words(starts: dt.date | None) -> str:
        gap = gap_between(predecessor, Partnership(status="active", starts_on=starts), dt.date(2027, 4, 2))
        return gap.description if gap else ""

    assert gap_in_words(dt.date(2027, 4, 13)) == "12 days without cover: 1 to 12 April 2027"
    assert gap_in_words(dt.date(2027, 5, 3)) == "32 days without cover: 1 April to 2 May 2027"
    assert gap_in_words(dt.date(2027, 4, 2)) == "1 day without cover: 1 April 2027"
    assert gap_in_words(None) == "Without cover since 1 April 2027"
    assert gap_in_words(dt.date(2027, 4, 1)) == ""


# ---- Days without cover


def renew_with_dates(world: World, *, ends: dt.date, starts: dt.date | None) -> Partnership:
    """Put the Estuary Partnership under review until its end, and return its successor, which is a draft."""
    sign_with_dates(world, starts=days(-400), review=days(0), ends=ends)
    successor = renew(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="Three more years.",
        author=world.amina,
        now=timezone.now(),
    )
    Partnership.objects.filter(pk=successor.pk).update(starts_on=starts)
    successor.refresh_from_db()
    return successor


@pytest.fixture
def successor_after_gap(world: World) -> Partnership:
    """Let the Estuary Partnership end in 10 days, and return its successor, which starts in 16 days."""
    return renew_with_dates(world, ends=days(10), starts=days(16))


def gap_of_five_days() -> str:
    """Return the beginning of what a page says about the days from the 11th to the 15th."""
    day_and_month = long_date(days(11)).rsplit(" ", 2)[0]
    return f"5 days without cover: {day_and_month}"


def test_days_without_cover_show_on_both_agreements(world: World, successor_after_gap: Partnership) -> None:
    amina = signed_in(world.amina)

    earlier_page = amina.get(world.partnership.get_absolute_url()).content.decode()
    later_page = amina.get(successor_after_gap.get_absolute_url()).content.decode()

    assert gap_of_five_days() in earlier_page
    assert gap_of_five_days() in later_page
    assert "Earlier and later agreements" in earlier_page
    assert "Earlier and later agreements" in later_page


@pytest.mark.usefixtures("successor_after_gap")
def test_days_without_cover_show_in_the_list_of_partnerships(world: World) -> None:
    html = signed_in(world.amina).get(reverse("agreements:list"), {"gaps": "on"}).content.decode()

    assert html.count(gap_of_five_days()) == 2


@pytest.mark.usefixtures("successor_after_gap")
def test_days_without_cover_are_hidden_from_strangers(world: World) -> None:
    html = signed_in(world.chidi).get(reverse("agreements:list"), {"gaps": "on"}).content.decode()

    assert gap_of_five_days() not in html


def test_an_end_that_a_successor_follows_the_next_day_leaves_no_gap(world: World) -> None:
    successor = renew_with_dates(world, ends=days(10), starts=days(11))

    assert gaps_of(world.amina, [world.partnership.pk, successor.pk], timezone.localdate()) == {}
    assert not Partnership.objects.filter(has_gap(world.amina, timezone.localdate())).exists()


def test_days_without_cover_are_in_the_history_of_the_successor(world: World) -> None:
    successor = renew_with_dates(world, ends=days(10), starts=days(16))
    Partnership.objects.filter(pk=successor.pk).update(status=Status.AGREED)

    record_due_steps(now=at(days(16)))

    world.partnership.refresh_from_db()
    event = Event.objects.get(kind="partnership.cover_gap", target_id=successor.pk)
    assert world.partnership.status == Status.ENDED
    assert event.data["after"]["cover"].startswith("5 days without cover")


def test_a_successor_that_starts_the_next_day_renews_the_old_one(world: World) -> None:
    successor = renew_with_dates(world, ends=days(10), starts=days(11))
    Partnership.objects.filter(pk=successor.pk).update(status=Status.AGREED)

    record_due_steps(now=at(days(11), 0, 1))

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.RENEWED
    assert world.partnership.ends_on == days(10)


# ---- Reminders


def kinds_of_dates_emailed_to(person: User) -> list[list[str]]:
    """Return, for each email to this person about coming dates, the kinds of date in it."""
    emails = Email.objects.filter(kind="agreements.dates_ahead", person_id=person.pk).order_by("pk")
    return [[date["kind"] for date in email.params["dates"]] for email in emails]


def test_each_lead_time_is_one_email_to_each_lead(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(100))
    start = timezone.localdate()

    for day in range(101):
        for hour in (1, 13):
            remind_of_dates(now=at(start + dt.timedelta(days=day), hour))

    emails_about_the_end = [kinds for kinds in kinds_of_dates_emailed_to(world.ben) if "end" in kinds]
    assert len(emails_about_the_end) == 4
    assert kinds_of_dates_emailed_to(world.ben) == kinds_of_dates_emailed_to(world.amina)
    assert kinds_of_dates_emailed_to(world.vera) == []


def test_several_dates_on_one_day_come_in_one_email(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(30), ends=days(60), notice_days=53)

    remind_of_dates(now=at(days(0)))

    assert kinds_of_dates_emailed_to(world.ben) == [["notice", "review", "end"]]


def test_after_days_without_a_job_only_the_shortest_lead_time_is_sent(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(100))

    remind_of_dates(now=at(days(75)))

    assert kinds_of_dates_emailed_to(world.ben) == [["end"]]
    assert DateReminder.objects.get(person=world.ben, kind="end").days_before == 30


def test_an_email_about_two_dates_of_one_partnership_says_this_partnership(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(30), ends=days(30))
    drop_emails()

    remind_of_dates(now=at(days(0)))

    bodies = [email.body for email in deliver()]
    assert [len(dates) for dates in kinds_of_dates_emailed_to(world.ben)] == [2]
    assert all("an organisation in this partnership on" in collapse(body) for body in bodies)


def test_a_party_chooses_its_own_dates_and_days(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(14), ends=days(100))
    choose_date_reminders(
        party=world.party(world.westmarch), days=[14], dates=["review"], author=world.ben, now=timezone.now()
    )
    choose_date_reminders(
        party=world.party(world.larkhaven), days=[30], dates=[], author=world.amina, now=timezone.now()
    )

    remind_of_dates(now=at(days(0)))

    assert kinds_of_dates_emailed_to(world.ben) == [["review"]]
    assert kinds_of_dates_emailed_to(world.amina) == []


def test_a_moved_date_is_reminded_of_again(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(30))
    drop_emails()
    remind_of_dates(now=timezone.now())
    Partnership.objects.filter(pk=world.partnership.pk).update(ends_on=days(60))

    deliver()
    remind_of_dates(now=timezone.now())

    emails = recorded("agreements.dates_ahead")
    assert sorted(email.status for email in emails if email.person_id == world.ben.pk) == ["queued", "suppressed"]


def test_coming_dates_are_in_my_work_of_leads_that_decide(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(80), notice_days=30)

    day_by_action = {item.action: item.due for item in tasks_of_person(world.ben, timezone.now())}

    assert day_by_action["Renew it, or let it end"] == days(80)
    assert day_by_action["Decide whether to give notice"] == days(50)
    assert tasks_of_person(world.eddie, timezone.now()) == []


# ---- Notice


def give_notice_for(world: World, author: User, organisation: Organisation, last_day: dt.date | None = None) -> Notice:
    """Give notice for an organisation, as one of its leads."""
    return give_notice(
        party=world.party(organisation),
        reason="We have no staff.",
        last_day=last_day,
        author=author,
        now=timezone.now(),
    )


def test_notice_without_a_day_ends_on_the_earliest_day_that_the_terms_allow(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), notice_days=30)

    notice = give_notice_for(world, world.ben, world.westmarch)

    assert notice.last_day == days(30)


def test_notice_of_one_of_two_parties_ends_the_partnership_after_its_last_day(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(100), notice_days=30, goes_on=True)

    notice = give_notice_for(world, world.ben, world.westmarch, days(30))

    with time_machine.travel(at(days(30))):
        is_over_on_last_day = Partnership.objects.get(pk=world.partnership.pk).is_over
    with time_machine.travel(at(days(31), 0, 1)):
        is_over_on_next_day = Partnership.objects.get(pk=world.partnership.pk).is_over
    assert notice.ends_partnership
    assert not is_over_on_last_day
    assert is_over_on_next_day


def test_the_job_records_the_end_of_a_notice_period(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(100), notice_days=30, goes_on=True)
    give_notice_for(world, world.ben, world.westmarch)

    with time_machine.travel(at(days(31), 0, 1)):
        record_due_steps(now=timezone.now())
        carry_out_notices(now=timezone.now())

    world.partnership.refresh_from_db()
    assert world.partnership.status == Status.ENDED
    assert world.partnership.ends_on == days(30)
    assert reasons_of_status_changes(world) == ["The notice period is over."]


LAST_DAY_OF_NOTICE = 10


@pytest.fixture
def notice_of_third_party(world: World) -> Notice:
    """Return Harbour's notice to leave the Estuary Partnership of three after ten days."""
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        author=world.amina,
        now=world.now,
        reason="They build there.",
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=world.now)
    sign_with_dates(world, starts=days(0), review=days(200))
    return give_notice_for(world, world.hana, world.harbour, days(LAST_DAY_OF_NOTICE))


def test_notice_of_one_of_three_parties_does_not_end_the_partnership(notice_of_third_party: Notice) -> None:
    assert not notice_of_third_party.ends_partnership


def test_a_party_acts_until_the_last_day_of_its_notice(world: World, notice_of_third_party: Notice) -> None:
    rights_on_last_day = rights_over(world.partnership, world.hana, at(days(LAST_DAY_OF_NOTICE)))
    rights_on_next_day = rights_over(world.partnership, world.hana, at(days(LAST_DAY_OF_NOTICE + 1), 0, 1))

    assert rights_on_last_day.adds_documents_for
    assert not rights_on_next_day.adds_documents_for


def test_a_notice_is_carried_out_once_after_its_last_day(world: World, notice_of_third_party: Notice) -> None:
    next_day = at(days(LAST_DAY_OF_NOTICE + 1), 0, 1)

    count_on_last_day = carry_out_notices(now=at(days(LAST_DAY_OF_NOTICE)))
    count_on_next_day = carry_out_notices(now=next_day)
    count_of_second_run = carry_out_notices(now=next_day)

    assert count_on_last_day == 0
    assert count_on_next_day == 1
    assert count_of_second_run == 0
    assert world.party(world.harbour).status == "left"


@pytest.fixture
def withdrawn_notice(world: World) -> Notice:
    """Return Westmarch's notice to leave after ten days, which Ben has withdrawn."""
    sign_with_dates(world, starts=days(0), review=days(200))
    notice = give_notice_for(world, world.ben, world.westmarch, days(10))
    withdraw_notice(notice=notice, reason="We found staff.", author=world.ben, now=timezone.now())
    return notice


@pytest.mark.usefixtures("withdrawn_notice")
def test_a_withdrawn_notice_lets_the_partnership_go_on(world: World) -> None:
    carried_out_count = carry_out_notices(now=at(days(12)))

    assert carried_out_count == 0
    assert not Partnership.objects.get(pk=world.partnership.pk).is_over_on(days(11))


def test_a_notice_is_withdrawn_only_once(world: World, withdrawn_notice: Notice) -> None:
    with pytest.raises(UnableToWithdrawNotice):
        withdraw_notice(notice=withdrawn_notice, reason="Again.", author=world.ben, now=timezone.now())


def test_notice_must_not_be_shorter_than_the_period_in_the_terms(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), notice_days=30)

    with pytest.raises(UnableToGiveNotice, match="30 days’ notice"):
        give_notice_for(world, world.ben, world.westmarch, days(29))


def test_notice_may_be_as_short_as_the_period_in_the_terms(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), notice_days=30)

    notice = give_notice_for(world, world.ben, world.westmarch, days(30))

    assert notice.last_day == days(30)


def test_a_party_gives_notice_only_once(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), notice_days=30)
    give_notice_for(world, world.ben, world.westmarch, days(30))

    with pytest.raises(UnableToGiveNotice, match="already"):
        give_notice_for(world, world.ben, world.westmarch, days(40))


def end_by_notice(world: World) -> dt.date | None:
    """Return the day on which notices end the Estuary Partnership, or None."""
    return Partnership.objects.get(pk=world.partnership.pk).notice_ends_on


@pytest.fixture
def harbours_notice(world: World) -> Notice:
    """Return Harbour's notice to leave the Estuary Partnership of three after sixty days."""
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    sign_with_dates(world, starts=days(0), review=days(200))
    return give_notice_for(world, world.hana, world.harbour, days(60))


@pytest.mark.usefixtures("harbours_notice")
def test_with_two_notices_the_later_one_ends_a_partnership_of_three(world: World) -> None:
    earlier_notice = give_notice_for(world, world.ben, world.westmarch, days(10))

    assert not earlier_notice.ends_partnership
    assert end_by_notice(world) == days(60)


def test_a_partnership_goes_on_if_one_of_two_notices_is_withdrawn(world: World, harbours_notice: Notice) -> None:
    give_notice_for(world, world.ben, world.westmarch, days(10))

    withdraw_notice(notice=harbours_notice, reason="We found money.", author=world.hana, now=timezone.now())

    assert end_by_notice(world) is None


def westmarchs_notice_address(world: World) -> str:
    """Return the address of the page on which Westmarch gives notice."""
    return reverse("agreements:notice", args=[world.partnership.pk, world.party(world.westmarch).pk])


@pytest.mark.usefixtures("harbours_notice")
def test_the_page_of_a_notice_lists_other_notices_and_the_end_that_they_bring(world: World) -> None:
    response = signed_in(world.ben).get(westmarchs_notice_address(world))

    html = collapse(response.content.decode())
    assert f"The other parties will continue until {long_date(days(60))}, when another notice ends" in html
    assert f"{world.harbour.name}, last day {long_date(days(60))}" in html


@pytest.mark.usefixtures("harbours_notice")
def test_the_page_of_a_notice_says_that_a_later_day_than_other_notices_ends_all(world: World) -> None:
    form_without_reason = {"last_day": days(61).isoformat(), "reason": ""}

    response = signed_in(world.ben).post(westmarchs_notice_address(world), form_without_reason)

    html = collapse(response.content.decode())
    assert f"without {world.westmarch.name}, so the partnership will end after your last day" in html


@pytest.mark.usefixtures("harbours_notice")
def test_the_message_after_a_notice_says_when_the_party_leaves(world: World) -> None:
    form = {"last_day": days(10).isoformat(), "reason": "Budget."}

    response = signed_in(world.ben).post(westmarchs_notice_address(world), form, follow=True)

    assert f"{world.westmarch.name} leaves after {long_date(days(10))}" in response.content.decode()


def test_a_party_that_joins_keeps_the_partnership_going_after_a_notice(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200))
    give_notice_for(world, world.ben, world.westmarch, days(10))
    end_before_joining = end_by_notice(world)

    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    assert end_before_joining == days(10)
    assert end_by_notice(world) is None


def test_the_job_carries_out_a_notice_that_no_longer_ends_the_partnership(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200))
    give_notice_for(world, world.ben, world.westmarch, days(10))
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    with time_machine.travel(at(days(11))):
        record_due_steps(now=timezone.now())
        carried_out_count = carry_out_notices(now=timezone.now())

    assert carried_out_count == 1
    assert Partnership.objects.get(pk=world.partnership.pk).status == Status.ACTIVE


def test_a_notice_that_outlasts_the_end_date_does_not_move_its_reminder(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(10), ends=days(20))
    give_notice_for(world, world.ben, world.westmarch, days(40))
    partnership = Partnership.objects.get(pk=world.partnership.pk)

    assert dates_ahead(partnership, days(1))[DateKind.END] == days(20)


@pytest.fixture
def terms_with_notice_period(world: World) -> None:
    """Sign terms that require 30 days' notice of a party that leaves."""
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(300), notice_days=30)


def test_a_party_bound_by_a_notice_period_cannot_leave_at_once(world: World, terms_with_notice_period: None) -> None:
    with pytest.raises(UnableToLeave, match="30 days’ notice"):
        leave_partnership_as_westmarch(world)


def test_a_leading_party_bound_by_a_notice_period_does_not_remove_itself(
    world: World, terms_with_notice_period: None
) -> None:
    with pytest.raises(UnableToLeave, match="30 days’ notice"):
        remove_party(party=world.party(world.larkhaven), reason="Budget.", author=world.amina, now=timezone.now())


def test_the_page_for_leaving_leads_to_the_notice(world: World, terms_with_notice_period: None) -> None:
    arguments = [world.partnership.pk, world.party(world.westmarch).pk]
    notice_url = reverse("agreements:notice", args=arguments)
    ben = signed_in(world.ben)

    response = ben.get(reverse("agreements:leave", args=arguments))

    html = collapse(ben.get(notice_url).content.decode())
    assert response.headers["Location"] == notice_url
    assert "another organisation that leads the partnership can remove Westmarch" in html


def test_the_page_for_leaving_leads_to_the_dates_once_notice_is_given(
    world: World, terms_with_notice_period: None
) -> None:
    give_notice_for(world, world.ben, world.westmarch)
    leave_url = reverse("agreements:leave", args=[world.partnership.pk, world.party(world.westmarch).pk])

    response = signed_in(world.ben).get(leave_url)

    assert response.headers["Location"] == reverse("agreements:dates", args=[world.partnership.pk])


def test_partners_can_let_a_party_go_before_its_notice_is_over(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(300), notice_days=30)
    westmarchs_part = world.party(world.westmarch)

    remove_party(party=westmarchs_part, reason="We all agreed.", author=world.amina, now=timezone.now())

    assert not westmarchs_part.is_present


def test_a_party_that_has_not_signed_the_terms_leaves_at_once(world: World) -> None:
    sign_with_dates(world, starts=days(0), review=days(200), ends=days(300), notice_days=30)
    invite_and_accept(world, world.harbour, accepted_by=world.hana)
    harbours_part = world.party(world.harbour)

    leave_partnership(party=harbours_part, reason="Not for us.", author=world.hana, now=timezone.now())

    assert not harbours_part.is_present
