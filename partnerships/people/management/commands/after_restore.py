"""Apply the journal to a restored backup, so that what happened after the backup happens again."""

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
from partnerships.kit.journal import RedoResult, has_files, replay
from partnerships.outbox.services import recording_no_emails
from partnerships.people.restoring import (
    advance_sequences,
    end_sessions_and_invitations,
    first_journal_start,
    record_restore_start,
)

#: How long before the backup's newest event the journal is read, because transactions that were open during the backup
#: may be missing from it.
_MARGIN = dt.timedelta(minutes=5)


class Command(AccountedCommand):
    """`manage.py after_restore [--since TIME] [--without-journal]`"""

    help = (
        "Run this after a backup was restored, while EMAILS_HELD=1. It repeats what the journal in JOURNAL_ROOT has "
        "recorded since the backup. For example, it erases people again, ends access and blocks addresses. Emails "
        "delivered since then are not sent again. It ends all sessions and open invitations, and advances every "
        "sequence so that no id is used again. Then it lists what an operator must look at. It can be repeated."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add `--since` and `--without-journal`."""
        parser.add_argument(
            "--since", help="An ISO time. The default is 5 minutes before the newest event of the backup."
        )
        parser.add_argument(
            "--without-journal",
            action="store_true",
            help="Continue although JOURNAL_ROOT is empty, because the journal is lost. Nothing that happened since "
            "the backup is applied.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Apply the journal, end sessions and invitations, and print what was done."""
        if not settings.EMAILS_HELD:
            raise CommandError("Set EMAILS_HELD=1 first: emails must not be sent before this is done.")
        if not options["without_journal"] and not has_files():
            raise CommandError(
                f"There is no journal in JOURNAL_ROOT ({settings.JOURNAL_ROOT}). Copy the files of all machines "
                "to it. If the journal is lost, add --without-journal."
            )
        now = timezone.now()
        since = self._start_of_journal(options["since"], now)

        # Sequences come first, because the events recorded below must not get ids that were used since the backup.
        advanced_sequences = advance_sequences()
        # Before the replay, so that a run after a failure reads the journal from the same moment.
        record_restore_start(since=since, now=now)
        with recording_no_emails():
            outcome_by_subject = replay(since=since, now=now)
            # After the replay, so that nothing can start a new session.
            ended_by_subject = end_sessions_and_invitations(now=now)

        for subject, outcome in outcome_by_subject.items():
            self._print_count(outcome.count, subject)
        for subject, count in ended_by_subject.items():
            self._print_count(count, subject)
        self._print_count(advanced_sequences, "sequences advanced")
        self._report_problems(outcome_by_subject)
        self.stdout.write(
            f"Applied the journal from {since.isoformat(timespec='minutes')} on. Look at "
            "`manage.py emails waiting`, then set EMAILS_HELD=0."
        )

    def _print_count(self, count: int, subject: str) -> None:
        self.stdout.write(f"{count:8,} {subject}")

    def _report_problems(self, outcome_by_subject: dict[str, RedoResult]) -> None:
        """Print what an operator must look at; exit with an error if a kind of line was not applied."""
        problems = [
            f"{subject}: {problem}" for subject, outcome in outcome_by_subject.items() for problem in outcome.problems
        ]
        if problems:
            self.stdout.write(f"Not applied, or to be looked at ({len(problems)}):")
            for problem in problems:
                self.stdout.write(f"  {problem}")
        failed_subjects = [subject for subject, outcome in outcome_by_subject.items() if outcome.has_failed]
        if failed_subjects:
            raise CommandError(f"Not applied: {'; '.join(failed_subjects)}. Fix the cause, then run this again.")

    def _start_of_journal(self, since_option: str | None, now: dt.datetime) -> dt.datetime:
        """Return the moment from which the journal is applied.

        This is the option, or the start of an earlier run, or shortly before the newest event.
        """
        if since_option:
            since = parse_datetime(since_option)
            if since is None or since.tzinfo is None:
                raise CommandError(f"--since must be a time such as 2026-11-29T03:00:00+00:00, not {since_option!r}.")
            return since
        earlier_start = first_journal_start(now)
        if earlier_start is not None:
            return earlier_start
        newest_event: dt.datetime | None = Event.objects.aggregate(at=Max("at"))["at"]
        if newest_event is None:
            raise CommandError("The database has no events. Add --since.")
        return newest_event - _MARGIN
