"""Kinds of event: each room registers its codes and labels at start-up."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices

#: An event from before there were codes, whose sentence no code replaces: it stands in `data["wording"]`.
OTHER = "other"

_kinds: dict[str, TextChoices] = {}


class UnknownEventKind(LookupError):
    """No room has registered the kind."""


def register_events(kinds: type[TextChoices]) -> None:
    """Make a room's kinds of event known. Raises `ValueError` where a code stands for two of them."""
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
    """What timelines say of an event: its label, or the old sentence of one that has no code.

    A code that no room registers any more is shown as it is.
    """
    if wording:
        return wording[:1].upper() + wording[1:]
    return str(_kinds[code].label) if code in _kinds else code
