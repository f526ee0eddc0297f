"""Export all data about a person (UK GDPR, Article 15)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.activity.services import record_export
from partnerships.kit.accounting import AccountedCommand
from partnerships.people.personal_data import count_exported_rows, export_person
from partnerships.people.services import find_person


class Command(AccountedCommand):
    """`manage.py export_person EMAIL [--to FILE]`"""

    help = (
        "Write everything held about a person as JSON, to the screen or to a file. The activity log records the export."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address and `--to`."""
        parser.add_argument("email", help="The person's email address.")
        parser.add_argument("--to", type=Path, help="The file to write, which must not exist yet.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the data to the file or the screen."""
        person = find_person(options["email"])
        if person is None:
            raise CommandError(f"Nobody has the address {options['email']}.")

        now = timezone.now()
        exported = export_person(person=person, author=None, now=now)
        record_export(
            actor_id=None, what="export_person", record_id=person.pk, rows=count_exported_rows(exported), now=now
        )

        text = json.dumps(exported, indent=2, ensure_ascii=False)
        target: Path | None = options["to"]
        if target is None:
            self.stdout.write(text)
            self.stderr.write(f"Exported what is held about {person.email}.")
            return
        try:
            with target.open("x", encoding="utf-8") as file:
                file.write(text + "\n")
        except OSError as error:
            raise CommandError(f"Cannot write {target}: {error.strerror}.") from error
        self.stdout.write(f"Exported what is held about {person.email} to {target}.")
