"""Saying who acts and why, where no request says so: row history keeps it with every change that follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pghistory
from django.core.management.base import BaseCommand


@contextmanager
def acting(**facts: Any) -> Iterator[None]:
    """Add facts (`reason`, `job`, `command`) to the context of row history for what is done within, and no longer."""
    with pghistory.context() as context:
        before = dict(context.metadata)
        context.metadata.update({name: value for name, value in facts.items() if value})
        try:
            yield
        finally:
            context.metadata.clear()
            context.metadata.update(before)


class AccountedCommand(BaseCommand):
    """A command whose changes say which command made them, and the reason that it was given."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run as ever, accounted for: by the command's name, never by its arguments, which may be addresses."""
        with acting(command=type(self).__module__.rpartition(".")[2], reason=options.get("reason")):
            return super().execute(*args, **options)
