"""People consent to digests: they confirm, pause and refuse them, and get some by their role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.models import REFUSAL_PERIOD, Delivery, Preference, Subscription
from partnerships.digests.planning.choosing import announce_joined
from partnerships.digests.services import asking, new_links
from partnerships.organisations.models import Role
from partnerships.outbox import bounces
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import request_sign_off
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.support.ledger import rewrite
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World


def ask(world: World, plan: Plan, *, person: User | None = None, now: dt.datetime | None = None) -> Subscription:
    """Larkhaven asks Sol, or another person, whether they want digests."""
    return services.add_stakeholder(
        email=(person or world.sol).email,
        name="" if person else "Sol",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=now or timezone.now(),
    )


def stop_mail(world: World) -> None:
    """Suppress Sol's address, because an email to it came back."""
    bounces.suppress_address(
        address=world.sol.email, reason="It came back.", email_id=None, author_id=None, now=timezone.now()
    )


def release(world: World) -> int:
    """Release Sol's address as Dee, the administrator."""
    return bounces.release_address(address=world.sol.email, author_id=world.dee.pk, now=timezone.now())


def confirmed(world: World, plan: Plan) -> Subscription:
    """Return Sol's subscription, which he has confirmed."""
    return services.confirm(subscription=ask(world, plan), now=timezone.now())


def paused(world: World, plan: Plan) -> Subscription:
    """Return Sol's subscription, which he has confirmed and then paused."""
    subscription = confirmed(world, plan)
    services.pause(subscription=subscription, author=world.sol, now=timezone.now())
    return subscription


@pytest.mark.parametrize(
    ("subscription_of_sol", "status"), [(ask, "asked"), (confirmed, "confirmed"), (paused, "paused")]
)
def test_a_released_address_has_its_earlier_status_again(
    world: World, plan: Plan, subscription_of_sol: Callable[[World, Plan], Subscription], status: str
) -> None:
    subscription = subscription_of_sol(world, plan)
    stop_mail(world)

    release(world)

    subscription.refresh_from_db()
    assert subscription.status == status


def test_somebody_asked_again_is_not_confirmed_until_they_answer(world: World, plan: Plan) -> None:
    services.stop(
        subscriptions=[services.confirm(subscription=ask(world, plan), now=timezone.now())],
        author=world.amina,
        reason="Ended by Larkhaven.",
        now=timezone.now(),
    )
    ask(world, plan)
    stop_mail(world)

    active_count = release(world)

    assert active_count == 0
    assert Subscription.objects.get(person=world.sol).status == "asked"


def test_changes_during_suppression_are_sent_after_the_release(world: World, plan: Plan, office: PostOffice) -> None:
    services.confirm(subscription=ask(world, plan), now=timezone.now())
    stop_mail(world)
    publish(plan, 100, author=world.amina)
    play(office)
    count_while_suppressed = len(office.to(world.sol))

    release(world)
    play(office)

    assert count_while_suppressed == 0
    assert "was 120, now 100" in text_of(office.to(world.sol)[-1])


def test_a_lead_cannot_undo_a_pause(world: World, plan: Plan) -> None:
    subscription = services.confirm(subscription=ask(world, plan), now=timezone.now())
    services.pause(subscription=subscription, author=world.sol, now=timezone.now())
    email_count = Delivery.objects.count()

    ask(world, plan)

    subscription.refresh_from_db()
    assert subscription.is_paused
    assert Delivery.objects.count() == email_count


def test_following_a_paused_plan_again_resumes_it(world: World, plan: Plan, office: PostOffice) -> None:
    subscription = services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    services.pause(subscription=subscription, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)

    resumed_subscription = services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    play(office)

    assert resumed_subscription.is_confirmed
    assert "was 120, now 100" in text_of(office.to(world.ben)[0])


def test_a_refusal_holds_until_the_person_asks_themselves(world: World, plan: Plan) -> None:
    services.stop(subscriptions=[ask(world, plan)], author=world.sol, reason="Declined.", now=timezone.now())

    with pytest.raises(services.UnableToSubscribe, match="Only they can ask"):
        ask(world, plan)
    subscription = ask(world, plan, now=timezone.now() + REFUSAL_PERIOD)

    assert subscription.is_waiting


def test_an_organisation_cannot_add_people_to_what_it_may_not_read(world: World, plan: Plan) -> None:
    arguments = {"target": plan, "author": world.hana, "organisation": world.harbour, "now": timezone.now()}
    for address in ("rose@street.example", world.ben.email, world.nadia.email):
        with pytest.raises(services.UnableToSubscribe, match="cannot read this itself"):
            services.add_stakeholder(email=address, name="", **arguments)
    subscription = ask(world, plan)
    Subscription.objects.update(added_for=world.harbour)
    rewrite(created_at=timezone.now() - dt.timedelta(days=2))

    with pytest.raises(services.UnableToSubscribe, match="cannot read this itself"):
        services.ask_again(subscription=subscription, author=world.hana, now=timezone.now())

    assert Delivery.objects.count() == 1
    assert not User.objects.filter(email="rose@street.example").exists()


def test_a_request_whose_email_may_not_be_sent_ends_without_a_refusal(
    world: World, plan: Plan, office: PostOffice
) -> None:
    arguments = {"target": plan, "author": world.amina, "organisation": world.larkhaven, "now": timezone.now()}
    subscription = services.add_stakeholder(email=world.nadia.email, name="", **arguments)
    strangers_subscription = services.add_stakeholder(email="rose@street.example", name="", **arguments)
    statuses_before = subscription.status, strangers_subscription.status

    office.drain()

    subscription.refresh_from_db()
    strangers_subscription.refresh_from_db()
    assert statuses_before == ("asked", "asked")
    assert [outgoing.recipient for outgoing in office.sent] == ["rose@street.example"]
    assert subscription.status == "ended"
    assert subscription.refused_at is None
    assert subscription.reason == "We could not send the email that asks them to confirm."
    assert strangers_subscription.is_waiting


def test_ending_and_adding_again_does_not_allow_more_emails(world: World, plan: Plan) -> None:
    for _ in range(asking.MAX_TIMES_ASKED):
        services.stop(
            subscriptions=[ask(world, plan)], author=world.amina, reason="Ended by Larkhaven.", now=timezone.now()
        )

    with pytest.raises(services.UnableToSubscribe, match="Contact them directly"):
        ask(world, plan)

    assert Delivery.objects.filter(recipient=world.sol).count() == asking.MAX_TIMES_ASKED


def test_the_daily_limit_counts_emails(world: World, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "MAX_ASKED_A_DAY", 1)
    services.stop(
        subscriptions=[ask(world, plan)], author=world.amina, reason="Ended by Larkhaven.", now=timezone.now()
    )
    Subscription.objects.update(asked_at=timezone.now() - dt.timedelta(days=3))

    with pytest.raises(services.UnableToSubscribe, match="Try again tomorrow"):
        ask(world, plan)


def test_a_change_from_an_outdated_state_reports_the_current_status(world: World, plan: Plan) -> None:
    outdated_subscription = services.confirm(subscription=ask(world, plan), now=timezone.now())
    services.pause(
        subscription=Subscription.objects.get(pk=outdated_subscription.pk), author=world.sol, now=timezone.now()
    )

    with pytest.raises(services.UnableToChangeSubscription, match="Its status is now “Paused”"):
        services.pause(subscription=outdated_subscription, author=world.sol, now=timezone.now())


def test_confirming_on_an_outdated_page_shows_the_current_status(world: World, plan: Plan) -> None:
    subscription = ask(world, plan, person=world.ben)
    confirm_url = reverse("digests:change", kwargs={"pk": subscription.pk, "verb": "confirm"})
    first_page = signed_in(world.ben).post(confirm_url, follow=True).content.decode()
    services.pause(subscription=subscription, author=world.ben, now=timezone.now())

    late_page = signed_in(world.ben).post(confirm_url, follow=True).content.decode()

    subscription.refresh_from_db()
    assert "Digests about Harbour Quarter are on." in first_page
    assert "Its status is now “Paused”." in late_page
    assert "are on." not in late_page
    assert subscription.is_paused


def test_a_choice_that_is_not_offered_changes_nothing(world: World, plan: Plan) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    preference = Preference.objects.get(person=world.ben)

    with pytest.raises(services.UnableToChangeSubscription, match="from the lists"):
        services.prefer(
            person=world.ben,
            frequency="hourly",
            hour=24,
            weekday=0,
            working_days_of="",
            paused_until=None,
            time_zone="Europe/London",
            author=world.ben,
            now=timezone.now(),
        )

    preference.refresh_from_db()
    assert preference.frequency == "at_once"
    assert preference.hour == 8


def test_ending_a_pause_works_without_saved_preferences(world: World, plan: Plan) -> None:
    response = signed_in(world.ben).post(reverse("digests:manage"), {"resume": "1"})

    assert response.status_code == 302
    assert response["Location"] == reverse("digests:manage")
    assert Preference.objects.get(person=world.ben).paused_until is None


def test_links_are_not_renewed_when_the_event_cannot_be_recorded(
    world: World, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    key = Preference.objects.get(person=world.ben).link_key
    monkeypatch.setattr(new_links, "record", lambda **given: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        services.renew_links(person=world.ben, author=world.ben, now=timezone.now())

    assert Preference.objects.get(person=world.ben).link_key == key


def test_digests_by_role_end_with_the_role_and_return_with_it(world: World, plan: Plan) -> None:
    services.set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())
    bens_subscriptions = Subscription.objects.filter(person=world.ben, partnership=world.partnership)
    status_before = bens_subscriptions.get().status
    world.ben.memberships.update(ends_on=timezone.localdate() - dt.timedelta(days=1))
    announce_joined(now=timezone.now())
    status_without_role = bens_subscriptions.get().status

    world.ben.memberships.update(ends_on=None)
    announce_joined(now=timezone.now())

    assert status_before == "confirmed"
    assert status_without_role == "ended"
    assert bens_subscriptions.get().status == "confirmed"


def test_a_lead_who_ends_digests_by_role_has_not_refused_them(world: World, plan: Plan) -> None:
    rule = services.set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())
    services.end_role_rule(rule=rule, author=world.amina, reason="Too many emails.", now=timezone.now())

    services.set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())

    aminas_subscription = Subscription.objects.get(person=world.amina, partnership=world.partnership)
    assert aminas_subscription.status == "confirmed"
    assert aminas_subscription.refused_at is None


def test_somebody_who_stopped_digests_by_role_does_not_get_them_again(world: World, plan: Plan) -> None:
    services.set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())
    bens_subscriptions = Subscription.objects.filter(person=world.ben, partnership=world.partnership)
    services.stop(
        subscriptions=bens_subscriptions, author=world.ben, reason="Stopped by the person.", now=timezone.now()
    )

    announce_joined(now=timezone.now())

    assert bens_subscriptions.get().is_ended


def test_a_lead_who_steps_down_no_longer_gets_digests_as_a_signatory(world: World, plan: Plan) -> None:
    request_sign_off(
        plan=plan, signatories=[(world.westmarch, "chair")], due_on=None, author=world.amina, now=timezone.now()
    )
    services.set_role_rule(target=plan, author=world.amina, now=timezone.now())
    bens_subscriptions = Subscription.objects.filter(person=world.ben, plan=plan)
    status_before = bens_subscriptions.get().status
    world.ben.memberships.update(role=Role.EDITOR)

    announce_joined(now=timezone.now())

    assert status_before == "confirmed"
    assert bens_subscriptions.get().status == "ended"


# ---- Stopping everything, signed in


def stop_all_digests(person: User) -> str:
    """Press “Stop all digests” on the confirmation page, and return the page that follows."""
    return str(signed_in(person).post(reverse("digests:stop-all")).content.decode())


@pytest.fixture
def bens_subscription(world: World, plan: Plan) -> Subscription:
    """Let Ben follow the plan."""
    return services.add_confirmed_subscription(person=world.ben, target=plan, author=world.ben, now=timezone.now())


@pytest.mark.usefixtures("bens_subscription")
def test_page_of_digests_links_to_stopping_all(world: World) -> None:
    page = signed_in(world.ben).get(reverse("digests:manage")).content.decode()

    assert f'href="{reverse("digests:stop-all")}"' in page
    assert "Digests you have declined" not in page


def test_stopping_all_digests_asks_first(world: World, bens_subscription: Subscription) -> None:
    page = signed_in(world.ben).get(reverse("digests:stop-all")).content.decode()

    bens_subscription.refresh_from_db()
    assert "Digests about Harbour Quarter" in page
    assert "New matches of your organisation" in page
    assert bens_subscription.is_confirmed


@pytest.mark.usefixtures("bens_subscription")
def test_page_after_stopping_all_digests_offers_to_undo_it(world: World) -> None:
    page = stop_all_digests(world.ben)

    assert "You have stopped your digests" in collapse(page)
    assert 'name="undo"' in page


def test_stopping_all_digests_ends_them(world: World, bens_subscription: Subscription) -> None:
    stop_all_digests(world.ben)

    bens_subscription.refresh_from_db()
    assert bens_subscription.is_refused
    assert bens_subscription.reason == "Stopped by the person."


@pytest.mark.usefixtures("bens_subscription")
def test_page_offers_to_follow_a_plan_again_after_stopping_all_digests(world: World, plan: Plan) -> None:
    stop_all_digests(world.ben)

    page = signed_in(world.ben).get(reverse("digests:manage")).content.decode()

    follow_url = reverse("digests:subscribe", kwargs={"kind": "plan", "pk": plan.pk})
    assert "Follow Harbour Quarter again" in collapse(page)
    assert f'action="{follow_url}"' in page


def test_following_a_plan_again_ends_the_refusal_of_all_digests(
    world: World, plan: Plan, bens_subscription: Subscription
) -> None:
    client = signed_in(world.ben)
    stop_all_digests(world.ben)

    client.post(reverse("digests:subscribe", kwargs={"kind": "plan", "pk": plan.pk}))

    bens_subscription.refresh_from_db()
    assert bens_subscription.is_confirmed
    assert Preference.objects.get(person=world.ben).refused_at is None
    assert "Digests you have declined" not in client.get(reverse("digests:manage")).content.decode()


def test_stopping_all_digests_stops_matches_without_saved_preferences(world: World) -> None:
    had_preferences = Preference.objects.filter(person=world.ben).exists()
    stop_all_digests(world.ben)

    page_after = signed_in(world.ben).get(reverse("digests:stop-all")).content.decode()

    assert not had_preferences
    assert not Preference.objects.get(person=world.ben).tells_matches
    assert "you do not need to stop them" in page_after


def test_stopping_one_subscription_leaves_the_others(world: World, plan: Plan) -> None:
    bens_to_plan = services.add_confirmed_subscription(
        person=world.ben, target=plan, author=world.ben, now=timezone.now()
    )
    bens_to_organisation = services.add_confirmed_subscription(
        person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now()
    )
    aminas_to_plan = services.add_confirmed_subscription(
        person=world.amina, target=plan, author=world.amina, now=timezone.now()
    )
    ben = signed_in(world.ben)

    page = ben.post(
        reverse("digests:stop-all"), {"chosen": "yes", "what": f"subscription-{bens_to_plan.pk}"}
    ).content.decode()
    ben.post(reverse("digests:stop-all"), {"chosen": "yes", "what": f"subscription-{aminas_to_plan.pk}"})

    for subscription in (bens_to_plan, bens_to_organisation, aminas_to_plan):
        subscription.refresh_from_db()
    assert f"You will still get digests about {world.larkhaven} and" in page  # and about new matches
    assert bens_to_plan.is_ended
    assert bens_to_organisation.is_confirmed
    assert aminas_to_plan.is_confirmed


def test_another_site_cannot_stop_all_digests(world: World, plan: Plan) -> None:
    subscription = services.add_confirmed_subscription(
        person=world.ben, target=plan, author=world.ben, now=timezone.now()
    )
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.ben)

    response = browser.post(reverse("digests:stop-all"))

    subscription.refresh_from_db()
    assert response.status_code == 403
    assert subscription.is_confirmed
