"""Reads Excel workbooks, after checking them as archives."""

from __future__ import annotations

import datetime as dt
import io
import warnings
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from partnerships.kit.late import late
from partnerships.transfer.reading.problems import unable

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = late("openpyxl")

#: Limits of a workbook as an archive (docs/safety.md, Limits).
MAX_ENTRIES = 200
MAX_UNPACKED = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 300
#: Maximum blank rows below a table, left by formatting; an Excel sheet has no more rows than this.
LAST_ROW = 1_048_576
_DECLARATIONS = tuple(
    word.encode(encoding)
    for word in ("<!DOCTYPE", "<!ENTITY", "<!doctype", "<!entity")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
Numbered = list[tuple[int, tuple[Any, ...]]]


def read_workbook(data: bytes) -> Iterator[tuple[str, Numbered]]:
    """Each visible sheet with its numbered rows.

    Values are those that Excel last computed. Raises `UnableToRead` if the archive is not a workbook, is damaged, or
    unpacks to more than a list needs.
    """
    _look_over(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns about styles and validations, which lists do not need
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            found = [(sheet.title, _rows(sheet)) for sheet in book.worksheets if sheet.sheet_state == "visible"]
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        SyntaxError,
        OSError,
        TypeError,
        IndexError,
        AttributeError,
    ) as error:
        raise unable(
            "it cannot be read as an Excel workbook.", "Open it in a spreadsheet and save it again as .xlsx."
        ) from error
    yield from found


def _look_over(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise unable(
                    f"it holds {len(entries):,} parts; a list needs at most {MAX_ENTRIES}.", "Use the published file."
                )
            unpacked = sum(entry.file_size for entry in entries)
            if unpacked > MAX_UNPACKED:
                raise unable(
                    f"it unpacks to {unpacked:,} bytes; the limit is {MAX_UNPACKED:,}.",
                    "Use the published file, or save the list as CSV.",
                )
            names = {entry.filename for entry in entries}
            if "xl/workbook.xml" not in names:
                raise unable(
                    "it is an archive, not an Excel workbook.",
                    "Unpack it and give the list itself: XLSX, CSV or JSON.",
                )
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels", ".vml")):
                    _no_declarations(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise unable(
            "it is damaged, or locked with a password.", "Download it again, or save it without a password."
        ) from error


def _no_declarations(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Refuse document types and entities in XML.

    No spreadsheet program writes them, and entities can expand without end.
    """
    tail = b""
    with archive.open(entry) as part:
        while piece := part.read(1 << 16):
            window = tail + piece
            if any(word in window for word in _DECLARATIONS):
                raise unable("it declares XML entities, which no spreadsheet program does.", "Use the published file.")
            tail = window[-32:]


def _rows(sheet: Any) -> Numbered:
    rows: Numbered = []
    for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
        if number > LAST_ROW:
            break
        if any(cell not in (None, "") for cell in cells):
            last = max(place for place, cell in enumerate(cells) if cell not in (None, ""))
            rows.append((number, tuple(_plain(cell) for cell in cells[: last + 1])))
            if len(rows) > MAX_ROWS:
                raise unable(f"it has more than {MAX_ROWS:,} rows.", "This is not one of the published lists.")
    return rows


def _plain(cell: Any) -> Any:
    if cell is None or isinstance(cell, str | int | float | bool | dt.date | dt.datetime | dt.time):
        return cell
    return str(cell)
