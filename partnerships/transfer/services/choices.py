"""What the person who imports a list chose."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """The date and publisher of a list, and what to do with its odd rows.

    A preview keeps them for when it is applied.
    """

    #: Else the date in the file's name, title or rows, else today.
    as_of: dt.date | None = None
    #: Whose confirmed headings are used; "" for those that fit the file.
    publisher: str = ""
    #: One row that cannot be used refuses the file.
    all_or_nothing: bool = False
    #: National parks and other bodies in a list of councils become organisations of their kind.
    take_others: bool = False
    #: The list is only a part of its register: nothing counts as missing.
    is_part: bool = False
    #: Many organisations of the register are missing, and that is right.
    accept_missing: bool = False
    #: The council (its id) that owns rows of brownfield land that do not say whose they are.
    council: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The choices for the report of a preview, without the date."""
        return {name: value for name, value in asdict(self).items() if name != "as_of"}

    def by(self, publisher: str) -> Choices:
        """The same choices for the lists of a publisher."""
        return replace(self, publisher=publisher)

    @classmethod
    def of_preview(cls, report: dict[str, Any], as_of: dt.date | None, *, accept_missing: bool) -> Choices:
        """The choices that a preview was made with."""
        kept = {name: value for name, value in report.get("choices", {}).items() if name in cls.__slots__}
        day = None if report.get("dated_today") else as_of
        return cls(**{**kept, "as_of": day, "accept_missing": accept_missing})
