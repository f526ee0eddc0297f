"""The command that turns the maintenance page on and off."""

from __future__ import annotations

import datetime as dt
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_time

from housing.maintenance import is_on, turn_off, turn_on
from housing.unsubscribes import act_on_kept, waiting

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    """`manage.py maintenance on [--until 14:30] | off | status`"""

    help = (
        "While maintenance is on, pages of this machine answer 503 with Retry-After. Health probes and /metrics go on "
        "answering, and one-click unsubscribes wait until `off` carries them out; workers are not stopped. Run it on "
        "every machine that serves pages, unless they share MAINTENANCE_FILE."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the state, and the time until which maintenance is planned."""
        parser.add_argument("state", choices=("on", "off", "status"))
        parser.add_argument(
            "--until", help="When people may try again, for example 14:30. It does not end maintenance."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or remove the file, or print whether maintenance is on."""
        if options["state"] == "on":
            until = _next_moment(options["until"]) if options["until"] else None
            turn_on(until=until)
            self.stdout.write(f"Maintenance is on: pages answer 503 ({settings.MAINTENANCE_FILE}).")
        elif options["state"] == "off":
            self.stdout.write("Maintenance is off." if turn_off() else "Maintenance was not on.")
            self._unsubscribe()
        else:
            self.stdout.write(f"Maintenance is {'on' if is_on() else 'off'}. Unsubscribes waiting: {waiting()}.")

    def _unsubscribe(self) -> None:
        """Carry out the one-click unsubscribes that were received during maintenance."""
        try:
            stopped_count = act_on_kept(now=timezone.now())
        except OSError as error:
            raise CommandError(
                f"The unsubscribes that wait cannot be read ({error}). Run this again as the user of web."
            ) from None
        except Exception as error:
            log.exception("unsubscribes_not_done")
            raise CommandError(
                f"Unsubscribes that failed ({type(error).__name__}): {waiting()}. Run this again."
            ) from None
        if stopped_count:
            self.stdout.write(f"Unsubscribes received during maintenance and now done: {stopped_count}.")


def _next_moment(text: str) -> dt.datetime:
    """Return the next moment at which the clock here shows this time. Raises `CommandError` for other texts."""
    try:
        time = parse_time(text)
    except ValueError:
        time = None
    if time is None:
        raise CommandError(f"--until must be a time, for example 14:30, not {text!r}.")

    now = timezone.localtime()
    today, tomorrow = now.date(), now.date() + dt.timedelta(days=1)
    moment_today = timezone.make_aware(dt.datetime.combine(today, time))
    return moment_today if moment_today > now else timezone.make_aware(dt.datetime.combine(tomorrow, time))
