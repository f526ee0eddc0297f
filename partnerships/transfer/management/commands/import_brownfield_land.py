"""Import a register of brownfield land."""

from __future__ import annotations

from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.organisations.models import Organisation, Scheme
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
from partnerships.transfer.services.brownfield_land import import_brownfield_land
from partnerships.transfer.services.files import File

_HELP = """Import brownfield land that councils have published as suitable for homes.

FILE is a register by the standard of 2017, of one council or of several. Import the councils first. The sites of each
council become one public plan; a later file publishes a new version if something changed. Rows that cannot be used are
set aside, with the reason and what to do; the others go in, unless you say --all-or-nothing.
"""


class Command(AccountedCommand):
    """`manage.py import_brownfield_land FILE`."""

    help = _HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Keep the line breaks of the help text."""
        return super().create_parser(prog_name, subcommand, formatter_class=RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the options."""
        parser.add_argument("file", type=Path, help="the register: brownfield-land.csv")
        parser.add_argument(
            "--council",
            default="",
            metavar="KEY",
            help="whose sites they are, if the rows do not say: its key, such as ADU",
        )
        parser.add_argument(
            "--as-of", type=day, metavar="YYYY-MM-DD", help="the date of the file, if not in its name or rows"
        )
        parser.add_argument(
            "--all-or-nothing", action="store_true", help="refuse the file if one of its rows cannot be used"
        )
        add_common_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, print the report, and end with one line that sums it up."""
        path: Path = options["file"]
        try:
            outcome = import_brownfield_land(
                file=File(path.name, contents(path)),
                council=_council(options["council"]) if options["council"] else None,
                author=author_of(options["by"]),
                now=timezone.now(),
                as_of=options["as_of"],
                all_or_nothing=options["all_or_nothing"],
                dry_run=options["dry_run"],
                progress=Meter(self),
            )
        except UnableToRead as error:
            raise refusal(error, path.name) from error
        print_report(self, outcome.run, applied=not options["dry_run"], everything=options["all"])
        self.stdout.write(outcome.last_line)


def _council(key: str) -> Organisation:
    found = Organisation.objects.filter(
        identifiers__scheme=Scheme.LOCAL_AUTHORITY, identifiers__value__iexact=key.strip()
    ).first()
    if found is None:
        raise CommandError(
            f"No council has the key {key}. It is the three letters of the list of councils, such as ADU."
        )
    return found
