"""The supervisor behind `make run`, `make test` and `make reset`: starts the parts, watches them, ends them all.

`python -m housing.run serve` | `with COMMAND …` | `tests [PYTEST ARGUMENTS]` | `reset`
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

import psycopg2

from housing.embedded import postgres
from housing.embedded.ports import listen, port_of
from housing.embedded.postgres import Postgres, outside_home
from housing.embedded.processes import Child, UnableToStart, wait_until
from housing.embedded.valkey import Valkey
from housing.environment import BASE_DIR, VAR_DIR, read_file
from housing.watchdog import EXIT_BEAT_HANGS, EXIT_STALLED

DEMO = BASE_DIR / "partnerships" / "transfer" / "demo.json"
WATCH_EVERY_SECONDS = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stop(BaseException):
    """A signal asked the supervisor to end."""


class Supervisor:
    """Owns one copy's parts; everything it starts ends with it."""

    def __init__(self, *, var: Path, careful: bool = True) -> None:
        self.var = var
        self.careful = careful
        self.logs = var / "log"
        self.run_folder = var / "run"
        self.children: list[Child] = []
        self.environ = dict(os.environ)
        # Kept here, or they would close as soon as nothing names them.
        self.doors: list[socket.socket] = []
        self._lock: IO[str] | None = None

    # --- beginning and end

    def __enter__(self) -> Supervisor:
        for number in SIGNALS:
            signal.signal(number, self._asked_to_stop)
        for folder in (self.var, self.run_folder, self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.run_folder / "lock").open("a+")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UnableToStart(f"This copy is already running ({self.var / 'embedded.env'} says where).") from None
        self._clear_old_sockets()
        # Not in var/: a socket's path may have 107 bytes at most.
        self.sockets = Path(tempfile.mkdtemp(prefix="cg-", dir="/tmp"))
        (self.run_folder / "sockets").write_text(str(self.sockets))
        self.secrets = self._read_secrets()
        return self

    def __exit__(self, *ignored: object) -> None:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._write_embedded_env(running=False)
        # Last started, first asked; those that may take their time are asked together.
        for child in reversed(self.children):
            if child.name in {"web", "worker", "accounts", "beat", "watchdog"}:
                child.ask_to_stop()
        for child in reversed(self.children):
            child.stop()
        self._clear_old_sockets()
        for door in self.doors:
            door.close()
        if self._lock:
            self._lock.close()

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        raise Stop

    def _clear_old_sockets(self) -> None:
        note = self.run_folder / "sockets"
        if note.exists():
            old = Path(note.read_text().strip())
            if old.parent == Path("/tmp") and old.name.startswith("cg-"):  # noqa: S108 - as mkdtemp named it
                shutil.rmtree(old, ignore_errors=True)
            note.unlink()

    def _read_secrets(self) -> dict[str, str]:
        path = self.var / "secrets.json"
        made = {"SECRET_KEY": secrets.token_urlsafe(50), **postgres.new_passwords()}
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        if not made.keys() <= kept.keys():  # a new copy, or one from before a role was added
            kept = made | kept
            temporary = path.with_suffix(".new")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as output:
                json.dump(kept, output)
            temporary.replace(path)
        return kept

    def read_env_file(self, path: Path) -> None:
        """Take from a .env file what the environment leaves unset."""
        for key, value in read_file(path).items():
            self.environ.setdefault(key, value)

    # --- the parts

    def start(self, child: Child) -> Child:
        """Start one more part and watch it from now on."""
        child.start()
        self.children.append(child)
        return child

    def start_services(self) -> None:
        """The database and the broker, each unless the environment names one."""
        self.environ.setdefault("SECRET_KEY", self.secrets["SECRET_KEY"])
        self.handed_out = {"SECRET_KEY": self.environ["SECRET_KEY"]}
        if "DATABASE_URL" not in self.environ:
            began = time.monotonic()
            server = Postgres(
                var=self.var,
                sockets=self.sockets,
                passwords=self.secrets,
                log=self.logs / "postgres.log",
                careful=self.careful,
            )
            self.children.append(server.child)
            if not (server.home.data / "PG_VERSION").exists():
                say("Making a PostgreSQL cluster")
            server.start()
            self.hand_out("DATABASE_URL", server.url(postgres.APPLICATION))
            self.hand_out("DATABASE_WORKER_URL", server.url(postgres.WORKER))
            self.hand_out("DATABASE_OWNER_URL", server.url(postgres.OWNER))
            # A database of our own may hold accounts with a known password; an organisation's never.
            self.hand_out("DEMONSTRATION", self.environ.get("DEMONSTRATION", "1"))
            say(f"PostgreSQL is up ({time.monotonic() - began:.1f} s)")
        else:
            say("PostgreSQL: the one that DATABASE_URL names")
        if "REDIS_URL" not in self.environ:
            broker = Valkey(folder=self.var / "redis", sockets=self.sockets, log=self.logs / "valkey.log")
            self.children.append(broker.child)
            broker.start()
            self.hand_out("REDIS_URL", broker.url)
            say("Valkey is up")
        else:
            say("Broker: the one that REDIS_URL names")

    def start_mail(self) -> str:
        """The mail catcher, unless EMAIL_URL names a server; gives the address of its page, or nothing."""
        if "EMAIL_URL" in self.environ:
            say("Mail: the server that EMAIL_URL names")
            return ""
        smtp, web = self.listen("SMTP_PORT", 2525), self.listen("MAIL_PORT", 8025)
        self.hand_out("EMAIL_URL", f"smtp://localhost:{port_of(smtp)}")
        self.start(
            Child(
                name="mail",
                argv=[
                    *(sys.executable, "-m", "housing.embedded.mail", str(self.var / "mail")),
                    *(str(smtp.fileno()), str(web.fileno())),
                ],
                log=self.logs / "mail.log",
                env=self.environ,
                cwd=BASE_DIR,
                keep_open=[smtp.fileno(), web.fileno()],
            )
        )
        say("The mail catcher is up")
        return f"http://localhost:{port_of(web)}"

    def hand_out(self, key: str, value: str) -> None:
        """Give every later part, and the commands of other terminals, an address."""
        self.environ[key] = value
        self.handed_out[key] = value
        self._write_embedded_env(running=True)

    def _write_embedded_env(self, *, running: bool) -> None:
        kept = self.handed_out if running else {"SECRET_KEY": self.secrets["SECRET_KEY"]}
        path = self.var / "embedded.env"
        temporary = path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            output.write("# Written by `make run`: how other commands of this copy find its parts.\n")
            output.writelines(f"{key}={value}\n" for key, value in kept.items())
        temporary.replace(path)

    def listen(self, key: str, usual: int) -> socket.socket:
        """A port for a part of ours, said aloud when it is not the usual one."""
        wanted = int(self.environ.get(key, usual))
        holder = listen(self.environ.get("HOST", "127.0.0.1"), wanted)
        if port_of(holder) != wanted:
            say(f"Port {wanted} is taken; using {port_of(holder)}")
        self.doors.append(holder)
        return holder

    @property
    def is_demonstration(self) -> bool:
        """Whether the demonstration network belongs in this database."""
        return self.environ.get("DEMONSTRATION") == "1"

    def accounts(self) -> list[str]:
        """How to sign in to the demonstration, if there is one."""
        return demo_accounts() if self.is_demonstration else []

    # --- one-off steps

    def manage(self, *words: str, owner: bool = False, quiet: bool = True) -> None:
        """Run a management command to its end; raise `UnableToStart` with its words when it fails."""
        environ = self.environ | ({"DATABASE_ROLE": "owner"} if owner else {})
        done = subprocess.Popen(
            [sys.executable, "manage.py", *words],
            cwd=BASE_DIR,
            env=environ,
            stdout=subprocess.PIPE if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
            start_new_session=True,
        )
        try:
            output, _ = done.communicate()
        except BaseException:
            os.killpg(done.pid, signal.SIGTERM)
            done.wait()
            raise
        if done.returncode:
            words_said = output.decode(errors="replace") if output else ""
            raise UnableToStart(f"manage.py {' '.join(words)} failed:\n{words_said[-4_000:]}")

    def prepare(self) -> None:
        """Migrate, grant, gather static files and load the demonstration, each only where something has changed."""
        self._once("migrated", self._migrations(), "Preparing the tables", ["migrate", "--no-input"], owner=True)
        self._once(
            "gathered",
            [*_files(BASE_DIR / "static" / "build"), BASE_DIR / "requirements.txt"],
            "Gathering static files",
            ["collectstatic", "--no-input", "--clear"],
        )
        if DEMO.exists() and self.is_demonstration and self._is_empty():
            say("Loading the demonstration network")
            self.manage("load_network", str(DEMO), "--demo-passwords")

    def _migrations(self) -> list[Path]:
        return [
            *sorted(BASE_DIR.glob("partnerships/*/migrations/*.py")),
            *sorted(BASE_DIR.glob("housing/migrations/*.py")),
            *(
                BASE_DIR / name
                for name in (
                    "requirements.txt",
                    "housing/database_roles.py",
                    "housing/grants.py",
                    "housing/settings.py",
                )
            ),
        ]

    def _once(self, name: str, sources: Iterable[Path], words: str, command: list[str], *, owner: bool = False) -> None:
        total = hashlib.sha256(self.environ["DATABASE_URL"].split("@")[0].encode())
        for path in sources:
            total.update(str(path).encode() + path.read_bytes())
        stamp = self.var / "stamps" / name
        stamp.parent.mkdir(exist_ok=True)
        embedded = "DATABASE_URL" in self.handed_out
        if (embedded or not owner) and stamp.exists() and stamp.read_text() == total.hexdigest():
            return
        say(words)
        self.manage(*command, owner=owner)
        stamp.write_text(total.hexdigest())

    def _is_empty(self) -> bool:
        with psycopg2.connect(self.environ["DATABASE_URL"]) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM organisations_organisation)")
            row = cursor.fetchone()
        connection.close()
        return bool(row and row[0])

    # --- serving

    def serve(self) -> None:
        """Start everything, say where to look, and watch until a signal ends it."""
        began = time.monotonic()
        self.start_services()
        mail_page = self.start_mail()
        door = self.listen("PORT", 8000)
        self.environ.setdefault("SITE_ORIGIN", f"http://localhost:{port_of(door)}")
        self.handed_out["SITE_ORIGIN"] = self.environ["SITE_ORIGIN"]
        self._write_embedded_env(running=True)
        self.prepare()
        site = f"http://localhost:{port_of(door)}"
        # Web, worker and beat work in the application's role: the owner's address is not for them.
        environ = {key: value for key, value in self.environ.items() if key != "DATABASE_OWNER_URL"}
        web = self._part(
            "web",
            [
                *(sys.executable, "-m", "gunicorn", "housing.wsgi", "--bind", f"fd://{door.fileno()}"),
                *("--config", "python:housing.gunicorn_settings"),
                *("--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "8"),
                "--no-control-socket",
            ],
            environ,
            keep_open=[door.fileno()],
        )
        worker = self._part("worker", [sys.executable, "-m", "housing.worker"], environ)
        self._part("accounts", [sys.executable, "-m", "housing.account_sender"], environ)
        beat = self._part(
            "beat",
            [sys.executable, "-m", "celery", "-A", "housing", "beat", "--loglevel", "INFO", "--pidfile="],
            environ,
        )
        say("Starting web, worker and beat")
        wait_until(lambda: _answers(f"{site}/health/ready/"), child=web, seconds=60)
        wait_until(lambda: _says_ready(worker.log), child=worker, seconds=60)
        watchdog = self._part("watchdog", [sys.executable, "-m", "housing.watchdog"], environ)
        say(f"Ready in {time.monotonic() - began:.1f} s\n")
        self._say_where(site, mail_page)
        self.watch(worker=worker, beat=beat, watchdog=watchdog)

    def _part(self, name: str, argv: list[str], environ: dict[str, str], *, keep_open: Sequence[int] = ()) -> Child:
        log = self.logs / f"{name}.log"
        log.unlink(missing_ok=True)
        return self.start(
            Child(name=name, argv=argv, log=log, env=environ, cwd=BASE_DIR, keep_open=keep_open, patience=15)
        )

    def _say_where(self, site: str, mail_page: str) -> None:
        say(f"Common Ground   {site}")
        if mail_page:
            say(f"Mail sent       {mail_page}   (nothing leaves this machine)")
        for line in self.accounts():
            say(line)
        say(f"Logs            {self.logs}")
        say("Stop with Ctrl-C.\n")

    def watch(self, *, worker: Child, beat: Child, watchdog: Child) -> None:
        """Look after the parts until a signal ends it."""
        while True:
            time.sleep(WATCH_EVERY_SECONDS)
            self.look_after(worker=worker, beat=beat, watchdog=watchdog)

    def look_after(self, *, worker: Child, beat: Child, watchdog: Child) -> None:
        """Bring back what died; restart the worker or beat when the watchdog found that it hangs."""
        hung = {EXIT_STALLED: worker, EXIT_BEAT_HANGS: beat}
        found = hung.get(watchdog.process.poll() or 0) if watchdog.process else None
        if found is not None:
            say(f"The {found.name} hangs: restarting it")
            found.stop()
            found.start()
            watchdog.start()
        for child in self.children:
            if child.revive(clock=time.monotonic()):
                say(f"{child.name} had ended and was started again (see {child.log})")


def demo_accounts() -> list[str]:
    """How to sign in to the demonstration, as the demonstration itself says."""
    if not DEMO.exists():
        return []
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    people = [person for person in content["people"] if person.get("account") or person.get("administrator")]
    return [
        f"{'Sign in as' if not number else '':<15} {person['email']}   password: {content['demo_password']}"
        for number, person in enumerate(people)
    ]


def serve() -> int:
    """`make run`."""
    with Supervisor(var=VAR_DIR) as supervisor:
        try:
            supervisor.read_env_file(BASE_DIR / ".env")
            supervisor.serve()
        except Stop:
            say("Stopping")
    say("Stopped.")
    return 0


def with_services(command: list[str], *, var: Path, careful: bool, owner: bool, extra: dict[str, str]) -> int:
    """Run one command with a database and a broker of its own, and end them with it."""
    with Supervisor(var=var, careful=careful) as supervisor:
        try:
            supervisor.start_services()
            environ = supervisor.environ | extra
            if owner and "DATABASE_OWNER_URL" in supervisor.handed_out:
                # Empty, so that no process of a test or a benchmark works on another database than its own.
                environ |= {
                    "DATABASE_URL": supervisor.handed_out["DATABASE_OWNER_URL"],
                    "DATABASE_WORKER_URL": "",
                }
            process = subprocess.Popen(command, cwd=BASE_DIR, env=environ)
            try:
                return process.wait()
            except Stop:
                process.terminate()
                process.wait()
                return 130
        except Stop:
            return 130


def tests(arguments: list[str]) -> int:
    """`make test`: pytest on parts of its own, beside any that run; the whole suite on every core and one more, for a
    third of its time it waits for browsers and workers; on four at most."""
    spread = [] if arguments else ["-n", str(min((os.cpu_count() or 1) + 1, 4))]
    return with_services(
        [sys.executable, "-m", "pytest", *spread, *arguments],
        var=VAR_DIR / "test",
        careful=False,
        owner=True,
        extra={"DEBUG": "1", "COMMON_GROUND_VAR": str(VAR_DIR / "test")},
    )


def reset() -> int:
    """`make reset`: forget the database, the mail, the files and all else in var/."""
    if VAR_DIR.exists():
        with Supervisor(var=VAR_DIR):
            say(f"Clearing {VAR_DIR}")
        shutil.rmtree(VAR_DIR)
    for elsewhere in (outside_home(VAR_DIR), outside_home(VAR_DIR / "test")):
        shutil.rmtree(elsewhere, ignore_errors=True)
    return 0


def say(words: str) -> None:
    """One line of progress; a terminal that has gone away stops nothing."""
    try:
        print(f"  {words}", flush=True)  # noqa: T201 - this is a terminal program
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for the rest of the process


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _says_ready(log: Path) -> bool:
    return log.exists() and " ready." in log.read_text(errors="replace")


def main(arguments: list[str]) -> int:
    """Do what the first word says."""
    match arguments:
        case ["serve"]:
            return serve()
        case ["tests", *rest]:
            return tests(rest)
        case ["with", *command] if command:
            # What is measured is stored as for good: a benchmark on a careless database flatters whoever commits often.
            return with_services(command, var=VAR_DIR / "test", careful=True, owner=True, extra={"DEBUG": "1"})
        case ["reset"]:
            return reset()
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UnableToStart as error:
        sys.exit(f"Common Ground: {error}")
    except Stop:
        sys.exit(130)
