"""`manage.py digests`: how the queue stands, a sweep by hand, a preview, the mailbox of bounces, and a stakeholder's
week."""

from __future__ import annotations

import argparse
import json
import mailbox
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from partnerships.digests import services
from partnerships.digests.emails.links import BadLink, Purpose
from partnerships.digests.emails.links import read as read_link
from partnerships.digests.emails.pages import next_digest
from partnerships.digests.management.week import WeekWentWrong, play_week
from partnerships.digests.planning.choosing import reconcile
from partnerships.digests.planning.forecast import when_next
from partnerships.digests.queries.queue import queue_figures
from partnerships.digests.retention import tidy
from partnerships.digests.services.sweep import plan_round
from partnerships.kit.accounting import AccountedCommand
from partnerships.outbox.bounces import is_new, note_bounce
from partnerships.outbox.draining import drain
from partnerships.outbox.reports import read_report
from partnerships.people.services import find_person


class Command(AccountedCommand):
    """Look after digests."""

    help = "Look after digests: how the queue stands, send what is due, preview, read bounces, play a week."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand each."""
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        status = commands.add_parser(
            "status", help="How many digests are queued, sending, sent, failed, suppressed, bounced."
        )
        status.add_argument("--json", action="store_true", help="One JSON object, on the last line.")
        sweep = commands.add_parser(
            "sweep", help="Choose who is due now and send it, as the worker does every ten seconds."
        )
        sweep.add_argument("--no-send", action="store_true", help="Only choose; leave sending to the workers.")
        preview = commands.add_parser("preview", help="What somebody's next digest would say.")
        preview.add_argument("email", help="Whose.")
        bounces = commands.add_parser(
            "bounces", help="Read bounces and wishes to stop from a mailbox, and act on them."
        )
        bounces.add_argument(
            "path", help="A Maildir, an mbox file, one message, or - for one message on standard input."
        )
        commands.add_parser(
            "reconcile", help="Find what was left untold, and let it wait (the worker does so every hour)."
        )
        commands.add_parser("tidy", help="Remove what is kept no longer than needed (the worker does so every night).")
        week = commands.add_parser("week", help="Play a stakeholder's week, and say what they received and why.")
        week.add_argument(
            "--keep", action="store_true", help="Keep what was played in the database; for demonstrations only."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked, and say so in the last line."""
        getattr(self, f"_{options['command']}")(argparse.Namespace(**options))

    def _status(self, options: argparse.Namespace) -> None:
        figures = queue_figures()
        if options.json:
            self.stdout.write(json.dumps(figures, sort_keys=True))
            return
        for name, value in figures.items():
            self.stdout.write(f"{name.replace('_', ' '):22} {value}")

    def _sweep(self, options: argparse.Namespace) -> None:
        chosen = plan_round(now=timezone.now())
        if options.no_send:
            self.stdout.write(f"Chose {chosen:,} to be told; the workers send.")
            return
        tally = drain(seconds=3600)
        said = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(tally.counts.items())) or "nothing was due"
        self.stdout.write(f"Chose {chosen:,} to be told; sent: {said}.")

    def _preview(self, options: argparse.Namespace) -> None:
        person = find_person(options.email)
        if person is None:
            raise CommandError(f"Nobody has the address {options.email}.")
        now = timezone.now()
        reading = next_digest(person, now=now)
        for news in reading.news:
            self.stdout.write(f"{news.title}: {news.count_in_words}, version {news.from_number} to {news.to_number}")
            for line in news.lines:
                self.stdout.write(f"  {line.sentence}")
            if news.folded:
                self.stdout.write(f"  {news.folded_in_words}")
        when = when_next(person, now).moment or "as soon as something changes"
        self.stdout.write(f"{len(reading.news)} plans to tell of; next: {when}.")

    def _bounces(self, options: argparse.Namespace) -> None:
        counts = Counter(_act_on(raw) for raw in _messages(options.path))
        self.stdout.write(
            f"{counts['bounces']:,} bounces, {counts['stopped']:,} wishes to stop, {counts['other']:,} other messages,"
            f" {counts['known']:,} read before."
        )

    def _reconcile(self, options: argparse.Namespace) -> None:
        count = reconcile(now=timezone.now())
        self.stdout.write(f"{count:,} of those left untold wait for the next digest.")

    def _tidy(self, options: argparse.Namespace) -> None:
        counts = tidy(now=timezone.now())
        self.stdout.write("Removed: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()) + ".")

    def _week(self, options: argparse.Namespace) -> None:
        try:
            for line in play_week(keep=options.keep):
                self.stdout.write(line)
        except WeekWentWrong as error:
            raise CommandError(str(error)) from error


def _messages(path: str) -> list[bytes]:
    if path == "-":
        return [sys.stdin.buffer.read()]
    place = Path(path)
    if place.is_dir():
        box = mailbox.Maildir(path, create=False)
        return [box.get_bytes(key) for key in sorted(box.keys())]
    if not place.is_file():
        raise CommandError(f"There is no mailbox at {path}.")
    raw = place.read_bytes()
    if raw.startswith(b"From "):
        mbox = mailbox.mbox(path, create=False)
        return [mbox.get_bytes(key) for key in sorted(mbox.keys())]
    return [raw]


@transaction.atomic
def _act_on(raw: bytes) -> str:
    """What one mail came to; one that was acted on before does nothing again."""
    report = read_report(raw)
    now = timezone.now()
    if report is None:
        return "other"
    if not is_new(report.event_id, now=now):
        return "known"
    if report.kind == "stop":
        try:
            link = read_link(Purpose.STOP, report.stop_token, now=now)
        except BadLink:
            return "other"
        services.stop_told(person=link.person, delivery=link.number, reason="Stopped by the person, by mail.", now=now)
        return "stopped"
    bounce = note_bounce(
        kind=report.kind,
        address=report.address,
        text=report.text,
        message_id=report.message_id,
        now=now,
    )
    return "bounces" if bounce is not None else "other"
