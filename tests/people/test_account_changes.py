"""A change of how a person signs in is made with its alert, log entry and journal line, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.test import Client
from django.urls import reverse

from partnerships.kit.models import WaitingLine
from partnerships.people import sign_in_journal
from partnerships.people.models import SecurityEvent, User
from tests.people.test_leaving_and_erasing import sign_in
from tests.people.test_second_factors import totp_code
from tests.support.outbox import recorded
from tests.world import PASSWORD, World

#: A function without arguments that sends a POST, which changes how Eddie signs in.
Act = Callable[[], Any]
NEW = "four other quiet words"
SECRET = "JBSWY3DPEHPK3PXP"


def freshly_checked_client(world: World) -> Client:
    """Return a browser in which Eddie has just entered his password once more."""
    client = sign_in(world.eddie)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def ready_to_change_password(world: World) -> Act:
    """Return the POST with which Eddie changes his password."""
    client = sign_in(world.eddie)
    form_data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    return lambda: client.post(reverse("account_change_password"), form_data)


def ready_to_reset_password(world: World) -> Act:
    """Return the POST with which Eddie chooses a new password by email."""
    client = Client()
    key = default_token_generator.make_token(world.eddie)
    link = {"uidb36": user_pk_to_url_str(world.eddie), "key": key}
    page = client.get(reverse("account_reset_password_from_key", kwargs=link))["Location"]
    return lambda: client.post(page, {"password1": NEW, "password2": NEW})


def ready_to_change_address(world: World) -> Act:
    """Return the POST with which Eddie confirms another address."""
    EmailAddress.objects.update_or_create(
        user=world.eddie, email=world.eddie.email, defaults={"primary": True, "verified": True}
    )
    new_address = EmailAddress.objects.create(user=world.eddie, email="eddie@quayside.example")
    client = sign_in(world.eddie)
    return lambda: client.post(reverse("account_confirm_email", args=[EmailConfirmationHMAC(new_address).key]))


def ready_to_add_app(world: World) -> Act:
    """Return the POST with which Eddie adds an authenticator app."""
    client = freshly_checked_client(world)
    secret = client.get(reverse("mfa_activate_totp")).context["form"].secret
    return lambda: client.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})


def ready_to_remove_app(world: World) -> Act:
    """Return the POST with which Eddie removes his authenticator app."""
    client = freshly_checked_client(world)
    TOTP.activate(world.eddie, SECRET)
    return lambda: client.post(reverse("mfa_deactivate_totp"))


def ready_to_replace_recovery_codes(world: World) -> Act:
    """Return the POST with which Eddie gets new recovery codes."""
    client = freshly_checked_client(world)
    TOTP.activate(world.eddie, SECRET)
    return lambda: client.post(reverse("mfa_generate_recovery_codes"))


def ready_to_remove_passkey(world: World) -> Act:
    """Return the POST with which Eddie removes a passkey."""
    client = freshly_checked_client(world)
    key = Authenticator.objects.create(user=world.eddie, type=Authenticator.Type.WEBAUTHN, data={"name": "Key"})
    return lambda: client.post(reverse("mfa_remove_webauthn", args=[key.pk]))


#: Each change, and the kind of its journal line.
CHANGES = {
    ready_to_change_password: sign_in_journal.PASSWORD,
    ready_to_reset_password: sign_in_journal.PASSWORD,
    ready_to_change_address: sign_in_journal.ADDRESS,
    ready_to_add_app: sign_in_journal.FACTORS,
    ready_to_remove_app: sign_in_journal.FACTORS,
    ready_to_replace_recovery_codes: sign_in_journal.FACTORS,
    ready_to_remove_passkey: sign_in_journal.FACTORS,
}


def sign_in_rows(person: User) -> tuple[object, ...]:
    """Return the password, addresses and second factors as stored, and the number of events in the log."""
    stored_person = User.objects.get(pk=person.pk)
    addresses = EmailAddress.objects.filter(user=person).values_list("email", "primary", "verified").order_by("email")
    factors = Authenticator.objects.filter(user=person).values_list("pk", flat=True).order_by("pk")
    return stored_person.password, stored_person.email, list(addresses), list(factors), SecurityEvent.objects.count()


class Killed(BaseException):
    """Raised where a process is killed."""


def kill(*args: object, **kwargs: object) -> NoReturn:
    """Kill the process, whatever it was about to do."""
    raise Killed("killed")


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "killed_at", ["people.adapters.record_email", "people.receivers.record_security_event", "kit.journal.note"]
)
def test_a_process_killed_before_alert_log_or_journal_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, change: Callable[[World], Act], killed_at: str
) -> None:
    act = change(world)
    rows_before = sign_in_rows(world.eddie)
    waiting_lines_before = WaitingLine.objects.count()
    monkeypatch.setattr(f"partnerships.{killed_at}", kill)

    with pytest.raises(Killed, match="killed"):
        act()

    assert sign_in_rows(world.eddie) == rows_before
    assert WaitingLine.objects.count() == waiting_lines_before


@pytest.mark.parametrize(("change", "journalled"), CHANGES.items())
def test_alert_log_and_journal_are_recorded_before_the_change_is_committed(
    world: World, change: Callable[[World], Act], journalled: str
) -> None:
    act = change(world)
    events_before = SecurityEvent.objects.count()
    emails_before = len(recorded("people.account"))

    act()

    # Nothing is committed in this test, so no on-commit callback has run.
    assert len(recorded("people.account")) == emails_before + 1
    assert SecurityEvent.objects.count() > events_before
    assert WaitingLine.objects.filter(text__contains=f'"what":"{journalled}"').exists()


def enter_wrong_passwords(world: World, count: int) -> str:
    """Try to sign in as Eddie some times, and return the last page."""
    form_data = {"login": world.eddie.email, "password": "not this one"}
    pages = [Client().post(reverse("account_login"), form_data).content.decode() for _ in range(count)]
    return pages[-1]


def test_wrong_passwords_are_still_logged(world: World) -> None:
    enter_wrong_passwords(world, 3)

    assert SecurityEvent.objects.filter(person=world.eddie, kind="refused").count() == 3


def test_wrong_passwords_are_still_limited(world: World) -> None:
    page = enter_wrong_passwords(world, 11)

    assert "Too many failed" in page
    assert SecurityEvent.objects.filter(person=world.eddie, kind="refused").count() == 10
