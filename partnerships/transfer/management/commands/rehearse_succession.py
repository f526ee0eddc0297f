"""Command to rehearse a pending succession and undo all its changes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from partnerships.kit.accounting import AccountedCommand
from partnerships.kit.text import counted
from partnerships.organisations.lineage import pending_successions
from partnerships.organisations.models import Succession
from partnerships.organisations.presenting import succession_title
from partnerships.transfer.services.rehearsing import Holdings, Rehearsal, UnableToRehearse, rehearse


class Command(AccountedCommand):
    """`manage.py rehearse_succession 3`."""

    help = (
        "Apply a pending succession and the others of its order as if their day was today, undo them, and apply them "
        "again. Everything is taken back at the end and no email is sent. Rows stay locked meanwhile: run it on a copy "
        "of the database, or at night. Without a number, lists what is pending."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the number of the succession and the options."""
        parser.add_argument("succession", type=int, nargs="?", help="the number of the succession")
        parser.add_argument(
            "--everything",
            action="store_true",
            help="also pass on what has no accepted line, to the first successor by name",
        )
        parser.add_argument(
            "--demonstration",
            action="store_true",
            help="first give each organisation that ends a partnership, a commitment and a post (implies --everything)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Rehearse the succession, and print what each organisation has at each step.

        Raises `CommandError` if undoing or repeating the succession gives a different result.
        """
        if options["succession"] is None:
            for pending_succession in pending_successions():
                self.stdout.write(f"{pending_succession.pk:>6}  {succession_title(pending_succession)}")
            return
        succession = Succession.objects.filter(pk=options["succession"]).first()
        if succession is None:
            raise CommandError("There is no such succession.")
        try:
            rehearsal = rehearse(
                succession=succession,
                everything=options["everything"],
                invent=options["demonstration"],
                now=timezone.now(),
            )
        except UnableToRehearse as error:
            raise CommandError(str(error)) from error
        self._print(rehearsal)
        if not (rehearsal.is_undone and rehearsal.is_repeated):
            raise CommandError("The results differ: look at the table.")

    def _print(self, rehearsal: Rehearsal) -> None:
        """Print a table with a row for each organisation and a column for each step, and then the outcome."""
        width = max(len(name) for name in rehearsal.before)
        steps = (rehearsal.before, rehearsal.after, rehearsal.undone, rehearsal.repeated)
        headings = ("before", "in effect", "undone", "again")
        self.stdout.write(" " * width + "".join(f"{head:>26}" for head in headings))
        for name in rehearsal.before:
            self.stdout.write(f"{name:<{width}}" + "".join(f"{_in_words(step[name]):>26}" for step in steps))
        self.stdout.write(
            f"Successions: {rehearsal.successions}. "
            f"Records left with organisations that end: {rehearsal.remaining_count}. "
            f"Undoing put everything back: {'yes' if rehearsal.is_undone else 'NO'}. "
            f"Applying them again gave the same result: {'yes' if rehearsal.is_repeated else 'NO'}. "
            "Nothing was changed."
        )


def _in_words(holdings: Holdings) -> str:
    """Return the numbers of records and homes that an organisation has, such as `12 records, 340 homes`."""
    record_count = sum(count for count, _, _ in holdings.values())
    homes = sum(homes for _, homes, _ in holdings.values())
    return f"{counted(record_count, 'record')}, {homes:,.0f} homes"
