"""Tests of the stop link in emails.

The link stops what its email was about, the page says what is left, and the stop can be undone.
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
from partnerships.outbox.bounces import suppress
from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.plans.services import create_plan
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.support.crawling import forms_of
from tests.world import World

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def second(world: World) -> Plan:
    """A second plan of the partnership."""
    made = create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Mill Road",
        kind="delivery",
        audience="partnership",
        author=world.amina,
        now=world.now,
    )
    publish(made, 40, author=world.amina, note="First version.", now=timezone.now() - dt.timedelta(days=1))
    made.refresh_from_db()
    return made


def follow(world: World, *targets: Plan) -> None:
    for target in targets:
        services.add_confirmed_subscription(
            person=world.sol, target=target, author=world.amina, organisation=world.larkhaven, now=timezone.now()
        )


def told_of(world: World, office: PostOffice, *plans: Plan, homes: int = 100) -> str:
    """Send Sol an email about these plans; return the path of its stop link."""
    for plan in plans:
        publish(plan, homes, author=world.amina)
    play(office)
    found = re.search(r"https?://[^/\s]+(/digests/stop/\S+)", text_of(office.to(world.sol)[-1]))
    assert found is not None
    return found[1]


def stop_link(person: User, delivery: int, *, days: int) -> str:
    """The stop link of an email sent a number of days ago."""
    key = Preference.objects.get(person=person).link_key
    minute = minute_of(timezone.now() - dt.timedelta(days=days))
    token = make(Purpose.STOP, person_id=person.pk, link_key=key, record_id=delivery, minute=minute)
    return reverse("digests:stop", kwargs={"token": token})


def told_since(world: World, office: PostOffice, *plans: Plan) -> str:
    """What Sol is told once these plans have changed again."""
    before = len(office.to(world.sol))
    for plan in plans:
        publish(plan, 90, author=world.amina)
    play(office)
    return "\n".join(text_of(email) for email in office.to(world.sol)[before:])


def page(address: str, data: dict[str, object] | None = None) -> str:
    browser = Client(enforce_csrf_checks=True)
    answer = browser.get(address) if data is None else browser.post(address, data)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_one_click_on_an_email_about_one_plan_stops_only_that_plan(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan)

    said = page(link, ONE_CLICK)
    since = told_since(world, office, plan, second)

    assert "Harbour Quarter" in said
    assert "You will still get digests about Mill Road" in said
    assert "Mill Road" in since
    assert "Harbour Quarter" not in since


def test_one_click_during_maintenance_is_kept_and_done_at_its_end(
    world: World, plan: Plan, second: Plan, office: PostOffice, tmp_path: Path, settings: Any
) -> None:
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance")
    follow(world, plan, second)
    link = told_of(world, office, plan)
    browser = Client(enforce_csrf_checks=True)

    call_command("maintenance", "on", stdout=StringIO())
    asked = browser.post(link, ONE_CLICK)
    others = [browser.get(link), browser.post(link, {"all": "yes"}), browser.post(f"{link}x", ONE_CLICK)]
    status, ended = StringIO(), StringIO()
    call_command("maintenance", "status", stdout=status)
    call_command("maintenance", "off", stdout=ended)
    since = told_since(world, office, plan, second)

    assert asked.status_code == 202
    assert [other.status_code for other in others] == [503, 503, 503]
    assert "Unsubscribes waiting: 1." in status.getvalue()
    assert "Unsubscribes received during maintenance and now done: 1." in ended.getvalue()
    assert "Mill Road" in since
    assert "Harbour Quarter" not in since
    assert (tmp_path / "maintenance.unsubscribes").read_text() == ""


def test_one_click_that_fails_at_the_end_of_maintenance_waits_and_holds_up_no_other(
    world: World,
    plan: Plan,
    second: Plan,
    office: PostOffice,
    tmp_path: Path,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance")
    follow(world, plan, second)
    links = [told_of(world, office, plan), told_of(world, office, second)]
    tried: list[int] = []

    def stop_but_the_first(*, delivery: int, **given: Any) -> Any:
        tried.append(delivery)
        if len(tried) == 1:
            raise ValueError
        return services.stop_email(delivery=delivery, **given)

    monkeypatch.setattr(unsubscribes, "stop_email", stop_but_the_first)
    call_command("maintenance", "on", stdout=StringIO())
    kept = [Client().post(link, ONE_CLICK).status_code for link in (*links, links[0].replace(".", ".0", 1))]
    with pytest.raises(CommandError, match=r"that failed \(ValueError\): 1\. Run this again"):
        call_command("maintenance", "off", stdout=StringIO())
    done = list(tried)
    call_command("maintenance", "off", stdout=(ended := StringIO()))

    assert kept == [202, 202, 202]
    assert len(done) == 2
    assert tried == [*done, done[0]]
    assert "now done: 1." in ended.getvalue()
    assert told_since(world, office, plan, second) == ""


def test_one_click_as_maintenance_ends_is_done_at_once(
    world: World, plan: Plan, office: PostOffice, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MAINTENANCE_FILE = str(tmp_path / "maintenance")
    follow(world, plan)
    link = told_of(world, office, plan)
    answers = iter([True, False])
    monkeypatch.setattr(maintenance, "is_on", lambda: next(answers))

    said = page(link, ONE_CLICK)

    assert "Harbour Quarter" in said
    assert unsubscribes.waiting() == 0
    assert told_since(world, office, plan) == ""


def test_one_click_stops_one_plan_of_a_followed_partnership(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    services.add_confirmed_subscription(
        person=world.sol,
        target=world.partnership,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    link = told_of(world, office, plan)

    page(link, ONE_CLICK)
    since = told_since(world, office, plan, second)

    assert "Mill Road" in since
    assert "Harbour Quarter" not in since


def test_one_click_on_an_email_about_two_plans_stops_both(
    world: World, plan: Plan, second: Plan, opened: Plan, office: PostOffice
) -> None:
    follow(world, plan, second, opened)
    link = told_of(world, office, plan, second)

    page(link, ONE_CLICK)
    since = told_since(world, office, plan, second, opened)

    assert "Open Quay" in since
    assert "Mill Road" not in since
    assert "Harbour Quarter" not in since


def test_the_page_asks_which_of_several_things_to_stop(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan, second)

    asked = page(link)
    page(link, {"chosen": "yes", "what": [f"plan-{second.pk}"]})
    since = told_since(world, office, plan, second)

    assert f'value="plan-{plan.pk}"' in asked
    assert f'value="plan-{second.pk}"' in asked
    assert "Mill Road" not in since
    assert "Harbour Quarter" in since


def test_with_nothing_ticked_nothing_stops_and_the_page_says_so(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan, second)

    answer = Client().post(link, {"chosen": "yes"})

    assert answer.status_code == 422
    assert "Select what you want to stop" in answer.content.decode()
    assert Subscription.objects.confirmed().filter(person=world.sol).count() == 2


def test_the_page_can_stop_everything(world: World, plan: Plan, second: Plan, office: PostOffice) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan)

    assert "Stop all digests" in page(link)
    page(link, {"all": "yes"})

    assert not Subscription.objects.live().filter(person=world.sol).exists()


@pytest.mark.parametrize("data", [ONE_CLICK, {"all": "yes"}], ids=["one click", "everything"])
def test_undoing_a_stop_sends_what_was_missed(
    world: World, plan: Plan, second: Plan, office: PostOffice, data: dict[str, object]
) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan)
    before = state_of(world.sol)

    answer = Client().post(link, data)
    publish(plan, 80, author=world.amina)
    [undo] = [form for form in forms_of(answer.content) if "undo" in form.fields]
    restored = page(link, dict(undo.fields))
    play(office)

    assert "Harbour Quarter" in restored
    assert state_of(world.sol) == before
    assert "was 100, now 80" in text_of(office.to(world.sol)[-1])


def state_of(person: User) -> list[object]:
    """Return what a stop and its undo change: the person's subscriptions and refusal."""
    subscriptions = Subscription.objects.filter(person=person).order_by("pk")
    preference = Preference.objects.get(person=person)
    return [*subscriptions.values_list("plan", "status", "refused_at", "ended_at"), preference.refused_at]


def test_an_undo_restores_only_what_that_click_stopped(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan)
    [undo] = [form for form in forms_of(Client().post(link, ONE_CLICK).content) if "undo" in form.fields]
    services.stop_everything(person=world.sol, author=world.sol, reason="Enough.", now=timezone.now())
    forged = undo.fields | {"undo": undo.fields["undo"] + "x"}

    answer = Client().post(link, forged)
    page(link, dict(undo.fields))

    assert answer.status_code == 422
    assert set(Subscription.objects.confirmed().filter(person=world.sol).values_list("plan", flat=True)) == {plan.pk}


def test_undo_works_for_thirty_days_from_the_same_link(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    link = told_of(world, office, plan)
    before = state_of(world.sol)
    services.pause(subscription=Subscription.objects.get(plan=second), author=world.sol, now=timezone.now())
    page(link, {"all": "yes"})

    [undo] = [form for form in forms_of(Client().get(link).content) if "undo" in form.fields]
    page(link, dict(undo.fields))
    later = Client().get(link).content.decode()

    assert state_of(world.sol)[0] == before[0]
    assert Subscription.objects.get(plan=second).is_paused
    assert 'name="undo"' not in later


def test_undo_ends_after_thirty_days(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    link = told_of(world, office, plan)
    [undo] = [form for form in forms_of(Client().post(link, ONE_CLICK).content) if "undo" in form.fields]
    stopped = services.last_stop(world.sol, now=timezone.now())
    assert stopped is not None

    at = timezone.now()
    kept, over = at + dt.timedelta(days=29), at + dt.timedelta(days=31)
    within = services.read_undo(undo.fields["undo"], person=world.sol, now=kept)
    with pytest.raises(services.UnableToUndo):
        services.read_undo(undo.fields["undo"], person=world.sol, now=over)

    assert within == stopped
    assert services.last_stop(world.sol, now=over) is None


def test_undo_follows_the_address_if_it_came_back_in_the_meantime(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    link = told_of(world, office, plan)
    page(link, {"all": "yes"})
    suppress(address=world.sol.email, reason="Gone.", email_id=None, author_id=None, now=timezone.now())
    [undo] = [form for form in forms_of(Client().get(link).content) if "undo" in form.fields]

    page(link, dict(undo.fields))

    restored = Subscription.objects.get(person=world.sol)
    assert (restored.status, restored.stopped_from) == ("suppressed", "confirmed")


def test_unsubscribing_by_email_stops_what_the_email_was_about(
    world: World, plan: Plan, second: Plan, office: PostOffice, tmp_path: Path
) -> None:
    follow(world, plan, second)
    token = told_of(world, office, plan).split("/")[-2]
    mail = tmp_path / "stop.eml"
    mail.write_text(f"From: sol@council.example\nSubject: stop {token}\n\n\n", encoding="ascii")

    call_command("digests", "bounces", str(mail))

    assert set(Subscription.objects.confirmed().filter(person=world.sol).values_list("plan", flat=True)) == {second.pk}


def test_following_a_partnership_again_includes_its_stopped_plan(world: World, plan: Plan, office: PostOffice) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)
    play(office)
    services.stop_email(
        person=world.ben, delivery=Delivery.objects.get(recipient=world.ben).pk, reason="By link.", now=timezone.now()
    )
    partnership = Subscription.objects.get(person=world.ben, partnership=world.partnership)
    services.stop(subscriptions=[partnership], author=world.ben, reason="Enough.", now=timezone.now())

    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    publish(plan, 70, author=world.amina)
    play(office)

    assert "now 70" in text_of(office.to(world.ben)[-1])


def test_the_stop_link_of_an_email_without_news_lists_all_subscriptions(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    services.send_links(person=world.sol, now=timezone.now(), by_own_link=True)
    link = told_of(world, office)

    asked = page(link)

    assert "Harbour Quarter" in asked
    assert "Mill Road" in asked


def test_one_click_works_for_two_years_after_the_email(
    world: World, plan: Plan, second: Plan, office: PostOffice
) -> None:
    follow(world, plan, second)
    told_of(world, office, plan)
    delivery = Delivery.objects.get(recipient=world.sol).pk

    page(stop_link(world.sol, delivery, days=729), ONE_CLICK)

    assert set(Subscription.objects.confirmed().filter(person=world.sol).values_list("plan", flat=True)) == {second.pk}


def test_a_stop_link_expires_after_two_years_and_offers_a_new_one(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    told_of(world, office, plan)
    link = stop_link(world.sol, Delivery.objects.get(recipient=world.sol).pk, days=731)
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post(link, ONE_CLICK)
    [renew] = [form for form in forms_of(answer.content) if "/links/" in form.action]
    browser.post(renew.action)
    office.drain()

    assert answer.status_code == 410
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
    stop = told_of(world, office, plan)
    links = re.findall(r"https?://[^/\s]+(/digests/\S+)", text_of(office.to(world.sol)[-1]))
    pages += [page(link) for link in links if "/read/" in link or "/preferences/" in link or "/stop/" in link]
    pages += [page(stop, ONE_CLICK), page(stop)]

    assert asked.person.email == "sol@council.example"
    assert len(pages) >= 8
    assert [page_html for page_html in pages if "sol@council.example" in page_html] == []
    assert "s...@council.example" in page(stop)
