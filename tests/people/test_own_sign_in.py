"""An organisation's own sign-in by OpenID Connect, against allauth's own provider running beside the test."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.services import update_organisation
from tests.people import identity_provider
from tests.people.identity_provider import CLIENT, PASSWORD, SECRET
from tests.world import PASSWORD as OURS
from tests.world import World

CALLBACK = "http://testserver/accounts/oidc/larkhaven/login/callback/"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a provider that runs for the tests of this module."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database = tmp_path_factory.mktemp("provider") / "directory.sqlite3"
    process = subprocess.Popen([sys.executable, identity_provider.__file__, str(port), str(database), CALLBACK])
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                requests.get(f"{address}/.well-known/openid-configuration", timeout=5).raise_for_status()
                break
            except requests.ConnectionError:
                assert process.poll() is None, "The provider did not start."
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def required(world: World, provider: str) -> World:
    """Larkhaven asks its people to sign in there; Westmarch does not."""
    SocialApp.objects.create(
        provider="openid_connect",
        provider_id="larkhaven",
        name="Larkhaven",
        client_id=CLIENT,
        secret=SECRET,
        settings={"server_url": provider, "oauth_pkce_enabled": True},
    )
    update_organisation(
        organisation=world.larkhaven, sign_in_provider="larkhaven", author=world.dee, now=timezone.now()
    )
    return world


def through_the_provider(email: str, provider: str) -> Client:
    """Somebody goes from our page to their organisation's, signs in there, and comes back."""
    ours, theirs = Client(), requests.Session()
    away = ours.post(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))
    assert away.status_code == 302, away.content.decode()[:800]
    assert away["Location"].startswith(provider)
    theirs.post(f"{provider}/accounts/login/", {"login": email, "password": PASSWORD}, allow_redirects=False, timeout=9)
    back = theirs.get(away["Location"], allow_redirects=False, timeout=9)
    assert back.headers.get("Location", "").startswith(CALLBACK), back.text[:800]
    parts = urlsplit(back.headers["Location"])
    ours.get(f"{parts.path}?{parts.query}")
    return ours


def is_in(client: Client) -> bool:
    return client.get(reverse("agreements:list")).status_code == 200


def test_people_of_the_organisation_come_in_through_its_own_sign_in(required: World, provider: str) -> None:
    client = through_the_provider(required.vera.email, provider)

    assert is_in(client)
    assert client.session["_auth_user_id"] == str(required.vera.pk)
    assert SocialAccount.objects.get(user=required.vera).provider == "larkhaven"
    assert is_in(through_the_provider(required.vera.email, provider))


def test_a_password_no_longer_opens_for_them(required: World) -> None:
    client = Client()
    client.post(reverse("account_login"), {"login": required.vera.email, "password": OURS})

    assert not is_in(client)


def test_a_provider_speaks_for_its_own_organisation_alone(required: World, provider: str) -> None:
    client = through_the_provider(required.ben.email, provider)

    assert not is_in(client)
    assert not SocialAccount.objects.exists()


def test_an_address_that_the_provider_has_not_verified_opens_nothing(required: World, provider: str) -> None:
    assert not is_in(through_the_provider(required.eddie.email, provider))


def test_who_has_left_does_not_come_in_through_the_provider_either(required: World, provider: str) -> None:
    assert is_in(through_the_provider(required.vera.email, provider))
    required.vera.is_active = False
    required.vera.save(update_fields=["is_active"])

    assert not is_in(through_the_provider(required.vera.email, provider))


def test_a_sign_in_begins_only_by_a_button(required: World) -> None:
    answer = Client().get(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))

    assert answer.status_code == 200
    assert "Location" not in answer
