"""Erase a person's data (UK GDPR, Article 17)."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.personal_data import UnableToErase, erase_person
from partnerships.people.services import find_person


class Command(AccountedCommand):
    """`manage.py erase_person EMAIL [--yes]`"""

    help = (
        "Erase a person: end their access, stop their digests and empty personal fields. What they signed, decided "
        "and wrote stays, shown as by “a former member”. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address, `--reason` and `--yes`."""
        parser.add_argument("email", help="The person's email address.")
        parser.add_argument(
            "--reason", default="Asked to be erased.", help="Why. The log keeps it, so do not name anybody."
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask for confirmation.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ask for confirmation, erase the person, and print how many rows each rule touched."""
        person = find_person(options["email"])
        if person is None:
            raise CommandError(f"Nobody has the address {options['email']}.")
        address = person.email
        if not options["yes"] and not self._is_confirmed(address):
            raise CommandError("Nothing was erased.")

        try:
            rows_by_rule = erase_person(person=person, author=None, reason=options["reason"], now=timezone.now())
        except UnableToErase as error:
            raise CommandError(str(error)) from error

        for name, count in rows_by_rule.items():
            if count:
                self.stdout.write(f"{name}: {count}")
        self.stdout.write(f"Erased {address}: person {person.pk} is “a former member” now.")

    def _is_confirmed(self, address: str) -> bool:
        return input(f"Erase {address} for good? Type yes: ").strip().lower() == "yes"
