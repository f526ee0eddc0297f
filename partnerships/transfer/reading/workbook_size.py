"""Count the cells of a spreadsheet before a reader loads them.

A few bytes can mean millions of cells, for example if a row is repeated, or if two values are far apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.parsers import expat

#: The attributes (OpenDocument) and the elements (Excel, OpenDocument) of a cell that give it a value.
_VALUES = {"value-type", "value", "date-value", "time-value", "boolean-value", "string-value", "formula"}
_CONTENTS = {"v", "is", "f", "p"}
_REFERENCE = re.compile(r"([A-Za-z]*)([0-9]*)")


def count_cells(content: bytes) -> int:
    """Return the number of cells between the first and the last value of the largest sheet.

    Returns 0 if the content is not a sheet. Raises `ValueError` if the content is not XML.
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
    """Measures the rectangle of all values of each sheet, in Excel and OpenDocument files."""

    largest: int = 0
    #: The position of the current cell, counted from 1, how often it is repeated, and whether it has a value.
    row: int = 0
    column: int = 0
    rows: int = 1
    columns: int = 1
    is_filled: bool = False
    #: The rectangle of the values so far in the current sheet, or 0 if there are none.
    top: int = 0
    left: int = 0
    bottom: int = 0
    right: int = 0

    @property
    def area(self) -> int:
        """Return the number of cells in the rectangle of the current sheet."""
        return (self.bottom - self.top + 1) * (self.right - self.left + 1) if self.bottom else 0

    def start(self, element: str, attributes: Mapping[str, str]) -> None:
        """Handle the start of the element of a sheet, a row, a cell, or the content of a cell.

        The XML parser calls this method, and `end`.
        """
        name = element.rpartition(":")[2]
        if name in ("worksheet", "table"):
            self.largest = max(self.largest, self.area)
            self.row = self.top = self.left = self.bottom = self.right = 0
            self.rows = 1
        elif name in ("row", "table-row"):
            self.row = int(attributes["r"]) if "r" in attributes else self.row + self.rows
            self.rows, self.column, self.columns = _times(attributes, "number-rows-repeated"), 0, 1
        elif name in ("c", "table-cell", "covered-table-cell"):
            self._begin_cell(attributes)
        elif name in _CONTENTS:
            self.is_filled = True

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        """Move to the next cell, or to the cell with this reference, such as “B7”."""
        match = _REFERENCE.fullmatch(attributes.get("r", ""))
        column, digits = match.groups() if match else ("", "")
        self.column = _number(column) if column else self.column + self.columns
        self.row = int(digits) if digits else self.row
        self.columns = _times(attributes, "number-columns-repeated")
        self.is_filled = any(name.rpartition(":")[2] in _VALUES for name in attributes)

    def end(self, element: str) -> None:
        """Extend the rectangle to include the cell that ends here, if it has a value."""
        if element.rpartition(":")[2] not in ("c", "table-cell", "covered-table-cell") or not self.is_filled:
            return
        self.top, self.left = min(self.top or self.row, self.row), min(self.left or self.column, self.column)
        self.bottom = max(self.bottom, self.row + self.rows - 1)
        self.right = max(self.right, self.column + self.columns - 1)
        self.is_filled = False


def _times(attributes: Mapping[str, str], attribute: str) -> int:
    """Return how often a row or cell is repeated, by this attribute in any namespace. 1 without the attribute."""
    return next((int(value) for name, value in attributes.items() if name.rpartition(":")[2] == attribute), 1)


def _number(column: str) -> int:
    """Return the number of a column from its name: 1 for A, 27 for AA."""
    number = 0
    for character in column.upper():
        number = number * 26 + ord(character) - 64
    return number
