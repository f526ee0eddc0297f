"""Pages say correctly when the next digest is due."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, Preference, Subscription, Watermark
from partnerships.digests.planning.choosing import spread
from partnerships.digests.planning.forecast import who_will_get
from partnerships.digests.planning.next_digest import forecast_next_digest
from partnerships.digests.services.sweep import plan_round
from partnerships.plans.models import OwnershipEndReason, Plan
from partnerships.plans.services import create_plan
from tests.digests.conftest import PostOffice, html_of, play, publish, text_of
from tests.support.signing_in import signed_in
from tests.world import World, join

#: A Tuesday; the clocks go back on the following Sunday.
TUESDAY = dt.datetime(2026, 10, 20, 9, 0, tzinfo=dt.UTC)


@pytest.fixture
def bens_subscription(world: World, plan: Plan) -> Subscription:
    """Return Ben's confirmed subscription to the plan."""
    return services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())


def prefer(world: World, frequency: str, **more: object) -> None:
    """Save Ben's preferences without rescheduling anything."""
    Preference.objects.filter(person=world.ben).update(frequency=frequency, **more)


@pytest.mark.parametrize(
    ("frequency", "more", "words"),
    [
        ("at_once", {}, "Next digest: as soon as something changes."),
        ("daily", {}, "Next digest: Wednesday 21 October 2026, 08:00, if something has changed by then."),
        ("weekly", {"weekday": 6}, "Next digest: Sunday 25 October 2026, 08:00, if something has changed by then."),
        ("weekly", {"weekday": 0}, "Next digest: Monday 26 October 2026, 08:00, if something has changed by then."),
        ("biweekly", {"weekday": 0}, "Next digest: Monday 2 November 2026, 08:00, if something has changed by then."),
        ("monthly", {"weekday": 2}, "Next digest: Wednesday 4 November 2026, 08:00, if something has changed by then."),
        (
            "at_once",
            {"paused_until": dt.date(2026, 10, 26)},
            "Next digest: Monday 26 October 2026, 08:00, if something has changed by then.",
        ),
    ],
)
def test_the_next_digest_follows_the_chosen_frequency(
    world: World, bens_subscription: Subscription, frequency: str, more: dict[str, object], words: str
) -> None:
    prefer(world, frequency, **more)

    assert forecast_next_digest(world.ben, TUESDAY).words == words


def test_the_next_digest_follows_the_frequency_of_live_subscriptions(
    world: World, bens_subscription: Subscription
) -> None:
    prefer(world, "daily")
    Subscription.objects.update(frequency="weekly")
    weekly = forecast_next_digest(world.ben, TUESDAY)
    Subscription.objects.update(frequency="at_once")
    at_once = forecast_next_digest(world.ben, TUESDAY)
    Subscription.objects.update(status="ended", ended_at=TUESDAY)

    assert weekly.moment == "Monday 26 October 2026, 08:00"
    assert at_once.at is None
    assert forecast_next_digest(world.ben, TUESDAY).words == "You do not follow anything, so you get no digests."


#: The records that Ben follows, with the frequency of each ("" for his own: at once), and what his page then says.
PACES: list[tuple[dict[str, str], str]] = [
    ({"plan": "", "partnership": "monthly"}, "Monday 2 November 2026, 08:00, if something has changed by then."),
    ({"plan": "", "larkhaven": "weekly"}, "Monday 26 October 2026, 08:00, if something has changed by then."),
    (
        {"plan": "weekly", "partnership": "monthly"},
        "Monday 26 October 2026, 08:00, if something has changed by then.",
    ),
    (
        {"plan": "monthly", "partnership": "weekly"},
        "Monday 2 November 2026, 08:00, if something has changed by then, or earlier for a new plan.",
    ),
    (
        {"plan": "weekly", "partnership": ""},
        "Monday 26 October 2026, 08:00, if something has changed by then, or earlier for a new plan.",
    ),
    (
        {"partnership": "", "larkhaven": "weekly"},
        "Monday 26 October 2026, 08:00, if something has changed by then, or earlier for a new plan.",
    ),
    (
        {"plan": "", "larkhaven": "monthly", "westmarch": "weekly"},
        "Monday 2 November 2026, 08:00, if something has changed by then, or earlier for a new plan.",
    ),
    ({"plan": "at_once", "partnership": "monthly"}, "as soon as something changes."),
    ({"plan": "", "partnership": ""}, "as soon as something changes."),
    ({"larkhaven": "daily"}, "Wednesday 21 October 2026, 08:00, if something has changed by then."),
]


def follow(world: World, plan: Plan, followed: dict[str, str]) -> None:
    """Make Ben follow each of these records at its frequency."""
    for name, frequency in followed.items():
        target = plan if name == "plan" else getattr(world, name)
        services.add_confirmed_subscription(
            person=world.ben, target=target, author=None, frequency=frequency, now=timezone.now()
        )


def manage(world: World) -> str:
    """Return the page "Your digests" as Ben sees it."""
    return signed_in(world.ben).get(reverse("digests:manage")).content.decode()


@pytest.mark.parametrize(("followed", "words"), PACES)
def test_the_page_and_sending_agree_on_the_next_digest(
    world: World, plan: Plan, followed: dict[str, str], words: str
) -> None:
    follow(world, plan, followed)
    that_tuesday = forecast_next_digest(world.ben, TUESDAY).words
    now = timezone.now()
    said = forecast_next_digest(world.ben, now)
    page = manage(world)
    publish(plan, 100, author=world.amina, now=now)
    spread(now=now)

    assert that_tuesday == f"Next digest: {words}"
    assert said.words in page
    assert Watermark.objects.get(recipient=world.ben, plan=plan).due_at == (said.at or now)


def test_a_new_plan_comes_sooner_when_the_page_says_so(world: World, plan: Plan) -> None:
    join(world.vera, world.westmarch, "lead", world.now)
    follow(world, plan, {"partnership": "", "larkhaven": "weekly"})
    now = timezone.now()
    said = forecast_next_digest(world.ben, now)
    new = create_plan(
        owners=[world.westmarch],
        partnership=world.partnership,
        title="Mill Yard",
        kind="delivery",
        audience="partnership",
        author=world.ben,
        now=now,
    )
    publish(new, 30, author=world.vera, now=now)
    spread(now=now)

    assert said.at is not None
    assert said.is_sooner_for_new_plans
    assert Watermark.objects.get(recipient=world.ben, plan=new).due_at == now


def test_with_several_plans_the_earliest_digest_counts(world: World, plan: Plan, public_plan: Plan) -> None:
    follow(world, plan, {"plan": "", "partnership": "monthly"})
    forecast_before = forecast_next_digest(world.ben, TUESDAY)
    services.add_confirmed_subscription(
        person=world.ben, target=public_plan, author=None, frequency="daily", now=timezone.now()
    )
    forecast_for_both = forecast_next_digest(world.ben, TUESDAY)
    services.add_confirmed_subscription(
        person=world.ben, target=world.westmarch, author=None, now=timezone.now()
    )  # owns no plan yet

    assert forecast_before.moment == "Monday 2 November 2026, 08:00"
    assert forecast_for_both.moment == "Wednesday 21 October 2026, 08:00"
    assert not forecast_for_both.is_sooner_for_new_plans
    assert forecast_next_digest(world.ben, TUESDAY).is_sooner_for_new_plans


def test_following_an_organisation_without_plans_shows_the_next_possible_digest(world: World, plan: Plan) -> None:
    follow(world, plan, {"westmarch": ""})
    at_once = forecast_next_digest(world.ben, TUESDAY)
    Subscription.objects.update(frequency="weekly")

    assert at_once.words == "Next digest: as soon as something changes."
    assert forecast_next_digest(world.ben, TUESDAY).words == (
        "Next digest: Monday 26 October 2026, 08:00, if something has changed by then."
    )


@pytest.mark.parametrize("status", ["paused", "ended", "asked"])
def test_the_frequency_of_an_inactive_subscription_is_ignored(world: World, plan: Plan, status: str) -> None:
    follow(world, plan, {"plan": "", "partnership": "monthly"})
    Subscription.objects.filter(partnership=world.partnership).update(status=status)

    assert forecast_next_digest(world.ben, TUESDAY).words == "Next digest: as soon as something changes."


@pytest.mark.parametrize(
    ("nation", "day"), [("england-and-wales", "Monday 30 November"), ("scotland", "Tuesday 1 December")]
)
def test_working_days_leave_out_the_bank_holidays_of_the_chosen_nation(
    world: World, plan: Plan, nation: str, day: str
) -> None:
    follow(world, plan, {"plan": ""})
    prefer(world, "daily", working_days_of=nation)
    weekend_before_st_andrews_day = dt.datetime(2026, 11, 28, 12, 0, tzinfo=dt.UTC)

    assert forecast_next_digest(world.ben, weekend_before_st_andrews_day).words == (
        f"Next digest: {day} 2026, 08:00, if something has changed by then."
    )


def test_at_once_on_working_days_waits_from_saturday_to_monday(world: World, plan: Plan) -> None:
    follow(world, plan, {"plan": ""})
    prefer(world, "at_once", working_days_of="england-and-wales")
    saturday = TUESDAY + dt.timedelta(days=4)

    assert forecast_next_digest(world.ben, TUESDAY).words == "Next digest: as soon as something changes."
    assert forecast_next_digest(world.ben, saturday).words == (
        "Next digest: Monday 26 October 2026, 08:00, if something has changed by then."
    )


def test_paused_and_unconfirmed_readers_see_why_no_digest_comes(world: World, bens_subscription: Subscription) -> None:
    Subscription.objects.update(status="paused")
    words_when_paused = forecast_next_digest(world.ben, TUESDAY).words
    Subscription.objects.update(status="asked")

    assert words_when_paused == "What you follow is paused. You get no digests until you resume it."
    assert (
        forecast_next_digest(world.ben, TUESDAY).words
        == "You get no digests until you confirm in the email we sent you."
    )


def test_the_next_digest_is_shown_in_the_readers_time_zone(world: World, bens_subscription: Subscription) -> None:
    prefer(world, "daily")
    world.ben.time_zone = "America/New_York"
    world.ben.save(update_fields=["time_zone"])
    key = Preference.objects.get(person=world.ben).link_key
    link = make(
        Purpose.PREFERENCES, person_id=world.ben.pk, link_key=key, record_id=0, minute=minute_of(timezone.now())
    )

    page = Client().get(reverse("digests:preferences", kwargs={"token": link})).content.decode()

    assert ", 08:00 (New York time), if something has changed by then." in page


def test_a_date_that_already_had_its_digest_is_not_shown_again(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    prefer(world, "daily")
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())
    due = Watermark.objects.get(recipient=world.ben, plan=plan).due_at
    assert due is not None
    forecast = forecast_next_digest(world.ben, timezone.now())
    play(office, now=due)
    prefer(world, "daily", hour=23)  # later on the same day

    next_digest_at = forecast_next_digest(world.ben, due + dt.timedelta(minutes=1)).at

    assert forecast.at == due
    assert forecast.words.endswith("08:00.")
    assert next_digest_at is not None
    assert next_digest_at.date() > due.date()


def test_the_publisher_sees_both_times_for_a_reader_in_another_time_zone(
    world: World, plan: Plan, bens_subscription: Subscription
) -> None:
    prefer(world, "daily")
    world.ben.time_zone = "America/New_York"
    world.ben.save(update_fields=["time_zone"])

    [forecast] = who_will_get(plan, author=world.amina, now=TUESDAY + dt.timedelta(days=364))

    assert forecast.when == "Tuesday 19 October 2027, 13:00; 08:00 (New York time)"


def test_the_forecast_uses_the_frequency_of_the_closest_subscription(
    world: World, plan: Plan, bens_subscription: Subscription
) -> None:
    services.add_confirmed_subscription(
        person=world.ben, target=world.partnership, author=None, frequency="monthly", now=timezone.now()
    )

    [forecast] = who_will_get(plan, author=world.amina, now=timezone.now())
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())

    assert forecast.at == Watermark.objects.get(recipient=world.ben, plan=plan).due_at
    assert forecast.followed_name == "Harbour Quarter"


@pytest.fixture
def followed_draft(world: World) -> Plan:
    """Return a draft of Larkhaven, which Vera and Chidi follow, in a partnership that Ben follows."""
    draft = create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Mill Yard",
        kind="delivery",
        audience="partnership",
        author=world.amina,
        now=timezone.now(),
    )
    for person, target in (
        (world.vera, world.larkhaven),
        (world.ben, world.partnership),
        (world.chidi, world.larkhaven),
    ):
        services.add_confirmed_subscription(person=person, target=target, author=None, now=timezone.now())
    return draft


def test_the_forecast_of_a_first_version_lists_its_future_readers(world: World, followed_draft: Plan) -> None:
    forecasts = who_will_get(followed_draft, author=world.amina, now=timezone.now())

    assert {forecast.person: forecast.is_outside for forecast in forecasts} == {world.vera: False, world.ben: False}


def test_the_forecast_for_the_network_marks_readers_outside_the_partnership(world: World, followed_draft: Plan) -> None:
    followed_draft.audience = "network"
    followed_draft.save(update_fields=["audience"])

    forecasts = who_will_get(followed_draft, author=world.amina, now=timezone.now())

    assert {forecast.person: forecast.is_outside for forecast in forecasts} == {
        world.vera: False,
        world.ben: False,
        world.chidi: True,
    }


def test_a_digest_states_its_frequency_in_the_readers_time_zone(
    world: World, plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    prefer(world, "daily", hour=9)
    Subscription.objects.update(frequency="monthly")
    world.ben.time_zone = "Europe/Paris"
    world.ben.save(update_fields=["time_zone"])
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())
    due = Watermark.objects.get(recipient=world.ben, plan=plan).due_at

    play(office, now=due)

    for part in (text_of(office.to(world.ben)[0]), html_of(office.to(world.ben)[0])):
        assert "You get digests about this monthly, on the first Monday at 09:00 (Paris time)." in " ".join(
            part.split()
        )


def test_the_plan_page_shows_the_next_digest_about_that_plan(
    world: World, plan: Plan, public_plan: Plan, bens_subscription: Subscription
) -> None:
    services.add_confirmed_subscription(
        person=world.ben, target=public_plan, author=None, frequency="monthly", now=timezone.now()
    )
    prefer(world, "daily", weekday=(timezone.localdate().weekday() + 3) % 7)  # the month's is no daily one's day
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())
    due_at = Watermark.objects.get(recipient=world.ben, plan=plan).due_at

    about_plan, about_opened = (
        forecast_next_digest(world.ben, timezone.now(), about=target) for target in (plan, public_plan)
    )
    publish(public_plan, 60, author=world.amina)
    plan_round(now=timezone.now())
    card = signed_in(world.ben).get(public_plan.get_absolute_url()).content.decode()

    assert about_plan.at == due_at
    assert about_opened.at is not None
    assert about_opened.at > due_at
    assert not about_opened.has_news
    assert (
        forecast_next_digest(world.ben, timezone.now(), about=public_plan).at
        == Watermark.objects.get(recipient=world.ben, plan=public_plan).due_at
    )
    assert about_opened.moment in card
    assert about_plan.moment not in card


def test_the_page_of_a_former_owner_shows_no_digest_about_the_plan(
    world: World, plan: Plan, bens_subscription: Subscription
) -> None:
    plan.owners.create(
        organisation=world.westmarch, began_at=world.now, ended_at=world.now, ended_because=OwnershipEndReason.GIVEN_UP
    )
    services.add_confirmed_subscription(
        person=world.ben, target=world.westmarch, author=None, frequency="monthly", now=timezone.now()
    )
    prefer(world, "daily")
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())

    about_plan, about_owner = (
        forecast_next_digest(world.ben, timezone.now(), about=target) for target in (plan, world.westmarch)
    )

    assert about_plan.has_news
    assert not about_owner.has_news


def form_signed_in(world: World) -> tuple[Client, str]:
    """Return Ben's client, and the address of the form on which he chooses when he gets digests."""
    return signed_in(world.ben), reverse("digests:manage")


def form_by_link(world: World) -> tuple[Client, str]:
    """Return a client that is not signed in, and the address of Ben's form as a link in an email has it."""
    key = Preference.objects.get(person=world.ben).link_key
    token = make(
        Purpose.PREFERENCES, person_id=world.ben.pk, link_key=key, record_id=0, minute=minute_of(timezone.now())
    )
    return Client(), reverse("digests:preferences", kwargs={"token": token})


@pytest.mark.parametrize("form_of_ben", [form_signed_in, form_by_link], ids=["signed in", "by link"])
def test_changing_the_frequency_on_the_form_applies_to_everything(
    world: World,
    plan: Plan,
    bens_subscription: Subscription,
    form_of_ben: Callable[[World], tuple[Client, str]],
) -> None:
    Subscription.objects.update(frequency="at_once")
    client, form_url = form_of_ben(world)
    form = {"frequency": "weekly", "hour": "9", "weekday": "2", "time_zone": "Europe/London"}

    html = client.post(form_url, form, follow=True).content.decode()
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())

    due_at = Watermark.objects.get(recipient=world.ben, plan=plan).due_at
    assert "You get digests weekly, on Wednesday at 09:00." in html
    assert due_at is not None
    assert due_at.weekday() == 2


def test_changing_the_hour_keeps_frequencies_set_for_one_plan_and_says_so(
    world: World, plan: Plan, bens_subscription: Subscription
) -> None:
    prefer(world, "weekly")
    Subscription.objects.update(frequency="at_once")
    form_data = {"frequency": "weekly", "hour": "9", "weekday": "2", "time_zone": "Europe/London"}

    html = signed_in(world.ben).post(reverse("digests:manage"), form_data, follow=True).content.decode()

    bens_subscription.refresh_from_db()
    assert bens_subscription.frequency == "at_once"
    assert "You chose a different frequency for Harbour Quarter (at once)." in html


def _pause_with_two_frequencies(world: World, plan: Plan, public_plan: Plan) -> dt.date:
    """Pause Ben, who follows one plan at once and another weekly, and change both plans.

    Returns the day on which the pause ends.
    """
    services.add_confirmed_subscription(
        person=world.ben, target=public_plan, author=None, frequency="weekly", now=timezone.now()
    )
    until = timezone.localdate() + dt.timedelta(days=3)
    services.prefer(
        person=world.ben,
        frequency="at_once",
        hour=8,
        weekday=(until.weekday() + 2) % 7,
        working_days_of="",
        paused_until=until,
        time_zone="Europe/London",
        author=world.ben,
        now=timezone.now(),
    )
    publish(plan, 100, author=world.amina)
    publish(public_plan, 60, author=world.amina)
    plan_round(now=timezone.now())
    return until


def test_a_pause_ends_in_one_email_for_two_frequencies(
    world: World, plan: Plan, public_plan: Plan, bens_subscription: Subscription
) -> None:
    until = _pause_with_two_frequencies(world, plan, public_plan)
    [due] = set(Watermark.objects.filter(recipient=world.ben, due_at__isnull=False).values_list("due_at", flat=True))
    assert due is not None
    forecast_by_person = {
        row.person: row.at for row in who_will_get(public_plan, author=world.amina, now=timezone.now())
    }

    plan_round(now=due)

    email = Delivery.objects.get(recipient=world.ben)
    assert timezone.localdate(due) == until
    assert set(email.items.values_list("plan", flat=True)) == {plan.pk, public_plan.pk}
    assert not Watermark.objects.filter(recipient=world.ben, due_at__isnull=False).exists()
    assert forecast_by_person[world.ben] == due


def test_a_pause_ended_early_also_ends_in_one_email(
    world: World, plan: Plan, public_plan: Plan, bens_subscription: Subscription, office: PostOffice
) -> None:
    _pause_with_two_frequencies(world, plan, public_plan)

    services.end_pause(person=world.ben, author=world.ben, now=timezone.now())
    play(office)

    [email] = office.to(world.ben)
    assert "was 120, now 100" in text_of(email)
    assert "was 50, now 60" in text_of(email)
    assert not Watermark.objects.filter(recipient=world.ben, due_at__isnull=False).exists()
