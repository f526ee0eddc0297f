"""People sign in with an authenticator app, recovery codes and passkeys."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from partnerships.people.models import SecurityEvent
from partnerships.people.second_factor import has_second_factor
from tests.people.test_leaving_and_erasing import sign_in
from tests.support.browser import sign_in as sign_in_by_hand
from tests.support.signing_in import signed_in
from tests.world import PASSWORD, World, make_world


def totp_code(secret: str, moment: float | None = None) -> str:
    """Return the code that an authenticator app shows at a moment."""
    return str(format_hotp_value(hotp_value(secret, int((moment or time.time()) // 30))))


def add_authenticator_app(world: World) -> tuple[str, list[str]]:
    """Add an authenticator app for Eddie, and return its secret and the recovery codes."""
    client = sign_in(world.eddie)
    reauthentication = client.get(reverse("mfa_activate_totp"))
    assert reauthentication["Location"].startswith(reverse("account_reauthenticate")), (
        "Who just signed in is asked once more."
    )
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret_match = re.search(r"\b[A-Z2-7]{32}\b", page)
    assert secret_match, page[:3000]
    response = client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret_match[0])}, follow=True)
    confirmation_page = response.content.decode()
    codes = Authenticator.objects.get(user=world.eddie, type="recovery_codes").wrap().get_unused_codes()
    assert len(codes) == 10
    assert all(code in confirmation_page for code in codes), "The recovery codes are shown when they are made."
    later_page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert not any(code in later_page for code in codes), "They are shown once."
    return secret_match[0], codes


def client_before_second_factor(world: World) -> Client:
    """Return a browser in which Eddie has entered only his password."""
    client = Client()
    response = client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})
    assert response["Location"].startswith(reverse("mfa_authenticate"))
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_adding_a_second_factor_is_noted_in_the_security_log(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        add_authenticator_app(world)

    assert SecurityEvent.objects.filter(person=world.eddie, kind="second_factor_changed").exists()


def test_a_password_alone_does_not_sign_in_with_a_second_factor(world: World) -> None:
    add_authenticator_app(world)

    client = client_before_second_factor(world)

    assert not is_signed_in(client)
    assert client.get(reverse("agreements:list")).status_code == 302


def test_a_password_and_a_code_sign_in_with_a_second_factor(world: World) -> None:
    secret, _ = add_authenticator_app(world)
    client = client_before_second_factor(world)

    # The code that added the app is used up. A minute later, the app shows another one.
    with time_machine.travel(time.time() + 60):
        client.post(reverse("mfa_authenticate"), {"code": totp_code(secret)})

    assert is_signed_in(client)


def test_a_code_works_once(world: World) -> None:
    secret, _ = add_authenticator_app(world)

    with time_machine.travel(time.time() + 60, tick=False):
        code = totp_code(secret)
        first_client = client_before_second_factor(world)
        second_client = client_before_second_factor(world)
        first_client.post(reverse("mfa_authenticate"), {"code": code})
        second_client.post(reverse("mfa_authenticate"), {"code": code})

        assert is_signed_in(first_client)
        assert not is_signed_in(second_client)


def test_a_code_is_accepted_for_30_seconds_after_the_app_changed_it(world: World) -> None:
    secret, _ = add_authenticator_app(world)

    with time_machine.travel(time.time() + 120, tick=False):
        client = client_before_second_factor(world)
        client.post(reverse("mfa_authenticate"), {"code": totp_code(secret, time.time() - 30)})

    assert is_signed_in(client)


def test_a_code_of_a_minute_ago_is_refused(world: World) -> None:
    secret, _ = add_authenticator_app(world)

    with time_machine.travel(time.time() + 120, tick=False):
        client = client_before_second_factor(world)
        client.post(reverse("mfa_authenticate"), {"code": totp_code(secret, time.time() - 60)})

    assert not is_signed_in(client)


def test_a_wrong_code_is_refused(world: World) -> None:
    secret, _ = add_authenticator_app(world)

    with time_machine.travel(time.time() + 60, tick=False):
        client = client_before_second_factor(world)
        wrong_code = "000000" if totp_code(secret) != "000000" else "000001"
        client.post(reverse("mfa_authenticate"), {"code": wrong_code})

        assert not is_signed_in(client)


def test_attempts_to_guess_codes_are_limited(world: World) -> None:
    secret, _ = add_authenticator_app(world)
    client = client_before_second_factor(world)
    for guess in range(12):
        client.post(reverse("mfa_authenticate"), {"code": f"{guess:06d}"})

    with time_machine.travel(time.time() + 60):
        client.post(reverse("mfa_authenticate"), {"code": totp_code(secret)})

    assert not is_signed_in(client)


def test_a_recovery_code_works_once(world: World) -> None:
    _, codes = add_authenticator_app(world)
    first_client = client_before_second_factor(world)
    second_client = client_before_second_factor(world)

    first_client.post(reverse("mfa_authenticate"), {"code": codes[0]})
    second_client.post(reverse("mfa_authenticate"), {"code": codes[0]})

    assert is_signed_in(first_client)
    assert not is_signed_in(second_client)


def test_second_factor_secrets_are_encrypted(world: World, settings: LazySettings) -> None:
    settings.SECOND_FACTOR_KEYS = ["the-first-of-our-secrets"]

    secret, _ = add_authenticator_app(world)

    stored_data = {row.type: row.data for row in Authenticator.objects.filter(user=world.eddie)}
    assert secret not in str(stored_data)
    assert all(data.get("secret", data.get("seed", "")).startswith("gAAAAA") for data in stored_data.values())


def test_second_factors_work_after_their_key_was_changed(
    world: World, settings: LazySettings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.SECOND_FACTOR_KEYS = ["the-first-of-our-secrets"]
    secret, codes = add_authenticator_app(world)

    settings.SECOND_FACTOR_KEYS = ["the-second-of-our-secrets", "the-first-of-our-secrets"]
    call_command("encrypt_second_factors")
    settings.SECOND_FACTOR_KEYS = ["the-second-of-our-secrets"]

    client_with_app = client_before_second_factor(world)
    client_with_recovery_code = client_before_second_factor(world)
    with time_machine.travel(time.time() + 60):
        client_with_app.post(reverse("mfa_authenticate"), {"code": totp_code(secret)})
    client_with_recovery_code.post(reverse("mfa_authenticate"), {"code": codes[1]})

    assert capsys.readouterr().out.startswith("Encrypted 2 second factors")
    assert is_signed_in(client_with_app)
    assert is_signed_in(client_with_recovery_code)


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


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_a_passkey_signs_in_without_a_password(page: Any, live_server: Any, settings: LazySettings) -> None:
    world = make_world()
    origin = live_server.url.replace("127.0.0.1", "localhost")
    settings.ALLOWED_HOSTS = ["localhost"]
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
    sign_in_by_hand(page, origin, world.vera.email)
    page.goto(f"{origin}{reverse('mfa_add_webauthn')}")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Passwordless").check()
    page.locator("#mfa_webauthn_add").click()
    page.wait_for_url(lambda address: "webauthn/add" not in address)
    assert has_second_factor(world.vera)
    page.context.clear_cookies()

    page.goto(f"{origin}{reverse('account_login')}")
    page.locator("#passkey_login").click()
    page.wait_for_url(f"{origin}/")

    page.goto(f"{origin}{reverse('people:account')}")
    assert "Vera Larch" in page.content()
