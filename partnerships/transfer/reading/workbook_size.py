"""How many cells a part of a spreadsheet stands for, before anything keeps them.

Repeated rows, and values far apart, stand for many in a few bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

#: Attributes and elements of a cell that give it a value.
_VALUES = {"value-type", "value", "date-value", "time-value", "boolean-value", "string-value", "formula"}
_CONTENTS = {"v", "is", "f", "p"}
_REFERENCE = re.compile(r"([A-Za-z]*)([0-9]*)")


def cells_of(content: bytes) -> int:
    """Return the cells of the largest rectangle, of those that hold all values of one sheet; 0 if it is no sheet.

    Raises `ValueError` if the part is not XML.
    """
    counter = _Counter()
    parser = expat.ParserCreate()
    parser.StartElementHandler = counter.start
    parser.EndElementHandler = counter.end
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    return max(counter.largest, counter.area)


@dataclass
class _Counter:
    """Walks through sheets of either kind, and keeps the rectangle of the values of each."""

    largest: int = 0
    #: The place of the present cell, counted from 1, how often it is there, and whether it has a value.
    row: int = 0
    column: int = 0
    rows: int = 1
    columns: int = 1
    is_filled: bool = False
    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    @property
    def area(self) -> int:
        """The cells of the present sheet's rectangle."""
        return (self.bottom - self.top + 1) * (self.right - self.left + 1) if self.bottom else 0

    def start(self, element: str, given: Mapping[str, str]) -> None:
        """Handle the start of an element: a sheet, a row, a cell, or the content of a cell.

        Called by the XML parser.
        """
        name = element.rpartition(":")[2]
        if name in ("worksheet", "table"):
            self.largest = max(self.largest, self.area)
            self.row = self.top = self.left = self.bottom = self.right = 0
            self.rows = 1
        elif name in ("row", "table-row"):
            self.row = int(given["r"]) if "r" in given else self.row + self.rows
            self.rows, self.column, self.columns = _times(given, "number-rows-repeated"), 0, 1
        elif name in ("c", "table-cell", "covered-table-cell"):
            self._begin_cell(given)
        elif name in _CONTENTS:
            self.is_filled = True

    def _begin_cell(self, given: Mapping[str, str]) -> None:
        column, digits = found.groups() if (found := _REFERENCE.fullmatch(given.get("r", ""))) else ("", "")
        self.column = _number(column) if column else self.column + self.columns
        self.row = int(digits) if digits else self.row
        self.columns = _times(given, "number-columns-repeated")
        self.is_filled = any(name.rpartition(":")[2] in _VALUES for name in given)

    def end(self, element: str) -> None:
        """Let a cell with a value widen the rectangle."""
        if element.rpartition(":")[2] not in ("c", "table-cell", "covered-table-cell") or not self.is_filled:
            return
        self.top, self.left = min(self.top or self.row, self.row), min(self.left or self.column, self.column)
        self.bottom = max(self.bottom, self.row + self.rows - 1)
        self.right = max(self.right, self.column + self.columns - 1)
        self.is_filled = False


def _times(given: Mapping[str, str], attribute: str) -> int:
    return next((int(value) for name, value in given.items() if name.rpartition(":")[2] == attribute), 1)


def _number(column: str) -> int:
    """Return the number of a column from its name: 1 for A, 27 for AA."""
    number = 0
    for character in column.upper():
        number = number * 26 + ord(character) - 64
    return number
