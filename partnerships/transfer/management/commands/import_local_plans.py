"""Command to import published local plans and their timetables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

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
from partnerships.transfer.services.local_plans import import_local_plans

_HELP = """Import published local plans, with the milestones of their timetables, as plans of their councils.
Anyone can read them.

PLANS and TIMETABLE are local-plan.csv and local-plan-timetable.csv from the planning data platform, published on any
day. Import the councils first. Dates keep the precision they have in the file: 2017, 2017-04 or 2017-04-11.

A plan that differs from the last import gets a new version. Its note names the files, and its subscribers get
a digest of what changed. Other plans do not change. A plan that is no longer in the file is kept and reported. Rows
that cannot be used are set aside, with the reason and what to do. The others are imported, unless you add
--all-or-nothing.
"""


class Command(ImportCommand):
    """`manage.py import_local_plans PLANS.csv TIMETABLE.csv`."""

    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the two files and the options."""
        parser.add_argument("plans", type=Path, help="the list of plans: local-plan.csv")
        parser.add_argument("timetable", type=Path, help="their milestones: local-plan-timetable.csv")
        add_all_or_nothing(parser)
        add_common_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the files, and print the report and a line with the totals."""
        plans: Path = options["plans"]
        timetable: Path = options["timetable"]
        try:
            outcome = import_local_plans(
                plans=published_file(plans),
                timetable=published_file(timetable),
                author=author_of(options["by"]),
                now=timezone.now(),
                as_of=options["as_of"],
                all_or_nothing=options["all_or_nothing"],
                dry_run=options["dry_run"],
                progress=Meter(self),
            )
        except UnableToRead as error:
            raise refusal(error, f"{plans.name} with {timetable.name}") from error
        print_report(self, outcome.run, applied=not options["dry_run"], everything=options["all"])
        self.stdout.write(outcome.last_line)
