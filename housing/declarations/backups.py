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
            meaning="The folder of backups, on another disk than the database, and copied off the machine ([backup "
            "and restore](deploy.md#backup-and-restore)).",
        ),
        Setting(
            name="BACKUP_RECIPIENTS",
            kind=LIST,
            default=[],
            needed_by="`backup`",
            example="age1PUBLICKEY",
            meaning="The public age keys that backups are encrypted for. Keep the private ones where the backups are "
            "not: this machine cannot read its own backups.",
        ),
        Setting(
            name="BACKUP_KEEP_DAYS",
            kind=NUMBER,
            default=35,
            needed_by="`backup`",
            check=checks.at_least(1),
            meaning="Days after which a backup is deleted. The newest three stay.",
        ),
        Setting(
            name="DATABASE_DRILL_URL",
            default_words="a database is created beside the instance's",
            secret=True,
            needed_by="`backup_drill`",
            check=checks.scheme("postgres", "postgresql"),
            meaning="A database of the owner's that the drill empties and fills.",
        ),
        Setting(
            name="POSTGRES_PROGRAMS",
            kind=FOLDER,
            default_words="found",
            needed_by="`backup`, `restore`, `backup_drill`",
            example="/usr/lib/postgresql/18/bin",
            meaning="The folder of `pg_dump` and `pg_restore`, of the server's major version.",
        ),
    ),
)
