"""Command to import a register of organisations, a list that adds to it, or housing figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.kit.exports import csv_text
from partnerships.transfer.management.importing import (
    ImportCommand,
    Meter,
    add_accept_missing,
    add_all_or_nothing,
    add_common_options,
    author_of,
    print_report,
    published_file,
    refusal,
)
from partnerships.transfer.models import FIGURE_REGISTERS, ORGANISATION_REGISTERS, SIMPLE_REGISTERS
from partnerships.transfer.reading.headings import UnknownHeadings
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.reporting import rows_to_correct
from partnerships.transfer.services.registers import Choices, import_register

_HELP = """Update the directory of organisations from a published register, or import published housing figures.

  councils              councils and combined authorities: mySociety's list, or the planning data platform's
  leps                  Local Enterprise Partnerships: the look-up from districts, or the list of names and codes
  providers             registered providers of social housing: the regulator's list of any month
  combined-authorities  the ONS look-up from districts to combined authorities
  council-names         every name, or every code, of councils with the key of each
  council-changes       which council or code followed which
  plan-documents        the documents of local plans
  plan-progress         the Planning Inspectorate's list of how far local plans have come
  code-lists            a published code list, to see whether Common Ground knows all its codes
  delivery-test         the Housing Delivery Test of a year
  net-additions         net additional dwellings, live table 122
  affordable-supply     affordable homes, live tables 1006 to 1008
  waiting-lists         households on housing registers, of local authority housing statistics
  requirements          the homes that local plans require

The file may be CSV, XLSX, ODS, JSON or YAML. Columns are found by their headings, in any order and for any year. Import
the councils first, because some providers are councils. Running the command again changes nothing.

Rows that cannot be used are set aside, with the reason and what to do. The others are imported, unless you add
--all-or-nothing. Rows that cannot be matched for certain wait in Common Ground administration, under “Rows to review”.
A file that is not this register is refused.

An organisation that is no longer in the list is marked to be checked, never deleted. A list that lacks more than a
fifth of them is refused without --accept-missing. A list older than the latest one adds to the history and changes
nothing current.
"""


class Command(ImportCommand):
    """`manage.py import_register councils FILE`."""

    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the register, the file and the options."""
        parser.add_argument(
            "register",
            choices=[
                str(register.value) for register in (*ORGANISATION_REGISTERS, *SIMPLE_REGISTERS, *FIGURE_REGISTERS)
            ],
            help="which list it is",
        )
        parser.add_argument("file", type=Path, help="the file: .csv, .tsv, .xlsx, .ods, .json or .yaml")
        add_accept_missing(parser)
        add_all_or_nothing(parser)
        parser.add_argument(
            "--part",
            dest="is_part",
            action="store_true",
            help="the file is only a part of its register: mark nothing as missing",
        )
        parser.add_argument(
            "--publisher",
            default="",
            help="the publisher whose headings, confirmed in Common Ground administration, the file uses",
        )
        parser.add_argument(
            "--take-others",
            action="store_true",
            help="also import national parks and other bodies in a list of councils, as organisations of their kind",
        )
        parser.add_argument(
            "--set-aside",
            type=Path,
            metavar="FILE",
            help="write the rows that were set aside to this CSV file, to correct and import again",
        )
        add_common_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and print the report and a line with the totals."""
        path: Path = options["file"]
        try:
            outcome = import_register(
                register=options["register"],
                file=published_file(path),
                author=author_of(options["by"]),
                now=timezone.now(),
                choices=Choices.from_values(options),
                dry_run=options["dry_run"],
                progress=Meter(self),
            )
        except UnknownHeadings as error:
            self.stderr.write(
                "If a column has another heading in this file, upload it in Common Ground administration: there you "
                "can say which heading is which column, and that is remembered for the publisher."
            )
            raise refusal(error, path.name) from error
        except UnableToRead as error:
            raise refusal(error, path.name) from error
        if options["set_aside"] and outcome.run.report["set_aside"]:
            heading, rows = rows_to_correct(outcome.run.report)
            options["set_aside"].write_text(csv_text([heading, *rows]), encoding="utf-8")
        print_report(self, outcome.run, applied=not options["dry_run"], everything=options["all"])
        self.stdout.write(outcome.last_line)
