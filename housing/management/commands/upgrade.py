"""The command that checks what an upgrade needs, migrates, and prints what to restart."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

import housing
from housing.heartbeats import BACKUP, has_heartbeats, heartbeat_age
from housing.maintenance import is_on
from housing.upgrades import is_read_only, old_code_can_run, package_faults

#: The greatest age of the last backup, in hours. There is one each night, and a slow one may take two hours.
MAX_BACKUP_HOURS = 26
RESTART = """\
Now, on every machine, in this order:
  1. ln -sfn releases/{version} /srv/common-ground/current
  2. manage.py collectstatic --no-input
  3. systemctl restart common-ground-web      (requests wait; a reload would keep the old code)
  4. systemctl restart common-ground-worker common-ground-accounts common-ground-beat
  5. manage.py maintenance off                (if it is on)
Then look at /health/ready/ on each machine, and at docs/releases/{version}.md for what else you need to do.
"""


class Command(BaseCommand):
    """`manage.py upgrade [--check] [--without-backup]`

    This is not an `AccountedCommand`: the context of row history adds parameters to statements, and SQL of migrations
    with a per cent sign then fails.
    """

    help = (
        "Run this with the new code, while the old code is still in use. It checks packages, settings, the last backup "
        "and the waiting migrations. Then it migrates as the owner of the tables, and lets other transactions go first "
        "(see `migrate`). At the end it says what to restart. --check changes nothing."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options to only check, and to continue without a backup of ours."""
        parser.add_argument("--check", action="store_true", help="Say what would be done, and change nothing.")
        parser.add_argument(
            "--without-backup",
            action="store_true",
            help="Continue without a recent backup, because you have a snapshot of your platform or need none.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Check everything first, so that operators see all faults at once. Then migrate."""
        plan = self._waiting_migrations()
        faults = [
            *package_faults(),
            *self._settings_faults(),
            *self._database_faults(options, plan=plan),
            *self._migration_faults(plan),
        ]
        self.stdout.write(f"Common Ground {housing.VERSION}: {len(plan)} migrations are waiting.")
        if faults:
            raise CommandError("\n".join(["Nothing was changed:", *(f"  - {fault}" for fault in faults)]))

        if options["check"]:
            self.stdout.write("Everything that an upgrade needs is there. Nothing was changed.")
            return
        if plan:
            call_command("migrate", interactive=False, verbosity=options["verbosity"], stdout=self.stdout)
        self.stdout.write(RESTART.format(version=housing.VERSION))

    def _waiting_migrations(self) -> list[tuple[str, str]]:
        """Return the app and the name of each migration that is not applied yet, in order."""
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return [(migration.app_label, migration.name) for migration, _backwards in plan]

    def _migration_faults(self, plan: list[tuple[str, str]]) -> list[str]:
        """Return a fault if old code cannot run while these migrations are applied, and still runs."""
        blocking_migrations = [(app, name) for app, name in plan if not old_code_can_run(app, name)]
        if not blocking_migrations or is_on() or self._is_new():
            return []
        fault = (
            f"{len(blocking_migrations)} of {len(plan)} migrations are from before versions could run side by side "
            f"(such as {'.'.join(blocking_migrations[0])}): stop workers, account sender and beat, and run "
            "`manage.py maintenance on` on each machine first."
        )
        return [fault]

    def _settings_faults(self) -> list[str]:
        """Run Django's checks, with those for production. Print warnings, and return errors."""
        messages = checks.run_checks(include_deployment_checks=not settings.DEBUG)
        for message in messages:
            if checks.INFO <= message.level < checks.ERROR and not message.is_silenced():
                self.stdout.write(f"Look at this: {message.msg} {message.hint or ''}".rstrip())
        errors = [message for message in messages if message.level >= checks.ERROR]
        return [f"{error.msg} {error.hint or ''}".rstrip() for error in errors]

    def _database_faults(self, options: dict[str, Any], *, plan: list[tuple[str, str]]) -> list[str]:
        """Return a fault if the database is read-only, and one if there is no recent backup."""
        if is_read_only():
            return ["The database is read-only: DATABASE_OWNER_URL must lead to the primary."]
        if not plan or options["without_backup"] or self._is_new():
            return []

        age_in_seconds = heartbeat_age(BACKUP) if has_heartbeats() else None
        if age_in_seconds is None:
            fault = "There is no backup"
        elif age_in_seconds > MAX_BACKUP_HOURS * 3600:
            fault = f"The last backup is {age_in_seconds / 3600:.0f} hours old"
        else:
            return []
        return [f"{fault}: run `manage.py backup`, or add --without-backup if you have a snapshot."]

    def _is_new(self) -> bool:
        """Return whether the database has none of our tables yet, not even those of the first commit."""
        return "people_user" not in connection.introspection.table_names()
