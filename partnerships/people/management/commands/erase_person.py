"""Erases somebody's personal data (UK GDPR, Article 17)."""

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
        "Erase a person: access ends everywhere, digests stop, personal fields are emptied. "
        "What they signed, decided and wrote stays as done by “a former member”. It cannot be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Who is erased, why, and whether to ask first."""
        parser.add_argument("email", help="The person's email address.")
        parser.add_argument("--reason", default="Asked to be erased.", help="Why; kept in the log, so name nobody.")
        parser.add_argument("--yes", action="store_true", help="Do not ask for confirmation.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Erase the person and print the number of rows touched."""
        person = find_person(options["email"])
        if person is None:
            raise CommandError(f"Nobody has the address {options['email']}.")
        if not options["yes"] and input(f"Erase {person.email} for good? Type yes: ").strip().lower() != "yes":
            raise CommandError("Nothing was erased.")
        address = person.email
        try:
            touched = erase_person(person=person, author=None, reason=options["reason"], now=timezone.now())
        except UnableToErase as error:
            raise CommandError(str(error)) from error
        for name, count in touched.items():
            if count:
                self.stdout.write(f"{name}: {count}")
        self.stdout.write(f"Erased {address}: number {person.pk} is “a former member” now.")
