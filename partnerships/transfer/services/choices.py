"""What the person who imports a list can choose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The date and the publisher of a list, and how to import it. A preview saves these until it is applied."""

    #: The date of the list; None for the date in the file's name, title or rows, or else today.
    as_of: dt.date | None = None
    #: The publisher whose confirmed headings are used; "" for the one whose lists look like the file.
    publisher: str = ""
    #: Whether the whole file is refused because of a single row that cannot be used.
    all_or_nothing: bool = False
    #: Whether national parks and other bodies in a list of councils are imported too.
    take_others: bool = False
    #: Whether the list is only a part of its register, so that nothing counts as missing.
    is_part: bool = False
    #: Whether the list is imported although many organisations of the register are missing.
    accept_missing: bool = False
    #: The id of the council for rows of brownfield land without an authority.
    council: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the choices except the date as JSON values, for the report of a preview."""
        return {name: value for name, value in asdict(self).items() if name != "as_of"}

    def by(self, publisher: str) -> Choices:
        """Return the same choices, with this publisher."""
        return replace(self, publisher=publisher)

    @classmethod
    def among(cls, values: Mapping[str, Any]) -> Choices:
        """Return the choices among these values by name, which may have other values too, such as those of a form."""
        names = [choice.name for choice in fields(cls)]
        return cls(**{name: values[name] for name in names if name in values})

    @classmethod
    def of_preview(cls, report: dict[str, Any], as_of: dt.date | None, *, accept_missing: bool) -> Choices:
        """Return the choices of a preview, from its report and its date.

        A date that was only assumed, because the list has none, is not a choice.
        """
        chosen_date = None if report.get("dated_today") else as_of
        return cls.among({**report.get("choices", {}), "as_of": chosen_date, "accept_missing": accept_missing})
