"""Encrypt the secrets of all second factors again with the first key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.encryption import UnableToDecrypt, reencrypt_all


class Command(AccountedCommand):
    """`manage.py encrypt_second_factors`"""

    help = (
        "Encrypt the secrets of authenticator apps and recovery codes again, with the first of SECOND_FACTOR_KEYS. "
        "Run it after adding a key, before removing the old one (docs/deploy.md)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Encrypt all secrets or none, and print the number of second factors."""
        try:
            count = reencrypt_all()
        except UnableToDecrypt as error:
            raise CommandError(f"{error} Put the missing key back; nothing was changed.") from error
        self.stdout.write(f"Encrypted {count} second factors and sets of recovery codes under the first key.")
