"""`make run`: starts the services and Django's processes, says where they are, and watches them."""

from __future__ import annotations

import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from housing.environment import BASE_DIR
from tools.embedded.ports import port_of
from tools.embedded.processes import Child, wait_until
from tools.preparing import demo_accounts, prepare
from tools.supervisor import Supervisor
from tools.terminal import say

WATCH_EVERY_SECONDS = 0.5
#: The web processes, without the options that differ between machines, such as address, workers and time limits.
GUNICORN = ("-m", "gunicorn", "housing.wsgi", "--config", "python:housing.gunicorn_settings", "--no-control-socket")


def serve(supervisor: Supervisor) -> None:
    """Start everything and watch it until a signal raises `Stop`."""
    began = time.monotonic()
    supervisor.start_services()
    mail_page = supervisor.start_mail_catcher()
    listener = supervisor.bind("PORT", 8000)
    site = f"http://localhost:{port_of(listener)}"
    supervisor.export("SITE_ORIGIN", supervisor.environ.get("SITE_ORIGIN", site))
    first_link = prepare(supervisor)
    web = _start(supervisor, "web", _gunicorn(listener.fileno()), keep_open=[listener.fileno()])
    worker = _start(supervisor, "worker", ["-m", "housing.worker"])
    _start(supervisor, "accounts", ["-m", "housing.account_sender"])
    _start(supervisor, "beat", ["-m", "celery", "-A", "housing", "beat", "--loglevel", "INFO", "--pidfile="])
    say("Starting web, worker and beat")
    wait_until(lambda: _is_ready(f"{site}/health/ready/"), child=web, seconds=60)
    wait_until(lambda: _worker_is_ready(worker.log), child=worker, seconds=60)
    say(f"Ready in {time.monotonic() - began:.1f} s\n")
    _announce(supervisor, site=site, mail_page=mail_page, first_link=first_link)
    while True:
        time.sleep(WATCH_EVERY_SECONDS)
        supervisor.restart_dead_children()


def _gunicorn(descriptor: int) -> list[str]:
    return [
        *(*GUNICORN, "--bind", f"fd://{descriptor}"),
        *("--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "8"),
    ]


def _start(supervisor: Supervisor, name: str, arguments: list[str], *, keep_open: Sequence[int] = ()) -> Child:
    """Start one of Django's processes, with an empty log and without the owner's database address."""
    log = supervisor.logs / f"{name}.log"
    log.unlink(missing_ok=True)
    return supervisor.start(
        Child(
            name=name,
            argv=[sys.executable, *arguments],
            log=log,
            env={key: value for key, value in supervisor.environ.items() if key != "DATABASE_OWNER_URL"},
            cwd=BASE_DIR,
            keep_open=keep_open,
            stop_seconds=15,
            uses_services=True,
            # gunicorn watches its own processes.
            notify=supervisor.sockets / f"{name}.alive" if name != "web" else None,
        )
    )


def _announce(supervisor: Supervisor, *, site: str, mail_page: str, first_link: str) -> None:
    say(f"Common Ground   {site}")
    if first_link:
        say(f"Begin here      {first_link}   (once, within a day)")
    if mail_page:
        say(f"Emails sent     {mail_page}   (none leaves this machine)")
    for line in demo_accounts() if supervisor.is_demonstration else []:
        say(line)
    say(f"Logs            {supervisor.logs}")
    say("Press Ctrl-C to stop.\n")


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _worker_is_ready(log: Path) -> bool:
    return log.exists() and " ready." in log.read_text(errors="replace")
