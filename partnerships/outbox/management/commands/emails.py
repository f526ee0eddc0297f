"""The command that shows queued emails to administrators of the server, and discards some."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Count, Max, Min
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from partnerships.kit.accounting import AccountedCommand
from partnerships.kit.text import counted
from partnerships.outbox.kinds import email_kind_with_code
from partnerships.outbox.models import Email
from partnerships.outbox.queries.queue import queue_figures
from partnerships.outbox.services import discard_emails


class Command(AccountedCommand):
    """`manage.py emails status | waiting | discard`.

    Each subcommand is a method of the same name with an underscore in front.
    """

    help = (
        "Show the queue of emails and what is waiting, by kind. After a restore, discard emails that must not be sent."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subcommands and their options."""
        commands = parser.add_subparsers(dest="command", required=True, parser_class=argparse.ArgumentParser)
        status = commands.add_parser("status", help="Show the figures of the queue.")
        status.add_argument("--json", action="store_true", help="Print one JSON object.")
        commands.add_parser("waiting", help="List the emails waiting to be sent, by kind.")
        discard = commands.add_parser("discard", help="Discard queued emails without sending them.")
        discard.add_argument("--kind", required=True, help="A kind as `waiting` prints it.")
        discard.add_argument(
            "--recorded-before", help="Discard only emails recorded before this ISO time. The default is all."
        )
        discard.add_argument("--reason", required=True, help="The reason, which the ledger shows.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand; the last line that it prints is a summary."""
        getattr(self, f"_{options['command']}")(options)

    def _status(self, options: dict[str, Any]) -> None:
        """Print the metrics of the queue."""
        figures = queue_figures()
        if options["json"]:
            self.stdout.write(json.dumps(figures, sort_keys=True))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name.replace('_', ' '):24} {value}")

    def _waiting(self, options: dict[str, Any]) -> None:
        """Print how many emails of each kind are still to be sent."""
        rows = (
            Email.objects.unsettled()
            .values("kind")
            .annotate(count=Count("pk"), first=Min("created_at"), last=Max("created_at"))
            .order_by("kind")
        )
        total = 0
        for row in rows:
            kind = email_kind_with_code(row["kind"])
            label = kind.label if kind else "unknown kind"
            self.stdout.write(
                f"{row['count']:8,} {row['kind']} ({label}), recorded {row['first']:%Y-%m-%d %H:%M} to"
                f" {row['last']:%Y-%m-%d %H:%M}"
            )
            total += row["count"]
        self.stdout.write(f"Still to leave: {counted(total, 'email')}.")

    def _discard(self, options: dict[str, Any]) -> None:
        """Discard queued emails of one kind."""
        count = discard_emails(
            kind=options["kind"],
            recorded_before=self._moment(options["recorded_before"]),
            reason=options["reason"],
            now=timezone.now(),
        )
        self.stdout.write(f"{counted(count, 'email')} of the kind {options['kind']} will not be sent.")

    def _moment(self, text: str | None) -> dt.datetime:
        """Return the time in an ISO text; the present time without a text. Raises `CommandError`."""
        if not text:
            return timezone.now()
        moment = parse_datetime(text)
        if moment is None or moment.tzinfo is None:
            raise CommandError(
                f"--recorded-before must be a time, for example 2026-11-29T03:00:00+00:00, not {text!r}."
            )
        return moment
