"""`manage.py digests`: status, sweep, preview, bounces, tidy and week."""

from __future__ import annotations

import argparse
import json
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.pages import next_digest
from partnerships.digests.management.weeks.stage import WeekWentWrong, play_weeks
from partnerships.digests.planning.choosing import reconcile
from partnerships.digests.planning.next_digest import forecast_next_digest
from partnerships.digests.queries.queue import queue_figures
from partnerships.digests.retention import tidy
from partnerships.digests.services.sweep import plan_round
from partnerships.kit.accounting import AccountedCommand
from partnerships.kit.text import counted
from partnerships.outbox.draining import drain
from partnerships.people.services import find_person


class Command(AccountedCommand):
    """`manage.py digests status | sweep | preview | bounces | reconcile | tidy | week`.

    Each subcommand is a method of the same name with an underscore in front.
    """

    help = "Look after digests: show the queue, send what is due, preview, read bounces, simulate a week."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the subcommands and their options."""
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        status = commands.add_parser(
            "status", help="Show how many digests are queued, sending, sent, failed, suppressed or bounced."
        )
        status.add_argument("--json", action="store_true", help="Print one JSON object on the last line.")

        sweep = commands.add_parser(
            "sweep", help="Choose who is due a digest and send it, as the worker does every ten seconds."
        )
        sweep.add_argument("--no-send", action="store_true", help="Only choose. The workers send.")

        preview = commands.add_parser("preview", help="Show what a person’s next digest would say.")
        preview.add_argument("email", help="The person's email address.")

        bounces = commands.add_parser(
            "bounces",
            help="Read bounces, unsubscribe emails and replies from a mailbox (the worker does so every minute, if "
            "EMAIL_MAILBOX_PATH is set).",
        )
        bounces.add_argument(
            "path",
            help="A Maildir, a folder of .eml files, an mbox file, one message, or - for standard input.",
        )

        commands.add_parser(
            "reconcile",
            help="Find versions and changes that no digest is about to send (the worker does so every hour).",
        )
        commands.add_parser("tidy", help="Delete what is no longer needed (the worker does so every hour).")

        week = commands.add_parser("week", help="Simulate weeks, and show what people received and why.")
        week.add_argument(
            "--keep",
            action="store_true",
            help="Keep the simulated data in the database. Use this only for demonstrations.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the subcommand; the last line that it prints says what was done."""
        getattr(self, f"_{options['command']}")(argparse.Namespace(**options))

    def _status(self, options: argparse.Namespace) -> None:
        figures = queue_figures()
        if options.json:
            self.stdout.write(json.dumps(figures, sort_keys=True))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name.replace('_', ' '):22} {value}")

    def _sweep(self, options: argparse.Namespace) -> None:
        chosen_count = plan_round(now=timezone.now())
        if options.no_send:
            self.stdout.write(f"Chose {chosen_count:,}; the workers will send them.")
            return
        tally = drain(seconds=3600)
        outcomes = (
            ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(tally.counts.items())) or "nothing was due"
        )
        self.stdout.write(f"Chose {chosen_count:,}; sent: {outcomes}.")

    def _preview(self, options: argparse.Namespace) -> None:
        person = find_person(options.email)
        if person is None:
            raise CommandError(f"Nobody has the address {options.email}. Check the address.")
        now = timezone.now()
        reading = next_digest(person, now=now)
        for news in reading.news:
            self.stdout.write(f"{news.title}: {news.count_in_words}, version {news.from_number} to {news.to_number}")
            for line in news.lines:
                self.stdout.write(f"  {line.sentence}")
            if news.folded:
                self.stdout.write(f"  {news.folded_in_words}")
        next_digest_at = forecast_next_digest(person, now).moment or "as soon as something changes"
        self.stdout.write(f"Plans with news: {len(reading.news)}; next digest: {next_digest_at}.")

    def _bounces(self, options: argparse.Namespace) -> None:
        try:
            counts = services.read_mailbox(path=options.path, now=timezone.now())
        except services.UnableToReadMailbox as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{counted(counts['bounces'], 'bounce')}, {counted(counts['stopped'], 'unsubscribe')},"
            f" {counts['replies']:,} {_reply(counts['replies'])}, {counted(counts['forwarded'], 'forwarded email')},"
            f" {counts['unfit']:,} could not be used, {counts['automatic']:,} automatic {_reply(counts['automatic'])},"
            f" {counted(counts['other'], 'other email')},"
            f" {counts['known']:,} already read, {counts['failed']:,} could not be read."
        )

    def _reconcile(self, options: argparse.Namespace) -> None:
        count = reconcile(now=timezone.now())
        self.stdout.write(f"Versions and changes that were left unsent: {count:,}. They will go into the next digests.")

    def _tidy(self, options: argparse.Namespace) -> None:
        counts = tidy(now=timezone.now())
        self.stdout.write("Removed: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()) + ".")

    def _week(self, options: argparse.Namespace) -> None:
        try:
            for line in play_weeks(keep=options.keep):
                self.stdout.write(line)
        except WeekWentWrong as error:
            raise CommandError(str(error)) from error


def _reply(number: int) -> str:
    """Return the noun for a number of replies."""
    return "reply" if number == 1 else "replies"
