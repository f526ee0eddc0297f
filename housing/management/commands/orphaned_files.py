"""The command that lists stored files that no row names, and deletes them on request."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import FileField
from django.utils import timezone
from pghistory.models import Event

from housing.backups.files import UnusableFiles, files_of_the_instance

#: A file younger than this is not called orphaned, because its row may not be committed yet.
MINIMUM_AGE = dt.timedelta(days=1)


class Command(BaseCommand):
    """`manage.py orphaned_files [--delete]`"""

    help = (
        "List stored files older than a day that no row refers to. They stay behind if a process is killed after it "
        "stored a file and before it saved the row, or if a row is deleted with its partnership. With --delete, "
        "delete them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the option to delete the files."""
        parser.add_argument("--delete", action="store_true", help="Delete them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """List the files, and delete them with `--delete`."""
        try:
            orphans = find_orphans(now=timezone.now())
            for name in orphans:
                if options["delete"]:
                    default_storage.delete(name)
                self.stdout.write(name)
        except (UnusableFiles, OSError) as error:
            raise CommandError(str(error)) from None
        outcome = "deleted" if options["delete"] else "older than a day"
        self.stdout.write(f"{len(orphans):,} {'file' if len(orphans) == 1 else 'files'} without a row, {outcome}.")


def find_orphans(*, now: dt.datetime) -> list[str]:
    """Return the names of stored files that no row names and that are older than `MINIMUM_AGE`."""
    # Files are listed before rows, so that a file and its row that are added in between do not count as an orphan.
    stored_names = files_of_the_instance().names()
    named_in_rows = set(_names_of_rows())
    return [name for name in stored_names if name not in named_in_rows and _has_existed_since(name, now - MINIMUM_AGE)]


def _has_existed_since(name: str, moment: dt.datetime) -> bool:
    """Return whether the file still exists, and existed before this moment."""
    try:
        return default_storage.get_modified_time(name) < moment
    except FileNotFoundError:
        return False  # the file was deleted after it was listed


def _names_of_rows() -> Iterator[str]:
    """Yield the names of files in all tables except row history, which still names deleted files."""
    for model in apps.get_models():
        if issubclass(model, Event):
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, FileField):
                yield from model._base_manager.values_list(field.name, flat=True).iterator()
