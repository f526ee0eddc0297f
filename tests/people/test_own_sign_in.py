"""An organisation's own sign-in by OpenID Connect, against allauth's own provider running beside the test."""

from __future__ import annotations

import datetime as dt
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import time_machine
from allauth.socialaccount.models import SocialAccount, SocialApp
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.models import Organisation
from partnerships.organisations.services import invite_member, update_organisation
from tests.people import identity_provider
from tests.people.identity_provider import CLIENT, PASSWORD, SECRET
from tests.people.test_leaving_and_erasing import sign_in
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


def test_sessions_by_password_end_when_an_organisation_asks_for_its_own_sign_in(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    vera, ben = sign_in(world.vera), sign_in(world.ben)

    with django_capture_on_commit_callbacks(execute=True):
        update_organisation(
            organisation=world.larkhaven,
            sign_in_provider="larkhaven",
            reason="Single sign-on.",
            author=world.dee,
            now=timezone.now(),
        )

    assert not is_in(vera)
    assert is_in(ben)
    assert [letter.to for letter in mail.outbox] == [[world.amina.email]]
    assert "“larkhaven” alone; it was an email address and a password" in str(mail.outbox[0].body)
    assert "Single sign-on." in str(mail.outbox[0].body)


def test_a_session_by_password_ends_within_ten_minutes_however_the_policy_came(world: World) -> None:
    begun = timezone.now()
    with time_machine.travel(begun, tick=False) as clock:
        vera = sign_in(world.vera)
        assert is_in(vera)
        Organisation.objects.filter(pk=world.larkhaven.pk).update(sign_in_provider="larkhaven")

        clock.shift(dt.timedelta(minutes=10, seconds=1))
        answer = vera.get(reverse("account_change_password"))

        assert answer["Location"].startswith(reverse("account_login"))
        assert not is_in(vera)


def test_who_joins_an_organisation_with_its_own_sign_in_goes_through_it_at_once(
    required: World, provider: str, django_capture_on_commit_callbacks: Any
) -> None:
    ben = sign_in(required.ben)
    with django_capture_on_commit_callbacks(execute=True):
        invite_member(
            organisation=required.larkhaven,
            email=required.ben.email,
            role="viewer",
            author=required.amina,
            now=timezone.now(),
        )
    found = re.search(r"/organisations/invitations/[^/]+/", str(mail.outbox[-1].body))
    assert found

    ben.post(found[0])

    assert not is_in(ben)
    assert is_in(through_the_provider(required.ben.email, provider))


def test_who_changes_a_sign_in_page_is_read_by_its_leads_and_its_people_are_joined_anew(
    required: World, provider: str, django_capture_on_commit_callbacks: Any
) -> None:
    vera = through_the_provider(required.vera.email, provider)
    assert is_in(vera)
    mail.outbox.clear()
    app = SocialApp.objects.get()
    dee = Client()
    dee.force_login(required.dee)
    address = reverse("admin:socialaccount_socialapp_change", args=[app.pk])
    given = {
        "provider": "openid_connect",
        "provider_id": "larkhaven",
        "name": "Larkhaven",
        "client_id": CLIENT,
        "secret": "",
        "settings": '{"server_url": "https://elsewhere.example"}',
    }

    assert SECRET not in dee.get(address).content.decode()
    unsaid = dee.post(address, given)
    assert SocialApp.objects.get().settings["server_url"] == provider
    with django_capture_on_commit_callbacks(execute=True):
        assert dee.post(address, given | {"reason": "Moved."}).status_code == 302

    assert unsaid.status_code == 200, "It asks for the reason."
    kept = SocialApp.objects.get()
    assert (kept.secret, kept.settings) == (SECRET, {"server_url": "https://elsewhere.example"})
    assert {letter.to[0] for letter in mail.outbox} == {required.amina.email, required.dee.email}
    assert all("https://elsewhere.example" in str(letter.body) for letter in mail.outbox)
    event = Event.objects.get(target_kind="sign_in_provider", target_id=app.pk)
    assert (event.data["before"]["server_url"], event.data["reason"]) == (provider, "Moved.")
    assert SECRET not in str(event.data)
    assert not SocialAccount.objects.exists(), "Another directory may give her number to somebody else."
    assert not is_in(vera)


def test_a_sign_in_page_that_an_organisation_requires_is_neither_removed_nor_doubled(required: World) -> None:
    app = SocialApp.objects.get()
    dee = Client()
    dee.force_login(required.dee)
    given = {
        "provider": "openid_connect",
        "provider_id": "larkhaven",
        "name": "Also Larkhaven",
        "client_id": "x",
        "secret": "x",
        "settings": "{}",
        "reason": "A second one.",
    }

    removed = dee.post(reverse("admin:socialaccount_socialapp_delete", args=[app.pk]), {"post": "yes"})
    doubled = dee.post(reverse("admin:socialaccount_socialapp_add"), given)
    renamed = dee.post(
        reverse("admin:socialaccount_socialapp_change", args=[app.pk]), given | {"provider_id": "elsewhere"}
    )

    assert (removed.status_code, doubled.status_code, renamed.status_code) == (403, 200, 200)
    assert "Another sign-in page has the provider ID “larkhaven”" in doubled.content.decode()
    assert "Larkhaven Homes require “larkhaven”" in renamed.content.decode()
    assert SocialApp.objects.get().provider_id == "larkhaven"


def test_a_sign_in_begins_only_by_a_button(required: World) -> None:
    answer = Client().get(reverse("openid_connect_login", kwargs={"provider_id": "larkhaven"}))

    assert answer.status_code == 200
    assert "Location" not in answer
