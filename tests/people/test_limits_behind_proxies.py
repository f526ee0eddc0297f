"""Rate limits count the right address behind proxies and in IPv6 networks."""

from __future__ import annotations

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from partnerships.people.addresses import client_address, counted_address
from partnerships.people.models import SecurityEvent
from tests.world import PASSWORD, World

PROXY = "10.0.0.1"


def is_refused_after(world: World, header_sets: list[dict[str, str]]) -> bool:
    """Return True if the last of thirty sign-ins with these headers is refused."""
    for number in range(30):
        Client(REMOTE_ADDR=PROXY, headers=header_sets[number % len(header_sets)]).post(
            reverse("account_login"), {"login": f"nobody{number}@nowhere.example", "password": "wrong wrong wrong"}
        )
    client = Client(REMOTE_ADDR=PROXY, headers=header_sets[-1])
    client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})
    return "_auth_user_id" not in client.session


def forwarded_headers(*lines: str) -> list[dict[str, str]]:
    return [{"x-forwarded-for": line} for line in lines]


#: Forged entries by the visitor, a different one in each request.
MADE_UP = [f"203.0.113.{number}" for number in range(30)]


@pytest.mark.parametrize(
    ("proxies", "header_sets"),
    [
        (0, forwarded_headers(*MADE_UP)),
        (1, forwarded_headers(*(f"{address}, 198.51.100.7" for address in MADE_UP))),
        (2, forwarded_headers(*(f"{address}, 198.51.100.7, 10.0.0.2" for address in MADE_UP))),
        (1, forwarded_headers(*(f"{one}, 198.51.100.7:{4000 + number}" for number, one in enumerate(MADE_UP)))),
    ],
    ids=["no proxy", "one proxy", "two proxies", "a proxy that adds the port"],
)
def test_forged_forwarded_addresses_do_not_evade_the_sign_in_limit(
    world: World, settings: LazySettings, proxies: int, header_sets: list[dict[str, str]]
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    assert is_refused_after(world, header_sets)


@pytest.mark.parametrize("proxies", [1, 2])
def test_one_visitor_behind_a_proxy_does_not_lock_out_another(
    world: World, settings: LazySettings, proxies: int
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    proxy_suffix = ", 10.0.0.2" if proxies == 2 else ""
    entries_of_one_visitor = [f"198.51.100.7{proxy_suffix}"] * 29

    assert not is_refused_after(world, forwarded_headers(*entries_of_one_visitor, f"198.51.100.8{proxy_suffix}"))


def test_an_ipv6_network_counts_as_one_address_at_sign_in(world: World, settings: LazySettings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    assert is_refused_after(world, forwarded_headers(*(f"2001:db8:1:2:{number:x}::1" for number in range(30))))


def test_another_ipv6_network_is_not_locked_out(world: World, settings: LazySettings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    addresses_of_one_network = [f"2001:db8:1:2:{number:x}::1" for number in range(29)]

    assert not is_refused_after(world, forwarded_headers(*addresses_of_one_network, "2001:db8:1:3::1"))


def test_signed_out_exports_count_an_ipv6_network_as_one_address(db: None, settings: LazySettings) -> None:
    settings.EXPORTS_PER_MINUTE = 3
    address = reverse("plans:pdf", args=[1, 1])

    with time_machine.travel(timezone.now(), tick=False):  # in a new minute, the count would start again
        status_codes = [
            Client(REMOTE_ADDR=f"2001:db8:1:2::{number}").head(address).status_code for number in range(1, 5)
        ]
        status_from_other_network = Client(REMOTE_ADDR="2001:db8:1:3::1").head(address).status_code

    assert status_codes[-1] == 429
    assert status_from_other_network != 429
    assert 429 not in status_codes[:3]


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, "198.51.100.7", PROXY),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9, 198.51.100.7", "198.51.100.7"),
        (2, "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        # The request passed only one of the two proxies, which saw this address.
        (2, "198.51.100.7", "198.51.100.7"),
        (1, "[2001:db8::1]:443", "2001:db8::1"),
        (1, "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "198.51.100.7, unknown", PROXY),
        (1, "", PROXY),
    ],
)
def test_client_address_is_what_the_outermost_trusted_proxy_saw(
    settings: LazySettings, proxies: int, header: str, address: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory(REMOTE_ADDR=PROXY).get("/", headers={"x-forwarded-for": header} if header else {})

    assert client_address(request) == address


def test_a_request_that_bypassed_a_proxy_is_answered(world: World, settings: LazySettings) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    client = Client(REMOTE_ADDR=PROXY, headers={"x-forwarded-for": "198.51.100.7"})

    response = client.post(reverse("account_login"), {"login": world.eddie.email, "password": PASSWORD})

    assert response.status_code == 302
    assert SecurityEvent.objects.get(person=world.eddie).ip == "198.51.100.7"


def test_only_ipv6_addresses_are_counted_by_network() -> None:
    assert counted_address("2001:db8:1:2:3::4") == "2001:db8:1:2::"
    assert counted_address("198.51.100.7") == "198.51.100.7"
