"""Kinds of event: each room registers its codes and labels at start-up."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices

#: An old event without a code: its sentence is in `data["wording"]`.
OTHER = "other"

_kinds: dict[str, TextChoices] = {}


class UnknownEventKind(LookupError):
    """No room has registered this kind."""


def register_events(kinds: type[TextChoices]) -> None:
    """Register a room's kinds. Raises `ValueError` for duplicate codes."""
    for kind in kinds:
        if _kinds.setdefault(kind.value, kind) is not kind:
            raise ValueError(f"Two kinds of event have the code {kind.value}.")


def event_labels() -> Mapping[str, str]:
    """The label of every registered kind, by code."""
    return {code: str(kind.label) for code, kind in _kinds.items()}


def check_registered(code: str) -> None:
    """Raise `UnknownEventKind` for a code that no room has registered."""
    if code not in _kinds:
        raise UnknownEventKind(code)


def label_of(code: str, wording: str | None = None) -> str:
    """The event's label, or the sentence of an old event without a code.

    A code that no room registers any more is returned itself.
    """
    if wording:
        return wording[:1].upper() + wording[1:]
    return str(_kinds[code].label) if code in _kinds else code
