"""Context for row history outside requests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pghistory
from django.core.management.base import BaseCommand


@contextmanager
def acting(**facts: Any) -> Iterator[None]:
    """Add facts (`reason`, `job`, `command`) to the row history of changes made in the block."""
    with pghistory.context() as context:
        outer_metadata = dict(context.metadata)
        context.metadata.update({name: value for name, value in facts.items() if value})
        try:
            yield
        finally:
            context.metadata.clear()
            context.metadata.update(outer_metadata)


class AccountedCommand(BaseCommand):
    """A command that adds its name and `--reason` to row history."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command, with its name in the context of row history.

        Its arguments are not recorded, because they may be email addresses.
        """
        with acting(command=type(self).__module__.rpartition(".")[2], reason=options.get("reason")):
            return super().execute(*args, **options)
