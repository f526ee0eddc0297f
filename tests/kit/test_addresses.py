"""Addresses of pages are the same as Django's resolver returns, for all ids and mount points."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix

from partnerships.kit.addresses import page_address


@pytest.fixture
def mounted_below() -> Iterator[str]:
    """Mount the site below an address that has characters of a pattern in it."""
    previous_prefix = get_script_prefix()
    set_script_prefix("/100%d/")
    yield "/100%d/"
    set_script_prefix(previous_prefix)


@pytest.mark.parametrize(
    ("view", "ids"),
    [
        ("organisations:list", ()),
        ("organisations:detail", (5,)),
        ("plans:version", (12, 3)),
        ("plans:version", (3, 12)),
        ("surveys:detail", (2_000_000_000, 1)),
    ],
)
def test_an_address_is_the_same_as_that_of_the_resolver(view: str, ids: tuple[int, ...]) -> None:
    assert page_address(view, *ids) == reverse(view, args=ids)
    assert page_address(view, *ids) == reverse(view, args=ids), "The second address comes from the cached pattern."


def test_addresses_follow_the_place_where_the_site_is_mounted(mounted_below: str) -> None:
    assert page_address("organisations:detail", 5) == reverse("organisations:detail", args=[5])
    assert page_address("organisations:detail", 5) != "/organisations/5/"


def test_a_page_that_does_not_exist_has_no_address() -> None:
    with pytest.raises(NoReverseMatch):
        page_address("organisations:detail")
