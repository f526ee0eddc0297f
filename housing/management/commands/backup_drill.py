"""The command that tests a restore and compares every row and file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

from housing.backups.drill import drill
from housing.backups.faults import FAULTS
from housing.backups.files import files_of_the_instance
from housing.backups.restoring import read_identities
from housing.database_roles import connection_settings
from housing.heartbeats import BACKUP_DRILL, record_heartbeat
from housing.management.commands.backup import fail
from partnerships.kit.masking import mask


class Command(BaseCommand):
    """`manage.py backup_drill [FOLDER --identity FILE]`"""

    help = (
        "Restore into a database and a folder of its own, compare every row and every file, and delete both again. "
        "Without FOLDER it makes a backup for a temporary key. With FOLDER and --identity, run it "
        "where the private key is. Uses DATABASE_DRILL_URL, or creates a database beside the instance's."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the backup to test, and its key."""
        parser.add_argument(
            "folder", type=Path, nargs="?", help="A folder of BACKUP_ROOT. The default is a new backup."
        )
        parser.add_argument("--identity", type=Path, help="The file with the private key of age.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the drill.

        The drill of a new backup belongs to this instance. Operators get an alert if it fails, and its time is
        recorded. The drill of FOLDER runs on another machine, whose database may have no tables.
        """
        folder: Path | None = options["folder"]
        if bool(folder) != bool(options["identity"]):
            raise CommandError("FOLDER and --identity belong together.")

        started_at = time.monotonic()
        try:
            manifest = drill(
                database=connection.settings_dict,
                scratch=connection_settings(settings.DATABASE_DRILL_URL) if settings.DATABASE_DRILL_URL else None,
                files=files_of_the_instance(),
                outside=settings.NEVER_IN_A_BACKUP,
                now=timezone.now(),
                folder=folder,
                identities=read_identities(options["identity"]) if options["identity"] else None,
            )
        except FAULTS as error:
            if folder:
                raise CommandError(mask(str(error))) from None
            fail("The backup drill failed", str(error))
        if not folder:
            record_heartbeat(BACKUP_DRILL)

        seconds = time.monotonic() - started_at
        self.stdout.write(
            f"Restored and compared {manifest.contents.row_count:,} rows of {len(manifest.contents.tables)} tables and "
            f"{manifest.number_of_files:,} files in {seconds:.0f} s: no difference."
        )
