"""Accounting for every row of a file: read, or set aside with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field

from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, SetAside


@dataclass
class Accounts:
    """Counts every row of one file as read or set aside, and keeps remarks."""

    file: str
    #: How the file was read, and its rows.
    list_file: ListFile
    read: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """The number of its rows."""
        return len(self.list_file.rows)

    @property
    def lines(self) -> list[str]:
        """The rows set aside, in sentences."""
        return [f"{self.file}, row {row.row}: {row.reason}" for row in self.set_aside]

    def aside(self, line: Line, reason: str, remedy: str) -> None:
        """Set a row aside that was not counted as read."""
        self.set_aside.append(self.list_file.row_set_aside([Problem(line.number, "", reason, remedy, self.file)]))

    def set_aside_read(self, row: int, reason: str, remedy: str) -> None:
        """Set a row aside that was counted as read."""
        self.read -= 1
        self.set_aside.append(self.list_file.row_set_aside([Problem(row, "", reason, remedy, self.file)]))

    def remark(self, row: int, text: str) -> None:
        """Add a remark on a row that was read."""
        self.remarks.append(f"{self.file}, row {row}: {text}")
