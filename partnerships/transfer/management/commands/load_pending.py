"""Command to record the pending successions that come with the project."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.transfer.management.importing import add_author, author_of
from partnerships.transfer.services.pending import load_pending


class Command(AccountedCommand):
    """`manage.py load_pending`."""

    help = (
        "Record the pending successions that come with the project, such as Surrey's. Run it after the councils are "
        "imported. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--by`."""
        add_author(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Record the successions, and print how many are new."""
        loaded = load_pending(author=author_of(options["by"]), now=timezone.now())
        self.stdout.write(
            f"{loaded.recorded} pending successions recorded, {loaded.known} were already there, {loaded.waiting} "
            f"are waiting for their councils."
        )
