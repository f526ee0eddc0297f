"""Remove what has been kept long enough; the worker does the same every night."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.retention import RULES, apply_retention


class Command(AccountedCommand):
    """`manage.py apply_retention [--dry-run]`"""

    help = "Remove what is past its time by the rules in docs/privacy.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether only to count."""
        parser.add_argument("--dry-run", action="store_true", help="Only say what would be removed.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply every rule, and say in the last line how much that was."""
        dry_run: bool = options["dry_run"]
        counts = apply_retention(now=timezone.now(), dry_run=dry_run)
        for name, count in counts.items():
            self.stdout.write(f"{name}: {count} (kept {RULES[name].kept_for})")
        verb = "Would remove" if dry_run else "Removed"
        self.stdout.write(f"{verb} {sum(counts.values())} by {len(counts)} rules.")
