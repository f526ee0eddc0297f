"""People sign in through their organisation's own provider in Chromium, with the provider on another origin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.urls import reverse

from tests.people import identity_provider
from tests.people.identity_provider import PASSWORD
from tests.people.own_sign_in import offer_own_sign_in
from tests.world import PASSWORD as OURS
from tests.world import World, make_world

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def origin(live_server: Any, settings: LazySettings) -> str:
    """Return the origin of the live server, under another host than the provider's."""
    settings.ALLOWED_HOSTS = ["localhost"]
    return str(live_server.url).replace("127.0.0.1", "localhost")


@pytest.fixture
def provider(tmp_path: Path, origin: str) -> Iterator[str]:
    """Yield the URL of a provider that redirects back to our live server."""
    callback = reverse("openid_connect_callback", kwargs={"provider_id": "larkhaven"})
    with identity_provider.running(tmp_path / "directory.sqlite3", f"{origin}{callback}") as address:
        yield address


@pytest.fixture
def world(provider: str) -> World:
    """Return a world in which Larkhaven offers its own sign-in to its people."""
    return offer_own_sign_in(make_world(), provider)


def sign_in_with_provider_form(page: Any, origin: str, provider: str, email: str) -> None:
    """Sign in with the provider's form, which ends on our home page."""
    page.goto(f"{origin}{reverse('account_login')}")
    page.get_by_role("button", name="Sign in with Larkhaven").click()
    page.wait_for_url(f"{provider}/**")
    page.locator("input[name=login]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("button[type=submit]").click()
    page.wait_for_url(f"{origin}/")


def require_own_sign_in_as_amina(page: Any, world: World, origin: str, provider: str) -> None:
    """Require own sign-in on the page of Larkhaven's settings, and sign out."""
    sign_in_with_provider_form(page, origin, provider, world.amina.email)
    page.goto(f"{origin}{reverse('organisations:settings', args=[world.larkhaven.pk])}")
    page.get_by_label("Everyone who acts for us must sign in through our own sign-in page").check()
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(f"{origin}{world.larkhaven.get_absolute_url()}")
    page.context.clear_cookies()


def test_a_lead_requires_own_sign_in_in_a_browser(page: Any, world: World, origin: str, provider: str) -> None:
    require_own_sign_in_as_amina(page, world, origin, provider)

    world.larkhaven.refresh_from_db()
    assert world.larkhaven.own_sign_in_required


def test_a_password_is_refused_in_a_browser_if_own_sign_in_is_required(
    page: Any, world: World, origin: str, provider: str
) -> None:
    require_own_sign_in_as_amina(page, world, origin, provider)

    page.goto(f"{origin}{reverse('account_login')}")
    page.get_by_label("Email").fill(world.vera.email)
    page.get_by_label("Password", exact=True).fill(OURS)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.get_by_text("sign in through its own sign-in page").wait_for()


def test_a_browser_signs_in_through_the_organisations_provider(
    page: Any, world: World, origin: str, provider: str
) -> None:
    console_lines: list[str] = []
    page.on("console", lambda message: console_lines.append(message.text))

    sign_in_with_provider_form(page, origin, provider, world.vera.email)
    page.goto(f"{origin}{reverse('people:account')}")

    assert page.get_by_text(world.vera.email).first.is_visible()
    assert [line for line in console_lines if "Content Security Policy" in line] == []
