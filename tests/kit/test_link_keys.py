"""Keys of links follow from each other, even if SECRET_KEY was changed in between."""

from __future__ import annotations

from typing import Any

import pytest

from partnerships.kit.link_keys import UnableToFindKey, newer_key, next_key

OLD, NEW = "the key of last year", "the key of this year"


def test_the_newest_key_is_found_when_links_were_renewed_around_a_new_secret_key(settings: Any) -> None:
    settings.SECRET_KEY = OLD
    settings.SECRET_KEY_FALLBACKS = []
    last_old_key = next_key(next_key("first"))
    settings.SECRET_KEY = NEW
    settings.SECRET_KEY_FALLBACKS = [OLD]
    newest = next_key(last_old_key)

    assert newer_key("first", is_wanted=newest.__eq__) == newest
    assert newer_key("first", is_wanted=last_old_key.__eq__) == last_old_key
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(UnableToFindKey):
        newer_key("first", is_wanted=newest.__eq__)
