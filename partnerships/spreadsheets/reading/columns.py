"""Columns of a partner's spreadsheet.

How they are found, and what the template says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from partnerships.transfer.reading.headings import Column, canonical


@dataclass(frozen=True, slots=True)
class SheetColumn(Column):
    """A column with its example, its help and the values that it allows.

    `shown` is the heading of templates and exports.
    """

    example: str | int = ""
    hint: str = ""
    #: The allowed values as people read them; empty if anything goes.
    allowed: tuple[str, ...] = ()


def column(
    code: str,
    shown: str,
    *others: str,
    required: bool = False,
    example: str | int = "",
    hint: str = "",
    choices: Mapping[str, str] | None = None,
) -> SheetColumn:
    """A column that is found by its code, its heading or one of the other headings, in any spelling."""
    patterns = tuple(dict.fromkeys(canonical(name) for name in (shown, code, *others)))
    allowed = tuple(label[:1].upper() + label[1:] for label in choices.values()) if choices else ()
    return SheetColumn(
        code=code,
        patterns=patterns,
        shown=shown,
        required=required,
        values="",
        example=example,
        hint=hint,
        allowed=allowed,
    )


def yes_or_no(code: str, shown: str, *others: str, hint: str = "") -> SheetColumn:
    """A column of a flag."""
    return column(code, shown, *others, hint=hint, example="no", choices={"yes": "yes", "no": "no"})
