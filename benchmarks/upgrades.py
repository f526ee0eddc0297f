"""`make try-upgrade`: upgrades the first public commit and every version tag to this code, with people on the data.

Each gets a copy and an environment of its own (below var/upgrades, kept for the next time) and a PostgreSQL server of
its own with the demonstration loaded. Then come `manage.py upgrade` of this code, a visit of many pages as each of its
people, and the drill of a restore. The server is the embedded one, or that of the programs in POSTGRES_PROGRAMS.
Options: names of commits, instead of all. The last line says which failed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.own_server import Server, own_server
from housing.environment import BASE_DIR, VAR_DIR

FIRST = "41f94f9"
#: The environment of each: its own tree and packages, the same database.
ROLES = {
    "DATABASE_URL": "common_ground",
    "DATABASE_WORKER_URL": "common_ground_worker",
    "DATABASE_OWNER_URL": "common_ground_owner",
}
PREPARE = (
    "CREATE ROLE common_ground_owner LOGIN CREATEDB",
    "CREATE ROLE common_ground LOGIN",
    "CREATE ROLE common_ground_worker LOGIN IN ROLE common_ground",
    "CREATE DATABASE common_ground OWNER common_ground_owner",
)
#: Pages of one kind that each person visits.
PER_ROUTE = 2


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(chosen: list[str]) -> int:
    """Try every upgrade; returns how many failed."""
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    failed = []
    for commit in chosen or [FIRST, *tags.stdout.split()]:
        began = time.monotonic()
        try:
            with own_server(_programs()) as server:
                upgrade(commit, server)
        except subprocess.CalledProcessError as error:
            say(f"{commit}: FAILED: {error}")
            failed.append(commit)
        else:
            say(f"{commit}: upgraded in {time.monotonic() - began:.0f} s.")
    say(f"Failed: {', '.join(failed)}" if failed else "All upgrades work.")
    return len(failed)


def _programs() -> Path | None:
    given = os.environ.get("POSTGRES_PROGRAMS")
    return Path(given) if given else None


def upgrade(commit: str, server: Server) -> None:
    """Load the demonstration with the old code, upgrade with this code, and look at the result."""
    old, python = prepared(commit)
    server.create(server.folder / "data")
    server.start(server.folder / "data", fsync="off", synchronous_commit="off")
    try:
        server.ask(*PREPARE)
        say(f"{commit}: {server.ask('SHOW server_version')}")
        environ = environment(server)
        run(python, "manage.py", "migrate", "--no-input", "-v0", cwd=old, environ=environ)
        demonstration = ("partnerships/transfer/demo.json", "--demo-passwords")
        run(python, "manage.py", "load_network", *demonstration, cwd=old, environ=environ | {"DATABASE_ROLE": "worker"})
        new = Path(sys.executable)
        run(new, "manage.py", "maintenance", "on", environ=environ)
        run(new, "manage.py", "upgrade", "--without-backup", environ=environ)
        run(new, "manage.py", "collectstatic", "--no-input", environ=environ)
        run(new, "manage.py", "maintenance", "off", environ=environ)
        run(new, "-m", "benchmarks.upgrades", "visit", environ=environ)
        run(new, "manage.py", "digests", "status", "--json", environ=environ)
        run(new, "manage.py", "backup_drill", environ=environ)
    finally:
        server.stop(server.folder / "data")


def environment(server: Server) -> dict[str, str]:
    """Settings of a demonstration on this server."""
    var = server.folder / "var"
    var.mkdir(exist_ok=True)
    addresses = {name: server.url(role, "common_ground") for name, role in ROLES.items()}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "POSTGRES_PROGRAMS") if name in os.environ}
    return {
        **kept,
        **addresses,
        "COMMON_GROUND_VAR": str(var),
        "SECRET_KEY": "for-trying-upgrades-" * 4,
        "DEMONSTRATION": "1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "MEDIA_ROOT": str(var / "media"),
        "JOURNAL_ROOT": str(var / "journal"),
    }


def prepared(commit: str) -> tuple[Path, Path]:
    """The tree of a commit, and the Python of an environment with its packages."""
    folder = VAR_DIR / "upgrades" / commit
    tree, venv = folder / "tree", folder / "venv"
    if not (tree / "manage.py").exists():
        tree.mkdir(parents=True, exist_ok=True)
        archive = subprocess.run(["git", "archive", commit], cwd=BASE_DIR, capture_output=True, check=True)
        subprocess.run(["tar", "-x"], cwd=tree, input=archive.stdout, check=True)
    if not (folder / "installed").exists():
        say(f"{commit}: installing its packages")
        uv = str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)], check=True)
        words = ["--quiet", "--require-hashes", "--no-deps", "--python", str(venv / "bin" / "python")]
        subprocess.run([uv, "pip", "install", *words, "-r", str(tree / "requirements.txt")], check=True)
        (folder / "installed").touch()
    return tree, venv / "bin" / "python"


def run(python: Path, *words: str, environ: dict[str, str], cwd: Path = BASE_DIR) -> None:
    """Run Python to its end, and show the end of what it says; raises if it fails."""
    # manage.py chooses the role itself; in old code migrate is the only command that needs another one.
    done = subprocess.run(
        [str(python), *words],
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    for line in lines[-40 if done.returncode else -1 :]:
        say(f"    {' '.join(words[:2])}: {line}")
    done.check_returncode()


def visit() -> int:
    """Open pages as each person with an account and as nobody; returns how many answered with an error of ours."""
    import django

    django.setup()
    from django.test import Client

    from partnerships.people.models import User

    counted: Counter[int] = Counter()
    broken = []
    for person in [None, *User.objects.filter(is_active=True).exclude(password="").order_by("pk")[:6]]:
        client = Client(raise_request_exception=False, headers={"host": "localhost"})
        if person is not None:
            client.force_login(person)
        for path in paths():
            status = client.get(path).status_code
            counted[status] += 1
            if status >= 500:
                broken.append(f"{status} {path} as {person.pk if person else 'nobody'}")
    for line in sorted(set(broken))[:40]:
        say(line)
    say(f"Visited {counted.total():,} pages: {dict(sorted(counted.items()))}")
    return len(broken)


def paths() -> list[str]:
    """Addresses without arguments, and those that need only the number of a record, for the first records."""
    from django.urls import NoReverseMatch, get_resolver, reverse

    found = []

    def walk(patterns: list[object], prefix: str, namespace: str) -> None:
        for one in patterns:
            name = getattr(one, "name", None)
            inner = getattr(one, "url_patterns", None)
            if inner is not None:
                space = getattr(one, "namespace", None)
                walk(inner, prefix, f"{namespace}{space}:" if space else namespace)
            elif name:
                for arguments in ([], *([number] for number in range(1, PER_ROUTE + 1))):
                    try:
                        found.append(reverse(f"{namespace}{name}", args=arguments))
                    except NoReverseMatch:
                        continue

    walk(get_resolver().url_patterns, "", "")
    return sorted({path for path in found if not path.startswith(("/accounts/logout", "/health/", "/metrics"))})


if __name__ == "__main__":
    if sys.argv[1:] == ["visit"]:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
        sys.exit(min(visit(), 100))
    sys.exit(main(sys.argv[1:]))
