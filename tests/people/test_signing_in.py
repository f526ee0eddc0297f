"""People sign in and reset passwords, and administrators view the site as another person."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
import requests
from django.conf import LazySettings
from django.contrib.auth.hashers import MD5PasswordHasher
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


every_kind_of_address = pytest.mark.parametrize(
    "address",
    [
        pytest.param("amina@larkhaven.example", id="account"),
        pytest.param("vera@larkhaven.example", id="closed account"),
        pytest.param("sol@council.example", id="stakeholder"),
        pytest.param("nobody@nowhere.example", id="unknown"),
    ],
)


@pytest.fixture
def vera_has_left(world: World) -> None:
    """Close Vera's account."""
    User.objects.filter(pk=world.vera.pk).update(is_active=False)


@pytest.mark.usefixtures("vera_has_left")
@every_kind_of_address
def test_password_reset_answers_the_same_for_every_address(address: str) -> None:
    response = Client().post(reverse("account_reset_password"), {"email": address})

    assert response.status_code == 302
    assert response["Location"] == "/accounts/password/reset/done/"


@pytest.mark.usefixtures("vera_has_left")
@every_kind_of_address
def test_password_reset_records_an_email_for_every_address(address: str) -> None:
    Client().post(reverse("account_reset_password"), {"email": address})

    assert len(recorded("people.password_reset")) == 1


@pytest.mark.usefixtures("world")
def test_password_reset_is_emailed_to_an_account() -> None:
    Client().post(reverse("account_reset_password"), {"email": "amina@larkhaven.example"})

    assert [email.to for email in deliver()] == [["amina@larkhaven.example"]]


@pytest.mark.usefixtures("vera_has_left")
@pytest.mark.parametrize("address", ["vera@larkhaven.example", "sol@council.example", "nobody@nowhere.example"])
def test_password_reset_is_not_emailed_without_an_open_account(address: str) -> None:
    Client().post(reverse("account_reset_password"), {"email": address})

    assert deliver() == []


def statements_of(address_of_page: str, data: dict[str, str]) -> list[str]:
    """Return the SQL statements that a form makes, without the values in them."""
    with CaptureQueriesContext(connection) as captured:
        Client().post(address_of_page, data)
    return [statement.replace("NULL", "?") for statement in shape(captured.captured_queries)]


@pytest.mark.usefixtures("vera_has_left")
@every_kind_of_address
def test_password_reset_does_the_same_work_for_every_address(address: str) -> None:
    page = reverse("account_reset_password")
    statements_of(page, {"email": "first@nowhere.example"})  # fills caches of the process
    expected_statements = statements_of(page, {"email": "other@nowhere.example"})

    statements = statements_of(page, {"email": address})

    assert statements == expected_statements


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


@pytest.mark.parametrize(
    "next_url", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "/\\evil.example"]
)
def test_signing_in_never_leads_to_another_site(world: World, next_url: str) -> None:
    data = {"login": world.eddie.email, "password": PASSWORD, "next": next_url}

    response = Client().post(reverse("account_login"), data)

    assert response["Location"] == "/"


def sign_in_from(ip: str, person: User) -> None:
    """Sign in with a password from an IP address."""
    Client(REMOTE_ADDR=ip).post(reverse("account_login"), {"login": person.email, "password": PASSWORD})


def test_the_first_sign_in_is_not_emailed(world: World) -> None:
    deliver().clear()

    sign_in_from("192.0.2.1", world.eddie)

    assert deliver() == []


def test_a_sign_in_from_a_known_network_is_not_emailed(world: World) -> None:
    sign_in_from("192.0.2.1", world.eddie)
    deliver().clear()

    sign_in_from("192.0.77.9", world.eddie)

    assert deliver() == []


def test_a_sign_in_from_a_new_network_is_emailed(world: World) -> None:
    sign_in_from("192.0.2.1", world.eddie)
    deliver().clear()

    sign_in_from("198.51.100.4", world.eddie)

    (email,) = deliver()
    assert email.to == ["eddie@larkhaven.example"]
    assert "198.51.100.4" in email.body


@pytest.mark.usefixtures("vera_has_left")
@every_kind_of_address
def test_refused_sign_in_makes_the_same_statements_for_every_address(address: str) -> None:
    page = reverse("account_login")
    statements_of(page, {"login": "first@nowhere.example", "password": "wrong wrong wrong"})  # fills caches
    expected_statements = statements_of(page, {"login": "other@nowhere.example", "password": "wrong wrong wrong"})

    statements = statements_of(page, {"login": address, "password": "wrong wrong wrong"})

    assert statements == expected_statements


@pytest.mark.usefixtures("vera_has_left")
@every_kind_of_address
def test_refused_sign_in_hashes_one_password_for_every_address(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    salts: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda self, password, salt: salts.append(salt) or encode(self, password, salt)
    )

    Client().post(reverse("account_login"), {"login": address, "password": "wrong wrong wrong"})

    assert len(salts) == 1


@pytest.mark.usefixtures("vera_has_left")
@every_kind_of_address
def test_refused_sign_in_is_logged_for_every_address(address: str) -> None:
    response = Client().post(reverse("account_login"), {"login": address, "password": "wrong wrong wrong"})

    assert response.status_code == 200
    assert SecurityEvent.objects.filter(kind="refused").count() == 1


def test_refused_sign_in_is_in_the_log_of_the_person(world: World) -> None:
    Client().post(reverse("account_login"), {"login": world.amina.email, "password": "wrong wrong wrong"})

    assert SecurityEvent.objects.get(person=world.amina).kind == "refused"


def test_too_many_wrong_passwords_lock_sign_in_for_a_while(world: World) -> None:
    for _ in range(10):
        Client().post(reverse("account_login"), {"login": world.eddie.email, "password": "wrong wrong wrong"})
    client = Client()

    client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})

    assert "_auth_user_id" not in client.session


def change_password(world: World, new: str) -> HttpResponse:
    """Change Eddie's password, and return the response."""
    return sign_in(world.eddie).post(
        reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )


def sha1_of(password: str) -> str:
    """Return the digest of a password as the list of breached passwords has it."""
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
def asked_addresses(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which the address of each question to the list of breached passwords is added.

    "correct horse battery staple" was in 205 breaches. The list pads its answer with hashes that have a count of 0.
    """
    settings.BREACHED_PASSWORDS_URL = "https://breached.example/range"
    addresses = []

    def get_range(address: str, **how: Any) -> requests.Response:
        addresses.append(address)
        response = requests.Response()
        response.status_code = 200
        breached, padding = sha1_of("correct horse battery staple"), sha1_of("four other quiet words")
        response._content = f"{breached[5:]}:205\r\n{padding[5:]}:0".encode()
        return response

    monkeypatch.setattr(requests, "get", get_range)
    return addresses


@pytest.mark.usefixtures("asked_addresses")
def test_a_breached_password_is_refused(world: World) -> None:
    response = change_password(world, "correct horse battery staple")

    assert "appeared in a data breach" in response.content.decode()


@pytest.mark.usefixtures("asked_addresses")
def test_a_password_that_was_in_no_breach_is_accepted(world: World) -> None:
    response = change_password(world, "four other quiet words")

    assert response.status_code == 302


def test_only_five_digits_of_the_hash_of_a_new_password_are_sent(world: World, asked_addresses: list[str]) -> None:
    change_password(world, "correct horse battery staple")

    assert asked_addresses == ["https://breached.example/range/ABF7A"]


def test_a_password_passes_if_the_breach_list_does_not_answer(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BREACHED_PASSWORDS_URL = "https://breached.example/range"

    def fails(address: str, **how: Any) -> requests.Response:
        raise requests.ConnectTimeout

    monkeypatch.setattr(requests, "get", fails)

    response = change_password(world, "four other quiet words")

    assert response.status_code == 302


def test_a_new_password_ends_the_other_sessions(world: World) -> None:
    other_session = sign_in(world.eddie)
    change_password(world, "four other quiet words")

    response = other_session.get(reverse("people:account"))

    assert response.status_code == 302


@pytest.mark.parametrize("name", ["amina", "dee"])
def test_leads_and_administrators_need_a_second_factor_if_the_setting_requires_it(
    world: World, settings: LazySettings, name: str
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True

    response = signed_in(getattr(world, name)).get(reverse("organisations:list"))

    assert response.status_code == 302
    assert response["Location"] == "/accounts/2fa/"


def test_other_people_need_no_second_factor_if_the_setting_requires_it(world: World, settings: LazySettings) -> None:
    settings.SECOND_FACTOR_REQUIRED = True

    response = signed_in(world.vera).get(reverse("organisations:list"))

    assert response.status_code == 200


@pytest.fixture
def vera_needs_second_factor(world: World, settings: LazySettings) -> Client:
    """Return the browser of Vera, whose organisation requires a second factor of all its people."""
    settings.SECOND_FACTOR_REQUIRED = False
    update_organisation(
        organisation=world.larkhaven, second_factor_required=True, author=world.amina, now=timezone.now()
    )
    return signed_in(world.vera)


def test_an_organisation_can_require_a_second_factor_of_all_its_people(vera_needs_second_factor: Client) -> None:
    response = vera_needs_second_factor.get(reverse("agreements:list"))

    assert response["Location"] == "/accounts/2fa/"


def test_a_person_who_needs_a_second_factor_opens_their_account(vera_needs_second_factor: Client) -> None:
    response = vera_needs_second_factor.get(reverse("people:account"))

    assert response.status_code == 200


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


def test_an_administrator_does_not_find_a_partnership(world: World) -> None:
    response = signed_in(world.dee).get(reverse("agreements:detail", args=[world.partnership.pk]))

    assert response.status_code == 404


def test_an_administrator_viewing_as_a_person_reads_what_the_person_may(world: World) -> None:
    client = client_viewing_as(world, world.vera)

    response = client.get(reverse("agreements:detail", args=[world.partnership.pk]))

    assert response.status_code == 200
    assert "You are viewing the site as Vera Larch" in response.content.decode()


def test_viewing_as_another_person_is_in_their_log(world: World) -> None:
    client_viewing_as(world, world.vera)

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

    response = client.get(reverse("agreements:detail", args=[world.partnership.pk]))

    assert response.status_code == 404


def test_only_administrators_view_as_others(world: World) -> None:
    with pytest.raises(UnableToAct, match="You do not have permission"):
        begin_view_as(administrator=world.amina, person=world.vera, reason="Curious.", now=timezone.now())


def test_nobody_views_as_an_administrator(world: World) -> None:
    with pytest.raises(UnableToViewAs, match="You cannot view the site as yourself or as another administrator"):
        begin_view_as(administrator=world.dee, person=world.dee, reason="Curious.", now=timezone.now())


def test_administrators_need_a_reason_to_view_as_others(world: World) -> None:
    with pytest.raises(UnableToViewAs, match="Enter a reason"):
        begin_view_as(administrator=world.dee, person=world.vera, reason=" ", now=timezone.now())
