"""Read CSV, XLSX, ODS, JSON and YAML files as sheets of numbered rows.

Limits stop decompression bombs.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from statistics import median
from typing import TYPE_CHECKING, Any

from partnerships.kit.late import late
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reading.workbooks import MAX_COLUMNS, MAX_ROWS, read_workbook

if TYPE_CHECKING:
    import yaml
else:
    yaml = late("yaml")

Cell = str | int | float | bool | dt.date | dt.datetime | dt.time | None

#: Maximum size of a register file, 4 MB (docs/safety.md, Limits).
MAX_BYTES = 4 * 1024 * 1024
#: Maximum characters in one cell.
MAX_CHARACTERS = 32_000
DELIMITERS = (",", "\t", ";", "|")
#: A spreadsheet treats a text that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@")
#: How deep the collections of a YAML file may be nested.
_MAX_DEPTH = 20
#: Byte order marks of UTF-16.
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
#: The first bytes of files, by which their type is recognised. XLSX and ODS are ZIP archives.
_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PDF = b"%PDF-"


@dataclass(frozen=True, slots=True)
class Row:
    """A row and its number, counted from 1 as in a spreadsheet.

    If one cell of a wider row becomes a row, it gets a number of its own; `came_from` is the row of the file and the
    heading.
    """

    number: int
    cells: tuple[Cell, ...]
    came_from: tuple[int, str] | None = None

    def is_blank(self) -> bool:
        """Return whether every cell is empty."""
        return all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet, among which the heading row is still to be found."""

    name: str
    rows: tuple[Row, ...]


def read_sheets(data: bytes, file_name: str = "", *, max_bytes: int = MAX_BYTES) -> tuple[Sheet, ...]:
    """Return the sheets of a file without blank rows.

    The type is recognised by the content, not by the name, except for YAML. Raises `UnableToRead` for a file that is
    too large, empty, broken, of another type, or built to exhaust its reader.
    """
    if len(data) > max_bytes:
        raise refuse_file(
            f"the file is {len(data):,} bytes long, and the limit is {max_bytes:,}.",
            "Ask for the list without pictures and unneeded sheets, or split it.",
        )
    if not data.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise refuse_file("the file is empty.", "Check that this is the right file, or download the file again.")

    if data.startswith(_OLD_EXCEL):
        raise refuse_file(
            "the file is an old Excel workbook (.xls) or has a password.",
            "Open it in a spreadsheet program and save it as .xlsx or .csv.",
        )
    if data.startswith(_PDF):
        raise refuse_file("the file is a PDF.", "Use the spreadsheet, CSV or JSON version of the list.")

    sheets = _from_workbook(data) if data.startswith(_ZIP) else (_from_text(_text_of(data), file_name),)
    if not any(sheet.rows for sheet in sheets):
        raise refuse_file("the file has no rows.", "Check that this is the right file, or download the file again.")
    return sheets


def _from_text(text: str, file_name: str) -> Sheet:
    """Return the rows of a JSON, YAML or CSV file. Raises `UnableToRead` for XML."""
    first_character = text.lstrip()[:1]
    if first_character in ("{", "["):
        return _from_json(text)
    if _is_yaml(text, file_name):
        return _from_yaml(text)
    if first_character == "<":
        raise refuse_file(
            "the file is a web page or XML, not a table.",
            "Download the file itself: CSV, XLSX, ODS or JSON.",
        )
    return _from_csv(text, PurePath(file_name).stem)


def _text_of(data: bytes) -> str:
    """Return the text, decoded with the first encoding that fits.

    UTF-8 is tried before Windows-1252, since nearly any bytes are valid Windows-1252.
    """
    if data[:2] in _UTF_16_MARKS:
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\x00" in data:
        encodings = _utf_16_without_mark(data)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise refuse_file(
        "we cannot read the encoding of the text. It must be UTF-8, UTF-16 or Windows-1252.",
        "Save it as “CSV UTF-8”.",
    )


def _utf_16_without_mark(data: bytes) -> tuple[str, ...]:
    """Return the encoding of UTF-16 text without a byte order mark, as a tuple of one.

    Most Latin characters have a zero byte, which is the second byte in the little-endian order. Raises `UnableToRead`
    for other content with zero bytes.
    """
    sample = data[:20_000]
    first, second = sample[0::2].count(0), sample[1::2].count(0)
    if second > len(sample) // 4 and first * 20 < second:
        return ("utf-16-le",)
    if first > len(sample) // 4 and second * 20 < first:
        return ("utf-16-be",)
    raise refuse_file(
        "the file is not text.", "Use the CSV, XLSX or JSON version of the list. Save a CSV file as “CSV UTF-8”."
    )


def _from_csv(text: str, name: str) -> Sheet:
    """Return the rows that are not blank, with the numbers that a spreadsheet would give them."""
    delimiter = _delimiter(text)
    # Without `strict`, an unclosed quote would put the rest of the file into one cell.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            _check_size(number, len(cells))
            row = Row(number, tuple(_check_length(number, _without_apostrophe(cell)) for cell in cells))
            if not row.is_blank():
                rows.append(row)
    except csv.Error as error:
        raise refuse_file(
            f"the row cannot be read as CSV ({error}).",
            "Look for a quotation mark that was opened and never closed.",
            row=number + 1,
        ) from error
    return Sheet(name, tuple(rows))


def _without_apostrophe(cell: str) -> str:
    """Return the cell without an apostrophe that prevents its text from being a formula.

    Our own downloads add such apostrophes (`partnerships.kit.exports.safe_cell`).
    """
    text = cell.removeprefix("'")
    looks_like_formula = text.lstrip()[:1] in _FORMULA
    return text if looks_like_formula else cell


def _delimiter(text: str) -> str:
    """Return the delimiter that divides most rows near the top into the most cells, or a comma if none does."""
    sample = text[:20_000].splitlines()[:30]

    def typical_width(delimiter: str) -> float:
        """Return the usual number of cells in a row that this delimiter divides."""
        try:
            widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter) if cells]
        except csv.Error:
            return 0
        return median(widths) if widths else 0

    # The comma is the first delimiter, and `max` returns the first of several that are equally good.
    return max(DELIMITERS, key=typical_width)


def _from_json(text: str) -> Sheet:
    """Return the records of a JSON file."""
    try:
        value = json.loads(text, object_pairs_hook=_refuse_repeated_key, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise refuse_file(
            f"the file is not valid JSON: {error.msg}.", "Download the file again.", row=error.lineno
        ) from error
    except ValueError as error:  # Python refuses numbers of some thousand digits
        raise refuse_file("the file contains a number that is too long.", "Use the published file as it is.") from error
    except RecursionError as error:
        raise refuse_file("the file is nested too deeply.", "Use the published file as it is.") from error
    return _from_records(value)


def _is_yaml(text: str, file_name: str) -> bool:
    """Return whether the file's name ends like YAML, or its text begins like a list of objects."""
    has_yaml_name = file_name.casefold().endswith((".yaml", ".yml"))
    return has_yaml_name or re.match(r"(---\s+)?-\s+[\w \"'-]+:\s", text.lstrip()) is not None


def _from_yaml(text: str) -> Sheet:
    """Return the records of a YAML file. Every value is a text, exactly as written."""
    try:
        _refuse_risky_yaml(text)
        value = yaml.load(text, Loader=yaml.CBaseLoader)  # this loader makes only texts, lists and maps
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise refuse_file(
            f"the file is not valid YAML: {getattr(error, 'problem', None) or 'we cannot read it'}.",
            "Correct the file, or use a CSV file.",
            row=mark.line + 1 if mark else None,
        ) from error
    if not isinstance(value, list | dict):
        raise refuse_file("the file is not a list of records.", "Use a list of objects or a CSV file.")
    return _from_records(value)


def _refuse_risky_yaml(text: str) -> None:
    """Raise `UnableToRead` for deep nesting and for aliases.

    With aliases, a few bytes can stand for any number of records.
    """
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CBaseLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent):
            raise refuse_file(
                "the file refers to a value by an alias.", "Enter the value instead of the alias.", row=line
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise refuse_file("the file is nested too deeply.", "Use the published file as it is.", row=line)


def _from_records(value: Any) -> Sheet:
    """Return the rows of an array of objects, of an object that contains one, or of one object of codes and names."""
    if isinstance(value, dict):
        is_codes_and_names = value and all(isinstance(part, str | int | float) for part in value.values())
        if is_codes_and_names:
            return _from_codes_and_names(value)
        value = _records_in_object(value)

    headings: dict[str, None] = {}  # a dict, because a set would lose the order of first use
    for number, record in enumerate(value, start=1):
        if not isinstance(record, dict):
            raise refuse_file(f"item {number} is not an object.", "Use an array of objects.", row=number)
        headings.update(dict.fromkeys(map(str, record)))

    _check_size(len(value), len(headings))
    rows = [Row(0, tuple(headings))]
    for number, record in enumerate(value, start=1):
        cells = tuple(_cell_of(number, heading, record.get(heading)) for heading in headings)
        rows.append(Row(number, cells))
    return Sheet("records", tuple(row for row in _with_checked_cells(rows) if not row.is_blank()))


def _from_codes_and_names(name_by_code: dict[str, Any]) -> Sheet:
    """Return an object of codes and names as rows below the headings “code” and “name”."""
    rows = [Row(number, (code, name)) for number, (code, name) in enumerate(name_by_code.items(), start=2)]
    return Sheet("codes and names", (Row(1, ("code", "name")), *_with_checked_cells(rows)))


def _records_in_object(value: dict[str, Any]) -> list[Any]:
    """Return the records in the object's only list or, for a map, in its `features`. Raises `UnableToRead`."""
    lists = [part for part in value.values() if isinstance(part, list)]
    if isinstance(value.get("features"), list):
        lists = [value["features"]]
    if len(lists) != 1:
        raise refuse_file(
            "the file contains one object that is neither a list of records nor a set of codes with names.",
            "Use an array of objects, or one object of codes and names.",
        )
    return [_attributes_of_feature(record) for record in lists[0]]


def _attributes_of_feature(record: Any) -> Any:
    """Return the attributes of a map feature without its geometry. Any other record is returned unchanged.

    Accepts GeoJSON (`properties`) and Esri (`attributes`).
    """
    if isinstance(record, dict) and "geometry" in record:
        for part in ("properties", "attributes"):
            if isinstance(record.get(part), dict):
                return record[part]
    return record


def _refuse_repeated_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of a JSON file. Raises `UnableToRead` if a key occurs twice in it."""
    record: dict[str, Any] = {}
    for key, value in pairs:
        if key in record:
            raise refuse_file(f"“{key}” occurs twice in one object.", "Remove one of the two.")
        record[key] = value
    return record


def _refuse_constant(name: str) -> None:
    """Raise `UnableToRead` for NaN and Infinity, which are not JSON, although Python accepts them."""
    raise refuse_file(f"{name} is not a value that a list can have.", "Enter a number or leave it out.")


def _cell_of(number: int, heading: str, value: Any) -> Cell:
    """Return a value of a record as a cell. A list becomes its values with commas between."""
    if isinstance(value, list) and all(isinstance(part, str | int) for part in value):
        return ",".join(str(part) for part in value)
    if isinstance(value, dict | list):
        raise refuse_file(
            "the value is a list or an object.", "Enter one value for each field.", row=number, column=heading
        )
    cell: Cell = value
    return cell


def _from_workbook(data: bytes) -> tuple[Sheet, ...]:
    """Return the visible sheets of a workbook."""
    sheets = []
    for name, numbered_rows in read_workbook(data):
        rows = (Row(number, cells) for number, cells in numbered_rows)
        sheets.append(Sheet(name, tuple(row for row in _with_checked_cells(rows) if not row.is_blank())))
    return tuple(sheets)


def _with_checked_cells(rows: Iterable[Row]) -> Iterable[Row]:
    """Yield the rows. Raises `UnableToRead` if a cell is too long."""
    for row in rows:
        for cell in row.cells:
            if isinstance(cell, str):
                _check_length(row.number, cell)
        yield row


def _check_length(number: int, cell: str) -> str:
    """Return the cell unchanged. Raises `UnableToRead`, with the row's number, if the cell is too long."""
    if len(cell) > MAX_CHARACTERS:
        raise refuse_file(
            f"a cell has {len(cell):,} characters, and the limit is {MAX_CHARACTERS:,}.",
            "Look for a quotation mark that was opened and never closed.",
            row=number,
        )
    return cell


def _check_size(rows: int, columns: int) -> None:
    """Raise `UnableToRead` if a table has more rows or columns than allowed."""
    if rows > MAX_ROWS:
        raise refuse_file(
            f"the file has more than {MAX_ROWS:,} rows.", "Delete the rows that you do not need, or split the file."
        )
    if columns > MAX_COLUMNS:
        raise refuse_file(
            f"the file has more than {MAX_COLUMNS:,} columns.", "Delete the columns that you do not need.", row=rows
        )
