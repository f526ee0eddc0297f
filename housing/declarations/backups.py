"""Settings of backups."""

from __future__ import annotations

from housing.declarations import checks
from housing.declarations.setting import FOLDER, LIST, NUMBER, Section, Setting

BACKUPS = Section(
    "Backups",
    (
        Setting(
            name="BACKUP_ROOT",
            kind=FOLDER,
            default_words="unset",
            needed_by="`backup`, `upgrade`",
            example="/srv/common-ground/backups",
            meaning="The folder for backups. Put it on a different disk from the database, and copy it off the machine "
            "([backup and restore](deploy.md#backup-and-restore)).",
        ),
        Setting(
            name="BACKUP_RECIPIENTS",
            kind=LIST,
            default=[],
            needed_by="`backup`",
            example="age1PUBLICKEY",
            meaning="The public age keys that backups are encrypted for. Keep the private keys on another machine, so "
            "that this machine cannot read its own backups.",
        ),
        Setting(
            name="BACKUP_KEEP_DAYS",
            kind=NUMBER,
            default=35,
            needed_by="`backup`",
            check=checks.at_least(1),
            meaning="Days after which a backup is deleted. The newest three backups are never deleted.",
        ),
        Setting(
            name="DATABASE_DRILL_URL",
            default_words="a database is created beside the instance's",
            secret=True,
            needed_by="`backup_drill`",
            check=checks.scheme("postgres", "postgresql"),
            meaning="The URL of a database that belongs to the owner role, for the drill to empty and fill.",
        ),
        Setting(
            name="POSTGRES_PROGRAMS",
            kind=FOLDER,
            default_words="found",
            needed_by="`backup`, `restore`, `backup_drill`",
            example="/usr/lib/postgresql/18/bin",
            meaning="The folder with `pg_dump` and `pg_restore`. Their major version must be the server's.",
        ),
    ),
)
