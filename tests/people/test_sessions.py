"""Sessions have their keys and limits, and people end their own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

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
    """Return whether a page opens that needs a sign-in."""
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
    assert client.session["_auth_user_id"] == str(world.eddie.pk)


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """Stop the clock at noon, and return it."""
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


@pytest.mark.parametrize(("idle", "is_open"), [(59 * MINUTE, True), (61 * MINUTE, False)])
def test_an_idle_session_ends_after_an_hour(
    world: World, clock: time_machine.Coordinates, idle: dt.timedelta, is_open: bool
) -> None:
    client = signed_in(world.eddie)
    clock.shift(30 * MINUTE)
    client.get(reverse("organisations:list"))

    clock.shift(idle)

    assert is_signed_in(client) is is_open


def use_for_half_hours(client: Client, clock: time_machine.Coordinates, count: int) -> list[int]:
    """Open a page every half hour, and return the status of each response."""
    statuses = []
    for _ in range(count):
        clock.shift(30 * MINUTE)
        statuses.append(client.get(reverse("organisations:list")).status_code)
    return statuses


def test_a_session_in_constant_use_lasts_for_eleven_and_a_half_hours(
    world: World, clock: time_machine.Coordinates
) -> None:
    client = signed_in(world.eddie)

    statuses = use_for_half_hours(client, clock, 23)

    assert statuses == [200] * 23


def test_a_session_in_constant_use_ends_after_twelve_hours(world: World, clock: time_machine.Coordinates) -> None:
    client = signed_in(world.eddie)
    use_for_half_hours(client, clock, 23)
    clock.shift(31 * MINUTE)

    response = client.get("/account/")

    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/account/"


def test_a_clock_set_back_does_not_prolong_a_session(world: World, clock: time_machine.Coordinates) -> None:
    client = signed_in(world.eddie)

    clock.shift(-2 * HOUR)

    assert not is_signed_in(client)


def test_a_post_after_the_session_ended_leads_home_after_sign_in(world: World, clock: time_machine.Coordinates) -> None:
    client = signed_in(world.eddie)
    session = client.session
    session.set_expiry(13 * 3600)
    session.save()
    clock.shift(12.5 * HOUR)

    response = client.post(reverse("people:details"), {"name": "Eddie", "time_zone": "Europe/London"})

    assert response["Location"] == "/accounts/login/?next=/"


def test_people_see_only_their_own_sessions(world: World) -> None:
    this_session = sign_in(world.eddie)
    sign_in(world.eddie)
    sign_in(world.vera)

    html = this_session.get(reverse("usersessions_list")).content.decode()

    assert html.count("127.0.0.1") == 2


def test_people_end_all_their_other_sessions(world: World) -> None:
    this_session = sign_in(world.eddie)
    other_session = sign_in(world.eddie)

    this_session.post(reverse("usersessions_list"))

    assert is_signed_in(this_session)
    assert not is_signed_in(other_session)
    assert UserSession.objects.filter(user=world.eddie).count() == 1


def test_ending_ones_own_sessions_leaves_other_people_signed_in(world: World) -> None:
    veras_session = sign_in(world.vera)

    sign_in(world.eddie).post(reverse("usersessions_list"))

    assert is_signed_in(veras_session)


def test_people_can_change_their_name(world: World) -> None:
    client = signed_in(world.eddie)

    response = client.post(reverse("people:details"), {"name": "Edward", "time_zone": world.eddie.time_zone})

    assert response.status_code == 302
    world.eddie.refresh_from_db()
    assert world.eddie.name == "Edward"


def test_sign_in_page_of_django_admin_leads_to_account_sign_in() -> None:
    response = Client().get(reverse("admin:login"), {"next": "/admin/people/user/"})

    assert response["Location"] == "/accounts/login/?next=/admin/people/user/"


def test_password_sent_to_django_admin_signs_nobody_in(world: World) -> None:
    """Django's own form has no rate limits, second factors or sign-in through an organisation's own page."""
    client = Client()

    response = client.post(reverse("admin:login"), {"username": world.dee.email, "password": PASSWORD})

    assert response["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


#: Django admin refuses Vera, and leads Dee, an administrator, to its first page.
signed_in_people = pytest.mark.parametrize(("name", "status_code"), [("vera", 403), ("dee", 302)])


@signed_in_people
def test_sign_in_page_of_django_admin_is_not_shown_to_people_who_are_signed_in(
    world: World, name: str, status_code: int
) -> None:
    response = signed_in(getattr(world, name)).get(reverse("admin:login"))

    assert response.status_code == status_code


@signed_in_people
def test_password_sent_to_django_admin_signs_nobody_in_again(world: World, name: str, status_code: int) -> None:
    person = getattr(world, name)
    client = signed_in(person)

    response = client.post(reverse("admin:login"), {"username": world.dee.email, "password": PASSWORD})

    assert response.status_code == status_code
    assert client.session["_auth_user_id"] == str(person.pk)


@pytest.mark.parametrize("next_url", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_django_admin_never_redirects_to_another_site(next_url: str) -> None:
    response = Client().get(reverse("admin:login"), {"next": next_url})

    assert "evil" not in response["Location"]


def test_passwords_are_changed_in_the_account_and_not_in_django_admin(world: World) -> None:
    client = signed_in(world.dee)

    response = client.get(reverse("admin:password_change"))

    assert response["Location"] == reverse("account_change_password")
