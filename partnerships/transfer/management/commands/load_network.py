"""Command to load a whole network from one file (docs/network-format.md)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.transfer.management.importing import ImportCommand, add_author, author_of, contents_up_to, refusal
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.network import load_network

_HELP = """Load a whole network from one JSON file (docs/network-format.md).

The file has organisations, people and their roles, partnerships, asks and offers, commitments, plans with their
versions, and subscriptions. All of it is loaded, or nothing.

Events are replayed in order of date, under the same rules as in the browser. If the rules forbid an event, the file is
refused, and its place in the file is printed. No emails are sent. People with an account choose a password through
“Forgotten your password?”. Loading the same file again changes nothing.
"""

#: Maximum bytes of a network file, which is larger than a register.
MAX_BYTES = 32 * 1024 * 1024

#: The nouns of lists in a network file, for one and for several, where one is not the list's name without its s.
_NOUNS = {"people": ("person", "people"), "entries": ("ask or offer", "asks and offers")}


class Command(ImportCommand):
    """`manage.py load_network FILE.json`."""

    help = _HELP

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the options."""
        parser.add_argument("file", type=Path, help="the network file")
        parser.add_argument("--dry-run", action="store_true", help="check everything and change nothing")
        parser.add_argument(
            "--demo-passwords",
            action="store_true",
            help="let people with an account sign in with the file's demo_password: demonstrations only",
        )
        add_author(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the file, and print a line with the counts."""
        path: Path = options["file"]
        if options["demo_passwords"] and not settings.DEMONSTRATION:
            raise CommandError(
                "--demo-passwords gives every account the same known password. It works only where DEMONSTRATION is "
                "set."
            )
        data = contents_up_to(path, MAX_BYTES)
        try:
            run, is_new = load_network(
                data=data,
                file_name=path.name,
                author=author_of(options["by"]),
                now=timezone.now(),
                dry_run=options["dry_run"],
                demo=options["demo_passwords"],
            )
        except UnableToRead as error:
            raise refusal(error, path.name) from error
        counts = counts_in_words(run.report["counts"])
        if not is_new:
            self.stdout.write(f"{path.name} has been loaded before, so nothing was changed.")
        elif options["dry_run"]:
            self.stdout.write(f"Dry run, nothing was changed. {path.name} would load {counts}.")
        else:
            self.stdout.write(f"Loaded {path.name}: {counts}.")


def counts_in_words(counts: Mapping[str, int]) -> str:
    """Return the sizes of lists in words, such as `2 organisations, 1 person, 1 partnership`."""
    return ", ".join(_counted(count, list_name) for list_name, count in counts.items())


def _counted(count: int, list_name: str) -> str:
    """Return the size of one list with its noun."""
    singular, plural = _NOUNS.get(list_name, (list_name.removesuffix("s"), list_name))
    return f"{count:,} {singular if count == 1 else plural}"
