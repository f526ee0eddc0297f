"""Print the one-time link with which a new network's first administrator creates an account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.urls import reverse

from partnerships.kit.accounting import AccountedCommand
from partnerships.people.first_administrator import is_wanted, new_token


class Command(AccountedCommand):
    """`manage.py first_administrator`"""

    help = (
        "Print a link by which the first administrator of a new network chooses a name, an address and a password. It "
        "works once, within a day. Give it only to that person."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the link, unless the network has already had an administrator."""
        if not is_wanted():
            raise CommandError("This network has already had an administrator. Ask an administrator to make others.")
        self.stdout.write(settings.SITE_ORIGIN + reverse("people:begin", kwargs={"token": new_token()}))
