"""The supervisor, which starts a copy's services and processes, restarts those that die, and stops them all."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import IO

from housing.declarations import SECRETS
from housing.environment import BASE_DIR, add_file, read_secret_files
from tools.embedded import postgres
from tools.embedded.ports import listen, port_of
from tools.embedded.postgres import Postgres
from tools.embedded.processes import Child, UnableToStart
from tools.embedded.valkey import Valkey
from tools.state import read_secrets, write_embedded_env
from tools.terminal import say

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """Raised when a signal stops the supervisor."""


class Supervisor:
    """A context manager that starts the processes of one copy, and ends them all when it exits."""

    def __init__(self, *, var: Path, durable: bool = True) -> None:
        """Prepare the processes. `durable=False` makes the database faster and unsafe, and is for tests only."""
        self.var = var
        self.durable = durable
        self.logs = var / "log"
        self.run_folder = var / "run"
        self.children: list[Child] = []
        self.environ = dict(os.environ)
        #: Settings of the services that this supervisor started, for commands in other terminals.
        self.exported: dict[str, str] = {}
        self._listeners: list[socket.socket] = []
        self._lock: IO[str] | None = None

    def __enter__(self) -> Supervisor:
        """Lock this copy, and make a folder for its sockets.

        Raises `UnableToStart` if it runs already.
        """
        for number in SIGNALS:
            signal.signal(number, self._raise_stop)
        for folder in (self.var, self.run_folder, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.run_folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnableToStart(
                f"This copy is already running. Its addresses are in {self.var / 'embedded.env'}."
            ) from None
        self._remove_old_sockets()
        # Not in var/: the path of a socket may have at most 107 bytes.
        self.sockets = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp"))
        (self.run_folder / "sockets").write_text(str(self.sockets))
        self.secrets = read_secrets(self.var)
        return self

    def __exit__(self, *ignored: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        write_embedded_env(self.var, {"SECRET_KEY": self.secrets["SECRET_KEY"]})
        # Django's processes stop side by side, then everything in reverse order of starting.
        for child in reversed(self.children):
            if child.uses_services:
                child.ask_to_stop()
        for child in reversed(self.children):
            child.stop()
        self._remove_old_sockets()
        for listener in self._listeners:
            listener.close()
        if self._lock:
            self._lock.close()

    def _raise_stop(self, number: int, frame: FrameType | None) -> None:
        raise Stop

    def _remove_old_sockets(self) -> None:
        note = self.run_folder / "sockets"
        if note.exists():
            old = Path(note.read_text().strip())
            if old.parent == Path("/tmp") and old.name.startswith("cg-"):  # noqa: S108 - as mkdtemp named it
                shutil.rmtree(old, ignore_errors=True)
            note.unlink()

    # --- settings

    def read_env_file(self, path: Path) -> None:
        """Read settings from a .env file and from files of secrets.

        A variable that is set in the environment is not replaced.
        """
        add_file(self.environ, path)
        read_secret_files(self.environ, SECRETS)

    def export(self, key: str, value: str) -> None:
        """Set a variable for later processes and for commands in other terminals."""
        self.environ[key] = value
        self.exported[key] = value
        write_embedded_env(self.var, self.exported)

    @property
    def is_demonstration(self) -> bool:
        """Return whether this database may hold the demonstration network."""
        return self.environ.get("DEMONSTRATION") == "1"

    def bind(self, key: str, default: int) -> socket.socket:
        """Return a listening socket on the port that setting `key` names, or on the next free one."""
        wanted_port = int(self.environ.get(key, default))
        listener = listen(self.environ.get("HOST", "127.0.0.1"), wanted_port)
        if port_of(listener) != wanted_port:
            say(f"Port {wanted_port} is taken; using {port_of(listener)}")
        # Kept here, or garbage collection would close it.
        self._listeners.append(listener)
        return listener

    # --- services and processes

    def start(self, child: Child) -> Child:
        """Start a process and restart it from now on when it dies."""
        child.start()
        self.children.append(child)
        return child

    def start_services(self) -> None:
        """Start the database and the broker, unless the environment names them."""
        self.environ.setdefault("SECRET_KEY", self.secrets["SECRET_KEY"])
        self.exported = {"SECRET_KEY": self.environ["SECRET_KEY"]}
        if "DATABASE_URL" in self.environ:
            say("PostgreSQL: the one in DATABASE_URL")
        else:
            self._start_database()
        if "REDIS_URL" in self.environ:
            say("Broker: the one in REDIS_URL")
        else:
            self._start_broker()

    def _start_database(self) -> None:
        """Start PostgreSQL, after creating the cluster if there is none, and export its addresses."""
        began = time.monotonic()
        server = Postgres(
            var=self.var,
            sockets=self.sockets,
            passwords=self.secrets,
            log=self.logs / "postgres.log",
            durable=self.durable,
        )
        self.children.append(server.child)
        if not server.has_cluster:
            say("Creating a PostgreSQL cluster")
        server.start()
        self.export("DATABASE_URL", server.url(postgres.APPLICATION))
        self.export("DATABASE_WORKER_URL", server.url(postgres.WORKER))
        self.export("DATABASE_OWNER_URL", server.url(postgres.OWNER))
        # Only the embedded database may hold accounts with published passwords.
        self.export("DEMONSTRATION", self.environ.get("DEMONSTRATION", "1"))
        say(f"PostgreSQL is up ({time.monotonic() - began:.1f} s)")

    def _start_broker(self) -> None:
        broker = Valkey(folder=self.var / "redis", sockets=self.sockets, log=self.logs / "valkey.log")
        self.children.append(broker.child)
        broker.start()
        self.export("REDIS_URL", broker.url)
        say("Valkey is up")

    def start_mail_catcher(self) -> str:
        """Start the mail catcher and return the address of its page.

        Returns "" without starting it if EMAIL_URL names a mail server.
        """
        if "EMAIL_URL" in self.environ:
            say("Mail: the server in EMAIL_URL")
            return ""
        smtp, web = self.bind("SMTP_PORT", 2525), self.bind("MAIL_PORT", 8025)
        self.export("EMAIL_URL", f"smtp://localhost:{port_of(smtp)}")
        self.start(
            Child(
                name="mail",
                argv=[
                    *(sys.executable, "-m", "tools.embedded.mail", str(self.var / "mail")),
                    *(str(smtp.fileno()), str(web.fileno())),
                ],
                log=self.logs / "mail.log",
                env=self.environ,
                cwd=BASE_DIR,
                keep_open=[smtp.fileno(), web.fileno()],
            )
        )
        say("The mail catcher is up")
        page = f"http://localhost:{port_of(web)}"
        self.export("MAIL_PAGE", page)
        return page

    def restart_dead_children(self) -> None:
        """Restart every process that has died, after its delay, or that hangs."""
        for child in self.children:
            if child.restart_if_dead(now=time.monotonic()):
                say(f"{child.name} died and was restarted (see {child.log})")
            elif child.restart_if_hanging(now=time.monotonic()):
                say(f"{child.name} hung and was restarted (see {child.log})")
