"""The command that writes a report, such as the board pack, to a file, from what one person may read."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.http import QueryDict
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.models import User
from partnerships.reports.downloads import file_content
from partnerships.reports.models import FORMATS
from partnerships.reports.queries import InvalidFilters, snapshot_of
from partnerships.reports.registry import all_reports, find_report


class Command(AccountedCommand):
    """`manage.py make_report board-pack --as amina@example.org --filters "partnership=3" --to pack.pdf`."""

    help = "Write a report as PDF, Word or Excel, with what one person can read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the report's name, `--as`, `--filters` and `--to`."""
        parser.add_argument("report", help=f"One of: {', '.join(report.slug for report in all_reports())}.")
        parser.add_argument("--as", dest="reader", required=True, help="The email address of its reader.")
        parser.add_argument("--filters", default="", help="The filters, as the query string of the report's page.")
        parser.add_argument("--to", required=True, help=f"The file to write. It ends in one of: {', '.join(FORMATS)}.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file. Raises `CommandError` if an argument or a filter is not valid."""
        report = find_report(options["report"])
        if report is None:
            slugs = ", ".join(known_report.slug for known_report in all_reports())
            raise CommandError(f"There is no report called {options['report']}. Choose one of: {slugs}.")

        reader = User.objects.filter(email__iexact=options["reader"], is_active=True).first()
        if reader is None:
            raise CommandError(f"Nobody with the address {options['reader']} has an open account.")

        path = Path(options["to"])
        extension = path.suffix.removeprefix(".")
        if extension not in FORMATS:
            raise CommandError(f"The file must end in one of: {', '.join(FORMATS)}.")

        try:
            snapshot = snapshot_of(report, reader, QueryDict(options["filters"]), now=timezone.now())
        except InvalidFilters as error:
            raise CommandError(f"The filters are not valid: {error.form.errors.as_text()}") from error
        path.write_bytes(file_content(snapshot, extension))
        self.stdout.write(f"{path}: {snapshot.title}")
