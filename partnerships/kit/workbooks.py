"""Excel and OpenDocument files in which no cell runs as a formula."""

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


#: A name of a worksheet and its rows; the first row is the heading.
Worksheet = tuple[str, Sequence[Sequence[object]]]
#: Rows that say how wide the columns are.
_MEASURED = 200
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Characters that XML cannot hold.
_UNPRINTABLE = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535))


def xlsx_bytes(sheets: Iterable[tuple[str, Iterable[Sequence[object]]]]) -> bytes:
    """An Excel workbook of these worksheets.

    Numbers, days and moments have their own types. Texts are texts, also where they look like formulas: such a cell is
    marked as one that begins with an apostrophe.
    """
    book = openpyxl.Workbook(write_only=True)
    bold = styles.Font(bold=True)
    for name, rows in sheets:
        sheet = book.create_sheet(name[:31])
        sheet.freeze_panes = "A2"
        remaining_rows = iter(rows)
        first = list(islice(remaining_rows, _MEASURED))
        for column, width in zip(ascii_uppercase, _widths(first), strict=False):
            sheet.column_dimensions[column].width = width
        for number, row in enumerate(chain(first, remaining_rows)):
            cells = [_xlsx_cell(sheet, value) for value in row]
            if number == 0:
                for cell in cells:
                    cell.font = bold
            sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_cell(sheet: Any, value: object) -> Any:
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
    """Widths of columns that show most values, in characters.

    Only those of the first 26 columns are set (A to Z).
    """
    wide: dict[int, int] = {}
    for row in rows:
        for place, value in enumerate(row):
            wide[place] = max(wide.get(place, 8), min(len(str(value)) + 2, 50))
    return [wide[place] for place in sorted(wide)]


def _local(value: dt.date) -> dt.date:
    """A moment in local time: workbooks have no time zones."""
    if isinstance(value, dt.datetime) and timezone.is_aware(value):
        return timezone.make_naive(value)
    return value


#: The parts of an OpenDocument spreadsheet (OASIS OpenDocument 1.3) beside its rows.
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
_SPACES = " ".join(f'xmlns:{name}="{_OASIS}:{name}:1.0"' for name in ("office", "table", "text", "style"))
_OTHERS = f'xmlns:number="{_OASIS}:datastyle:1.0" xmlns:fo="{_OASIS}:xsl-fo-compatible:1.0"'


def ods_bytes(name: str, rows: Iterable[Sequence[object]]) -> bytes:
    """An OpenDocument spreadsheet with one sheet.

    The first row is the heading. Numbers, days and moments have their own types, and a text is never a formula, which
    has an attribute of its own.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(zipfile.ZipInfo("mimetype"), ODS)  # the first part, not compressed, as the standard asks
        book.writestr("META-INF/manifest.xml", _MANIFEST)
        with book.open("content.xml", "w", force_zip64=True) as part:
            for piece in _ods_content(name, rows):
                part.write(piece.encode())
    return out.getvalue()


def _ods_content(name: str, rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f'<office:document-content {_SPACES} {_OTHERS} office:version="1.3">{_STYLES}<office:body>'
    yield f"<office:spreadsheet><table:table table:name={quoteattr(name)}>"
    for number, row in enumerate(rows):
        style = ' table:style-name="head"' if number == 0 else ""
        yield f"<table:table-row>{''.join(_ods_cell(value, style) for value in row)}</table:table-row>"
    yield "</table:table></office:spreadsheet></office:body></office:document-content>"


def _ods_cell(value: object, style: str) -> str:
    if value is None or value == "":
        return "<table:table-cell/>"
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        typed = f' office:value-type="float" office:value="{value}"'
    elif isinstance(value, dt.date):
        typed = f' table:style-name="day" office:value-type="date" office:date-value="{_local(value).isoformat()}"'
    else:
        typed = f'{style} office:value-type="string"'
    cell_value = value if isinstance(value, str) else safe_cell(value)
    lines = str(cell_value).translate(_UNPRINTABLE).replace("\r", "").split("\n")
    paragraphs = "".join(f"<text:p>{escape(line)}</text:p>" for line in lines)
    return f"<table:table-cell{typed}>{paragraphs}</table:table-cell>"


def ods_response(name: str, sheet: str, rows: Sequence[Sequence[object]]) -> HttpResponse:
    """A download of an OpenDocument spreadsheet."""
    return _download(name, ods_bytes(sheet, rows), ODS, len(rows) - 1)


def xlsx_response(name: str, sheets: Sequence[Worksheet]) -> HttpResponse:
    """A download of an Excel workbook."""
    rows = max((len(rows) - 1 for _, rows in sheets), default=0)
    return _download(name, xlsx_bytes(sheets), XLSX, rows)


def _download(name: str, content: bytes, content_type: str, rows: int) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    count_rows(response, rows)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
