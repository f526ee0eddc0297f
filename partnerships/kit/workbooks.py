"""Excel and OpenDocument files without cells that would run as formulas."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, islice
from string import ascii_uppercase
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from django.http import HttpResponse
from django.utils import timezone

from partnerships.kit.exports import count_rows, safe_cell
from partnerships.kit.late import late

if TYPE_CHECKING:
    import openpyxl
    from openpyxl import cell as cells
    from openpyxl import styles
else:
    openpyxl, cells, styles = late("openpyxl"), late("openpyxl.cell"), late("openpyxl.styles")


#: The name of a worksheet, and its rows. The first row is the heading.
Worksheet = tuple[str, Sequence[Sequence[object]]]
#: The number of first rows that decide how wide the columns are.
_MEASURED = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Characters that XML does not allow.
_UNPRINTABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535))


def xlsx_bytes(sheets: Iterable[tuple[str, Iterable[Sequence[object]]]]) -> bytes:
    """Return an Excel workbook with these worksheets.

    Numbers, days and moments have their own types. A text is always a text. If it looks like a formula, its cell is
    marked like one in which a person typed an apostrophe first.
    """
    book = openpyxl.Workbook(write_only=True)
    bold = styles.Font(bold=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name[:31])
        sheet.freeze_panes = "A2"
        remaining_rows = iter(rows)
        first_rows = list(islice(remaining_rows, _MEASURED))
        for column, width in zip(ascii_uppercase, _widths(first_rows), strict=False):
            sheet.column_dimensions[column].width = width
        for row_index, row in enumerate(chain(first_rows, remaining_rows)):
            cells = [_xlsx_cell(sheet, value) for value in row]
            if row_index == 0:
                for cell in cells:
                    cell.font = bold
            sheet.append(cells)
    workbook_file = io.BytesIO()
    book.save(workbook_file)
    return workbook_file.getvalue()


def _xlsx_cell(sheet: Any, value: object) -> Any:
    """Return a cell with this value, as a number, a date or a text."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return cells.WriteOnlyCell(sheet, value=float(value) if isinstance(value, Decimal) else value)
    if isinstance(value, dt.date):
        cell = cells.WriteOnlyCell(sheet)
        cell.value = _local(value)
        cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(value, dt.datetime) else "yyyy-mm-dd"
        return cell
    safe = safe_cell(value)
    text = str(value) if isinstance(value, str) else str(safe)
    cell = cells.WriteOnlyCell(sheet, value=text.translate(_UNPRINTABLE).replace("\r", ""))
    cell.data_type = "s"
    cell.quotePrefix = isinstance(value, str) and safe != value
    return cell


def _widths(rows: Sequence[Sequence[object]]) -> list[int]:
    """Return widths of columns, in characters, that show most values in full.

    Only the widths of the first 26 columns are used (A to Z).
    """
    width_by_column: dict[int, int] = {}
    for row in rows:
        for column, value in enumerate(row):
            width_by_column[column] = max(width_by_column.get(column, 8), min(len(str(value)) + 2, 50))
    return [width_by_column[column] for column in sorted(width_by_column)]


def _local(value: dt.date) -> dt.date:
    """Return a moment in local time without a time zone, because workbooks have none. A day is unchanged."""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.make_naive(value)
    return value


# The parts of an OpenDocument spreadsheet (OASIS OpenDocument 1.3) besides its rows.
ODS = "application/vnd.oasis.opendocument.spreadsheet"
_OASIS = "urn:oasis:names:tc:opendocument:xmlns"
_MANIFEST = (
    f'<manifest:manifest xmlns:manifest="{_OASIS}:manifest:1.0" manifest:version="1.3">'
    f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODS}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
)
_STYLES = (
    '<office:automatic-styles><number:date-style style:name="D"><number:year number:style="long"/><number:text>-'
    '</number:text><number:month number:style="long"/><number:text>-</number:text><number:day number:style="long"/>'
    '</number:date-style><style:style style:name="day" style:family="table-cell" style:data-style-name="D"/>'
    '<style:style style:name="head" style:family="table-cell"><style:text-properties fo:font-weight="bold"/>'
    "</style:style></office:automatic-styles>"
)
_NAMESPACES = " ".join(f'xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text", "style"))
_STYLE_NAMESPACES = f'xmlns:number="{_OASIS}:datastyle:1.0" xmlns:fo="{_OASIS}:xsl-fo-compatible:1.0"'


def ods_bytes(name: str, rows: Iterable[Sequence[object]]) -> bytes:
    """Return an OpenDocument spreadsheet with one sheet, whose first row is the heading.

    Numbers, days and moments have their own types. A text is never run as a formula, because the format writes
    formulas in a separate attribute.
    """
    spreadsheet_file = io.BytesIO()
    with zipfile.ZipFile(spreadsheet_file, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(zipfile.ZipInfo("mimetype"), ODS)  # the standard requires it first and not compressed
        book.writestr("META-INF/manifest.xml", _MANIFEST)
        with book.open("content.xml", "w", force_zip64=True) as part:
            for piece in _ods_content(name, rows):
                part.write(piece.encode())
    return spreadsheet_file.getvalue()


def _ods_content(name: str, rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the XML of the spreadsheet, a part for each row."""
    yield (f'<office:document-content {_NAMESPACES} {_STYLE_NAMESPACES} office:version="1.3">{_STYLES}<office:body>')
    yield f"<office:spreadsheet><table:table table:name={quoteattr(name)}>"
    for number, row in enumerate(rows):
        style = ' table:style-name="head"' if number == 0 else ""
        yield f"<table:table-row>{''.join(_ods_cell(value, style) for value in row)}</table:table-row>"
    yield "</table:table></office:spreadsheet></office:body></office:document-content>"


def _ods_cell(value: object, style: str) -> str:
    """Return the XML of a cell with this value."""
    if value is None or value == "":
        return "<table:table-cell/>"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        type_attributes = f' office:value-type="float" office:value="{value}"'
    elif isinstance(value, dt.date):
        type_attributes = (
            f' table:style-name="day" office:value-type="date" office:date-value="{_local(value).isoformat()}"'
        )
    else:
        type_attributes = f'{style} office:value-type="string"'
    cell_value = value if isinstance(value, str) else safe_cell(value)
    lines = str(cell_value).translate(_UNPRINTABLE).replace("\r", "").split("\n")
    paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines)
    return f"<table:table-cell{type_attributes}>{paragraphs}</table:table-cell>"


def ods_response(name: str, sheet: str, rows: Sequence[Sequence[object]]) -> HttpResponse:
    """Return a download of an OpenDocument spreadsheet."""
    return _download(name, ods_bytes(sheet, rows), ODS, len(rows) - 1)


def xlsx_response(name: str, sheets: Sequence[Worksheet]) -> HttpResponse:
    """Return a download of an Excel workbook."""
    row_count = max((len(row_count) - 1 for _, row_count in sheets), default=0)
    return _download(name, xlsx_bytes(sheets), XLSX, row_count)


def _download(name: str, content: bytes, content_type: str, row_count: int) -> HttpResponse:
    """Return the content as a private download, with the number of exported rows for the activity log."""
    response = HttpResponse(content, content_type=content_type)
    count_rows(response, row_count)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
