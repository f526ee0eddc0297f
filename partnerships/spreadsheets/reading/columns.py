"""Columns of a partner's spreadsheet, with the headings by which they are recognised and hints for the template."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from partnerships.transfer.reading.headings import Column, canonical


@dataclass(frozen=True, slots=True)
class SheetColumn(Column):
    """A column whose heading in templates and exports is `shown`."""

    example: str | int = ""
    hint: str = ""
    #: The labels of the allowed values. If it is empty, every value is allowed.
    allowed: tuple[str, ...] = ()


def column(
    code: str,
    shown: str,
    *other_headings: str,
    required: bool = False,
    example: str | int = "",
    hint: str = "",
    choices: Mapping[str, str] | None = None,
) -> SheetColumn:
    """Return a column that files may name by its heading (`shown`), its code or another heading, in any spelling."""
    patterns = tuple(dict.fromkeys(canonical(heading) for heading in (shown, code, *other_headings)))
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


def yes_or_no(code: str, heading: str, *other_headings: str, hint: str = "") -> SheetColumn:
    """Return a column whose cells are yes or no."""
    return column(code, heading, *other_headings, hint=hint, example="no", choices={"yes": "yes", "no": "no"})
