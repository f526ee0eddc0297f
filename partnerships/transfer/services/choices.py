"""What the person who imports a list can choose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The date and publisher of a list, and how to import it.

    A preview saves these choices, and applying the preview uses them again.
    """

    #: The date of the list, or None for the date in the file's name, title or rows, or else today.
    as_of: dt.date | None = None
    #: The publisher whose confirmed headings are used, or "" for the publisher whose lists have the same headings.
    publisher: str = ""
    #: Whether a single row that cannot be used refuses the whole file.
    all_or_nothing: bool = False
    #: Whether national parks and other bodies in a list of councils are imported too.
    take_others: bool = False
    #: Whether the list has only a part of its register, so that no organisation is reported as missing.
    is_part: bool = False
    #: Whether the list is imported although many organisations of the register are missing.
    accept_missing: bool = False
    #: The id of the council for rows of brownfield land without an authority.
    council: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the choices except the date as JSON values, for the report of a preview."""
        return {name: value for name, value in asdict(self).items() if name != "as_of"}

    def with_publisher(self, publisher: str) -> Choices:
        """Return the same choices with another publisher."""
        return replace(self, publisher=publisher)

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Choices:
        """Return choices from values by name, such as the cleaned data of a form. Other names are ignored."""
        choice_names = {choice.name for choice in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in choice_names})

    @classmethod
    def from_preview(cls, report: dict[str, Any], as_of: dt.date | None, *, accept_missing: bool) -> Choices:
        """Return the choices of a preview, from its report and its date.

        If the list had no date, the preview assumed today's date. Nobody chose that date, so `as_of` is then None.
        """
        chosen_date = None if report.get("dated_today") else as_of
        return cls.from_values({**report.get("choices", {}), "as_of": chosen_date, "accept_missing": accept_missing})
