"""Command to import a register of brownfield land."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.organisations.models import Organisation, Scheme
from partnerships.transfer.management.importing import (
    ImportCommand,
    Meter,
    add_all_or_nothing,
    add_common_options,
    author_of,
    print_report,
    published_file,
    refusal,
)
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.brownfield_land import import_brownfield_land

_HELP = """Import brownfield land that councils have published as suitable for homes.

FILE is a register by the standard of 2017, of one council or of several. Import the councils first. The sites of each
council become one public plan. If something changed, a later file publishes a new version of it. Rows that cannot be
used are set aside, with the reason and what to do. The others are imported, unless you add --all-or-nothing.
"""


class Command(ImportCommand):
    """`manage.py import_brownfield_land FILE`."""

    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the options."""
        parser.add_argument("file", type=Path, help="the register: brownfield-land.csv")
        parser.add_argument(
            "--council",
            default="",
            metavar="KEY",
            help="the key of the council, such as ADU, if the rows do not say whose sites they are",
        )
        add_all_or_nothing(parser)
        add_common_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and print the report and a line with the totals."""
        path: Path = options["file"]
        try:
            outcome = import_brownfield_land(
                file=published_file(path),
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
    """Return the council with this key. Raises `CommandError` if there is none."""
    organisation = Organisation.objects.filter(
        identifiers__scheme=Scheme.LOCAL_AUTHORITY, identifiers__value__iexact=key.strip()
    ).first()
    if organisation is None:
        raise CommandError(
            f"No council has the key {key}. Enter its three letters in the list of councils, such as ADU."
        )
    return organisation
