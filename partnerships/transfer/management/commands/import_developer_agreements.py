"""Command to import developer agreements, whose contributions become commitments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.transfer.management.importing import (
    ImportCommand,
    Meter,
    add_common_options,
    author_of,
    print_report,
    published_file,
    refusal,
)
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.developer_agreements import import_developer_agreements

_HELP = """Import published developer agreements (sections 106 and 278, community infrastructure levy).

AGREEMENTS, CONTRIBUTIONS and TRANSACTIONS are developer-agreement.csv, developer-agreement-contribution.csv and
developer-agreement-transaction.csv. Import the councils first. Each contribution becomes a commitment to its council.
Each transaction becomes a report of progress.

Rows that cannot be used are set aside and printed with the reason. Anything unusual in a row that was used is printed
too, such as “£1,373,992.00”, a column without a heading or a title above the heading. Running the command again
changes nothing.
"""


class Command(ImportCommand):
    """`manage.py import_developer_agreements` with three CSV files."""

    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the three files and the options."""
        parser.add_argument("agreements", type=Path, help="developer-agreement.csv")
        parser.add_argument("contributions", type=Path, help="developer-agreement-contribution.csv")
        parser.add_argument("transactions", type=Path, help="developer-agreement-transaction.csv")
        add_common_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the files, and print the report and a line with the totals."""
        paths: tuple[Path, Path, Path] = (options["agreements"], options["contributions"], options["transactions"])
        agreements, contributions, transactions = (published_file(path) for path in paths)
        try:
            outcome = import_developer_agreements(
                agreements=agreements,
                contributions=contributions,
                transactions=transactions,
                author=author_of(options["by"]),
                now=timezone.now(),
                as_of=options["as_of"],
                dry_run=options["dry_run"],
                progress=Meter(self),
            )
        except UnableToRead as error:
            raise refusal(error, ", ".join(path.name for path in paths)) from error
        print_report(self, outcome.run, applied=not options["dry_run"], everything=True)
        self.stdout.write(outcome.last_line)
