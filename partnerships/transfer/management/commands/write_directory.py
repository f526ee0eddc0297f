"""Command to write the public facts of the directory to a file (docs/directory-format.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from partnerships.kit.accounting import AccountedCommand
from partnerships.transfer.services.directory_files import directory_text


class Command(AccountedCommand):
    """`manage.py write_directory FILE`."""

    help = (
        "Write the organisations that published lists identify to a directory file: names, identifiers, kinds, areas, "
        "dates and successions. No people, no demonstration, nothing that users wrote."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the file."""
        parser.add_argument("file", type=Path, help="the file to write")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file, and print its size."""
        text = directory_text()
        path: Path = options["file"]
        path.write_text(text, encoding="utf-8")
        self.stdout.write(f"{path.name}: {len(text.encode()):,} bytes.")
