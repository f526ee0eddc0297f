"""Hosts as network namespaces on one bridge, which can be cut off from each other.

This needs root on Linux.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.own_server import PORT, Server, own_server

ROOT = Path(__file__).resolve().parent.parent
BRIDGE = "cg-bridge"
NETWORK = "10.77.0"
#: The address outside the hosts, for the load balancer, people and the mail server.
OUTSIDE = f"{NETWORK}.1"


def ip(*words: str, check: bool = True) -> None:
    """Run the command `ip`."""
    subprocess.run(["ip", *words], check=check, capture_output=not check)


@dataclass
class Host:
    """A host with its own address, and the processes that were started on it."""

    name: str
    number: int
    environ: dict[str, str] = field(default_factory=dict)
    running: dict[str, tuple[list[str], Path, subprocess.Popen[bytes]]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the host."""
        return f"{NETWORK}.{self.number}"

    @property
    def space(self) -> str:
        """The name of its network namespace."""
        return f"cg-{self.name}"

    def create(self) -> None:
        """Create the namespace, and connect it to the bridge."""
        ip("netns", "add", self.space)
        ip("link", "add", f"cg-{self.number}", "type", "veth", "peer", "name", "eth0", "netns", self.space)
        ip("link", "set", f"cg-{self.number}", "master", BRIDGE, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            ip("-n", self.space, *words)

    def pull_cable(self) -> None:
        """Cut the host off from all others. Existing connections are not closed."""
        ip("link", "set", f"cg-{self.number}", "down")

    def plug_in(self) -> None:
        """Connect the host again."""
        ip("link", "set", f"cg-{self.number}", "up")

    def lose(self, *others: str) -> None:
        """Drop all packets from the host to these addresses. Existing connections are not closed."""
        nowhere = ("lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent")
        for other in others:
            ip("-n", self.space, "neigh", "replace", other, *nowhere)

    def find(self, *others: str) -> None:
        """Let packets reach these addresses again."""
        for other in others:
            ip("-n", self.space, "neigh", "delete", other, "dev", "eth0")

    def start(self, what: str, command: list[str], log: Path, **environ: str) -> None:
        """Start a process on the host."""
        self.environ |= environ
        with log.open("ab") as output:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.space, *command],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.running[what] = command, log, process

    def kill(self) -> None:
        """Kill all processes on the host, as a power failure would."""
        for _, _, process in self.running.values():
            kill_tree(process)

    def restart_dead(self) -> list[str]:
        """Restart the processes that have ended, as systemd would, and return their names."""
        ended = [what for what, (_, _, process) in self.running.items() if process.poll() is not None]
        for what in ended:
            command, log, _ = self.running[what]
            self.start(what, command, log)
        return ended


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all its descendants."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.kill()
    process.wait(10)


@contextlib.contextmanager
def network(*hosts: Host) -> Iterator[None]:
    """Yield a bridge with these hosts. At the end, all of it is removed, with every process."""
    _remove(hosts)
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        ip("addr", "add", f"{OUTSIDE}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for host in hosts:
            host.create()
        yield
    finally:
        for host in hosts:
            host.kill()
        _remove(hosts)


def _remove(hosts: tuple[Host, ...]) -> None:
    for host in hosts:
        ip("netns", "delete", host.space, check=False)
        ip("link", "delete", f"cg-{host.number}", check=False)
    ip("link", "delete", BRIDGE, check=False)


class HostedServer(Server):
    """A PostgreSQL server on a host, which all hosts reach by the host's address."""

    host: Host

    def run(self, program: str, *words: str) -> None:
        """Run one of PostgreSQL's programs on the host, as the server's account. Raises if it fails."""
        account = pwd.getpwuid(self.user)
        as_account = ["setpriv", f"--reuid={self.user}", f"--regid={account.pw_gid}", "--clear-groups"]
        subprocess.run(
            ["ip", "netns", "exec", self.host.space, *as_account, str(self.binaries / program), *words],
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def start_on_network(self, data: Path, **options: str) -> None:
        """Start the server for all hosts of the network."""
        settings = {"listen_addresses": "*", "max_connections": "200", "log_min_error_statement": "panic"}
        self.start(data, **settings, **options)

    def address(self, role: str, database: str) -> str:
        """Return the address of a database, in the form of the settings."""
        return f"postgres://{role}@{self.host.address}:{PORT}/{database}"

    def kill(self, data: Path) -> None:
        """Kill all processes of the server at once."""
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        top = psutil.Process(pid)
        for one in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        psutil.wait_procs([top], timeout=10)
        (data / "postmaster.pid").unlink(missing_ok=True)


@contextlib.contextmanager
def server_on(host: Host) -> Iterator[HostedServer]:
    """Yield a folder for a server on this host, which is killed at the end."""
    with own_server() as made:
        server = HostedServer(made.binaries, made.folder, made.user)
        server.host = host
        try:
            yield server
        finally:
            for running in server.folder.glob("*/postmaster.pid"):
                server.kill(running.parent)


def create_primary(server: HostedServer, data: Path) -> None:
    """Create and start a server that trusts every host of the network.

    It has a replication slot for the standby.
    """
    server.create(data)
    with (data / "pg_hba.conf").open("a") as file:
        for what in ("all", "replication"):
            file.write(f"host {what} all {NETWORK}.0/24 trust\n")
    server.start_on_network(data)
    server.ask("SELECT pg_create_physical_replication_slot('standby')")


def create_standby(server: HostedServer, data: Path, primary: HostedServer, *, slot: str = "standby") -> None:
    """Create and start a streaming standby of the primary."""
    server.run(
        *("pg_basebackup", "--host", primary.host.address, "--port", PORT, "--username", "postgres"),
        *("--pgdata", str(data), "--checkpoint", "fast", "--write-recovery-conf", "--slot", slot),
    )
    server.start_on_network(data, max_standby_streaming_delay="60s")


def wait_for(condition: Callable[[], bool], *, seconds: float, what: str) -> float:
    """Wait until a condition is true, and return the seconds. Stops the script if it takes longer."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            sys.exit(f"Not within {seconds:.0f} s: {what}")
        time.sleep(0.2)
    return time.monotonic() - began


def answers(address: str, port: int) -> bool:
    """Return whether a process listens on this port."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False
