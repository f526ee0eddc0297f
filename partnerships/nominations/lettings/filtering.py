"""Keeps the needed columns of a CORE export while it streams in.

The rest is never written anywhere.

A CORE export describes households. Its other columns pass through memory and are gone with the chunk they came in.
Errors never quote a cell.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Iterator

from partnerships.nominations.lettings.columns import core_columns, plain

# The reasons for these limits are in docs/safety.md, Limits.
#: Size of an uploaded file of lettings.
MAX_BYTES = 150 * 1024 * 1024
#: Size of one row of a file of lettings.
MAX_ROW = 256 * 1024
#: Rows of one file of lettings.
MAX_ROWS = 500_000
#: The heading row may follow a title, but not much.
_FIRST_ROWS = 5
#: A row with fewer cells than headings, or more, has slipped: its cells may stand in the wrong columns.
SLIPPED = "-"
USED = "+"


class UnableToReadLettings(Exception):
    """The file is not a CORE lettings export as CSV.

    The message says what to do, without quoting the file.
    """


class LettingsFilter:
    """Takes the chunks of a file and keeps its needed columns, packed.

    Each kept row begins with whether it has as many cells as there are headings. `columns` are the codes of the kept
    columns, in the order of the file; empty until the heading row was found.
    """

    def __init__(self) -> None:
        self.columns: tuple[str, ...] = ()
        self.rows = 0
        self._places: tuple[int, ...] = ()
        self._width = 0
        self._size = 0
        self._before = 0
        self._tail = ""
        self._packer = zlib.compressobj()
        self._packed = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk. Raises `UnableToReadLettings`."""
        if self._size == 0 and chunk.startswith((b"\xff\xfe", b"\xfe\xff", b"PK")):
            raise UnableToReadLettings("Save the lettings as CSV (UTF-8) and upload that file.")
        self._size += len(chunk)
        if self._size > MAX_BYTES:
            raise UnableToReadLettings(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
        if b"\x00" in chunk:
            raise UnableToReadLettings("The file is not plain text. Save the lettings as CSV (UTF-8).")
        # One character for each byte: quotes, commas and line ends are the same in every encoding that we read.
        text = self._tail + chunk.decode("latin-1")
        end = self._end_of_rows(text)
        self._tail = text[end:]
        if len(self._tail) > MAX_ROW:
            raise UnableToReadLettings(
                f"A row is too long. Check that every quotation mark after row {self.rows} is closed."
            )
        self._take(text[:end])

    def finish(self) -> bytes:
        """The kept rows, packed, after the last chunk. Raises `UnableToReadLettings`."""
        last, self._tail = self._tail, ""
        self._take(last)
        if not self.columns:
            raise UnableToReadLettings("The file is empty." if not self._size else _NO_HEADINGS)
        self._packed += self._packer.flush()
        return bytes(self._packed)

    def _end_of_rows(self, text: str) -> int:
        """Where the last whole row ends: at a line end outside quotes."""
        end = position = 0
        quotes = 0
        while (line_end := text.find("\n", position)) >= 0:
            quotes += text.count('"', position, line_end)
            position = line_end + 1
            if quotes % 2 == 0:
                end = position
        return end

    def _take(self, text: str) -> None:
        kept = io.StringIO()
        writer = csv.writer(kept)
        try:
            for cells in csv.reader(io.StringIO(text, newline="")):
                self._take_row(cells, writer)
        except csv.Error as error:
            raise UnableToReadLettings(f"The file is damaged after row {self.rows}.") from error
        self._packed += self._packer.compress(kept.getvalue().encode())

    def _take_row(self, cells: list[str], writer: object) -> None:
        if not any(cells):
            return
        if not self.columns:
            self._find_headings(cells)
            return
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise UnableToReadLettings(f"The file has more than {MAX_ROWS:,} rows.")
        is_whole = len(cells) == self._width
        kept = [_decoded(cells[place]) for place in self._places] if is_whole else []
        writer.writerow([USED if is_whole else SLIPPED, *kept])  # type: ignore[attr-defined]

    def _find_headings(self, cells: list[str]) -> None:
        headings = core_columns().headings
        code_by_place = {place: headings.get(plain(_decoded(cell))) for place, cell in enumerate(cells)}
        places = {place: code for place, code in code_by_place.items() if code is not None}
        if "startdate" not in places.values():
            self._before += 1
            if self._before >= _FIRST_ROWS:
                raise UnableToReadLettings(_NO_HEADINGS)
            return
        if len(set(places.values())) < len(places):
            raise UnableToReadLettings("Two columns have the same heading. Upload the file as CORE exported it.")
        self._places, self.columns = tuple(places), tuple(places.values())
        self._width = len(cells)


_NO_HEADINGS = (
    "The file has no headings of a CORE lettings export, such as startdate. Choose the CSV that CORE exported."
)


def _decoded(cell: str) -> str:
    """A cell in its encoding: UTF-8, or else Windows-1252."""
    raw = cell.encode("latin-1")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def kept_rows(packed: bytes, columns: tuple[str, ...]) -> Iterator[dict[str, str] | None]:
    """The kept rows of a packed file, by column. None for one that has slipped."""
    text = io.TextIOWrapper(io.BytesIO(zlib.decompress(packed)), encoding="utf-8", newline="")
    for mark, *cells in csv.reader(text):
        yield dict(zip(columns, cells, strict=True)) if mark == USED else None
