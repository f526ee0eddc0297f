"""Apply the retention rules, as the worker does every night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.retention import RULES, apply_retention


class Command(AccountedCommand):
    """`manage.py apply_retention [--dry-run]`"""

    help = (
        "Delete data that has been kept as long as the rules in docs/privacy.md allow. Exits with 1 if a rule failed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--dry-run`."""
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be removed.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply every rule and print the counts; exit with an error if a rule failed."""
        dry_run: bool = options["dry_run"]
        outcome = apply_retention(now=timezone.now(), dry_run=dry_run)
        for name, count in sorted(outcome.removed.items()):
            self.stdout.write(f"{name}: {count} (kept {RULES[name].kept_for})")
        for name, error_type in sorted(outcome.failed.items()):
            self.stderr.write(f"{name}: failed ({error_type})")
        verb = "Would remove" if dry_run else "Removed"
        self.stdout.write(f"{verb} {sum(outcome.removed.values())} by {len(outcome.removed)} rules.")
        if outcome.failed:
            raise CommandError(f"{len(outcome.failed)} rules failed: {', '.join(sorted(outcome.failed))}.")
