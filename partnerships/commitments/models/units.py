"""Units of the quantities of commitments, asks and offers, as administrators define them."""

from __future__ import annotations

import pghistory
from django.db import models

from partnerships.kit.vocabularies import CODE, CODE_HELP, Vocabulary


@pghistory.track()
class Unit(Vocabulary):
    """A unit of quantities. The label is its plural, such as homes, and `one` its singular, such as home."""

    # No longer than the columns in which other models store the code.
    code = models.CharField(max_length=10, unique=True, validators=[CODE], help_text=CODE_HELP)
    one = models.CharField("label for one", max_length=120, help_text="The word after the number 1, such as home.")


def unit_words(code: str) -> tuple[str, str]:
    """Return the singular and the plural of a unit, or the code twice if there is no such unit."""
    unit = Unit.by_code().get(code)
    return (unit.one, unit.label) if unit else (code, code)


def unit_fault(code: str, *, keep: str = "") -> str:
    """Return why a unit cannot be chosen, or "" if it can.

    `keep` is the unit that the record has already. It is accepted even if it has been retired.
    """
    if not code or code == keep:
        return ""
    unit = Unit.by_code().get(code)
    if unit is None:
        return f"There is no unit with the code “{code}”."
    return "" if unit.active else f"The unit “{unit.label}” is no longer offered. Choose another."
