"""Read Excel and OpenDocument spreadsheets, after checking them as archives."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from partnerships.kit.late import late
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reading.workbook_size import count_cells

if TYPE_CHECKING:
    import python_calamine
else:
    python_calamine = late("python_calamine")

# The reasons for these limits are in docs/safety.md, Limits.
#: Maximum number of parts of a workbook, which is an archive.
MAX_ENTRIES = 200
#: Maximum bytes of all parts of a workbook after unpacking.
MAX_UNPACKED = 20 * 1024 * 1024
#: Maximum rows of one sheet.
MAX_ROWS = 200_000
#: Maximum columns of one sheet.
MAX_COLUMNS = 300
#: The largest number of cells in the rectangle around the values of a sheet, because the reader loads all of them.
MAX_CELLS = 3_000_000
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument.spreadsheet"
_DECLARATIONS = tuple(
    word.encode(encoding)
    for word in ("<!DOCTYPE", "<!ENTITY", "<!doctype", "<!entity")
    for encoding in ("utf-8", "utf-16-le", "utf-16-be")
)
#: Endings of the parts that are read. Pictures, macros, and sheets with other endings are left out.
_PARTS = (".xml", ".rels")
Numbered = list[tuple[int, tuple[Any, ...]]]


def read_workbook(data: bytes) -> Iterator[tuple[str, Numbered]]:
    """Yield the name of each visible sheet with its numbered rows.

    Formulas have the values that the spreadsheet program last computed. A value of merged cells is repeated in each of
    their rows. Raises `UnableToRead` if the archive is not a workbook, is damaged, or unpacks to more than a list
    needs.
    """
    checked_data = _checked_copy(data)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(checked_data))
        visible = [
            sheet.name for sheet in book.sheets_metadata if sheet.visible == python_calamine.SheetVisibleEnum.Visible
        ]
        visible_sheets = [(name, _rows(book.get_sheet_by_name(name))) for name in visible]
    except python_calamine.CalamineError as error:
        raise refuse_file(
            "we cannot read the file as a spreadsheet.",
            "Open it in a spreadsheet program and save it as .xlsx or .ods.",
        ) from error
    yield from visible_sheets


def _checked_copy(data: bytes) -> bytes:
    """Return a copy of the archive that has exactly the parts and bytes that were checked.

    An archive can give a wrong length for a part, or have two parts of one name; programs read such an archive in
    different ways. Raises `UnableToRead` if the archive is not a spreadsheet or exceeds a limit.
    """
    checked_data = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(checked_data, "w") as copy:
            for name, content in _read_parts(archive).items():
                if name != "mimetype":
                    _check_part(content)
                copy.writestr(name, content)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise refuse_file(
            "the file is damaged or has a password.", "Download the file again, or save it without a password."
        ) from error
    return checked_data.getvalue()


def _read_parts(archive: zipfile.ZipFile) -> dict[str, bytes]:
    """Return the parts of a spreadsheet that a list needs, by name.

    Raises `UnableToRead` if the archive is too large, before anything is unpacked, or is not a spreadsheet.
    """
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise refuse_file(
            f"the file has {len(entries):,} parts, and the limit is {MAX_ENTRIES}.", "Use the published file."
        )
    unpacked_size = sum(entry.file_size for entry in entries)
    if unpacked_size > MAX_UNPACKED:
        raise refuse_file(
            f"the file unpacks to {unpacked_size:,} bytes, and the limit is {MAX_UNPACKED:,}.",
            "Use the published file, or save the list as CSV.",
        )

    parts = {
        entry.filename: archive.read(entry)
        for entry in entries
        if entry.filename.casefold().endswith(_PARTS) or entry.filename == "mimetype"
    }
    media_type = parts.get("mimetype", b"")[:100].decode("ascii", "replace").strip()
    is_open_document = "content.xml" in parts and media_type == _OPEN_DOCUMENT
    if "xl/workbook.xml" not in parts and not is_open_document:
        raise refuse_file(
            "the file is an archive, not a spreadsheet.",
            "Unpack it and use the list itself: XLSX, ODS, CSV or JSON.",
        )
    return parts


def _check_part(content: bytes) -> None:
    """Raise `UnableToRead` for document types, entities, and sheets that mean too many cells.

    No spreadsheet program declares entities, which can expand without end. A value in the last row, or a row that is
    repeated a million times, adds few bytes to the file, but the reader loads every cell between the first value and
    the last.
    """
    if any(word in content for word in _DECLARATIONS):
        raise refuse_file(
            "the file declares XML entities, which no spreadsheet program does.", "Use the published file."
        )
    try:
        cells = count_cells(content)
    except ValueError as error:
        raise refuse_file(
            "we cannot read the file as a spreadsheet.",
            "Open it in a spreadsheet program and save it as .xlsx or .ods.",
        ) from error
    if cells > MAX_CELLS:
        raise refuse_file(
            f"the values are so far apart that they span more than {MAX_CELLS:,} cells.",
            "Delete anything far away from the table, or save the list as CSV.",
        )


def _rows(sheet: Any) -> Numbered:
    """Return the numbered rows of a sheet that have a value, without blank cells at their ends."""
    rows: Numbered = []
    merged_values = _merged_values(sheet)
    for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1):
        values = [*cells[:MAX_COLUMNS]]
        for index, value in merged_values.get(number, {}).items():
            if index < len(values) and values[index] == "":
                values[index] = value
        filled_indexes = [index for index, cell in enumerate(values) if cell != ""]
        if filled_indexes:
            rows.append((number, tuple(_plain(cell) for cell in values[: filled_indexes[-1] + 1])))
            if len(rows) > MAX_ROWS:
                raise refuse_file(
                    f"the file has more than {MAX_ROWS:,} rows.",
                    "Delete the rows that you do not need, or split the file.",
                )
    return rows


def _plain(cell: Any) -> Any:
    """Return a cell as a plain value: None for an empty cell, and text for a value of an unusual type."""
    if cell == "":
        return None
    if isinstance(cell, str | int | float | bool | dt.date | dt.datetime | dt.time):
        return cell
    return str(cell)


def _merged_values(sheet: Any) -> dict[int, dict[int, Any]]:
    """Return the values of cells that are merged over several rows, by row number and column index.

    The first of such rows is left out, since the sheet itself has the value there.
    """
    ranges = [range_ for range_ in sheet.merged_cell_ranges or () if range_[1][0] > range_[0][0]][:MAX_ROWS]
    if not ranges:
        return {}
    cells = sheet.to_python(skip_empty_area=False)
    merged_values: dict[int, dict[int, Any]] = {}
    for (top, left), (bottom, _) in ranges:
        if top < len(cells) and left < min(len(cells[top]), MAX_COLUMNS):
            for row in range(top + 1, min(bottom, len(cells) - 1) + 1):
                merged_values.setdefault(row + 1, {})[left] = cells[top][left]
    return merged_values
