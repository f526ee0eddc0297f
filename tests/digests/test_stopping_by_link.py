"""The stop link in an email stops what the email was about, and can be undone.

The link stops the contents of its email, the page shows what is left, and the stop can be undone.
"""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from housing import maintenance, unsubscribes
from partnerships.digests import services
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Delivery, Preference, Subscription
from partnerships.outbox.bounces import suppress_address
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import create_plan
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.support.crawling import forms_of
from tests.world import World

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def second_plan(world: World) -> Plan:
    """Return a second plan of the partnership."""
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Mill Road",
        kind="delivery",
        audience="partnership",
        author=world.amina,
        now=world.now,
    )
    publish(plan, 40, author=world.amina, note="First version.", now=timezone.now() - dt.timedelta(days=1))
    plan.refresh_from_db()
    return plan


def follow(world: World, *targets: Plan) -> None:
    """Add Sol's confirmed subscriptions to these plans."""
    for target in targets:
        services.add_confirmed_subscription(
            person=world.sol, target=target, author=world.amina, organisation=world.larkhaven, now=timezone.now()
        )


def stop_link_of_digest(world: World, office: PostOffice, *plans: Plan, homes: int = 100) -> str:
    """Send Sol a digest about these plans, and return the path of its stop link."""
    for plan in plans:
        publish(plan, homes, author=world.amina)
    play(office)
    match = re.search(r"https?://[^/\s]+(/digests/stop/\S+)", text_of(office.to(world.sol)[-1]))
    assert match is not None
    return match[1]


def stop_link(person: User, delivery: int, *, days: int) -> str:
    """Return the path of the stop link of an email that was sent a number of days ago."""
    key = Preference.objects.get(person=person).link_key
    minute = minute_of(timezone.now() - dt.timedelta(days=days))
    token = make(Purpose.STOP, person_id=person.pk, link_key=key, record_id=delivery, minute=minute)
    return reverse("digests:stop", kwargs={"token": token})


def digests_after_changes(world: World, office: PostOffice, *plans: Plan) -> str:
    """Change these plans, and return the text of the digests that Sol then gets."""
    count_before = len(office.to(world.sol))
    for plan in plans:
        publish(plan, 90, author=world.amina)
    play(office)
    return "\n".join(text_of(email) for email in office.to(world.sol)[count_before:])


def page(address: str, data: dict[str, object] | None = None) -> str:
    """Open a page without cookies, or post data to it, and return its HTML."""
    browser = Client(enforce_csrf_checks=True)
    response = browser.get(address) if data is None else browser.post(address, data)
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_one_click_on_an_email_about_one_plan_stops_only_that_plan(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan)

    html = page(link, ONE_CLICK)
    later_digests = digests_after_changes(world, office, plan, second_plan)

    assert "Harbour Quarter" in html
    assert "You will still get digests about Mill Road" in html
    assert "Mill Road" in later_digests
    assert "Harbour Quarter" not in later_digests


@pytest.fixture
def maintenance_file(tmp_path: Path, settings: Any) -> Path:
    """Return the path of the file that exists during maintenance."""
    file = tmp_path / "maintenance"
    settings.MAINTENANCE_FILE = str(file)
    return file


def run_maintenance(command: str) -> str:
    """Run the maintenance command with "on", "status" or "off", and return its output."""
    stdout = StringIO()
    call_command("maintenance", command, stdout=stdout)
    return stdout.getvalue()


@pytest.mark.usefixtures("maintenance_file")
def test_one_click_is_accepted_during_maintenance(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    link = stop_link_of_digest(world, office, plan)
    run_maintenance("on")

    response = Client(enforce_csrf_checks=True).post(link, ONE_CLICK)

    assert response.status_code == 202
    assert "Unsubscribes waiting: 1." in run_maintenance("status")


@pytest.mark.usefixtures("maintenance_file")
def test_page_of_a_stop_link_is_not_served_during_maintenance(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    link = stop_link_of_digest(world, office, plan)
    run_maintenance("on")
    browser = Client(enforce_csrf_checks=True)

    responses = [browser.get(link), browser.post(link, {"all": "yes"}), browser.post(f"{link}x", ONE_CLICK)]

    assert [response.status_code for response in responses] == [503, 503, 503]
    assert "Unsubscribes waiting: 0." in run_maintenance("status")


def test_one_click_during_maintenance_stops_its_plan_at_the_end(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice, maintenance_file: Path
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan)
    run_maintenance("on")
    Client(enforce_csrf_checks=True).post(link, ONE_CLICK)

    output = run_maintenance("off")

    later_digests = digests_after_changes(world, office, plan, second_plan)
    assert "Unsubscribes received during maintenance and now done: 1." in output
    assert "Mill Road" in later_digests
    assert "Harbour Quarter" not in later_digests
    assert maintenance_file.with_suffix(".unsubscribes").read_text() == ""


@pytest.fixture
def tried_deliveries(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ids of the emails that the end of maintenance tries to stop. The first try fails."""
    delivery_ids: list[int] = []

    def stop_all_but_first(*, delivery_id: int, **options: Any) -> Any:
        delivery_ids.append(delivery_id)
        if len(delivery_ids) == 1:
            raise ValueError
        return services.stop_email(delivery_id=delivery_id, **options)

    monkeypatch.setattr(unsubscribes, "stop_email", stop_all_but_first)
    return delivery_ids


@pytest.mark.usefixtures("maintenance_file")
def test_one_click_that_fails_at_the_end_of_maintenance_delays_no_other(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice, tried_deliveries: list[int]
) -> None:
    follow(world, plan, second_plan)
    links = [stop_link_of_digest(world, office, plan), stop_link_of_digest(world, office, second_plan)]
    run_maintenance("on")
    for link in links:
        Client().post(link, ONE_CLICK)

    with pytest.raises(CommandError, match=r"that failed \(ValueError\): 1\. Run this again"):
        run_maintenance("off")

    later_digests = digests_after_changes(world, office, plan, second_plan)
    assert len(tried_deliveries) == 2
    assert "Harbour Quarter" in later_digests
    assert "Mill Road" not in later_digests


@pytest.mark.usefixtures("maintenance_file")
def test_one_click_that_failed_is_tried_again_at_the_next_end_of_maintenance(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice, tried_deliveries: list[int]
) -> None:
    follow(world, plan, second_plan)
    links = [stop_link_of_digest(world, office, plan), stop_link_of_digest(world, office, second_plan)]
    run_maintenance("on")
    for link in links:
        Client().post(link, ONE_CLICK)
    with pytest.raises(CommandError):
        run_maintenance("off")

    output = run_maintenance("off")

    first_delivery, second_delivery = tried_deliveries[:2]
    assert "now done: 1." in output
    assert tried_deliveries == [first_delivery, second_delivery, first_delivery]
    assert digests_after_changes(world, office, plan, second_plan) == ""


@pytest.mark.usefixtures("maintenance_file")
def test_one_click_with_an_invalid_signature_is_dropped_at_the_end_of_maintenance(
    world: World, plan: Plan, office: PostOffice, tried_deliveries: list[int]
) -> None:
    follow(world, plan)
    link = stop_link_of_digest(world, office, plan)
    run_maintenance("on")

    response = Client().post(link.replace(".", ".0", 1), ONE_CLICK)
    run_maintenance("off")

    assert response.status_code == 202
    assert tried_deliveries == []
    assert unsubscribes.waiting() == 0


@pytest.mark.usefixtures("maintenance_file")
def test_one_click_as_maintenance_ends_is_done_at_once(
    world: World, plan: Plan, office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(world, plan)
    link = stop_link_of_digest(world, office, plan)
    answers = iter([True, False])
    monkeypatch.setattr(maintenance, "is_on", lambda: next(answers))

    html = page(link, ONE_CLICK)

    assert "Harbour Quarter" in html
    assert unsubscribes.waiting() == 0
    assert digests_after_changes(world, office, plan) == ""


def test_one_click_stops_one_plan_of_a_followed_partnership(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    services.add_confirmed_subscription(
        person=world.sol,
        target=world.partnership,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    link = stop_link_of_digest(world, office, plan)

    page(link, ONE_CLICK)
    later_digests = digests_after_changes(world, office, plan, second_plan)

    assert "Mill Road" in later_digests
    assert "Harbour Quarter" not in later_digests


def test_one_click_on_an_email_about_two_plans_stops_both(
    world: World, plan: Plan, second_plan: Plan, public_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan, public_plan)
    link = stop_link_of_digest(world, office, plan, second_plan)

    page(link, ONE_CLICK)
    later_digests = digests_after_changes(world, office, plan, second_plan, public_plan)

    assert "Open Quay" in later_digests
    assert "Mill Road" not in later_digests
    assert "Harbour Quarter" not in later_digests


def test_the_page_asks_which_of_several_things_to_stop(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan, second_plan)

    question_page = page(link)
    page(link, {"chosen": "yes", "what": [f"plan-{second_plan.pk}"]})
    later_digests = digests_after_changes(world, office, plan, second_plan)

    assert f'value="plan-{plan.pk}"' in question_page
    assert f'value="plan-{second_plan.pk}"' in question_page
    assert "Mill Road" not in later_digests
    assert "Harbour Quarter" in later_digests


def test_with_nothing_ticked_nothing_stops_and_the_page_says_so(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan, second_plan)

    response = Client().post(link, {"chosen": "yes"})

    assert response.status_code == 422
    assert "Select what you want to stop" in response.content.decode()
    assert Subscription.objects.confirmed().filter(person=world.sol).count() == 2


def test_the_page_can_stop_everything(world: World, plan: Plan, second_plan: Plan, office: PostOffice) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan)

    assert "Stop all digests" in page(link)
    page(link, {"all": "yes"})

    assert not Subscription.objects.live().filter(person=world.sol).exists()


@pytest.mark.parametrize("data", [ONE_CLICK, {"all": "yes"}], ids=["one click", "everything"])
def test_undoing_a_stop_sends_what_was_missed(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice, data: dict[str, object]
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan)
    state_before = state_of(world.sol)

    response = Client().post(link, data)
    publish(plan, 80, author=world.amina)
    [undo] = [form for form in forms_of(response.content) if "undo" in form.fields]
    page_after_undo = page(link, dict(undo.fields))
    play(office)

    assert "Harbour Quarter" in page_after_undo
    assert state_of(world.sol) == state_before
    assert "was 100, now 80" in text_of(office.to(world.sol)[-1])


def state_of(person: User) -> list[object]:
    """Return what a stop and its undo change: the person's subscriptions and refusal."""
    subscriptions = Subscription.objects.filter(person=person).order_by("pk")
    preference = Preference.objects.get(person=person)
    return [*subscriptions.values_list("plan", "status", "refused_at", "ended_at"), preference.refused_at]


def test_an_undo_restores_only_what_that_click_stopped(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan)
    [undo] = [form for form in forms_of(Client().post(link, ONE_CLICK).content) if "undo" in form.fields]
    services.stop_everything(person=world.sol, author=world.sol, reason="Enough.", now=timezone.now())
    forged = undo.fields | {"undo": undo.fields["undo"] + "x"}

    response = Client().post(link, forged)
    page(link, dict(undo.fields))

    assert response.status_code == 422
    assert set(Subscription.objects.confirmed().filter(person=world.sol).values_list("plan", flat=True)) == {plan.pk}


def test_undo_works_for_thirty_days_from_the_same_link(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    link = stop_link_of_digest(world, office, plan)
    state_before = state_of(world.sol)
    services.pause(subscription=Subscription.objects.get(plan=second_plan), author=world.sol, now=timezone.now())
    page(link, {"all": "yes"})

    [undo] = [form for form in forms_of(Client().get(link).content) if "undo" in form.fields]
    page(link, dict(undo.fields))
    page_after_undo = Client().get(link).content.decode()

    assert state_of(world.sol)[0] == state_before[0]
    assert Subscription.objects.get(plan=second_plan).is_paused
    assert 'name="undo"' not in page_after_undo


def test_undo_ends_after_thirty_days(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    link = stop_link_of_digest(world, office, plan)
    [undo] = [form for form in forms_of(Client().post(link, ONE_CLICK).content) if "undo" in form.fields]
    stopped = services.last_stop(world.sol, now=timezone.now())
    assert stopped is not None

    now = timezone.now()
    within_limit = now + dt.timedelta(days=29)
    after_limit = now + dt.timedelta(days=31)
    restored_stop = services.read_undo(undo.fields["undo"], person=world.sol, now=within_limit)
    with pytest.raises(services.UnableToUndo):
        services.read_undo(undo.fields["undo"], person=world.sol, now=after_limit)

    assert restored_stop == stopped
    assert services.last_stop(world.sol, now=after_limit) is None


def test_undo_follows_the_address_if_it_came_back_in_the_meantime(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    link = stop_link_of_digest(world, office, plan)
    page(link, {"all": "yes"})
    suppress_address(address=world.sol.email, reason="Gone.", email_id=None, author_id=None, now=timezone.now())
    [undo] = [form for form in forms_of(Client().get(link).content) if "undo" in form.fields]

    page(link, dict(undo.fields))

    subscription = Subscription.objects.get(person=world.sol)
    assert subscription.status == "suppressed"
    assert subscription.stopped_from == "confirmed"


def test_unsubscribing_by_email_stops_what_the_email_was_about(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice, tmp_path: Path
) -> None:
    follow(world, plan, second_plan)
    token = stop_link_of_digest(world, office, plan).split("/")[-2]
    mail = tmp_path / "stop.eml"
    mail.write_text(f"From: sol@council.example\nSubject: stop {token}\n\n\n", encoding="ascii")

    call_command("digests", "bounces", str(mail))

    assert set(Subscription.objects.confirmed().filter(person=world.sol).values_list("plan", flat=True)) == {
        second_plan.pk
    }


def test_following_a_partnership_again_includes_its_stopped_plan(world: World, plan: Plan, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    services.stop_email(
        person=world.ben,
        delivery_id=Delivery.objects.get(recipient=world.ben).pk,
        reason="By link.",
        now=timezone.now(),
    )
    partnership = Subscription.objects.get(person=world.ben, partnership=world.partnership)
    services.stop(subscriptions=[partnership], author=world.ben, reason="Enough.", now=timezone.now())

    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    publish(plan, 70, author=world.amina)
    play(office)

    assert "now 70" in text_of(office.to(world.ben)[-1])


def test_the_stop_link_of_an_email_without_news_lists_all_subscriptions(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    services.send_links(person=world.sol, now=timezone.now(), by_own_link=True)
    link = stop_link_of_digest(world, office)

    question_page = page(link)

    assert "Harbour Quarter" in question_page
    assert "Mill Road" in question_page


def test_one_click_works_for_two_years_after_the_email(
    world: World, plan: Plan, second_plan: Plan, office: PostOffice
) -> None:
    follow(world, plan, second_plan)
    stop_link_of_digest(world, office, plan)
    delivery = Delivery.objects.get(recipient=world.sol).pk

    page(stop_link(world.sol, delivery, days=729), ONE_CLICK)

    assert set(Subscription.objects.confirmed().filter(person=world.sol).values_list("plan", flat=True)) == {
        second_plan.pk
    }


def test_a_stop_link_expires_after_two_years_and_offers_a_new_one(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    stop_link_of_digest(world, office, plan)
    link = stop_link(world.sol, Delivery.objects.get(recipient=world.sol).pk, days=731)
    browser = Client(enforce_csrf_checks=True)

    response = browser.post(link, ONE_CLICK)
    [renew] = [form for form in forms_of(response.content) if "/links/" in form.action]
    browser.post(renew.action)
    office.drain()

    assert response.status_code == 410
    assert Subscription.objects.confirmed().filter(person=world.sol).exists()
    assert "/digests/stop/" in text_of(office.to(world.sol)[-1])


def test_no_page_behind_a_link_shows_the_whole_address(world: World, plan: Plan, office: PostOffice) -> None:
    asked = services.add_stakeholder(
        email=world.sol.email,
        name="",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    office.drain()
    links = re.findall(r"https?://[^/\s]+(/digests/\S+)", text_of(office.to(world.sol)[-1]))
    confirm = next(link for link in links if "/confirm/" in link)
    pages = [page(confirm), page(confirm, {"answer": "yes"}), page(confirm)]
    stop = stop_link_of_digest(world, office, plan)
    links = re.findall(r"https?://[^/\s]+(/digests/\S+)", text_of(office.to(world.sol)[-1]))
    pages += [page(link) for link in links if "/read/" in link or "/preferences/" in link or "/stop/" in link]
    pages += [page(stop, ONE_CLICK), page(stop)]

    assert asked.person.email == "sol@council.example"
    assert len(pages) >= 8
    assert [page_html for page_html in pages if "sol@council.example" in page_html] == []
    assert "s...@council.example" in page(stop)
