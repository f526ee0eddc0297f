"""Each link in an email permits its own purpose and nothing else.

Pages behind links hide the names of records that their reader can no longer read. The reader can still stop
subscriptions to these records.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose
from partnerships.digests.models import Delivery, Preference, Subscription
from partnerships.digests.services.sweep import plan_round
from partnerships.organisations.services import end_membership
from partnerships.people.models import User
from partnerships.people.services import close_account, person_for_address
from partnerships.plans.models import Plan
from partnerships.plans.services import change_audience, create_plan
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.digests.test_by_link import token
from tests.support.ledger import rewrite
from tests.support.parties import leave_partnership_as_westmarch
from tests.support.signing_in import signed_in
from tests.world import World

STOP, PREFERENCES, READ, CONFIRM = Purpose.STOP, Purpose.PREFERENCES, Purpose.READ, Purpose.CONFIRM

#: Each act, and the one purpose of link that permits it; None means that no link does.
ACTS: tuple[tuple[str, str, dict[str, Any], dict[str, str], Purpose | None], ...] = (
    ("get", "stop", {}, {}, STOP),
    ("post", "stop", {}, {"List-Unsubscribe": "One-Click"}, STOP),
    ("post", "stop", {}, {"all": "yes"}, STOP),
    ("get", "preferences", {}, {}, PREFERENCES),
    ("post", "preferences", {}, {"resume": "yes"}, PREFERENCES),
    ("post", "preferences", {}, {"allow": "yes"}, PREFERENCES),
    (
        "post",
        "preferences",
        {},
        {"frequency": "monthly", "hour": "9", "weekday": "2", "time_zone": "Europe/London"},
        PREFERENCES,
    ),
    ("post", "change-by-link", {"pk": "followed", "verb": "pause"}, {}, PREFERENCES),
    ("post", "change-by-link", {"pk": "paused", "verb": "resume"}, {}, PREFERENCES),
    ("post", "change-by-link", {"pk": "followed", "verb": "stop"}, {}, PREFERENCES),
    ("post", "change-by-link", {"pk": "followed", "verb": "frequency"}, {"frequency": "weekly"}, PREFERENCES),
    ("post", "change-by-link", {"pk": "asked", "verb": "again"}, {}, PREFERENCES),
    ("post", "change-by-link", {"pk": "refused", "verb": "again"}, {}, PREFERENCES),
    ("post", "change-by-link", {"pk": "asked", "verb": "stop"}, {}, PREFERENCES),
    ("post", "change-by-link", {"pk": "asked", "verb": "confirm"}, {}, None),
    ("post", "change-by-link", {"pk": "asked", "verb": "subscribe"}, {}, None),
    ("get", "confirm", {}, {}, CONFIRM),
    ("post", "confirm", {}, {"answer": "yes"}, CONFIRM),
    ("post", "confirm", {}, {"answer": "no"}, CONFIRM),
    ("post", "confirm", {}, {"answer": "never"}, CONFIRM),
    ("get", "view", {}, {}, READ),
    ("get", "read", {"plan": "plan"}, {}, READ),
    ("post", "renew", {"purpose": "stop"}, {}, STOP),
    ("post", "renew", {"purpose": "preferences"}, {}, PREFERENCES),
    ("post", "renew", {"purpose": "read"}, {}, READ),
    ("post", "renew", {"purpose": "confirm"}, {}, CONFIRM),
)


@pytest.fixture
def ids_in_links(world: World, plan: Plan, office: PostOffice) -> dict[str, Any]:
    """Return the ids in Sol's links: of his subscription, of his digest, and of the question about Larkhaven."""
    arguments = {"author": world.amina, "organisation": world.larkhaven, "now": timezone.now()}
    subscription = services.add_confirmed_subscription(person=world.sol, target=plan, **arguments)
    unanswered_subscription = services.add_stakeholder(
        email=world.sol.email, name="", target=world.larkhaven, **arguments
    )
    publish(plan, 100, author=world.amina)
    play(office)
    rewrite(created_at=timezone.now() - dt.timedelta(days=2))
    email = Delivery.objects.get(recipient=world.sol, kind="digests.digest")
    return {"followed": subscription.pk, "asked": unanswered_subscription.pk, "plan": plan.pk, "email": email.pk}


@pytest.fixture
def for_every_act(world: World, ids_in_links: dict[str, Any], public_plan: Plan) -> dict[str, Any]:
    """Return the same ids, and a subscription in each state that an act changes.

    Sol has paused one subscription, refused another, paused everything and refused questions.
    """
    arguments = {"author": world.amina, "organisation": world.larkhaven, "now": timezone.now()}
    paused_subscription = services.add_confirmed_subscription(person=world.sol, target=world.westmarch, **arguments)
    services.pause(subscription=paused_subscription, author=world.sol, now=timezone.now())
    refused_subscription = services.add_confirmed_subscription(person=world.sol, target=public_plan, **arguments)
    services.stop(subscriptions=[refused_subscription], author=world.sol, reason="Declined.", now=timezone.now())
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    refused_at = timezone.now() - dt.timedelta(days=1)
    Preference.objects.filter(person=world.sol).update(paused_until=tomorrow, refused_at=refused_at)
    return {**ids_in_links, "paused": paused_subscription.pk, "refused": refused_subscription.pk}


def stored_state() -> tuple[list[Any], ...]:
    """Return all rows that an act may change."""
    return tuple(
        list(model.objects.order_by("pk").values())  # type: ignore[attr-defined]  # each is a model
        for model in (Subscription, Preference, Delivery)
    )


@pytest.mark.parametrize(
    "act", ACTS, ids=lambda act: "-".join([*act[:2], *map(str, act[2].values()), *act[3], *act[3].values()])
)
def test_a_link_permits_only_the_acts_of_its_purpose(world: World, for_every_act: dict[str, Any], act: Any) -> None:
    method, page, argument_names, data, permitted = act
    ids_in_links = for_every_act
    url_arguments = {name: ids_in_links.get(value, value) for name, value in argument_names.items()}
    form_data = {name: ids_in_links.get(value, value) for name, value in data.items()}

    for purpose in Purpose:
        number = ids_in_links["asked" if purpose is CONFIRM else "email"]
        address = reverse(
            f"digests:{page}", kwargs={"token": token(world.sol, purpose, number=number), **url_arguments}
        )
        with transaction.atomic():
            state_before = stored_state()
            response = getattr(Client(enforce_csrf_checks=True), method)(address, form_data)
            is_changed = stored_state() != state_before
            transaction.set_rollback(True)

        assert response.status_code in ((200, 302) if purpose is permitted else (404,)), purpose
        assert is_changed is (purpose is permitted and method == "post"), purpose


def test_answering_never_refuses_all_further_questions(world: World, ids_in_links: dict[str, Any]) -> None:
    address = reverse("digests:confirm", kwargs={"token": token(world.sol, CONFIRM, number=ids_in_links["asked"])})

    Client(enforce_csrf_checks=True).post(address, {"answer": "never"})

    assert Subscription.objects.get(pk=ids_in_links["asked"]).is_refused
    assert Subscription.objects.get(pk=ids_in_links["followed"]).is_confirmed
    assert Preference.objects.get(person=world.sol).refused_at is not None


def test_more_refusals_need_no_more_queries(world: World, ids_in_links: dict[str, Any], public_plan: Plan) -> None:
    def refuse(plan: Plan) -> None:
        refused = services.add_confirmed_subscription(person=world.sol, target=plan, author=None, now=timezone.now())
        services.stop(subscriptions=[refused], author=world.sol, reason="No.", now=timezone.now())
        Subscription.objects.filter(pk=refused.pk).update(refused_at=timezone.now() - dt.timedelta(days=200))

    def count_queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page = Client().get(preferences).content.decode()
        assert page.count("Ask me again about") == Subscription.objects.refused().count()
        return len(captured)

    preferences = reverse("digests:preferences", kwargs={"token": token(world.sol, PREFERENCES)})
    refuse(public_plan)
    query_count = count_queries()
    for title in ("Far Quay", "Long Quay"):
        other = create_plan(
            owners=[world.larkhaven],
            partnership=None,
            title=title,
            kind="delivery",
            audience="public",
            author=world.amina,
            now=world.now,
        )
        publish(other, 50, author=world.amina)
        refuse(other)

    assert count_queries() == query_count


def test_a_confirmation_cannot_be_answered_twice(world: World, ids_in_links: dict[str, Any]) -> None:
    address = reverse("digests:confirm", kwargs={"token": token(world.sol, CONFIRM, number=ids_in_links["asked"])})
    client = Client(enforce_csrf_checks=True)
    client.post(address, {"answer": "yes"})

    late_answer = client.post(address, {"answer": "no"})

    assert "You have already confirmed" in late_answer.content.decode()
    assert Subscription.objects.get(pk=ids_in_links["asked"]).is_confirmed


def test_an_earlier_email_cannot_answer_a_later_request(world: World, ids_in_links: dict[str, Any]) -> None:
    old_token = token(world.sol, CONFIRM, number=ids_in_links["asked"], days=1)
    subscription = Subscription.objects.get(pk=ids_in_links["asked"])
    services.stop(subscriptions=[subscription], author=world.sol, reason="Declined.", now=timezone.now())
    services.ask_again_for_person(subscription=subscription, now=timezone.now())

    response = Client().post(reverse("digests:confirm", kwargs={"token": old_token}), {"answer": "yes"})

    subscription.refresh_from_db()
    assert response.status_code == 410
    assert "Send me a new link" in response.content.decode()
    assert subscription.is_waiting


@pytest.fixture
def bens_subscription(world: World, plan: Plan) -> Subscription:
    """Return Ben's confirmed subscription to the plan."""
    return services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())


@pytest.mark.usefixtures("ids_in_links")
@pytest.mark.parametrize("verb", ["again", "pause", "resume", "frequency", "stop"])
def test_preferences_link_cannot_change_another_persons_subscription(
    world: World, bens_subscription: Subscription, verb: str
) -> None:
    preferences_token = token(world.sol, PREFERENCES)
    change_url = reverse(
        "digests:change-by-link", kwargs={"token": preferences_token, "pk": bens_subscription.pk, "verb": verb}
    )

    response = Client(enforce_csrf_checks=True).post(change_url)

    bens_subscription.refresh_from_db()
    assert response.status_code == 404
    assert bens_subscription.is_confirmed


@pytest.mark.usefixtures("ids_in_links")
def test_link_to_confirm_cannot_decline_another_persons_subscription(
    world: World, bens_subscription: Subscription
) -> None:
    confirm_url = reverse("digests:confirm", kwargs={"token": token(world.sol, CONFIRM, number=bens_subscription.pk)})

    response = Client(enforce_csrf_checks=True).post(confirm_url, {"answer": "no"})

    bens_subscription.refresh_from_db()
    assert response.status_code == 404
    assert bens_subscription.is_confirmed


@pytest.mark.usefixtures("ids_in_links")
def test_link_to_stop_cannot_stop_another_persons_subscription(world: World, bens_subscription: Subscription) -> None:
    stop_url = reverse("digests:stop", kwargs={"token": token(world.sol, STOP)})

    Client(enforce_csrf_checks=True).post(stop_url, {"subscription": bens_subscription.pk})

    bens_subscription.refresh_from_db()
    assert bens_subscription.is_confirmed


@pytest.mark.parametrize("purpose", Purpose, ids=lambda purpose: purpose.value)
def test_links_of_a_closed_account_stay_invalid_when_it_is_reopened(
    world: World, ids_in_links: dict[str, Any], purpose: Purpose
) -> None:
    number = ids_in_links["asked" if purpose is CONFIRM else "email"]
    page = "view" if purpose is READ else purpose.value
    address = reverse(f"digests:{page}", kwargs={"token": token(world.sol, purpose, number=number)})
    assert Client().get(address).status_code == 200

    close_account(person=world.sol, author=world.dee, reason="Moved on.", successor=None, now=timezone.now())
    statuses_when_closed = Client().get(address).status_code, Client().post(address).status_code
    User.objects.filter(pk=world.sol.pk).update(is_active=True)
    status_when_reopened = Client().get(address).status_code

    assert set(statuses_when_closed) <= {404, 405}
    assert status_when_reopened == 404


# ---- Names of records that the reader can no longer read are hidden


@dataclass(frozen=True)
class LostAccess:
    """Subscriptions whose readers lost access, and the digest that Sol got before that."""

    to_plan: Subscription
    to_partnership: Subscription
    to_westmarch: Subscription
    unanswered: Subscription
    digest: Delivery


@pytest.fixture
def lost(world: World, plan: Plan, office: PostOffice) -> LostAccess:
    """Subscriptions through Westmarch, which then left the partnership.

    Sol follows the plan, the partnership and Westmarch. Rose was asked to follow the plan, and has not answered. Now
    only the plan's owners can read it.
    """
    arguments = {"author": world.ben, "organisation": world.westmarch, "now": timezone.now()}
    to_plan = services.add_confirmed_subscription(
        person=world.sol, target=plan, why="you chair the Harbour Quarter panel", **arguments
    )
    to_partnership = services.add_confirmed_subscription(person=world.sol, target=world.partnership, **arguments)
    to_westmarch = services.add_confirmed_subscription(person=world.sol, target=world.westmarch, **arguments)
    unanswered = services.add_stakeholder(email="rose@street.example", name="", target=plan, **arguments)
    publish(plan, 100, author=world.amina)
    play(office)
    leave_partnership_as_westmarch(world)
    change_audience(plan=plan, audience="owners", reason="Rethought.", author=world.amina, now=timezone.now())
    digest = Delivery.objects.get(recipient=world.sol, kind="digests.digest")
    return LostAccess(to_plan, to_partnership, to_westmarch, unanswered, digest)


@pytest.fixture
def client() -> Client:
    """Return a browser that is not signed in, and that enforces CSRF checks."""
    return Client(enforce_csrf_checks=True)


def preferences_url(person: User) -> str:
    """Return the URL of the person's preferences, by link."""
    return reverse("digests:preferences", kwargs={"token": token(person, PREFERENCES)})


def stop_url(person: User) -> str:
    """Return the URL with which the person stops digests, by link."""
    return reverse("digests:stop", kwargs={"token": token(person, STOP)})


def confirm_url(subscription: Subscription) -> str:
    """Return the URL with which a subscription is confirmed, by link."""
    return reverse("digests:confirm", kwargs={"token": token(subscription.person, CONFIRM, number=subscription.pk)})


def hides_names(page: str) -> bool:
    """Return True if a page names neither the plan nor the partnership."""
    return "Harbour Quarter" not in page and "Estuary" not in page


def test_preferences_page_hides_names_that_its_reader_may_not_know(
    world: World, lost: LostAccess, client: Client
) -> None:
    page = client.get(preferences_url(world.sol)).content.decode()

    assert hides_names(page)
    assert "a plan you can no longer read" in page.lower()
    assert "Westmarch Borough Council" in page


def test_stop_page_hides_names_that_its_reader_may_not_know(world: World, lost: LostAccess, client: Client) -> None:
    page = client.get(stop_url(world.sol)).content.decode()

    assert hides_names(page)
    assert "a plan you can no longer read" in page.lower()


def test_digest_in_the_browser_hides_names_that_its_reader_may_not_know(
    world: World, lost: LostAccess, client: Client
) -> None:
    view = reverse("digests:view", kwargs={"token": token(world.sol, READ, number=lost.digest.pk)})

    page = client.get(view).content.decode()

    assert hides_names(page)


def test_confirmation_page_hides_names_that_its_reader_may_not_know(lost: LostAccess, client: Client) -> None:
    page = client.get(confirm_url(lost.unanswered)).content.decode()

    assert hides_names(page)


def test_subscription_with_a_hidden_name_can_be_stopped_in_preferences(
    world: World, lost: LostAccess, client: Client
) -> None:
    redirect = client.post(f"{preferences_url(world.sol)}{lost.to_plan.pk}/stop/")
    next_page = client.get(redirect["Location"]).content.decode()

    assert hides_names(next_page)
    assert Subscription.objects.get(pk=lost.to_plan.pk).is_refused


def test_page_after_stopping_hides_the_names_of_other_subscriptions(
    world: World, lost: LostAccess, client: Client
) -> None:
    stop_westmarch = {"chosen": "yes", "what": f"subscription-{lost.to_westmarch.pk}"}

    page = client.post(stop_url(world.sol), stop_westmarch).content.decode()

    assert hides_names(page)
    assert "a partnership you can no longer read" in page


def test_request_about_an_unreadable_plan_cannot_be_confirmed(lost: LostAccess, client: Client) -> None:
    response = client.post(confirm_url(lost.unanswered), {"answer": "yes"})

    assert response.status_code == 422
    assert hides_names(response.content.decode())
    assert Subscription.objects.get(pk=lost.unanswered.pk).is_waiting


def test_request_about_an_unreadable_plan_can_be_refused(lost: LostAccess, client: Client) -> None:
    page = client.post(confirm_url(lost.unanswered), {"answer": "no"}).content.decode()

    assert hides_names(page)
    assert Subscription.objects.get(pk=lost.unanswered.pk).is_refused


def test_refused_subscriptions_are_named_only_while_they_may_be_read(
    world: World, plan: Plan, lost: LostAccess
) -> None:
    services.stop_everything(person=world.sol, author=world.sol, reason="Enough.", now=timezone.now())
    preferences = reverse("digests:preferences", kwargs={"token": token(world.sol, PREFERENCES)})
    count_before = Delivery.objects.count()

    page = Client().get(preferences).content.decode()
    response = Client().post(f"{preferences}{lost.to_plan.pk}/again/")

    assert hides_names(page)
    assert "Ask me again about Westmarch Borough Council" in page
    assert "?done=over&" in response["Location"]
    assert Delivery.objects.count() == count_before


@pytest.mark.parametrize(("days", "comes_back"), [(179, True), (181, False)])
def test_a_long_refused_right_to_read_cannot_be_regained_alone(
    world: World, plan: Plan, ids_in_links: dict[str, Any], public_plan: Plan, days: int, comes_back: bool
) -> None:
    public_subscription = services.add_confirmed_subscription(
        person=world.sol, target=public_plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    services.stop_everything(person=world.sol, author=world.sol, reason="Enough.", now=timezone.now())
    Subscription.objects.update(refused_at=timezone.now() - dt.timedelta(days=days))
    preferences = reverse("digests:preferences", kwargs={"token": token(world.sol, PREFERENCES)})

    page = Client().get(preferences).content.decode()
    for pk in (ids_in_links["followed"], public_subscription.pk):
        Client().post(f"{preferences}{pk}/again/")

    assert ("Ask me again about Harbour Quarter" in page) is comes_back
    assert "Ask me again about Open Quay" in page
    assert Subscription.objects.get(pk=ids_in_links["followed"]).is_waiting is comes_back
    assert Subscription.objects.get(pk=public_subscription.pk).is_waiting


def test_pages_after_signing_in_hide_names_that_their_reader_may_not_know(
    world: World, plan: Plan, public_plan: Plan, lost: LostAccess
) -> None:
    """A former party may still see the name of the partnership, but not of the plan."""
    add_ended_stakeholder(world, plan)
    services.add_confirmed_subscription(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    client = signed_in(world.ben)
    email = Delivery.objects.get(subscription=lost.unanswered)

    pages = [
        client.get(address).content.decode()
        for address in (
            reverse("digests:manage"),
            reverse("digests:stakeholders"),
            reverse("digests:end-stakeholder", kwargs={"pk": lost.to_plan.pk}),
            reverse("digests:ledger"),
            reverse("digests:entry", kwargs={"pk": email.pk}),
        )
    ]
    file = b"".join(client.get(reverse("digests:export-stakeholders")).streaming_content).decode()

    assert [page for page in [*pages, file] if "Harbour Quarter" in page] == []
    assert "A plan you can no longer read" in file


def add_ended_stakeholder(world: World, plan: Plan) -> None:
    """Add a stakeholder of Westmarch, and end the stakeholder's digests."""
    subscription = services.add_confirmed_subscription(
        person=person_for_address(email="ended@street.example"),
        target=plan,
        author=world.ben,
        organisation=world.westmarch,
        now=timezone.now(),
    )
    services.stop(subscriptions=[subscription], author=world.ben, reason="Ended.", now=timezone.now())


def test_stopping_does_not_name_a_plan_that_its_reader_may_no_longer_read(
    world: World, plan: Plan, lost: LostAccess
) -> None:
    subscription = services.add_confirmed_subscription(
        person=world.ben, target=plan, author=world.ben, now=timezone.now()
    )
    client = signed_in(world.ben)

    page_after_stopping = client.post(
        reverse("digests:change", kwargs={"pk": subscription.pk, "verb": "stop"}), follow=True
    ).content.decode()
    page_after_ending = client.post(
        reverse("digests:end-stakeholder", kwargs={"pk": lost.to_plan.pk}), {"reason": "We left."}, follow=True
    ).content.decode()

    assert "You no longer follow a plan you can no longer read." in page_after_stopping
    assert "will get no more digests about a plan you can no longer read." in page_after_ending
    assert "Harbour Quarter" not in page_after_stopping + page_after_ending
    subscription.refresh_from_db()
    assert subscription.is_refused


def test_digests_about_a_plan_that_was_closed_since_cannot_be_confirmed(world: World, public_plan: Plan) -> None:
    now = timezone.now()
    request = services.add_stakeholder(
        email=world.ben.email, name="", target=public_plan, author=world.amina, organisation=world.larkhaven, now=now
    )
    change_audience(plan=public_plan, audience="owners", reason="Too early.", author=world.amina, now=now)
    client = signed_in(world.ben)

    page = client.get(reverse("digests:manage")).content.decode()
    page_after_confirming = client.post(
        reverse("digests:change", kwargs={"pk": request.pk, "verb": "confirm"}), follow=True
    ).content.decode()

    assert "Confirm<span" not in page
    assert "Open Quay" not in page
    assert "the organisation that asked you, can no longer see what these digests are about" in page_after_confirming
    request.refresh_from_db()
    assert request.is_waiting


def test_readers_with_access_see_the_plans_name(world: World, ids_in_links: dict[str, Any]) -> None:
    client = Client(enforce_csrf_checks=True)

    stop = client.get(reverse("digests:stop", kwargs={"token": token(world.sol, STOP)})).content.decode()
    stakeholders = signed_in(world.amina).get(reverse("digests:stakeholders")).content.decode()

    assert "Digests about Harbour Quarter" in stop
    assert "Harbour Quarter" in stakeholders


@pytest.fixture
def shared(world: World) -> Plan:
    """Return a public plan of the partnership."""
    plan = create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title="Shared Quay",
        kind="delivery",
        audience="public",
        author=world.amina,
        now=world.now,
    )
    publish(plan, 50, author=world.amina)
    return plan


def test_a_digest_by_a_role_that_just_ended_still_gives_a_reason(
    world: World, shared: Plan, office: PostOffice
) -> None:
    services.set_role_rule(target=world.partnership, author=world.amina, now=timezone.now())
    publish(shared, 60, author=world.amina)
    plan_round(now=timezone.now())
    membership = world.ben.memberships.get()
    end_membership(membership=membership, author=world.dee, reason="", now=timezone.now(), even_last_lead=True)
    office.drain()

    [email] = (text_of(email) for email in office.to(world.ben) if "Shared Quay" in text_of(email))
    reason = "You are receiving this email because you have a role that gets these digests. You get digests"
    assert reason in " ".join(email.split())
    assert "Estuary" not in email


def test_a_digest_does_not_name_a_partnership_its_reader_may_not_see(
    world: World, shared: Plan, office: PostOffice
) -> None:
    services.add_confirmed_subscription(
        person=world.sol,
        target=world.partnership,
        author=world.ben,
        organisation=world.westmarch,
        why="you chair the panel of the Estuary Partnership",
        now=timezone.now(),
    )
    publish(shared, 60, author=world.amina)
    play(office)
    leave_partnership_as_westmarch(world)
    publish(shared, 70, author=world.amina)
    play(office)

    text_before, text_after = (text_of(email) for email in office.to(world.sol))
    assert "asked you to follow Estuary Partnership (“you chair the panel of" in text_before.replace("\n", " ")
    assert "was 60, now 70" in text_after
    assert "asked you to follow a partnership" in text_after.replace("\n", " ")
    assert "Estuary" not in text_after
