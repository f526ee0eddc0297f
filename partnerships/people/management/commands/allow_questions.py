"""Let partners ask an address again whose owner refused digests and was erased."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.refusals import forget_refusal


class Command(AccountedCommand):
    """`manage.py allow_questions EMAIL`"""

    help = (
        "Let partners ask an address again after its owner refused digests and was then erased. "
        "Run it only when the owner asks for it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the address."""
        parser.add_argument("email", help="The address, as its owner gives it.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Remove the refusal and print what was done."""
        if not forget_refusal(options["email"], now=timezone.now()):
            raise CommandError("No erased person with this address has refused digests.")
        self.stdout.write(f"{options['email']} may be asked again.")
