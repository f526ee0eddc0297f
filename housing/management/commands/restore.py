"""The command that restores a backup."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone

import housing
from housing.backups.faults import FAULTS
from housing.backups.files import files_of_the_instance
from housing.backups.places import Manifest, read_manifest
from housing.backups.restoring import UnableToRestore, read_identities, restore_backup
from housing.upgrades import known_migrations, our_apps
from partnerships.kit.masking import mask

#: The journal is applied from this long before the backup, because transactions that were open during the backup may be
#: missing from it.
_MARGIN = dt.timedelta(minutes=5)


class Command(BaseCommand):
    """`manage.py restore FOLDER --identity FILE [--replace] [--apply-journal]`"""

    help = (
        "Restore a folder of `manage.py backup` into the database of DATABASE_OWNER_URL and MEDIA_ROOT (or "
        "FILES_BUCKET), which must be empty; compare every row and file with the backup; migrate. Emails must be held "
        "(EMAILS_HELD=1). Then `manage.py after_restore` applies what happened since, which --apply-journal does at "
        "once."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the backup, its key, and the options."""
        parser.add_argument("folder", type=Path, help="A folder of BACKUP_ROOT, such as 2026-11-30T021500Z.")
        parser.add_argument("--identity", type=Path, required=True, help="The file with the private key of age.")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="Delete what the database holds, and set its files aside.",
        )
        parser.add_argument("--apply-journal", action="store_true", help="Run after_restore too.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, migrate, and print the next step."""
        if not settings.EMAILS_HELD:
            raise CommandError(
                "Set EMAILS_HELD=1 everywhere first: the restored database does not know which emails have left since, "
                "and would send them again."
            )
        # The restore connects to the database itself, and may have to empty it.
        connection.close()
        try:
            _check_version(read_manifest(options["folder"]))
            manifest = restore_backup(
                options["folder"],
                identities=read_identities(options["identity"]),
                database=connection.settings_dict,
                files=files_of_the_instance(),
                outside={"The backup": options["folder"], **settings.NEVER_IN_A_BACKUP},
                replace=options["replace"],
                now=timezone.now(),
            )
        except FAULTS as error:
            raise CommandError(mask(str(error))) from None
        self.stdout.write(
            f"Restored {manifest.contents.row_count:,} rows and {manifest.number_of_files:,} files of "
            f"{manifest.made_at:%Y-%m-%d %H:%M} UTC, written by version {manifest.version}. Every row and file was "
            "compared with the backup."
        )

        self._run("migrate", "--no-input")

        since = (manifest.made_at - _MARGIN).isoformat(timespec="seconds")
        if options["apply_journal"]:
            self._run("after_restore", "--since", since)
        else:
            self.stdout.write(f"Now run `manage.py after_restore --since {since}`, before anything else writes.")

    def _run(self, *command: str) -> None:
        """Run another command of manage.py in a separate process, because it connects with another role."""
        environ = {name: value for name, value in os.environ.items() if name != "DATABASE_ROLE"}
        result = subprocess.run(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), *command], env=environ, check=False
        )
        if result.returncode:
            raise CommandError(f"The backup is restored, but `manage.py {' '.join(command)}` failed. Run it again.")


def _check_version(manifest: Manifest) -> None:
    """Raise `UnableToRestore` if the backup has migrations that this version of Common Ground does not have."""
    migrations = [(app, name) for app, name in manifest.migrations.items() if app in our_apps()]
    if all(migration in known_migrations() for migration in migrations):
        return
    raise UnableToRestore(
        f"The backup is from version {manifest.version}. Version {housing.VERSION} cannot read its tables. Restore it "
        f"with version {manifest.version} or a later one."
    )
