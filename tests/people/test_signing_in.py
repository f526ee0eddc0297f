"""People sign in and reset passwords, and administrators view the site as another person."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.rights import UnableToAct
from partnerships.organisations.services import update_organisation
from partnerships.people.models import SecurityEvent, User
from partnerships.people.view_as import UnableToViewAs, begin_view_as
from tests.people.test_leaving_and_erasing import sign_in
from tests.support.outbox import deliver, recorded
from tests.support.signing_in import signed_in
from tests.support.statements import shape
from tests.world import PASSWORD, World, require_own_sign_in


def test_nobody_can_sign_up_without_an_invitation(world: World) -> None:
    response = Client().post(
        reverse("account_signup"), {"email": "x@x.example", "password1": PASSWORD, "password2": PASSWORD}
    )

    assert response.status_code in {200, 403}
    assert not User.objects.filter(email="x@x.example").exists()


@pytest.mark.parametrize("address", ["sol@council.example", "nobody@nowhere.example", "amina@larkhaven.example"])
def test_password_reset_answers_the_same_for_every_address(world: World, address: str) -> None:
    response = Client().post(reverse("account_reset_password"), {"email": address})

    assert response.status_code == 302
    assert response["Location"] == reverse("account_reset_password_done")
    assert len(deliver()) == (1 if address.startswith("amina") else 0)


def test_password_reset_does_the_same_work_for_known_and_unknown_addresses(world: World) -> None:
    User.objects.filter(pk=world.vera.pk).update(is_active=False)
    known_addresses = {"account": world.amina.email, "stakeholder": world.sol.email, "left": world.vera.email}
    work_by_kind = {}

    # The first request fills caches of the process.
    for kind, address in {"first": "x@y.example", "unknown": "nobody@nowhere.example", **known_addresses}.items():
        emails_before = len(recorded())
        with CaptureQueriesContext(connection) as captured:
            response = Client().post(reverse("account_reset_password"), {"email": address})
        rows = len(recorded()) - emails_before
        work_by_kind[kind] = (response.status_code, response.get("Location"), rows, shape(captured.captured_queries))

    assert work_by_kind["unknown"][2] == 1
    assert {kind: work_by_kind[kind] for kind in known_addresses} == dict.fromkeys(
        known_addresses, work_by_kind["unknown"]
    )
    assert [message.to for message in deliver()] == [[world.amina.email]]


def request_password_reset(address: str) -> None:
    """Enter an address on the page for people who forgot their password."""
    Client().post(reverse("account_reset_password"), {"email": address})


def test_a_password_reset_link_leads_to_the_page_for_a_new_password(world: World) -> None:
    request_password_reset("Amina@Larkhaven.example")
    [message] = deliver()
    [path] = re.findall(r"http://[^/]+(/\S+)", str(message.body))

    response = Client().get(path, follow=True)

    assert "new password" in response.content.decode().lower()


def test_a_password_reset_keeps_neither_the_typed_address_nor_the_link(world: World) -> None:
    request_password_reset("Amina@Larkhaven.example")
    request_password_reset("nobody@nowhere.example")

    deliver()

    stored_emails = [
        (email.address, email.secrets, email.tokens, email.status) for email in recorded("people.password_reset")
    ]
    assert stored_emails == [(world.amina.email, None, None, "sent"), ("", None, None, "suppressed")]


def test_a_stakeholder_cannot_sign_in(world: World) -> None:
    client = Client()

    client.post(reverse("account_login"), {"login": world.sol.email, "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def test_signing_in_never_leads_to_another_site(world: World) -> None:
    for next_url in ("https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"):
        response = Client().post(
            reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD, "next": next_url}
        )

        assert response["Location"] == "/"


def test_a_sign_in_from_a_new_place_is_emailed_and_a_known_place_is_not(world: World) -> None:
    def emails_after_sign_in_from(ip: str) -> list[EmailMessage]:
        deliver().clear()
        Client(REMOTE_ADDR=ip).post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})
        return list(deliver())

    emails_after_first_sign_in = emails_after_sign_in_from("192.0.2.1")
    emails_after_same_network = emails_after_sign_in_from("192.0.77.9")
    emails_after_new_network = emails_after_sign_in_from("198.51.100.4")

    assert emails_after_first_sign_in == []
    assert emails_after_same_network == []
    assert [email.to for email in emails_after_new_network] == [[world.eddie.email]]
    assert "198.51.100.4" in str(emails_after_new_network[0].body)


def test_refused_sign_in_does_the_same_work_for_known_and_unknown_addresses(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    User.objects.filter(pk=world.vera.pk).update(is_active=False)
    known_addresses = {"account": world.amina.email, "stakeholder": world.sol.email, "left": world.vera.email}
    hashed: list[str] = []
    real_encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher,
        "encode",
        lambda self, password, salt: hashed.append(salt) or real_encode(self, password, salt),
    )
    work_by_kind = {}

    # The first request fills caches of the process.
    for kind, address in {"first": "x@y.example", "unknown": "nobody@nowhere.example", **known_addresses}.items():
        events_before, hashed[:] = SecurityEvent.objects.filter(kind="refused").count(), []
        with CaptureQueriesContext(connection) as captured:
            response = Client().post(reverse("account_login"), {"login": address, "password": "wrong wrong wrong"})
        rows = SecurityEvent.objects.filter(kind="refused").count() - events_before
        statements = [statement.replace("NULL", "?") for statement in shape(captured.captured_queries)]
        work_by_kind[kind] = (response.status_code, rows, len(hashed), statements)

    assert work_by_kind["unknown"][1:3] == (1, 1)
    assert {kind: work_by_kind[kind][:3] for kind in known_addresses} == dict.fromkeys(
        known_addresses, work_by_kind["unknown"][:3]
    )
    assert {kind: work_by_kind[kind][3] for kind in known_addresses} == dict.fromkeys(
        known_addresses, work_by_kind["unknown"][3]
    )
    assert SecurityEvent.objects.get(person=world.amina).kind == "refused"


def test_too_many_wrong_passwords_lock_sign_in_for_a_while(world: World) -> None:
    for _ in range(10):
        Client().post(reverse("account_login"), {"login": world.eddie.email, "password": "wrong wrong wrong"})
    client = Client()

    client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def change_password(world: World, new: str) -> HttpResponse:
    return sign_in(world.eddie).post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )


def test_a_breached_password_is_refused_and_only_five_hash_digits_are_sent(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BREACHED_PASSWORDS_URL = "https://breached.example/range"
    addresses = []

    def get_range(address: str, **how: Any) -> requests.Response:
        addresses.append(address)
        response = requests.Response()
        response.status_code = 200
        # The list pads its answer with hashes that have a count of 0.
        breached_digest = hashlib.sha1(b"correct horse battery staple", usedforsecurity=False).hexdigest().upper()
        unbreached_digest = hashlib.sha1(b"four other quiet words", usedforsecurity=False).hexdigest().upper()
        response._content = (
            f"0018A45C4D1DEF81644B54AB7F969B88D65:9\r\n{breached_digest[5:]}:205\r\n{unbreached_digest[5:]}:0".encode()
        )
        return response

    monkeypatch.setattr(requests, "get", get_range)

    refused_response = change_password(world, "correct horse battery staple")
    accepted_response = change_password(world, "four other quiet words")

    assert "appeared in a data breach" in refused_response.content.decode()
    assert accepted_response.status_code == 302
    assert [len(address.removeprefix("https://breached.example/range/")) for address in addresses] == [5, 5]


def test_a_password_passes_if_the_breach_list_does_not_answer(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BREACHED_PASSWORDS_URL = "https://breached.example/range"

    def fails(address: str, **how: Any) -> requests.Response:
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests, "get", fails)

    assert change_password(world, "four other quiet words").status_code == 302


def test_a_new_password_ends_the_other_sessions(world: World) -> None:
    this_session = sign_in(world.eddie)
    other_session = sign_in(world.eddie)

    this_session.post(
        reverse("account_change_password"),
        {"oldpassword": PASSWORD, "password1": "four other quiet words", "password2": "four other quiet words"},
    )

    assert other_session.get(reverse("people:account")).status_code == 302


def test_leads_and_administrators_need_a_second_factor_if_the_setting_requires_it(
    world: World, settings: LazySettings
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True

    for person, is_redirected in ((world.amina, True), (world.dee, True), (world.vera, False)):
        client = signed_in(person)
        response = client.get(reverse("organisations:list"))

        assert (response.status_code == 302 and response["Location"] == reverse("mfa_index")) is is_redirected


def test_an_organisation_can_require_a_second_factor_of_all_its_people(world: World, settings: LazySettings) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    update_organisation(
        organisation=world.larkhaven, second_factor_required=True, author=world.amina, now=timezone.now()
    )
    client = signed_in(world.vera)

    assert client.get(reverse("agreements:list"))["Location"] == reverse("mfa_index")
    assert client.get(reverse("people:account")).status_code == 200


def test_a_password_is_refused_if_own_sign_in_is_required(world: World) -> None:
    require_own_sign_in(world.larkhaven, "larkhaven", lead=world.amina, author=world.dee)
    client = Client()

    response = client.post(reverse("account_login"), {"login": world.vera.email, "password": PASSWORD})

    assert response["Location"] == reverse("account_login")
    assert "_auth_user_id" not in client.session


def client_viewing_as(world: World, person: User) -> Client:
    """Return the browser of Dee, an administrator, who views the site as this person."""
    client = signed_in(world.dee)
    response = client.post(reverse("people:view-as", kwargs={"pk": person.pk}), {"reason": "They asked for help."})
    assert response.status_code == 302
    return client


def test_an_administrator_sees_restricted_text_only_as_another_person_with_a_reason(world: World) -> None:
    address = reverse("agreements:detail", kwargs={"pk": world.partnership.pk})
    response_as_dee = signed_in(world.dee).get(address)

    response_as_vera = client_viewing_as(world, world.vera).get(address)

    assert response_as_dee.status_code == 404
    assert "You are viewing the site as Vera Larch" in response_as_vera.content.decode()
    assert SecurityEvent.objects.get(person=world.vera).kind == "viewed_as"


def test_nothing_can_be_changed_while_viewing_as_another_person(world: World) -> None:
    client = client_viewing_as(world, world.amina)

    response = client.post(
        reverse("agreements:status", kwargs={"pk": world.partnership.pk}), {"status": "ended", "reason": "Because"}
    )

    assert response.status_code == 403
    world.partnership.refresh_from_db()
    assert world.partnership.status == "exploring"


def test_viewing_as_another_person_can_be_ended(world: World) -> None:
    client = client_viewing_as(world, world.vera)

    client.post(reverse("people:view-as-end"))

    assert client.get(reverse("agreements:detail", kwargs={"pk": world.partnership.pk})).status_code == 404


def test_only_administrators_view_as_others(world: World) -> None:
    with pytest.raises(UnableToAct):
        begin_view_as(administrator=world.amina, person=world.vera, reason="Curious.", now=timezone.now())


def test_nobody_views_as_an_administrator(world: World) -> None:
    with pytest.raises(UnableToViewAs):
        begin_view_as(administrator=world.dee, person=world.dee, reason="Curious.", now=timezone.now())


def test_administrators_need_a_reason_to_view_as_others(world: World) -> None:
    with pytest.raises(UnableToViewAs):
        begin_view_as(administrator=world.dee, person=world.vera, reason=" ", now=timezone.now())
