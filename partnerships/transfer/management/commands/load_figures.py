"""Command to import the housing figures that come with the project."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.transfer.management.importing import add_author, author_of
from partnerships.transfer.services.housing_figures.shipped import load_figures


class Command(AccountedCommand):
    """`manage.py load_figures`."""

    help = (
        "Import the published housing figures that come with the project, of the places in the demonstration network. "
        "Run it after the areas are there. Running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--by`."""
        add_author(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the files, and print a line for each."""
        for outcome in load_figures(author=author_of(options["by"]), now=timezone.now()):
            self.stdout.write(outcome.last_line)
