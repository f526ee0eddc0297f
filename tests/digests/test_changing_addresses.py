"""The address of a stakeholder can be corrected, and its owner must confirm.

The organisation that added the stakeholder corrects the address, or the stakeholder changes it. In both cases the
owner of the new address must confirm.
"""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import Purpose
from partnerships.digests.models import Delivery, DeliveryKind, Subscription
from partnerships.people.models import User
from partnerships.people.refusals import has_refused
from partnerships.plans.models import Plan
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.digests.test_by_link import token
from tests.digests.test_consent import ask
from tests.support.signing_in import signed_in
from tests.world import World

NEW = "sol@home.example"


def confirm_link(office: PostOffice, address: str) -> str:
    """Return the path of the link in the newest confirmation email to this address."""
    newest_email = [outgoing for outgoing in office.sent if outgoing.recipient == address][-1]
    match = re.search(rb"/digests/confirm/[^\s\"<>]+/", newest_email.data.replace(b"=\r\n", b""))
    assert match is not None
    return match[0].decode()


def correct(world: World, subscription: Subscription, email: str) -> int:
    """Correct a stakeholder's address as Amina, and return the status code."""
    address = reverse("digests:correct-address", args=[subscription.pk])
    return signed_in(world.amina).post(address, {"email": email}).status_code


def change(person: User, email: str) -> str:
    """Ask for another address on the preferences page, and return the page that follows."""
    address = reverse("digests:preferences", kwargs={"token": token(person, Purpose.PREFERENCES)})
    return Client().post(address, {"new_address": email}, follow=True).content.decode()


def shown_to_amina(world: World, plan: Plan) -> str:
    """Return the content of all pages that Amina can open about her stakeholders."""
    browser = signed_in(world.amina)
    pages = [reverse(f"digests:{name}") for name in ("stakeholders", "export-stakeholders", "ledger", "due")]
    pages.append(reverse("digests:who", args=[plan.pk]))
    pages += [reverse("digests:entry", args=[pk]) for pk in Delivery.objects.values_list("pk", flat=True)]
    pages += [
        reverse(f"digests:{name}", args=[subscription.pk])
        for subscription in Subscription.objects.live()
        for name in _CHANGES
    ]
    responses = [browser.get(page) for page in pages]
    return "".join(b"".join(response).decode() for response in responses if response.status_code == 200)


_CHANGES = ("correct-address", "end-stakeholder")


def finds(world: World, words: str) -> bool:
    """Return True if Amina's search for these words finds a stakeholder or an email."""
    result_pages = [
        signed_in(world.amina).get(reverse(f"digests:{name}"), {"q": words}).context["page"]
        for name in ("stakeholders", "ledger")
    ]
    return any(getattr(page, "rows", None) or getattr(page, "object_list", None) for page in result_pages)


@pytest.fixture
def sols_subscription(world: World, plan: Plan) -> Subscription:
    """Return Sol's subscription, which Larkhaven added and Sol confirmed."""
    return services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )


def test_a_lead_corrects_the_address_of_an_unconfirmed_stakeholder(
    world: World, plan: Plan, office: PostOffice
) -> None:
    subscription = ask(world, plan)

    status = correct(world, subscription, NEW)
    office.drain()
    Client().post(confirm_link(office, NEW), {"answer": "yes"})
    publish(plan, 100, author=world.amina)
    play(office)

    subscription.refresh_from_db()
    assert status == 302
    assert subscription.is_ended
    assert not subscription.is_refused
    assert not [outgoing for outgoing in office.sent if outgoing.recipient == world.sol.email]
    assert len([outgoing for outgoing in office.sent if outgoing.recipient == NEW]) == 2


def test_digests_go_to_the_old_address_until_the_new_one_is_confirmed(
    world: World, plan: Plan, sols_subscription: Subscription, office: PostOffice
) -> None:
    correct(world, sols_subscription, NEW)
    publish(plan, 100, author=world.amina)
    play(office)
    count_before = len(office.to(world.sol))
    publish(plan, 90, author=world.amina)
    Client().post(confirm_link(office, NEW), {"answer": "yes"})
    play(office)

    sols_subscription.refresh_from_db()
    assert count_before == 1
    assert sols_subscription.is_ended
    assert len(office.to(world.sol)) == 1
    assert "was 100, now 90" in text_of(office.to(User.objects.get(email=NEW))[-1])


@pytest.mark.parametrize("email", ["sol@council.example", "Sol@Council.example", "no address"])
def test_an_invalid_or_unchanged_address_is_refused(world: World, sols_subscription: Subscription, email: str) -> None:
    assert correct(world, sols_subscription, email) == 422
    assert Subscription.objects.count() == 1


def test_only_the_organisation_that_added_somebody_corrects_their_address(
    world: World, sols_subscription: Subscription
) -> None:
    address = reverse("digests:correct-address", args=[sols_subscription.pk])

    status_codes = [signed_in(person).post(address, {"email": NEW}).status_code for person in (world.ben, world.vera)]

    assert status_codes == [404, 404]
    assert not User.objects.filter(email=NEW).exists()


def test_one_confirmation_at_the_new_address_moves_all_subscriptions(
    world: World, plan: Plan, public_plan: Plan, sols_subscription: Subscription, office: PostOffice
) -> None:
    paused_subscription = services.add_confirmed_subscription(
        person=world.sol, target=public_plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    services.pause(subscription=paused_subscription, author=world.sol, now=timezone.now())
    publish(plan, 100, author=world.amina)

    answer_page = change(world.sol, NEW)
    office.drain()
    was_asked_once = [outgoing.recipient for outgoing in office.sent] == [NEW]
    link = confirm_link(office, NEW)
    page = Client().get(link).content.decode()
    confirmed_addresses = set(Subscription.objects.confirmed().values_list("person__email", flat=True))
    Client().post(link, {"answer": "yes"})
    play(office)

    sols_subscriptions = Subscription.objects.live().values_list("person__email", "plan", "status")
    assert "we have sent an email there" in answer_page
    assert was_asked_once
    assert "Open Quay" in page
    assert confirmed_addresses == {world.sol.email}
    assert set(sols_subscriptions) == {(NEW, plan.pk, "confirmed"), (NEW, public_plan.pk, "paused")}
    assert "was 120, now 100" in text_of(office.to(User.objects.get(email=NEW))[-1])
    assert not office.to(world.sol)


def test_a_change_to_a_taken_address_does_nothing_and_looks_the_same(
    world: World, sols_subscription: Subscription, office: PostOffice
) -> None:
    page_for_unknown, page_for_known = (change(world.sol, email) for email in (NEW, world.chidi.email))
    office.drain()

    expected_text = "we have sent an email there"
    assert expected_text in page_for_unknown
    assert expected_text in page_for_known
    assert [outgoing.recipient for outgoing in office.sent] == [NEW]


def test_requests_to_change_an_address_are_limited(world: World, sols_subscription: Subscription) -> None:
    for number in range(6):
        change(world.sol, f"sol{number}@home.example")

    assert Delivery.objects.filter(kind=DeliveryKind.CONFIRMATION).count() == 3


def test_only_the_new_address_can_confirm_the_move(
    world: World, plan: Plan, sols_subscription: Subscription, office: PostOffice
) -> None:
    change(world.sol, NEW)
    new_subscription = Subscription.objects.get(person__email=NEW)

    link = reverse("digests:confirm", kwargs={"token": token(world.sol, Purpose.CONFIRM, number=new_subscription.pk)})
    response = Client().post(link, {"answer": "yes"})

    assert response.status_code == 404
    assert Subscription.objects.get(pk=new_subscription.pk).is_waiting


def test_the_organisation_that_typed_the_old_address_never_sees_the_new_one(
    world: World, plan: Plan, sols_subscription: Subscription, office: PostOffice
) -> None:
    assert world.sol.email in shown_to_amina(world, plan)
    assert finds(world, "sol@council")
    preferences = reverse("digests:preferences", kwargs={"token": token(world.sol, Purpose.PREFERENCES)})
    assert "will not see the new address" in Client().get(preferences).content.decode()

    change(world.sol, NEW)
    office.drain()
    pages_before_confirming = shown_to_amina(world, plan)
    Client().post(confirm_link(office, NEW), {"answer": "yes"})
    publish(plan, 100, author=world.amina)
    play(office)

    assert office.to(User.objects.get(email=NEW))
    assert NEW not in pages_before_confirming + shown_to_amina(world, plan)
    assert not finds(world, NEW)
    assert not finds(world, "sol@home")


def test_the_organisation_that_typed_an_old_address_does_not_see_the_new_one(
    world: World, plan: Plan, office: PostOffice
) -> None:
    services.add_confirmed_subscription(
        person=world.hana, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    assert world.hana.email in shown_to_amina(world, plan)
    new_address = EmailAddress.objects.create(user=world.hana, email="hana@home.example")

    key = EmailConfirmationHMAC(new_address).key
    signed_in(world.hana).post(reverse("account_confirm_email", args=[key]))
    publish(plan, 100, author=world.amina)
    play(office)

    world.hana.refresh_from_db()
    assert world.hana.email == "hana@home.example"
    assert "hana@home" not in shown_to_amina(world, plan)
    assert not finds(world, "hana@home")


def take_another_address(person: User, email: str) -> None:
    """Change the address of an account by the link in the confirmation email."""
    new_address = EmailAddress.objects.create(user=person, email=email)
    signed_in(person).post(reverse("account_confirm_email", args=[EmailConfirmationHMAC(new_address).key]))
    person.refresh_from_db()
    assert person.email == email


def test_a_no_outlasts_the_change_of_an_accounts_address(world: World, plan: Plan) -> None:
    old_address = world.hana.email
    services.stop_everything(person=world.hana, author=world.hana, reason="Enough.", now=timezone.now())

    take_another_address(world.hana, "hana@home.example")

    with pytest.raises(services.UnableToSubscribe, match="asked not to be contacted"):
        services.add_stakeholder(
            email=old_address.upper(),
            name="",
            target=plan,
            author=world.amina,
            organisation=world.larkhaven,
            now=timezone.now(),
        )


def test_an_account_that_takes_its_old_address_again_is_not_refused_for_good(world: World) -> None:
    old_address = world.hana.email
    services.stop_everything(person=world.hana, author=world.hana, reason="Enough.", now=timezone.now())
    take_another_address(world.hana, "hana@home.example")
    was_old_address_refused = has_refused(old_address)
    EmailAddress.objects.filter(user=world.hana, email=old_address).delete()

    take_another_address(world.hana, old_address)

    assert was_old_address_refused
    assert not has_refused(old_address)
    assert has_refused("hana@home.example")


def test_an_address_given_up_without_a_no_may_be_asked(world: World, plan: Plan) -> None:
    old_address = world.hana.email

    take_another_address(world.hana, "hana@home.example")

    subscription = services.add_stakeholder(
        email=old_address, name="", target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    assert subscription.is_waiting


def test_typing_the_own_address_of_a_stakeholder_reveals_nothing(
    world: World, plan: Plan, sols_subscription: Subscription, office: PostOffice
) -> None:
    change(world.sol, NEW)
    office.drain()
    Client().post(confirm_link(office, NEW), {"answer": "yes"})
    moved_subscription = Subscription.objects.get(person__email=NEW)
    other_subscription = services.add_confirmed_subscription(
        person=world.chidi, target=plan, author=None, now=timezone.now()
    )

    browser = signed_in(world.amina)
    address = reverse("digests:correct-address", args=[moved_subscription.pk])
    pages = [
        browser.post(address, {"email": subscription.person.email}).content.decode()
        for subscription in (moved_subscription, other_subscription)
    ]

    assert "A person with this address already gets these digests" in pages[0]
    assert "A person with this address already gets these digests" in pages[1]
