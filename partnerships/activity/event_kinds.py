"""Kinds of event, with their codes and labels. Each room registers its kinds at start-up."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import TextChoices

#: The kind of old events without a code of their own: their sentence is in `data["wording"]`.
OTHER = "other"

_kinds: dict[str, TextChoices] = {}


class UnknownEventKind(LookupError):
    """No room has registered this kind of event."""


def register_events(kinds: type[TextChoices]) -> None:
    """Register the kinds of event of a room. Raises `ValueError` for a code that another kind has."""
    for kind in kinds:
        if _kinds.setdefault(kind.value, kind) is not kind:
            raise ValueError(f"Two kinds of event have the code {kind.value}.")


def event_labels() -> Mapping[str, str]:
    """Return the label of every registered kind, by code."""
    return {code: str(kind.label) for code, kind in _kinds.items()}


def check_registered(code: str) -> None:
    """Raise `UnknownEventKind` for a code that no room has registered."""
    if code not in _kinds:
        raise UnknownEventKind(code)


def label_of(code: str, wording: str | None = None) -> str:
    """Return the label of a kind of event, or the sentence (`wording`) of an old event without a code.

    If no room registers the code any longer, return the code itself.
    """
    if wording:
        return wording[:1].upper() + wording[1:]
    if code not in _kinds:
        return code
    return str(_kinds[code].label)
