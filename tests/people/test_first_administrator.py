"""A new network gets its first administrator by a link that works once."""

from __future__ import annotations

import datetime as dt
from functools import partial
from io import StringIO
from urllib.parse import urlsplit

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from partnerships.kit.masking import mask
from partnerships.people.first_administrator import (
    UnableToBegin,
    become_first_administrator,
    new_token,
)
from partnerships.people.models import User
from tests.support.at_once import run_at_once
from tests.world import World

pytestmark = pytest.mark.django_db
GIVEN = {"name": "Dee Network", "email": "dee@network.example", "password": "three quiet words here"}


def first_administrator_link() -> str:
    """Return the path of a link that the command prints."""
    out = StringIO()
    call_command("first_administrator", stdout=out)
    return urlsplit(out.getvalue().strip()).path


def test_the_link_makes_an_administrator_and_signs_them_in() -> None:
    client = Client()
    path = first_administrator_link()

    response = client.post(path, GIVEN)

    person = User.objects.get()
    assert response.status_code == 302
    assert person.is_staff
    assert person.check_password("three quiet words here")
    assert client.session["_auth_user_id"] == str(person.pk)


def test_the_first_administrator_is_led_to_set_up_the_network() -> None:
    client = Client()
    client.post(first_administrator_link(), GIVEN)

    home_page = client.get("/").content.decode()

    assert "Set up Common Ground" in home_page


def test_the_first_administrator_has_done_the_first_step() -> None:
    client = Client()
    client.post(first_administrator_link(), GIVEN)

    first_steps = client.get("/first-steps/").content.decode()

    assert "1 of 4 done" in first_steps


def test_a_used_link_stops_working() -> None:
    path = first_administrator_link()
    Client().post(path, GIVEN)

    response = Client().get(path)

    assert response.status_code == 404


def test_other_links_stop_working_once_one_was_used() -> None:
    other_path = first_administrator_link()
    Client().post(first_administrator_link(), GIVEN)

    response = Client().get(other_path)

    assert response.status_code == 404


def test_the_command_makes_no_link_once_there_is_an_administrator() -> None:
    Client().post(first_administrator_link(), GIVEN)

    with pytest.raises(CommandError, match="already had an administrator"):
        first_administrator_link()


def test_the_link_stops_working_after_a_day() -> None:
    path = first_administrator_link()

    with time_machine.travel(timezone.now() + dt.timedelta(hours=25)):
        response = Client().get(path)

    assert response.status_code == 404


def test_the_link_does_not_work_in_a_network_with_an_administrator(world: World) -> None:
    path = f"/begin/{new_token()}/"

    response = Client().get(path)

    assert response.status_code == 404


def test_a_weak_password_makes_no_administrator() -> None:
    path = first_administrator_link()

    response = Client().post(path, GIVEN | {"password": "short"})

    assert response.status_code == 422
    assert not User.objects.exists()


def test_a_weak_password_does_not_use_up_the_link() -> None:
    path = first_administrator_link()
    Client().post(path, GIVEN | {"password": "short"})

    response = Client().get(path)

    assert response.status_code == 200


def test_the_link_is_masked_in_logs() -> None:
    path = first_administrator_link()

    logged = mask(f"GET {path} 200")

    assert path.split("/")[2] not in logged
    assert logged.startswith("GET /begin/")


@pytest.mark.django_db(transaction=True)
def test_two_people_who_open_links_at_once_make_one_administrator() -> None:
    def begin_with(token: str, email: str) -> User:
        return become_first_administrator(token=token, now=timezone.now(), **(GIVEN | {"email": email}))

    outcomes = run_at_once(
        partial(begin_with, new_token(), "dee@network.example"),
        partial(begin_with, new_token(), "dara@network.example"),
    )

    assert {type(outcome) for outcome in outcomes} == {User, UnableToBegin}
    assert User.objects.filter(is_staff=True).count() == 1
