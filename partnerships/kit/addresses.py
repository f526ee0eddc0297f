"""Addresses of pages whose parameters are ids, without running Django's resolver for every link."""

from __future__ import annotations

from functools import cache

from django.urls import get_script_prefix, reverse

#: The first placeholder id. Placeholders are replaced with `%d`, and no record has an id as large as this.
_FIRST_PLACEHOLDER = 8_000_000_000_000_000_000


def page_address(view: str, *ids: int) -> str:
    """Return the address of a page, such as `page_address("plans:detail", plan.pk)`.

    The result is the same as that of `reverse(view, args=ids)`, which takes 15 times as long: a page of a list has up
    to 90 links. Use `reverse` for parameters that are not ids. Raises `NoReverseMatch` if there is no such page.
    """
    return _pattern(get_script_prefix(), view, len(ids)) % ids


@cache
def _pattern(_script_prefix: str, view: str, count: int) -> str:
    """Return the address with `%d` in place of each id.

    The script prefix is a parameter only because the cache must not mix up addresses of different prefixes.
    """
    placeholders = [_FIRST_PLACEHOLDER + position for position in range(count)]
    pattern = reverse(view, args=placeholders).replace("%", "%%")
    for placeholder in placeholders:
        pattern = pattern.replace(str(placeholder), "%d")
    return pattern
