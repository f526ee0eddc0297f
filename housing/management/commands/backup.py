"""The command that backs up the database and the files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from housing.backups.faults import FAULTS
from housing.backups.files import files_of_the_instance
from housing.backups.making import make_backup
from housing.backups.places import rotate
from housing.heartbeats import BACKUP, has_heartbeats, record_heartbeat
from partnerships.kit.masking import mask
from partnerships.kit.operators import alert_operators, wait_for_alerts


class Command(BaseCommand):
    """`manage.py backup [--to FOLDER]`"""

    help = (
        "Back up the database and the files into a new folder of BACKUP_ROOT, encrypted for BACKUP_RECIPIENTS; read "
        "it back, delete backups older than BACKUP_KEEP_DAYS, and record the time for /metrics."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the folder."""
        parser.add_argument("--to", type=Path, help="The folder of backups, instead of BACKUP_ROOT.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the backup. If this fails, operators get an alert."""
        root = options["to"] or (Path(settings.BACKUP_ROOT) if settings.BACKUP_ROOT else None)
        if root is None:
            raise CommandError("Set BACKUP_ROOT to the folder of backups, or add --to FOLDER.")

        now = timezone.now()
        try:
            folder, manifest = make_backup(
                root=root,
                recipients=settings.BACKUP_RECIPIENTS,
                database=connection.settings_dict,
                files=files_of_the_instance(),
                outside={"BACKUP_ROOT": root, **settings.NEVER_IN_A_BACKUP},
                now=now,
            )
        except FAULTS as error:
            fail("The backup failed", str(error))
        # A database that has not been migrated yet can be backed up too.
        if has_heartbeats():
            record_heartbeat(BACKUP)

        try:
            deleted_folders = rotate(root, keep=dt.timedelta(days=settings.BACKUP_KEEP_DAYS), now=now)
        except OSError as error:
            fail("Old backups could not be deleted", f"The new backup is complete ({folder}). {error}")

        megabytes = sum(part.bytes for part in manifest.parts) / 1_000_000
        self.stdout.write(
            f"Backed up {manifest.contents.row_count:,} rows of {len(manifest.contents.tables)} tables and "
            f"{manifest.number_of_files:,} files into {folder} ({megabytes:,.1f} MB), and verified it. "
            f"Deleted {len(deleted_folders)} old ones."
        )


def fail(subject: str, text: str) -> NoReturn:
    """Alert the operators, and raise `CommandError`. Values from the database are masked in both."""
    alert_operators(subject, text)
    wait_for_alerts(seconds=15)
    raise CommandError(mask(text))
