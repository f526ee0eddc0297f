"""Administrators change a sign-in provider with a reason, and nobody is locked out or let in by that."""

from __future__ import annotations

import datetime as dt

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.models import Organisation
from partnerships.people.identity_providers import save_provider
from tests.people.identity_provider import CLIENT, SECRET
from tests.people.own_sign_in import (
    is_signed_in,
    own_sign_in_offered,
    own_sign_in_required,
    provider,
    sign_in_through_provider,
    signs_in_by_password,
)
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import World

__all__ = ["own_sign_in_offered", "own_sign_in_required", "provider"]


#: What an administrator sends to change the address of the provider. An empty secret means the stored one.
CHANGED_PROVIDER = {
    "provider": "openid_connect",
    "provider_id": "larkhaven",
    "name": "Larkhaven",
    "client_id": CLIENT,
    "secret": "",
    "settings": '{"server_url": "https://elsewhere.example"}',
}


#: What an administrator sends for another provider; its id is missing.
SECOND_PROVIDER = {
    "provider": "openid_connect",
    "name": "Also Larkhaven",
    "client_id": "x",
    "secret": "x",
    "settings": "{}",
    "reason": "A second one.",
}


def address_of_provider() -> str:
    """Return the address of the only provider in Django admin."""
    return reverse("admin:socialaccount_socialapp_change", args=[SocialApp.objects.get().pk])


def change_provider(world: World) -> None:
    """Change the address of the provider as an administrator, with a reason."""
    response = signed_in(world.dee).post(address_of_provider(), CHANGED_PROVIDER | {"reason": "Moved."})
    assert response.status_code == 302


def test_a_provider_cannot_be_changed_without_a_reason(world: World, own_sign_in_required: None, provider: str) -> None:
    response = signed_in(world.dee).post(address_of_provider(), CHANGED_PROVIDER)

    assert response.status_code == 200, "It asks for the reason."
    assert SocialApp.objects.get().settings["server_url"] == provider


def test_the_form_of_a_provider_does_not_show_its_secret(world: World, own_sign_in_required: None) -> None:
    page = signed_in(world.dee).get(address_of_provider()).content.decode()

    assert SECRET not in page


def test_a_changed_provider_keeps_its_secret(world: World, own_sign_in_required: None) -> None:
    change_provider(world)

    app = SocialApp.objects.get()
    assert app.secret == SECRET
    assert app.settings == {"server_url": "https://elsewhere.example"}


def test_changing_a_provider_is_recorded_without_its_secret(
    world: World, own_sign_in_required: None, provider: str
) -> None:
    change_provider(world)

    event = Event.objects.get(target_kind="sign_in_provider", target_id=SocialApp.objects.get().pk)
    assert event.data["before"]["server_url"] == provider
    assert event.data["reason"] == "Moved."
    assert SECRET not in str(event.data)


def test_changing_a_provider_is_emailed_to_leads_and_administrators(world: World, own_sign_in_required: None) -> None:
    deliver().clear()

    change_provider(world)

    emails = [email for email in deliver() if "https://elsewhere.example" in str(email.body)]
    assert {email.to[0] for email in emails} == {"amina@larkhaven.example", "dee@commonground.example"}


def test_changing_a_provider_signs_its_people_out(world: World, own_sign_in_required: None, provider: str) -> None:
    client_of_vera = sign_in_through_provider(world.vera.email, provider)

    change_provider(world)

    assert not is_signed_in(client_of_vera)


def test_changing_a_provider_forgets_the_identities_of_its_people(world: World, own_sign_in_required: None) -> None:
    # Another directory may give the number of one person to somebody else.
    change_provider(world)

    assert not SocialAccount.objects.exists()


def test_changing_a_provider_ends_the_requirement_until_somebody_has_tried_it(
    world: World, own_sign_in_required: None
) -> None:
    change_provider(world)

    world.larkhaven.refresh_from_db()
    assert world.larkhaven.sign_in_provider == "larkhaven"
    assert not world.larkhaven.own_sign_in_required
    assert signs_in_by_password(world.vera)


def test_leads_are_emailed_that_passwords_work_again_after_a_change_of_the_provider(
    world: World, own_sign_in_required: None
) -> None:
    deliver().clear()

    change_provider(world)

    emails = [email for email in deliver() if "or their password" in str(email.body)]
    assert [email.to for email in emails] == [["amina@larkhaven.example"]]


@pytest.fixture
def own_sign_in_required_for_a_year(world: World, own_sign_in_required: None) -> None:
    """Let Larkhaven have required its own sign-in for a year, so that its leads cannot use their passwords."""
    last_year = timezone.now() - dt.timedelta(days=365)
    Organisation.objects.filter(pk=world.larkhaven.pk).update(own_sign_in_required_at=last_year)


@pytest.mark.usefixtures("own_sign_in_required_for_a_year")
def test_leads_cannot_use_their_passwords_a_year_after_the_requirement(world: World) -> None:
    could_sign_in = signs_in_by_password(world.amina)

    assert not could_sign_in


@pytest.mark.usefixtures("own_sign_in_required_for_a_year")
def test_leads_can_use_their_passwords_for_a_day_after_another_secret(world: World) -> None:
    app = SocialApp.objects.get()
    app.secret = "mistyped"

    save_provider(app=app, author=world.dee, reason="A new secret.", now=timezone.now())

    assert signs_in_by_password(world.amina)
    assert not signs_in_by_password(world.vera)


def test_a_required_provider_cannot_be_removed(world: World, own_sign_in_required: None) -> None:
    address = reverse("admin:socialaccount_socialapp_delete", args=[SocialApp.objects.get().pk])

    response = signed_in(world.dee).post(address, {"post": "yes"})

    assert response.status_code == 403
    assert SocialApp.objects.get().provider_id == "larkhaven"


def test_a_required_provider_cannot_be_duplicated(world: World, own_sign_in_required: None) -> None:
    response = signed_in(world.dee).post(
        reverse("admin:socialaccount_socialapp_add"), SECOND_PROVIDER | {"provider_id": "larkhaven"}
    )

    assert response.status_code == 200
    assert "Another sign-in page has the provider ID “larkhaven”" in response.content.decode()
    assert SocialApp.objects.get().provider_id == "larkhaven"


def test_a_required_provider_cannot_be_renamed(world: World, own_sign_in_required: None) -> None:
    response = signed_in(world.dee).post(address_of_provider(), SECOND_PROVIDER | {"provider_id": "elsewhere"})

    assert response.status_code == 200
    assert "Larkhaven Homes use “larkhaven”" in response.content.decode()
    assert SocialApp.objects.get().provider_id == "larkhaven"
