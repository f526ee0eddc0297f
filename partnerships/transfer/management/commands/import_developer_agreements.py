"""Bring published developer agreements, what they promise and what became of it, in as commitments of the councils."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.transfer.management.importing import (
    Meter,
    add_common_options,
    author_of,
    contents,
    day,
    print_report,
    refusal,
)
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.developer_agreements import import_developer_agreements
from partnerships.transfer.services.local_plans import File

_HELP = """Bring published developer agreements (sections 106 and 278, community infrastructure levy) in.

AGREEMENTS, CONTRIBUTIONS and TRANSACTIONS are developer-agreement.csv, developer-agreement-contribution.csv and
developer-agreement-transaction.csv. Import the councils first. Each contribution becomes a commitment to its council,
each transaction a report of progress.

Every row is accounted for: what cannot be used is set aside and printed with its row and reason, and what was read
otherwise than it stands (“£1,373,992.00”, a column without a name, a title above the heading) is printed too.
Running it twice changes nothing the second time.
"""


class Command(AccountedCommand):
    """`manage.py import_developer_agreements AGREEMENTS.csv CONTRIBUTIONS.csv TRANSACTIONS.csv`."""

    help = _HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the lines of the help as they are."""
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """The three files."""
        parser.add_argument("agreements", type=Path, help="developer-agreement.csv")
        parser.add_argument("contributions", type=Path, help="developer-agreement-contribution.csv")
        parser.add_argument("transactions", type=Path, help="developer-agreement-transaction.csv")
        parser.add_argument(
            "--as-of", type=day, metavar="YYYY-MM-DD", help="the day on which the files were true (otherwise today)"
        )
        add_common_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, print every row that needs a word, and end with one line that accounts for all rows."""
        paths: tuple[Path, Path, Path] = (options["agreements"], options["contributions"], options["transactions"])
        agreements, contributions, transactions = (File(path.name, contents(path)) for path in paths)
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
