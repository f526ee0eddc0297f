"""Filters a CORE export while it streams in, and keeps only the columns that a return needs.

A CORE export describes households. Its other columns are in memory only while their chunk is filtered, and are never
written anywhere. Errors never quote a cell.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator

from partnerships.nominations.lettings.columns import core_columns, normalise_text

# The reasons for these limits are in docs/safety.md, Limits.
#: Limit of an uploaded file of lettings, in bytes.
MAX_BYTES = 150 * 1024 * 1024
#: Limit of a row, in bytes.
MAX_ROW = 256 * 1024
#: Limit of rows of a file.
MAX_ROWS = 500_000
#: The headings must be in one of the first rows. A title may come before them.
_FIRST_ROWS = 5
#: The first cell of each kept row. `SLIPPED` marks a row with more or fewer cells than there are headings. Its cells
#: may be in the wrong columns, so none of them is kept.
USED = "+"
SLIPPED = "-"


class UnableToReadLettings(Exception):
    """The file is not a CORE lettings export as CSV. The message says what to do, without quoting the file."""


class LettingsFilter:
    """Filters a file chunk by chunk, and compresses the needed columns of its rows."""

    def __init__(self) -> None:
        #: Codes of the kept columns, in the order of the file. Empty until the headings are found.
        self.columns: tuple[str, ...] = ()
        #: The number of rows below the headings so far.
        self.rows = 0
        self._column_indexes: tuple[int, ...] = ()
        self._width = 0
        self._size = 0
        self._rows_before_headings = 0
        #: The start of a row whose end is in the next chunk.
        self._tail = ""
        self._packer = zlib.compressobj()
        self._packed = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Filter the next chunk of the file. Raises `UnableToReadLettings`."""
        if self._size == 0 and chunk.startswith((b"\xff\xfe", b"\xfe\xff", b"PK")):
            raise UnableToReadLettings("Save the lettings as CSV (UTF-8) and upload that file.")
        self._size += len(chunk)
        if self._size > MAX_BYTES:
            raise UnableToReadLettings(
                f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Export only the lettings of the quarter."
            )
        if b"\x00" in chunk:
            raise UnableToReadLettings("The file is not plain text. Save the lettings as CSV (UTF-8).")
        # One character for each byte. Quotes, commas and line ends are the same in every encoding that we read.
        text = self._tail + chunk.decode("latin-1")
        end = self._end_of_rows(text)
        self._tail = text[end:]
        if len(self._tail) > MAX_ROW:
            raise UnableToReadLettings(
                f"A row is too long. Check that every quotation mark after row {self.rows} is closed."
            )
        self._filter_rows(text[:end])

    def finish(self) -> bytes:
        """Filter the last row, and return all kept rows, compressed. Raises `UnableToReadLettings`."""
        last_row, self._tail = self._tail, ""
        self._filter_rows(last_row)
        if not self.columns:
            raise UnableToReadLettings(_NO_HEADINGS if self._size else _EMPTY)
        self._packed += self._packer.flush()
        return bytes(self._packed)

    def _end_of_rows(self, text: str) -> int:
        """Return the index after the last complete row, which ends with a line end outside quotation marks."""
        end = position = 0
        quotes = 0
        while (line_end := text.find("\n", position)) >= 0:
            quotes += text.count('"', position, line_end)
            position = line_end + 1
            if quotes % 2 == 0:
                end = position
        return end

    def _filter_rows(self, text: str) -> None:
        """Keep the needed columns of complete rows."""
        kept_text = io.StringIO()
        writer = csv.writer(kept_text)
        try:
            for cells in csv.reader(io.StringIO(text, newline="")):
                self._filter_row(cells, writer)
        except csv.Error as error:
            raise UnableToReadLettings(
                f"The file is damaged after row {self.rows}. Export the lettings from CORE again."
            ) from error
        self._packed += self._packer.compress(kept_text.getvalue().encode())

    def _filter_row(self, cells: list[str], writer: object) -> None:
        """Keep the needed columns of one row or, above the first such row, look for the headings."""
        if not any(cells):
            return
        if not self.columns:
            self._find_headings(cells)
            return
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise UnableToReadLettings(
                f"The file has more than {MAX_ROWS:,} rows. Export only the lettings of the quarter."
            )
        if len(cells) == self._width:
            kept_cells = [_decode(cells[index]) for index in self._column_indexes]
            writer.writerow([USED, *kept_cells])  # type: ignore[attr-defined]
        else:
            writer.writerow([SLIPPED])  # type: ignore[attr-defined]

    def _find_headings(self, cells: list[str]) -> None:
        """Read the headings from a row, if one of its cells is the heading of the start date."""
        code_by_heading = core_columns().headings
        codes = {index: code_by_heading.get(normalise_text(_decode(cell))) for index, cell in enumerate(cells)}
        code_by_index = {index: code for index, code in codes.items() if code is not None}
        if "startdate" not in code_by_index.values():
            self._rows_before_headings += 1
            if self._rows_before_headings >= _FIRST_ROWS:
                raise UnableToReadLettings(_NO_HEADINGS)
            return
        if len(set(code_by_index.values())) < len(code_by_index):
            raise UnableToReadLettings("Two columns have the same heading. Upload the file as CORE exported it.")
        self._column_indexes, self.columns = tuple(code_by_index), tuple(code_by_index.values())
        self._width = len(cells)


_EMPTY = "The file is empty. Export the lettings from CORE again and upload that file."
_NO_HEADINGS = (
    "The file has no headings of a CORE lettings export, for example startdate. Choose the CSV that CORE exported."
)


def _decode(cell: str) -> str:
    """Decode a cell as UTF-8 or, if that fails, as Windows-1252."""
    raw = cell.encode("latin-1")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def unpacked_rows(packed: bytes, columns: tuple[str, ...]) -> Iterator[dict[str, str] | None]:
    """Yield the kept rows of a compressed file as dictionaries by column, or None for a slipped row."""
    text = io.TextIOWrapper(io.BytesIO(zlib.decompress(packed)), encoding="utf-8", newline="")
    for mark, *cells in csv.reader(text):
        yield dict(zip(columns, cells, strict=True)) if mark == USED else None
