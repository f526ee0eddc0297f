"""Fixtures and helpers for tests of an organisation's own sign-in, with a real provider in another process."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialApp
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.organisations.services import update_organisation
from partnerships.people.models import User
from tests.people import identity_provider
from tests.people.identity_provider import CLIENT, PASSWORD, SECRET
from tests.world import PASSWORD as OURS
from tests.world import World

CALLBACK = "http://testserver/accounts/oidc/larkhaven/login/callback/"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a provider that runs during the tests of this module."""
    with identity_provider.running(tmp_path_factory.mktemp("provider") / "directory.sqlite3", CALLBACK) as address:
        yield address


def offer_own_sign_in(world: World, provider: str) -> World:
    """Make Larkhaven offer its own sign-in. Westmarch does not offer any."""
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


@pytest.fixture
def own_sign_in_offered(world: World, provider: str) -> None:
    """Make Larkhaven offer its own sign-in to its people."""
    offer_own_sign_in(world, provider)


@pytest.fixture
def own_sign_in_required(world: World, own_sign_in_offered: None, provider: str) -> None:
    """Make Larkhaven require its own sign-in, after Amina has signed in through the provider."""
    sign_in_through_provider(world.amina.email, provider)
    require_own_sign_in_here(world)


def require_own_sign_in_here(world: World) -> None:
    """Make Larkhaven require its own sign-in."""
    update_organisation(
        organisation=world.larkhaven,
        own_sign_in_required=True,
        reason="Single sign-on.",
        author=world.dee,
        now=timezone.now(),
    )


def signs_in_by_password(person: User) -> bool:
    """Return whether a person can sign in with their password."""
    client = Client()
    client.post(reverse("account_login"), {"login": person.email, "password": OURS})
    return is_signed_in(client)


def sign_in_through_provider(email: str, provider: str) -> Client:
    """Return a client after a sign-in through the provider with this address."""
    client = Client()
    provider_session = requests.Session()
    redirect_page = client.post(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))
    assert redirect_page.status_code == 200, redirect_page.content.decode()[:800]
    provider_url = redirect_page.context["url"]
    assert provider_url.startswith(provider)
    provider_session.post(
        f"{provider}/accounts/login/", {"login": email, "password": PASSWORD}, allow_redirects=False, timeout=60
    )
    callback_response = provider_session.get(provider_url, allow_redirects=False, timeout=60)
    assert callback_response.headers.get("Location", "").startswith(CALLBACK), callback_response.text[:800]
    callback = urlsplit(callback_response.headers["Location"])
    client.get(f"{callback.path}?{callback.query}")
    return client


def is_signed_in(client: Client) -> bool:
    """Return whether a page opens that needs a sign-in."""
    return client.get(reverse("agreements:list")).status_code == 200
