"""Lists stored files that no row names, and deletes them when it is told to."""

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

#: A younger file may belong to a form whose row is not committed yet.
MINIMUM_AGE = dt.timedelta(days=1)


class Command(BaseCommand):
    """`manage.py orphaned_files [--delete]`"""

    help = (
        "List stored files older than a day that no row refers to. They stay behind if a process is killed after it "
        "stored a file and before it saved the row, or if a row is deleted with its partnership. With --delete, "
        "delete them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether to delete them."""
        parser.add_argument("--delete", action="store_true", help="Delete them.")

    def handle(self, *args: Any, **options: Any) -> None:
        """List, and delete if asked to."""
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
    """The names of stored files that no row names and that are older than `MINIMUM_AGE`."""
    # In this order: a file that is stored meanwhile is not among them, and a row that is committed meanwhile is.
    stored = files_of_the_instance().names()
    named_in_rows = set(_names_of_rows())
    return [name for name in stored if name not in named_in_rows and _is_there_since(name, now - MINIMUM_AGE)]


def _is_there_since(name: str, moment: dt.datetime) -> bool:
    """Whether the file is still there, and was before this moment."""
    try:
        return default_storage.get_modified_time(name) < moment
    except FileNotFoundError:
        return False  # deleted since it was listed


def _names_of_rows() -> Iterator[str]:
    """The names of files in all tables but row history, which goes on naming files that were deleted."""
    for model in apps.get_models():
        if issubclass(model, Event):
            continue
        for field in model._meta.concrete_fields:
            if isinstance(field, FileField):
                yield from model._base_manager.values_list(field.name, flat=True).iterator()
