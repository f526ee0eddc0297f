"""Hook for rooms whose records can serve an objective, such as commitments and plans."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from partnerships.agreements.models import Partnership
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class ServingRecord:
    """A record that serves an objective, as a reader may see it.

    `summary` says how far the record has got, for example "3 of 5 milestones achieved".
    """

    title: str
    path: str
    summary: str = ""
    is_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Provider:
    """A kind of record of another room that people can link to an objective.

    `code` is stored with each link and never changes. `choices` returns keys and titles of the records that the person
    may link in the partnership. `read` returns the records with these keys that the person may read today.
    """

    code: str
    label: str
    plural_label: str
    choices: Callable[[User, Partnership], list[tuple[str, str]]]
    read: Callable[[User, Collection[str]], dict[str, ServingRecord]]


_providers: dict[str, Provider] = {}


def register_provider(provider: Provider) -> None:
    """Register a kind of record that people can link to objectives."""
    _providers[provider.code] = provider


def providers() -> list[Provider]:
    """Return all providers, by code."""
    return [_providers[code] for code in sorted(_providers)]


def provider_of(code: str) -> Provider | None:
    """Return the provider with this code, or None if its room is not installed."""
    return _providers.get(code)
