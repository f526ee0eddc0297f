"""Sessions have their keys and limits, and people end their own."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from tests.people.test_leaving_and_erasing import sign_in
from tests.support.signing_in import signed_in
from tests.world import PASSWORD, World

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
NOON = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)


def is_signed_in(client: Client) -> bool:
    return client.get(reverse("organisations:list")).status_code == 200


def test_signing_in_changes_the_session_key(world: World) -> None:
    client = Client()
    client.get(reverse("account_login"))
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies["session"] = session.session_key or ""
    key_before = session.session_key

    client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})

    assert client.session.session_key != key_before
    assert is_signed_in(client)


@pytest.mark.parametrize(("idle", "is_open"), [(59 * MINUTE, True), (61 * MINUTE, False)])
def test_an_idle_session_ends_after_an_hour(world: World, idle: dt.timedelta, is_open: bool) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(world.eddie)
        clock.shift(30 * MINUTE)
        assert is_signed_in(client)
        clock.shift(idle)

        assert is_signed_in(client) is is_open


def test_a_session_in_constant_use_ends_after_twelve_hours(world: World) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(world.eddie)
        for _ in range(23):
            clock.shift(30 * MINUTE)
            assert is_signed_in(client)
        clock.shift(31 * MINUTE)

        response = client.get(reverse("people:account"))

        assert response.status_code == 302
        assert response["Location"] == f"{reverse('account_login')}?next={reverse('people:account')}"
        assert not is_signed_in(client)


def test_a_clock_set_back_does_not_prolong_a_session(world: World) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(world.eddie)
        clock.shift(-2 * HOUR)

        assert not is_signed_in(client)


def test_a_post_after_the_session_ended_leads_home_after_sign_in(world: World) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        client = signed_in(world.eddie)
        session = client.session
        session.set_expiry(13 * 3600)
        session.save()
        clock.shift(12.5 * HOUR)

        response = client.post(reverse("people:details"), {"name": "Eddie", "time_zone": "Europe/London"})

        assert response["Location"] == f"{reverse('account_login')}?next=/"


def test_people_see_and_end_only_their_own_sessions(world: World) -> None:
    this_session = sign_in(world.eddie)
    other_session = sign_in(world.eddie)
    vera = sign_in(world.vera)
    page = this_session.get(reverse("usersessions_list")).content.decode()

    this_session.post(reverse("usersessions_list"))

    assert page.count("127.0.0.1") == 2, "Vera's session is not listed."
    assert is_signed_in(this_session)
    assert not is_signed_in(other_session)
    assert is_signed_in(vera)
    assert UserSession.objects.filter(user=world.eddie).count() == 1


def test_people_can_change_their_name(world: World) -> None:
    client = signed_in(world.eddie)

    response = client.post(reverse("people:details"), {"name": "Edward", "time_zone": world.eddie.time_zone})

    assert response.status_code == 302
    world.eddie.refresh_from_db()
    assert world.eddie.name == "Edward"


def test_django_admin_is_entered_only_through_account_sign_in(world: World) -> None:
    """Django's own form has no rate limits, second factors or sign-in through an organisation's own page."""
    page = Client().get(reverse("admin:login"), {"next": "/admin/people/user/"})
    response = Client().post(reverse("admin:login"), {"username": world.dee.email, "password": PASSWORD})

    assert page["Location"] == f"{reverse('account_login')}?next=/admin/people/user/"
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize(("name", "status_code"), [("vera", 403), ("dee", 302)])
def test_the_sign_in_page_of_django_admin_signs_nobody_in_again(world: World, name: str, status_code: int) -> None:
    person = getattr(world, name)
    client = signed_in(person)

    page = client.get(reverse("admin:login"))
    response = client.post(reverse("admin:login"), {"username": world.dee.email, "password": PASSWORD})

    assert page.status_code == status_code
    assert response.status_code == status_code
    assert client.session["_auth_user_id"] == str(person.pk)


def test_django_admin_never_redirects_to_another_site(world: World) -> None:
    for next_url in ("https://evil.example/", "//evil.example/", "/\\evil.example"):
        response = Client().get(reverse("admin:login"), {"next": next_url})

        assert "evil" not in response["Location"]


def test_passwords_are_changed_in_the_account_and_not_in_django_admin(world: World) -> None:
    client = signed_in(world.dee)

    response = client.get(reverse("admin:password_change"))

    assert response["Location"] == reverse("account_change_password")
