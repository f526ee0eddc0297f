"""People sign in with an authenticator app, recovery codes and passkeys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from partnerships.people.models import SecurityEvent, User
from partnerships.people.second_factor import has_second_factor
from tests.people.test_leaving_and_erasing import sign_in
from tests.support.browser import sign_in as sign_in_by_hand
from tests.support.signing_in import signed_in
from tests.world import PASSWORD, World, make_world


def totp_code(secret: str, moment: float | None = None) -> str:
    """Return the code that an authenticator app shows at a moment."""
    return str(format_hotp_value(hotp_value(secret, int((moment or time.time()) // 30))))


class AuthenticatorApp(NamedTuple):
    """An authenticator app that a person added to their account."""

    secret: str
    recovery_codes: list[str]

    def code(self) -> str:
        """Return the code that the app shows now."""
        return totp_code(self.secret)


def open_form_to_add_app(client: Client) -> str:
    """Confirm the password, open the form that adds an authenticator app, and return the secret that it shows."""
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    html = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r"\b[A-Z2-7]{32}\b", html)
    assert secret, html[:3000]
    return secret[0]


def recovery_codes_of(person: User) -> list[str]:
    """Return the recovery codes that a person has not used yet."""
    codes: list[str] = Authenticator.objects.get(user=person, type="recovery_codes").wrap().get_unused_codes()
    return codes


def add_authenticator_app(world: World) -> AuthenticatorApp:
    """Add an authenticator app as Eddie, and return it."""
    client = sign_in(world.eddie)
    secret = open_form_to_add_app(client)
    client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})
    return AuthenticatorApp(secret, recovery_codes_of(world.eddie))


@pytest.fixture
def eddies_app(world: World) -> AuthenticatorApp:
    """Return the authenticator app that Eddie added to his account."""
    return add_authenticator_app(world)


@pytest.fixture
def a_minute_later(eddies_app: AuthenticatorApp) -> Iterator[None]:
    """Stop the clock a minute after Eddie added his app.

    The code that added the app is used up, and by then the app shows another one.
    """
    with time_machine.travel(time.time() + 60, tick=False):
        yield


def client_before_second_factor(world: World) -> Client:
    """Return a browser in which Eddie has entered only his password."""
    client = Client()
    response = client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})
    assert response["Location"].startswith(reverse("mfa_authenticate"))
    return client


def enter_code(world: World, code: str) -> Client:
    """Sign in with Eddie's password and a code in a new browser, and return this browser."""
    client = client_before_second_factor(world)
    client.post(reverse("mfa_authenticate"), {"code": code})
    return client


def is_signed_in(client: Client) -> bool:
    """Return whether somebody is signed in in a browser."""
    return "_auth_user_id" in client.session


def test_adding_an_authenticator_app_asks_for_the_password_again(world: World) -> None:
    response = sign_in(world.eddie).get(reverse("mfa_activate_totp"))

    assert response.status_code == 302
    assert response["Location"].startswith("/accounts/reauthenticate/")


def test_recovery_codes_are_shown_when_an_authenticator_app_is_added(world: World) -> None:
    client = sign_in(world.eddie)
    secret = open_form_to_add_app(client)

    response = client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)}, follow=True)

    html = response.content.decode()
    codes = recovery_codes_of(world.eddie)
    assert len(codes) == 10
    assert [code for code in codes if code not in html] == []


def test_recovery_codes_are_shown_once(world: World) -> None:
    client = sign_in(world.eddie)
    secret = open_form_to_add_app(client)
    client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)}, follow=True)

    html = client.get(reverse("mfa_view_recovery_codes")).content.decode()

    assert [code for code in recovery_codes_of(world.eddie) if code in html] == []


def test_adding_a_second_factor_is_noted_in_the_security_log(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        add_authenticator_app(world)

    assert SecurityEvent.objects.filter(person=world.eddie, kind="second_factor_changed").exists()


@pytest.mark.usefixtures("eddies_app")
def test_a_password_alone_does_not_sign_in_with_a_second_factor(world: World) -> None:
    client = client_before_second_factor(world)

    response = client.get(reverse("agreements:list"))

    assert response.status_code == 302
    assert not is_signed_in(client)


@pytest.mark.usefixtures("a_minute_later")
def test_a_password_and_a_code_sign_in_with_a_second_factor(world: World, eddies_app: AuthenticatorApp) -> None:
    client = enter_code(world, eddies_app.code())

    assert is_signed_in(client)


@pytest.mark.usefixtures("a_minute_later")
def test_a_code_works_once(world: World, eddies_app: AuthenticatorApp) -> None:
    code = eddies_app.code()
    enter_code(world, code)

    second_client = enter_code(world, code)

    assert not is_signed_in(second_client)


def test_a_code_is_accepted_for_30_seconds_after_the_app_changed_it(world: World, eddies_app: AuthenticatorApp) -> None:
    with time_machine.travel(time.time() + 120, tick=False):
        client = enter_code(world, totp_code(eddies_app.secret, time.time() - 30))

    assert is_signed_in(client)


def test_a_code_of_a_minute_ago_is_refused(world: World, eddies_app: AuthenticatorApp) -> None:
    with time_machine.travel(time.time() + 120, tick=False):
        client = enter_code(world, totp_code(eddies_app.secret, time.time() - 60))

    assert not is_signed_in(client)


@pytest.mark.usefixtures("a_minute_later")
def test_a_wrong_code_is_refused(world: World, eddies_app: AuthenticatorApp) -> None:
    wrong_code = "000000" if eddies_app.code() != "000000" else "000001"

    client = enter_code(world, wrong_code)

    assert not is_signed_in(client)


def test_the_right_code_is_refused_after_twelve_guesses(world: World, eddies_app: AuthenticatorApp) -> None:
    client = client_before_second_factor(world)
    for guess in range(12):
        client.post(reverse("mfa_authenticate"), {"code": f"{guess:06d}"})

    with time_machine.travel(time.time() + 60):
        client.post(reverse("mfa_authenticate"), {"code": eddies_app.code()})

    assert not is_signed_in(client)


def test_a_recovery_code_signs_in(world: World, eddies_app: AuthenticatorApp) -> None:
    client = enter_code(world, eddies_app.recovery_codes[0])

    assert is_signed_in(client)


def test_a_recovery_code_works_once(world: World, eddies_app: AuthenticatorApp) -> None:
    enter_code(world, eddies_app.recovery_codes[0])

    second_client = enter_code(world, eddies_app.recovery_codes[0])

    assert not is_signed_in(second_client)


@pytest.mark.parametrize(("authenticator_type", "name"), [("totp", "secret"), ("recovery_codes", "seed")])
def test_second_factor_secrets_are_encrypted(
    world: World, settings: LazySettings, authenticator_type: str, name: str
) -> None:
    settings.SECOND_FACTOR_KEYS = ["the-first-of-our-secrets"]

    app = add_authenticator_app(world)

    stored_data = Authenticator.objects.get(user=world.eddie, type=authenticator_type).data
    assert app.secret not in str(stored_data)
    assert stored_data[name].startswith("gAAAAA")


@pytest.fixture
def app_with_changed_key(world: World, settings: LazySettings) -> AuthenticatorApp:
    """Return Eddie's app after the key that encrypts its secret was changed."""
    settings.SECOND_FACTOR_KEYS = ["the-first-of-our-secrets"]
    app = add_authenticator_app(world)
    settings.SECOND_FACTOR_KEYS = ["the-second-of-our-secrets", "the-first-of-our-secrets"]
    call_command("encrypt_second_factors", verbosity=0)
    settings.SECOND_FACTOR_KEYS = ["the-second-of-our-secrets"]
    return app


def test_the_command_says_how_many_second_factors_it_encrypted(
    world: World, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SECOND_FACTOR_KEYS = ["the-first-of-our-secrets"]
    add_authenticator_app(world)
    settings.SECOND_FACTOR_KEYS = ["the-second-of-our-secrets", "the-first-of-our-secrets"]

    call_command("encrypt_second_factors")

    assert capsys.readouterr().out.startswith("Encrypted 2 second factors")


def test_an_authenticator_app_works_after_its_key_was_changed(
    world: World, app_with_changed_key: AuthenticatorApp
) -> None:
    with time_machine.travel(time.time() + 60):
        client = enter_code(world, app_with_changed_key.code())

    assert is_signed_in(client)


def test_a_recovery_code_works_after_its_key_was_changed(world: World, app_with_changed_key: AuthenticatorApp) -> None:
    client = enter_code(world, app_with_changed_key.recovery_codes[1])

    assert is_signed_in(client)


def test_second_factors_are_not_encrypted_again_without_their_key(world: World, settings: LazySettings) -> None:
    settings.SECOND_FACTOR_KEYS = ["the-first-of-our-secrets"]
    add_authenticator_app(world)
    settings.SECOND_FACTOR_KEYS = ["a-secret-that-never-was"]

    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("encrypt_second_factors")


#: The secret of an authenticator app that was added before secrets were encrypted.
UNENCRYPTED_SECRET = "JBSWY3DPEHPK3PXP"


def authenticator_with_unencrypted_secret(world: World) -> Authenticator:
    """Return Eddie's authenticator app, whose secret is stored without encryption."""
    return Authenticator.objects.create(user=world.eddie, type="totp", data={"secret": UNENCRYPTED_SECRET})


def test_a_second_factor_with_an_unencrypted_secret_works(world: World) -> None:
    authenticator = authenticator_with_unencrypted_secret(world)

    is_valid = authenticator.wrap().validate_code(totp_code(UNENCRYPTED_SECRET))

    assert is_valid


def test_the_command_encrypts_an_unencrypted_secret(world: World) -> None:
    authenticator = authenticator_with_unencrypted_secret(world)

    call_command("encrypt_second_factors", verbosity=0)

    authenticator.refresh_from_db()
    assert UNENCRYPTED_SECRET not in str(authenticator.data)
    assert authenticator.wrap().validate_code(totp_code(UNENCRYPTED_SECRET))


def test_a_lead_is_sent_to_set_up_a_second_factor_if_it_is_required(world: World, settings: LazySettings) -> None:
    settings.SECOND_FACTOR_REQUIRED = True

    response = signed_in(world.amina).get(reverse("agreements:list"))

    assert response.status_code == 302


def test_a_lead_needs_no_second_factor_if_it_is_not_required(world: World, settings: LazySettings) -> None:
    settings.SECOND_FACTOR_REQUIRED = False

    response = signed_in(world.amina).get(reverse("agreements:list"))

    assert response.status_code == 200


@pytest.mark.parametrize("is_required", [True, False])
def test_a_lead_with_a_second_factor_opens_pages_in_either_case(
    world: World, settings: LazySettings, is_required: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED = is_required
    Authenticator.objects.create(user=world.amina, type=Authenticator.Type.TOTP, data={"secret": "x"})

    response = signed_in(world.amina).get(reverse("agreements:list"))

    assert response.status_code == 200


@pytest.fixture
def page_with_passkeys(page: Any) -> Any:
    """Return a page of a browser whose device has passkeys, and unlocks them without asking."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return page


def add_passkey(page: Any, origin: str, email: str) -> None:
    """Add a passkey to the account of a person, and sign out."""
    sign_in_by_hand(page, origin, email)
    page.goto(f"{origin}{reverse('mfa_add_webauthn')}")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Passwordless").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(lambda address: "webauthn/add" not in address)
    page.context.clear_cookies()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_passkey_signs_in_without_a_password(
    page_with_passkeys: Any, live_server: Any, settings: LazySettings
) -> None:
    page = page_with_passkeys
    origin = live_server.url.replace("127.0.0.1", "localhost")
    settings.ALLOWED_HOSTS = ["localhost"]
    world = make_world()
    add_passkey(page, origin, world.vera.email)

    page.goto(f"{origin}{reverse('account_login')}")
    page.locator("#passkey_login").click()
    page.wait_for_url(f"{origin}/")
    page.goto(f"{origin}{reverse('people:account')}")

    assert has_second_factor(world.vera)
    assert "Vera Larch" in page.content()
