"""Command to load a directory file, by default the file of England (docs/directory-format.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.recommendations.services import load_recommendations
from partnerships.transfer.management.importing import add_author, author_of, contents, refusal
from partnerships.transfer.reading.problems import UnableToRead
from partnerships.transfer.services.directory_files import load_directory
from partnerships.transfer.services.pending import load_pending

#: The file that comes with the project.
ENGLAND = Path(__file__).resolve().parents[2] / "england.json"
#: Maximum bytes of a directory file.
MAX_BYTES = 16 * 1024 * 1024


class Command(AccountedCommand):
    """`manage.py load_directory`."""

    help = (
        "Add the organisations of a directory file that are not in the directory yet; without a file, England's "
        "councils, combined authorities, Local Enterprise Partnerships, registered providers and pending successions, "
        "and the recommendations of three reports with the national bodies that they are addressed to. Known "
        "organisations stay as they are, so running it again changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file and the author."""
        parser.add_argument("file", type=Path, nargs="?", default=ENGLAND, help="the directory file")
        add_author(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the file, and print how many organisations were added.

        England's file is followed by the pending successions and recommendations that come with the project.
        """
        path: Path = options["file"]
        data = contents(path, MAX_BYTES)
        if len(data) > MAX_BYTES:
            raise CommandError(f"{path.name} is longer than {MAX_BYTES // 2**20} MB.")
        try:
            loaded = load_directory(data=data, file_name=path.name, author=author_of(options["by"]), now=timezone.now())
        except UnableToRead as error:
            raise refusal(error, path.name) from error
        if path == ENGLAND:
            load_pending(author=author_of(options["by"]), now=timezone.now())
            load_recommendations(now=timezone.now())
        self.stdout.write(f"{path.name}: {loaded.added:,} organisations added, {loaded.known:,} were already there.")
