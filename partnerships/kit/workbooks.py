"""Excel exports in which no cell runs as a formula."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse

from partnerships.kit.exports import count_rows, safe_cell
from partnerships.kit.late import late

if TYPE_CHECKING:
    import openpyxl
    from openpyxl import cell as cells
    from openpyxl import styles
else:
    openpyxl, cells, styles = late("openpyxl"), late("openpyxl.cell"), late("openpyxl.styles")


#: A name of a worksheet and its rows; the first row is the heading.
Worksheet = tuple[str, Sequence[Sequence[object]]]
#: Characters that XML cannot hold.
_UNPRINTABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535))


def xlsx_bytes(sheets: Iterable[Worksheet]) -> bytes:
    """An Excel workbook of these worksheets.

    Texts are texts, also where they look like formulas: such a cell is marked as one that begins with an apostrophe.
    """
    book = openpyxl.Workbook(write_only=True)
    bold = styles.Font(bold=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name[:31])
        sheet.freeze_panes = "A2"
        for column, width in zip(ascii_uppercase, _widths(rows), strict=False):
            sheet.column_dimensions[column].width = width
        for number, row in enumerate(rows):
            made = [_xlsx_cell(sheet, value) for value in row]
            if number == 0:
                for cell in made:
                    cell.font = bold
            sheet.append(made)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_cell(sheet: Any, value: object) -> Any:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return cells.WriteOnlyCell(sheet, value=float(value) if isinstance(value, Decimal) else value)
    safe = safe_cell(value)
    shown = str(value) if isinstance(value, str) else str(safe)
    cell = cells.WriteOnlyCell(sheet, value=shown.translate(_UNPRINTABLE).replace("\r", ""))
    cell.data_type = "s"
    cell.quotePrefix = isinstance(value, str) and safe != value
    return cell


def _widths(rows: Sequence[Sequence[object]]) -> list[int]:
    """Widths of columns that show most values, in characters; for the first 26."""
    wide: dict[int, int] = {}
    for row in rows[:200]:
        for place, value in enumerate(row):
            wide[place] = max(wide.get(place, 8), min(len(str(value)) + 2, 50))
    return [wide[place] for place in sorted(wide)]


def xlsx_response(name: str, sheets: Sequence[Worksheet]) -> HttpResponse:
    """A download of an Excel workbook."""
    response = HttpResponse(
        xlsx_bytes(sheets), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    count_rows(response, max((len(rows) - 1 for _, rows in sheets), default=0))
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
