"""Account for every row of a file, which is either read or set aside with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import Problem, SetAside


@dataclass
class RowAccounts:
    """The numbers of rows of one file that were read or set aside, and the remarks on them."""

    #: The name of the file, for messages.
    file: str
    list_file: ListFile
    #: The number of rows that were read.
    read: int = 0
    set_aside: list[SetAside] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Return the number of rows in the file."""
        return len(self.list_file.rows)

    @property
    def lines(self) -> list[str]:
        """Return a sentence for each row that was set aside."""
        return [f"{self.file}, row {row.row}: {row.reason}" for row in self.set_aside]

    def aside(self, line: Line, reason: str, remedy: str) -> None:
        """Set aside a row that has not been counted as read."""
        self.set_aside.append(self.list_file.row_set_aside([Problem(line.number, "", reason, remedy, self.file)]))

    def set_aside_read(self, row: int, reason: str, remedy: str) -> None:
        """Set aside a row that has been counted as read, and reduce that count."""
        self.read -= 1
        self.set_aside.append(self.list_file.row_set_aside([Problem(row, "", reason, remedy, self.file)]))

    def remark(self, row: int, text: str) -> None:
        """Add a remark on a row that was read."""
        self.remarks.append(f"{self.file}, row {row}: {text}")


class FileAccounts(NamedTuple):
    """What became of the rows of each of the three files of developer agreements."""

    agreements: RowAccounts
    contributions: RowAccounts
    transactions: RowAccounts
