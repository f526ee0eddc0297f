"""Command to load a directory file, by default the file of England (docs/directory-format.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.recommendations.services import load_recommendations
from partnerships.transfer.management.importing import add_author, author_of, contents_up_to, refusal
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.directory_files import load_directory
from partnerships.transfer.services.pending import load_pending

#: The directory of England, which comes with the project.
ENGLAND_FILE = Path(__file__).resolve().parents[2] / "england.json"
#: Maximum bytes of a directory file.
MAX_BYTES = 16 * 1024 * 1024


class Command(AccountedCommand):
    """`manage.py load_directory`."""

    help = (
        "Add the organisations of a directory file. Organisations that are in the directory already stay as they are, "
        "so running it again changes nothing. Without a file, add the directory of England: councils, combined "
        "authorities, Local Enterprise Partnerships and registered providers. Then add their pending successions, and "
        "the recommendations of three reports."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `file` and `--by`."""
        parser.add_argument("file", type=Path, nargs="?", default=ENGLAND_FILE, help="the directory file")
        add_author(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the file, and print the numbers of organisations added and already there."""
        path: Path = options["file"]
        data = contents_up_to(path, MAX_BYTES)
        try:
            loaded = load_directory(data=data, file_name=path.name, author=author_of(options["by"]), now=timezone.now())
        except UnableToRead as error:
            raise refusal(error, path.name) from error
        if path == ENGLAND_FILE:
            load_pending(author=author_of(options["by"]), now=timezone.now())
            load_recommendations(now=timezone.now())
        self.stdout.write(f"{path.name}: {loaded.added:,} organisations added, {loaded.known:,} were already there.")
