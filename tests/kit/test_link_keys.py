"""Keys of links follow from each other, even if SECRET_KEY was changed in between."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from partnerships.kit.link_keys import UnableToFindKey, newer_key, next_key

OLD, NEW = "the key of last year", "the key of this year"


class RenewedKeys(NamedTuple):
    """The keys of links that were renewed before and after the secret key changed."""

    last_of_old_secret: str
    first_of_new_secret: str


@pytest.fixture
def keys(settings: Any) -> RenewedKeys:
    """Renew links twice with the old secret key, and once with the new one, while the old one is a fallback."""
    settings.SECRET_KEY = OLD
    settings.SECRET_KEY_FALLBACKS = []
    last_of_old_secret = next_key(next_key("first"))
    settings.SECRET_KEY = NEW
    settings.SECRET_KEY_FALLBACKS = [OLD]
    return RenewedKeys(last_of_old_secret, next_key(last_of_old_secret))


def test_a_key_made_with_the_new_secret_key_is_found(keys: RenewedKeys) -> None:
    found_key = newer_key("first", is_wanted=lambda key: key == keys.first_of_new_secret)

    assert found_key == keys.first_of_new_secret


def test_a_key_made_with_the_old_secret_key_is_found(keys: RenewedKeys) -> None:
    found_key = newer_key("first", is_wanted=lambda key: key == keys.last_of_old_secret)

    assert found_key == keys.last_of_old_secret


def test_no_key_is_found_once_the_old_secret_key_is_no_fallback(keys: RenewedKeys, settings: Any) -> None:
    settings.SECRET_KEY_FALLBACKS = []

    with pytest.raises(UnableToFindKey):
        newer_key("first", is_wanted=lambda key: key == keys.first_of_new_secret)
