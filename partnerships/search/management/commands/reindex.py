"""The command that indexes everything that search finds again, or checks the index."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from partnerships.kit.accounting import AccountedCommand
from partnerships.search.services import differences, index_stale, queue_everything

#: Limit of differences that `--check` prints.
_MAX_PRINTED = 20


class Command(AccountedCommand):
    """`manage.py reindex [--check | --queue]`"""

    help = "Index everything that search finds again. Safe to run at any time, and to run again after an interruption."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options."""
        parser.add_argument("--check", action="store_true", help="Only compare the index with the records.")
        parser.add_argument("--queue", action="store_true", help="Only queue the records. A worker indexes them.")

    def handle(self, *args: Any, check: bool, queue: bool, **options: Any) -> None:
        """Queue and index the records, or compare them with the index."""
        if check:
            self._check()
            return
        queued_count = queue_everything()
        self.stdout.write(f"{queued_count} records queued.")
        if not queue:
            self.stdout.write(f"{index_stale()} changes indexed.")

    def _check(self) -> None:
        """Print the first differences, and fail if there are any."""
        count = 0
        for difference in differences():
            count += 1
            if count <= _MAX_PRINTED:
                entry = f"{difference.source} {difference.object_id} {difference.part}".rstrip()
                self.stdout.write(f"{difference.problem}: {entry}")
        if count:
            raise CommandError(f"{count} entries differ from their records. Run reindex.")
        self.stdout.write("Index and records agree.")
