"""What the import commands share: options, reading files, progress, reports and refusals."""

from __future__ import annotations

import datetime as dt
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import no_style

from partnerships.kit.accounting import AccountedCommand
from partnerships.kit.text import counted
from partnerships.people.models import User
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reading.tables import MAX_BYTES
from partnerships.transfer.reporting import accounting, sections
from partnerships.transfer.services.files import File

#: Lines printed for each outcome, unless --all is given.
MAX_LINES = 20


class ImportCommand(AccountedCommand):
    """A command that imports files. Its help is printed with the line breaks of the source."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return a parser that prints the help without wrapping its lines again."""
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)


def day(text: str) -> dt.date:
    """Return the date of a command-line argument. argparse turns a ValueError into its own message."""
    return dt.date.fromisoformat(text)


def published_file(path: Path) -> File:
    """Return a published list as an import expects it. Raises `CommandError` if it cannot be opened.

    The content is at most one byte longer than `MAX_BYTES`. The import then refuses it as too large.
    """
    return File(path.name, _first_bytes(path, MAX_BYTES + 1))


def contents_up_to(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a file. Raises `CommandError` if it cannot be opened or is larger than `max_bytes`."""
    content = _first_bytes(path, max_bytes + 1)
    if len(content) > max_bytes:
        raise CommandError(f"{path.name} is larger than {max_bytes // 2**20} MB. Split it into several files.")
    return content


def _first_bytes(path: Path, byte_count: int) -> bytes:
    """Return the bytes at the beginning of a file. Raises `CommandError` if it cannot be opened."""
    try:
        with path.open("rb") as file:
            return file.read(byte_count)
    except OSError as error:
        raise CommandError(f"{path} cannot be opened: {error.strerror}. Check the name and try again.") from error


def author_of(email: str) -> User | None:
    """Return the administrator with this email address, or None if it is empty, which stands for the system.

    Raises `CommandError` if no administrator has the address.
    """
    if not email:
        return None
    person = User.objects.filter(email__iexact=email.strip(), is_active=True, is_staff=True).first()
    if person is None:
        raise CommandError(f"No administrator has the address {email}. Leave --by out to act as the system.")
    return person


class Meter:
    """The progress of a long import, printed to standard error.

    On a terminal one line is updated every 25 rows. Elsewhere, such as in a log, there is a line for every 500 rows.
    """

    def __init__(self, command: BaseCommand) -> None:
        self.out = command.stderr
        self.is_terminal = sys.stderr.isatty()
        self.style = no_style()

    def __call__(self, done: int, total: int) -> None:
        """Show that `done` of `total` rows are finished."""
        text = f"{done:,} of {total:,}"
        is_last_row = done == total
        if self.is_terminal:
            if done % 25 == 0 or is_last_row:
                # The carriage return makes the next text overwrite this one.
                self.out.write(f"\r{text}", self.style.SUCCESS, ending="\n" if is_last_row else "")
        elif total > 500 and done % 500 == 0:
            self.out.write(text, self.style.SUCCESS)


def print_report(command: BaseCommand, run: ImportRun, *, applied: bool, everything: bool) -> None:
    """Print an import's outcomes and remarks. The caller prints the line with the totals."""
    if sentence := accounting(run.report):
        command.stdout.write(sentence)
    for section in sections(run.report, applied=applied, limit=None if everything else MAX_LINES):
        command.stdout.write(f"\n{section.title}")
        for line in section.lines:
            command.stdout.write(f"  {line}")
        if section.more:
            command.stdout.write(f"  … and {section.more:,} more; --all shows them")
    for remark in run.report.get("remarks", []):
        command.stdout.write(f"\n{remark}")
    command.stdout.write("")


def refusal(error: UnableToRead, name: str) -> CommandError:
    """Return the error for a refused file, with each problem's row and remedy."""
    problems = counted(len(error.problems), "problem")
    return CommandError("\n".join([*error.lines(), f"We refused {name} for {problems}, so we changed nothing."]))


def add_accept_missing(parser: Any) -> None:
    """Add the option that accepts a list in which many organisations are missing."""
    parser.add_argument(
        "--accept-missing",
        action="store_true",
        help="import the list although more than a fifth of its register's organisations are missing (otherwise it "
        "is refused)",
    )


def add_all_or_nothing(parser: Any) -> None:
    """Add the option that refuses the whole file if a row cannot be used."""
    parser.add_argument(
        "--all-or-nothing", action="store_true", help="refuse the import if one of its rows cannot be used"
    )


def add_common_options(parser: Any) -> None:
    """Add the options --as-of, --dry-run, --all and --by, which every import command has."""
    parser.add_argument(
        "--as-of",
        type=day,
        metavar="YYYY-MM-DD",
        help="the date of the files (otherwise a date in their names or rows)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what would happen, row by row, and change nothing")
    parser.add_argument(
        "--all", action="store_true", help="print every line of the report, not the first twenty of each kind"
    )
    add_author(parser)


def add_author(parser: Any) -> None:
    """Add the option --by, whose value `author_of` turns into a user."""
    parser.add_argument(
        "--by",
        default="",
        metavar="EMAIL",
        help="the email address of the administrator who does this (otherwise the system)",
    )
