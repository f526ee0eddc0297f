"""A change goes from the published version to the digest ("was 120, now 100") and to the click that stops it."""

from __future__ import annotations

import datetime as dt
import re

from django.test import Client
from django.utils import timezone

from partnerships.digests.models import Delivery, Subscription, Watermark
from partnerships.digests.services import add_stakeholder, confirm, subscribe
from partnerships.digests.services.sweep import plan_round
from partnerships.organisations.services import end_membership
from partnerships.outbox.models import EmailStatus
from partnerships.plans.models import Plan
from partnerships.plans.services import publish_version
from tests.digests.conftest import PostOffice, html_of, play, publish, quay, text_of
from tests.support.pages import collapse
from tests.support.parties import leave_partnership_as_westmarch
from tests.world import World, join


def follow(world: World, plan: Plan) -> Subscription:
    """Make Ben, of the council, follow the plan."""
    return subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())


def add_sol(world: World, plan: Plan) -> Subscription:
    """Add Sol's confirmed subscription to the plan, as a stakeholder of Larkhaven without an account."""
    subscription = add_stakeholder(
        email=world.sol.email,
        name="Sol Stake",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        why="you chair the tenant panel",
        now=timezone.now(),
    )
    return confirm(subscription=subscription, now=timezone.now())


def test_a_partner_reads_the_old_and_new_figures(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)

    play(office)

    [email] = office.to(world.ben)
    for words in (text_of(email), collapse(re.sub(r"<[^>]+>", "", html_of(email)))):
        assert "Homes, Social Rent at North Quay: was 120, now 100 (20 fewer)" in words
        assert "Amina Larch, Larkhaven Homes" in words
        assert "Fewer homes after the survey." in words
    assert email["Subject"] == "1 change in Harbour Quarter"
    assert f"/plans/{plan.pk}/compare/?from=1&to=2" in text_of(email)


def test_the_author_of_all_changes_gets_no_digest(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    subscribe(person=world.amina, target=plan, author=world.amina, now=timezone.now())
    publish(plan, 100, author=world.amina)

    play(office)

    assert office.to(world.ben)
    assert not office.to(world.amina)


def test_nothing_is_sent_twice(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)

    play(office)
    play(office)

    assert len(office.to(world.ben)) == 1
    assert Delivery.objects.get().status == EmailStatus.SENT


def test_several_versions_at_once_make_one_digest_with_the_net_change(
    world: World, plan: Plan, office: PostOffice
) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    publish(plan, 96, author=world.amina, note="And four less.")

    play(office)

    [email] = office.to(world.ben)
    assert "was 120, now 96" in text_of(email)
    assert "And four less." in text_of(email)


def test_a_net_change_of_nothing_is_not_sent(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    publish(plan, 120, author=world.amina, note="Back again.")

    play(office)

    assert not office.sent
    assert not Delivery.objects.exists()


def test_a_stakeholder_reads_nothing_confidential(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol(world, plan)
    publish(plan, 100, author=world.amina, hidden=9)

    play(office)

    digests = [email for email in office.to(world.sol) if "change" in email["Subject"]]
    [email] = digests
    assert "was 120, now 100" in text_of(email)
    assert "canary" not in email.as_string()
    assert "you chair the tenant panel" in text_of(email)


def test_a_stakeholder_gets_no_digest_of_confidential_changes_only(
    world: World, plan: Plan, office: PostOffice
) -> None:
    add_sol(world, plan)
    follow(world, plan)
    publish(plan, 120, author=world.amina, hidden=9)

    play(office)

    assert [email["Subject"] for email in office.to(world.ben)] == ["1 change in Harbour Quarter"]
    assert not [email for email in office.to(world.sol) if "change" in email["Subject"]]


def test_nothing_is_sent_before_a_stakeholder_confirms(world: World, plan: Plan, office: PostOffice) -> None:
    add_stakeholder(
        email=world.sol.email,
        name="",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    publish(plan, 100, author=world.amina)

    play(office)

    [email] = office.to(world.sol)
    assert email["Subject"] == "Would you like emails about changes to Harbour Quarter? Please say yes or no"


def test_confirming_by_the_link_starts_digests(world: World, plan: Plan, office: PostOffice, client: Client) -> None:
    add_stakeholder(
        email=world.sol.email,
        name="",
        target=plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=timezone.now(),
    )
    office.drain()
    link = re.search(r"http://[^\s]+/digests/confirm/[^\s]+", text_of(office.to(world.sol)[0]))
    assert link is not None
    path = link[0].partition("//")[2].partition("/")[2]

    question_page = client.get(f"/{path}")
    status_before = Subscription.objects.get().status
    client.post(f"/{path}", {"answer": "yes"})
    publish(plan, 100, author=world.amina)
    play(office)

    assert question_page.status_code == 200
    assert status_before == "asked"
    assert "was 120, now 100" in text_of(office.to(world.sol)[1])


def test_one_click_stops_the_next_digest(world: World, plan: Plan, office: PostOffice) -> None:
    add_sol(world, plan)
    publish(plan, 100, author=world.amina)
    play(office)
    email = office.to(world.sol)[-1]
    link = re.search(r"<http://[^/]+(/[^>]+)>", email["List-Unsubscribe"])
    assert link is not None
    mail_program = Client(enforce_csrf_checks=True)

    get_answer = mail_program.get(link[1])
    status_after_get = Subscription.objects.get().status
    post_answer = mail_program.post(
        link[1], "List-Unsubscribe=One-Click", content_type="application/x-www-form-urlencoded"
    )
    publish(plan, 96, author=world.amina)
    sent_before = len(office.sent)
    play(office)

    assert get_answer.status_code == 200
    assert status_after_get == "confirmed"
    assert post_answer.status_code == 200
    assert Subscription.objects.get().status == "ended"
    assert len(office.sent) == sent_before


def test_a_reader_who_lost_access_before_the_claim_gets_nothing(world: World, plan: Plan, office: PostOffice) -> None:
    follow(world, plan)
    publish(plan, 100, author=world.amina)
    plan_round(now=timezone.now())
    leave_partnership_as_westmarch(world)

    office.drain()

    assert not office.sent
    assert Delivery.objects.get().status == EmailStatus.SUPPRESSED


def test_a_reader_who_left_the_owner_hears_when_the_embargo_ends(world: World, plan: Plan, office: PostOffice) -> None:
    embargo_end = timezone.now() + dt.timedelta(hours=2)
    membership = join(world.ben, world.larkhaven, "viewer", world.now)
    follow(world, plan)
    version = publish_version(
        plan=plan, author=world.amina, note="Not yet.", content=quay(100), embargo_until=embargo_end, now=timezone.now()
    )
    plan_round(now=timezone.now())
    end_membership(membership=membership, author=world.amina, reason="Moved.", now=timezone.now())
    office.drain()
    watermark = Watermark.objects.get(recipient=world.ben, plan=plan)
    plan_round(now=embargo_end + dt.timedelta(minutes=1))

    assert not office.sent
    assert watermark.number == version.number - 1
    assert Delivery.objects.get().items.get().to_number == version.number


def test_following_a_partnership_covers_its_plans(world: World, plan: Plan, office: PostOffice) -> None:
    subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)

    play(office)

    assert "was 120, now 100" in text_of(office.to(world.ben)[0])


def test_following_an_organisation_covers_its_plans(world: World, plan: Plan, office: PostOffice) -> None:
    subscribe(person=world.ben, target=world.larkhaven, author=world.ben, now=timezone.now())
    publish(plan, 100, author=world.amina)

    play(office)

    assert "was 120, now 100" in text_of(office.to(world.ben)[0])
