"""Applies what happened after a backup was made, once it is restored."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.db.models import Max
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from partnerships.activity.models import Event
from partnerships.kit.accounting import AccountedCommand
from partnerships.kit.journal import has_files, replay
from partnerships.outbox.services import without_emails
from partnerships.people.restoring import end_all_ways_in, move_numbers_on, note_restore, restore_begun

#: Transactions that were open during the backup may be missing from it, so begin a little before its newest event.
_MARGIN = dt.timedelta(minutes=5)


class Command(AccountedCommand):
    """`manage.py after_restore [--since TIME] [--without-journal]`"""

    help = (
        "After a backup was restored, apply the journal in JOURNAL_ROOT: people erased, access ended or reduced, "
        "refusals and suppressed addresses since the backup; emails delivered since are not sent again. Ends all "
        "sessions and open invitations. Moves every sequence on, so that no number is used again. Lists what an "
        "operator must look at. Run it while EMAILS_HELD=1; it may run twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--since` and `--without-journal`."""
        parser.add_argument("--since", help="ISO time; by default 5 minutes before the newest event of the backup.")
        parser.add_argument(
            "--without-journal",
            action="store_true",
            help="Continue although JOURNAL_ROOT is empty: the journal is lost, and nothing since the backup is "
            "applied.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply the journal and print what was done."""
        if not settings.EMAILS_HELD:
            raise CommandError("Set EMAILS_HELD=1 first: emails must not be sent before this is done.")
        if not options["without_journal"] and not has_files():
            raise CommandError(
                f"There is no journal in JOURNAL_ROOT ({settings.JOURNAL_ROOT}). Bring the files of all machines "
                "there. If the journal is lost, add --without-journal."
            )
        since, now = self._since(options["since"]), timezone.now()
        # Sequences first: events written below must not get ids that were given since the backup. The start is noted
        # before the replay, so that a run after a failure reads the journal from the same moment. Sessions end last,
        # when nothing that the replay does can begin one.
        sequences_moved = move_numbers_on()
        note_restore(since=since, now=now)
        with without_emails():
            replayed = replay(since=since, now=now)
            ended = end_all_ways_in(now=now)
        for subject, redone in replayed.items():
            self._print_count(redone.done, subject)
        for subject, count in ended.items():
            self._print_count(count, subject)
        self._print_count(sequences_moved, "sequences moved on")
        problems = [f"{subject}: {problem}" for subject, redone in replayed.items() for problem in redone.left]
        if problems:
            self.stdout.write(f"Not applied, or to be looked at ({len(problems)}):")
            for problem in problems:
                self.stdout.write(f"  {problem}")
        if failed := [subject for subject, redone in replayed.items() if redone.failed]:
            raise CommandError(f"Not applied: {'; '.join(failed)}. Fix the cause, then run this again.")
        self.stdout.write(
            f"Applied the journal from {since.isoformat(timespec='minutes')} on. Look at "
            "`manage.py emails waiting`, then set EMAILS_HELD=0."
        )

    def _print_count(self, count: int, subject: str) -> None:
        self.stdout.write(f"{count:8,} {subject}")

    def _since(self, given: str | None) -> dt.datetime:
        if given:
            moment = parse_datetime(given)
            if moment is None or moment.tzinfo is None:
                raise CommandError(f"--since must be a time such as 2026-11-29T03:00:00+00:00, not {given!r}.")
            return moment
        if begun := restore_begun(timezone.now()):
            return begun
        newest: dt.datetime | None = Event.objects.aggregate(at=Max("at"))["at"]
        if newest is None:
            raise CommandError("The database has no events. Add --since.")
        return newest - _MARGIN
