"""`make try-hosts`: test that nothing is lost when any host is killed or cut off.

Every host fails in turn, while digests are sent and people save. The hosts are network namespaces on this machine,
which needs root. They are two of web, three of workers, two of beat and account sender, a primary and a standby of
PostgreSQL, and three of the broker with its sentinels. They share a folder for files. Requests go through a load
balancer, and emails go to a mail server that only counts them. Both are outside the hosts.

The script does the work of the operator with the commands of docs/growing.md. The last line of the output is one JSON
object.

    make try-hosts                           5,000 people get digests
    make try-hosts ARGS="--people 300"       quicker
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.digests_world import Mailbox
from benchmarks.failover import BROKERS, SENTINELS, start_brokers
from benchmarks.hosts_network import (
    OUTSIDE,
    ROOT,
    Host,
    HostedServer,
    create_primary,
    create_standby,
    network,
    server_on,
    wait_for,
)
from benchmarks.hosts_people import SITE, WEB_PORT, Balancer, Person, Seen, is_ready
from benchmarks.hosts_world import Followers, count_saves
from benchmarks.own_server import PORT
from benchmarks.upgrades import PREPARE, run, say
from benchmarks.upgrades_load import Code
from tools.serving import GUNICORN

PRIMARY, STANDBY = Host("primary", 11), Host("standby", 12)
WEB = [Host(f"web{number}", 30 + number) for number in (1, 2)]
WORKERS = [Host(f"worker{number}", 40 + number) for number in (1, 2, 3)]
BEATS = [Host(f"beat{number}", 50 + number) for number in (1, 2)]
OURS = [*WEB, *WORKERS, *BEATS]
#: The processes of our hosts (docs/deploy.md), by the name of the host without its number.
PROCESSES: dict[str, dict[str, tuple[str, ...]]] = {
    "web": {"web": (*GUNICORN, "--workers=2", "--threads=4", "--timeout=60", f"--bind=0.0.0.0:{WEB_PORT}")},
    "worker": {"worker": ("-m", "housing.worker")},
    "beat": {
        "beat": ("-m", "celery", "-A", "housing", "beat", "--pidfile="),
        "sender": ("-m", "housing.account_sender"),
    },
}
WAIT_FOR_STANDBY = "ALTER SYSTEM SET synchronous_standby_names = '*'"
WAIT_NO_LONGER = "ALTER SYSTEM RESET synchronous_standby_names"
#: Makes the mail server slow, so that digests are still being sent when a fault starts.
SLOW = "--fault=end:slow:1000000:2"
#: Seconds that a fault lasts, until the operator acts, and without a failed request until pages work again.
HOLD, OPERATOR, QUIET = 8.0, 5.0, 5.0
MAX_MISSING = 30.0
#: Limit of emails that a fault may repeat. A repeated email has the same Message-ID.
MAX_REPEATS = 10
PEOPLE_WHO_SAVE = 4


@dataclass
class Row:
    """A fault, its effect on pages, and how many digests were still to be sent when it started."""

    fault: str
    waiting: int
    missing_seconds: float
    failed: int
    how: str


@dataclass
class Trial:
    """The running hosts, the results of all requests, and the rows of the table."""

    folder: Path
    primary: HostedServer
    copy: HostedServer
    followers: Followers
    balancer: Balancer
    seen: Seen = field(default_factory=Seen)
    rows: list[Row] = field(default_factory=list)
    #: Hosts whose power is off, so that their processes are not restarted.
    off: set[str] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    starting: threading.Lock = field(default_factory=threading.Lock)

    def supervise(self) -> None:
        """Restart processes that end, as systemd on each host would."""
        while not self.over.wait(1):
            for host in (*OURS, *BROKERS):
                with self.starting:
                    if host.name not in self.off:
                        self.ended += [f"{what} on {host.name}" for what in host.restart_dead()]

    def power_off(self, host: Host) -> None:
        """Kill all processes on a host, and do not restart them."""
        with self.starting:
            self.off.add(host.name)
            host.kill()

    def power_on(self, host: Host) -> None:
        """Start all processes of a host again."""
        with self.starting:
            host.restart_dead()
            self.off.discard(host.name)

    def play(
        self, fault: str, strike: Callable[[], None], mend: Callable[[], None], *, counts_from_mending: bool = False
    ) -> None:
        """Cause a fault while digests are sent, end it, and wait until pages have answered for some seconds.

        The seconds without pages count from the start of the fault. With `counts_from_mending`, they count from its
        end, because pages cannot work before that.
        """
        waiting = self.followers.keep_busy()
        time.sleep(1.0)
        before, since = len(self.seen.failed), time.time()
        strike()
        time.sleep(HOLD)
        if counts_from_mending:
            since = time.time()
        mend()
        mended = time.time()
        while time.time() - max(self.seen.last_failure(since)[0], mended) < QUIET:
            time.sleep(0.2)
            if time.time() - mended > 4 * MAX_MISSING:
                break
        last, how = self.seen.last_failure(since)
        row = Row(fault, waiting, round(last - since, 1), len(self.seen.failed) - before, how)
        self.rows.append(row)
        say(f"  {fault:42}{waiting:8}{row.missing_seconds:8.1f} s{row.failed:6}  {how}")

    def play_all(self) -> None:
        """Cause every fault in turn."""
        say(f"  {'fault':42}{'waiting':>8}{'missing':>10}{'failed':>6}")
        for host in OURS:
            self.play(f"{host.name} killed", partial(self.power_off, host), partial(self.power_on, host))
        self.play("broker1 killed", partial(self.power_off, BROKERS[0]), partial(self.power_on, BROKERS[0]))
        self.play("standby killed", self.kill_standby, self.bring_standby_back)
        for host in (WEB[0], WORKERS[0], BEATS[0], *BROKERS[:2]):
            self.play(f"{host.name}: cable pulled", host.pull_cable, host.plug_in)
        self.play("standby: cable pulled", self.cut_standby_off, self.connect_standby)
        self.play("primary: cable pulled", PRIMARY.pull_cable, PRIMARY.plug_in, counts_from_mending=True)
        for host, what, addresses in (
            (WEB[1], "the primary", [PRIMARY.address]),
            (WEB[0], "the brokers", [one.address for one in BROKERS]),
            (WORKERS[1], "the primary", [PRIMARY.address]),
            (WORKERS[2], "the brokers", [one.address for one in BROKERS]),
            (WORKERS[0], "the mail server", [OUTSIDE]),
        ):
            strike, mend = partial(host.lose, *addresses), partial(host.find, *addresses)
            self.play(f"{host.name} does not reach {what}", strike, mend)
        self.play("primary: power off, standby promoted", self.lose_primary, lambda: None)

    # --- The operator, by the commands of docs/growing.md

    def wait_for_standby(self, *, whether: bool) -> None:
        """Make commits wait for the standby, or no longer wait."""
        self.primary.ask(WAIT_FOR_STANDBY if whether else WAIT_NO_LONGER, "SELECT pg_reload_conf()")

    def kill_standby(self) -> None:
        """Kill the standby. Five seconds later, the operator lets commits continue without it."""
        self.copy.kill(self.copy.folder / "data")
        time.sleep(OPERATOR)
        self.wait_for_standby(whether=False)

    def bring_standby_back(self) -> None:
        """Start the standby, and wait until it follows the primary."""
        self.copy.start_on_network(self.copy.folder / "data", max_standby_streaming_delay="60s")
        self.follow_again()

    def cut_standby_off(self) -> None:
        """Cut the standby off. Five seconds later, the operator lets commits continue without it."""
        STANDBY.pull_cable()
        time.sleep(OPERATOR)
        self.wait_for_standby(whether=False)

    def connect_standby(self) -> None:
        """Connect the standby again, and wait until it follows the primary."""
        STANDBY.plug_in()
        self.follow_again()

    def follow_again(self) -> None:
        """Wait until the standby has all changes, and make commits wait for it again."""
        behind = (
            "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lag < '2 s' IS NOT FALSE"
        )
        wait_for(lambda: self.primary.ask(behind) == 1, seconds=90, what="the standby follows")
        self.wait_for_standby(whether=True)

    def lose_primary(self) -> None:
        """Cut the power of the primary. Five seconds later, the operator promotes the standby."""
        PRIMARY.pull_cable()
        self.primary.kill(self.primary.folder / "data")
        time.sleep(OPERATOR)
        self.copy.run("pg_ctl", "promote", "--wait", "--pgdata", str(self.copy.folder / "data"))


def environment(folder: Path, mail_port: int) -> dict[str, str]:
    """Return the settings of all hosts."""
    hosts = f"{PRIMARY.address},{STANDBY.address}:{PORT}"

    def database(role: str) -> str:
        return f"postgres://{role}@{hosts}/common_ground?target_session_attrs=read-write"

    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
        "PYTHONPATH": str(ROOT),
        "COMMON_GROUND_VAR": str(folder),
        "SECRET_KEY": "for-trying-hosts-" * 4,
        "SITE_ORIGIN": f"http://{SITE}",
        "ALLOWED_HOSTS": SITE,
        "DEMONSTRATION": "1",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": database("common_ground"),
        "DATABASE_WORKER_URL": database("common_ground_worker"),
        "DATABASE_REPLICA_URL": f"postgres://common_ground_worker@{STANDBY.address}:{PORT}/common_ground",
        "REDIS_URL": "redis://ground/0",
        "REDIS_SENTINELS": ",".join(SENTINELS),
        "EMAIL_URL": f"smtp://{OUTSIDE}:{mail_port}",
        "EMAIL_TIMEOUT": "4",
        "EMAIL_LEASE_SECONDS": "30",
        "DIGEST_SETTLE_MINUTES": "0",
        "MEDIA_ROOT": str(folder / "media"),
        "JOURNAL_ROOT": str(folder / "journal"),
        "SURVEY_KEYS_ROOT": str(folder / "keys"),
        "STATIC_ROOT": str(folder / "static"),
    }


def prepare(primary: HostedServer, copy: HostedServer, environ: dict[str, str]) -> None:
    """Start a primary with the demonstration data, and a standby that commits wait for."""
    create_primary(primary, primary.folder / "data")
    primary.ask(*PREPARE)
    ours = Code(Path(sys.executable), ROOT)
    owner = {"DATABASE_OWNER_URL": primary.address("common_ground_owner", "common_ground")}
    run(ours, "manage.py", "migrate", "--no-input", "-v0", environ=environ | owner)
    run(ours, "manage.py", "collectstatic", "--no-input", environ=environ)
    run(ours, "manage.py", "load_network", "partnerships/transfer/demo.json", "--demo-passwords", environ=environ)
    create_standby(copy, copy.folder / "data", primary)
    streaming = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    wait_for(lambda: primary.ask(streaming) == 1, seconds=30, what="the standby follows")
    primary.ask(WAIT_FOR_STANDBY, "SELECT pg_reload_conf()")


def start_ours(folder: Path, environ: dict[str, str]) -> None:
    """Start the web processes, workers, beats and account senders."""
    for host in OURS:
        host.environ = dict(environ)
        for what, words in PROCESSES[host.name[:-1]].items():
            host.start(what, [sys.executable, *words], folder / f"{host.name}-{what}.log")


def faults_of(found: dict[str, Any], trial: Trial) -> list[str]:
    """Return a sentence for each result that is not acceptable."""
    never = ("saves_lost", "saves_twice", "digests_lost", "digests_twice", "unknown_emails")
    faults = [f"{name}: {found[name]}" for name in never if found[name]]
    faults += [f"No digest had to leave when this struck: {row.fault}" for row in trial.rows if not row.waiting]
    late = [row for row in trial.rows if row.missing_seconds > MAX_MISSING]
    faults += [f"Pages were missing for {row.missing_seconds} s: {row.fault}" for row in late]
    faults += [f"Answered {times} times: {what}" for what, times in trial.seen.wrong.items()]
    if found["repeats"] > MAX_REPEATS * len(trial.rows) or found["most_repeats_of_one"] > 1:
        faults.append(f"{found['repeats']} repeats, up to {found['most_repeats_of_one']} of one email")
    return faults


def keep_logs(folder: Path) -> Path:
    """Copy the logs of all processes to a folder that is kept, and return it."""
    log_folder = Path("/tmp/cg-hosts-logs")
    shutil.rmtree(log_folder, ignore_errors=True)
    log_folder.mkdir()
    for path in [*folder.glob("*.log"), *folder.glob("*.tsv")]:
        shutil.copy(path, log_folder)
    return log_folder


def main() -> int:
    """Run the whole test. Returns 1 if something was lost, sent twice, or unavailable for too long."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=5000, help="how many get digests (5,000)")
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("ip"):
        sys.exit("This needs root and `ip` (iproute2).")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    folder = Path(tempfile.mkdtemp(prefix="cg-hosts-", dir="/tmp"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.enter_context(network(PRIMARY, STANDBY, *BROKERS, *OURS))
        primary, copy = (stack.enter_context(server_on(host)) for host in (PRIMARY, STANDBY))
        box = Mailbox.open(folder, "box", "--address=0.0.0.0", SLOW)
        stack.callback(box.close)
        environ = environment(folder, box.port)
        began = time.monotonic()
        prepare(primary, copy, environ)
        start_brokers(folder)
        os.environ |= environ | {"DATABASE_ROLE": "worker", "DJANGO_SETTINGS_MODULE": "housing.settings"}
        followers = Followers(options.people, box)
        primary.ask("VACUUM ANALYZE", database="common_ground")
        start_ours(folder, environ)
        balancer = Balancer([host.address for host in WEB])
        wait_for(lambda: all(is_ready(one.address) for one in WEB), seconds=90, what="pages answer")
        say(f"Prepared in {time.monotonic() - began:.0f} s.")
        trial = Trial(folder, primary, copy, followers, balancer)
        stack.callback(trial.over.set)
        threading.Thread(target=trial.supervise, daemon=True).start()
        people = [Person(balancer, trial.seen, *who) for who in followers.people_who_save(PEOPLE_WHO_SAVE)]
        for person in people:
            person.start()
        wait_for(lambda: trial.seen.answered > 5 * len(people), seconds=120, what="people are signed in")
        began = time.monotonic()
        trial.play_all()
        for person in people:
            person.stopping.set()
        for person in people:
            person.join(30)
        results = {
            "people": options.people,
            **followers.count_digests(),
            **count_saves(trial.seen),
            "pages_answered": trial.seen.answered,
            "requests_failed": len(trial.seen.failed),
            "forms_shown_again": trial.seen.forms_shown_again,
            "ended_by_themselves": trial.ended,
            "seconds": round(time.monotonic() - began),
        }
        faults = faults_of(results, trial)
        if faults:
            say(f"The logs are in {keep_logs(folder)}.")
        for fault in faults:
            say(f"FAILED: {fault}")
        trial.over.set()
        balancer.stopping.set()
        longest = max(row.missing_seconds for row in trial.rows)
        rows = [asdict(row) for row in trial.rows]
        print(json.dumps(results | {"longest_missing_seconds": longest, "faults": faults, "rows": rows}))
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
