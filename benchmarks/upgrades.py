"""`make try-upgrade`: upgrade two old commits and every version tag to this code, while people read and save.

Each old version gets its own copy and environment (below var/upgrades, which is kept for the next run) and its own
PostgreSQL server with the demonstration data. Two web processes of the old code serve people who read and save.
`manage.py upgrade` of this code migrates, and turns on maintenance only if the migrations need it. Then the new code
replaces one process after the other. An upgrade fails if there is an error page, or if a saved ask is missing or
duplicated.

Afterwards the script opens many pages as each person, and runs the drill of a restore and, with --crawl, the crawl of
the suite (tests/crawl.py). The server is the embedded one, or that of the programs in POSTGRES_PROGRAMS. With names of
commits as options, only these are upgraded. The last line of the output says which failed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.own_server import Server, own_server
from benchmarks.upgrades_load import TITLE, Code, Load, Web, people_of, two_webs
from benchmarks.upgrades_people import paths
from housing.environment import BASE_DIR, VAR_DIR
from tools.bootstrap import find_node

#: The first public commit, and a commit whose code can run with every migration since.
FIRST, BESIDE = "41f94f9", "b95ac3c"
#: The settings of each version, which has its own tree and packages but the same database.
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
#: Seconds of reading and saving between two steps of an upgrade.
BETWEEN = 15
#: The output of `manage.py upgrade` if old code cannot run with these migrations.
ASKS_FOR_MAINTENANCE = "run `manage.py maintenance on`"


def say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main(chosen: list[str]) -> int:
    """Try every upgrade, and return how many failed."""
    crawls = "--crawl" in chosen
    commits = [one for one in chosen if one != "--crawl"]
    tags = subprocess.run(["git", "tag", "--list", "v*"], cwd=BASE_DIR, capture_output=True, text=True, check=True)
    failed = []
    for commit in commits or [FIRST, BESIDE, *tags.stdout.split()]:
        began = time.monotonic()
        try:
            with own_server(_programs()) as server:
                faults = upgrade(commit, server, crawls=crawls)
        except subprocess.CalledProcessError as error:
            faults = [str(error)]
        if faults:
            failed.append(commit)
        for fault in faults:
            say(f"{commit}: FAILED: {fault}")
        say(f"{commit}: {'not ' if faults else ''}upgraded, in {time.monotonic() - began:.0f} s.")
    say(f"Failed: {', '.join(failed)}" if failed else "All upgrades work.")
    return len(failed)


def _programs() -> Path | None:
    programs_folder = os.environ.get("POSTGRES_PROGRAMS")
    return Path(programs_folder) if programs_folder else None


def upgrade(commit: str, server: Server, *, crawls: bool) -> list[str]:
    """Load the demonstration with the old code, upgrade under load, and return a sentence for each fault."""
    old, new = prepared(commit), Code(Path(sys.executable), BASE_DIR)
    server.create(server.folder / "data")
    server.start(server.folder / "data", fsync="off", synchronous_commit="off")
    try:
        server.ask(*PREPARE)
        say(f"{commit}: {server.ask('SHOW server_version')}")
        environ = environment(server)
        run(old, "manage.py", "migrate", "--no-input", "-v0", environ=environ)
        demonstration = ("partnerships/transfer/demo.json", "--demo-passwords")
        run(old, "manage.py", "load_network", *demonstration, environ=environ | {"DATABASE_ROLE": "worker"})
        run(old, "manage.py", "collectstatic", "--no-input", environ=environ)
        with two_webs(server.folder) as webs:
            load = Load(webs, people_of(old, environ))
            upgrade_under_load(load, webs, old, new, environ)
            faults = [*load.faults, *wrong_rows(load, server)]
            if faults:
                say(f"    The logs of web are in {keep_logs(server.folder)}.")
            run(new, "-m", "benchmarks.upgrades", "visit", environ=environ)
            run(new, "manage.py", "digests", "status", "--json", environ=environ)
            run(new, "manage.py", "backup_drill", environ=environ)
            if crawls:
                origin = f"http://127.0.0.1:{webs[0].port}"
                run(new, "tests/crawl.py", "--origin", origin, environ=environ)
    finally:
        server.stop(server.folder / "data")
    return faults


def upgrade_under_load(load: Load, webs: list[Web], old: Code, new: Code, environ: dict[str, str]) -> None:
    """Upgrade while people read and save, as docs/upgrades.md describes."""
    for web in webs:
        web.start(old, environ)
    load.start()
    try:
        load.go_on("before", BETWEEN)
        if asks_for_maintenance(new, environ):
            run(new, "manage.py", "maintenance", "on", environ=environ)
            load.go_on("new code shows the page of maintenance")
            for web in webs:
                web.replace(new, environ)
            load.expect_end_of_sessions()  # of those from before 0.1.0
            load.go_on("maintenance", 1)
            run(new, "manage.py", "upgrade", "--without-backup", environ=environ)
            run(new, "manage.py", "collectstatic", "--no-input", environ=environ)
            for web in webs:
                web.replace(new, environ)
            run(new, "manage.py", "maintenance", "off", environ=environ)
            load.go_on("people sign in again")
            load.sign_in_again(people_of(new, environ))
        else:
            load.go_on("manage.py upgrade beside the old code")
            run(new, "manage.py", "upgrade", "--without-backup", environ=environ)
            load.go_on("old code on the new tables", BETWEEN)
            run(new, "manage.py", "collectstatic", "--no-input", environ=environ)
            for number, web in enumerate(webs, start=1):
                load.go_on(f"process {number} is replaced")
                web.replace(new, environ)
                load.go_on(f"process {number} is new", BETWEEN / 3)
            load.go_on("back to the old code")
            for code in (old, new):
                run(code, "manage.py", "collectstatic", "--no-input", environ=environ)
                webs[0].replace(code, environ)
                time.sleep(BETWEEN / 3)
        load.go_on("after", BETWEEN)
    finally:
        load.stop()
        for line in load.report():
            say(f"    {line}")


def asks_for_maintenance(new: Code, environ: dict[str, str]) -> bool:
    """Return whether old code cannot run with the new tables."""
    result = subprocess.run(
        [str(new.python), "manage.py", "upgrade", "--check", "--without-backup"],
        cwd=new.tree, env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return ASKS_FOR_MAINTENANCE in result.stderr


def wrong_rows(load: Load, server: Server) -> list[str]:
    """Return the asks that are missing or duplicated, although people were told that they were saved."""
    titles = f"SELECT coalesce(array_agg(title), '{{}}') FROM exchange_entry WHERE title LIKE '{TITLE} %'"
    titles_found = Counter(server.ask(titles, database="common_ground"))
    say(f"    {len(load.saved):,} asks were saved, {titles_found.total():,} are there.")
    missing = [f"Missing: {title}" for title in load.saved if title not in titles_found]
    return [*missing, *(f"There {times} times: {title}" for title, times in titles_found.items() if times > 1)]


def keep_logs(folder: Path) -> Path:
    """Copy the logs of the web processes, with their tracebacks, to a folder that is kept."""
    log_folder = VAR_DIR / "upgrades" / "logs"
    shutil.rmtree(log_folder, ignore_errors=True)
    log_folder.mkdir(parents=True)
    for path in folder.glob("*.log"):
        shutil.copy(path, log_folder)
    return log_folder


def environment(server: Server) -> dict[str, str]:
    """Return the settings of a demonstration on this server."""
    var = server.folder / "var"
    var.mkdir(exist_ok=True)
    addresses = {name: server.url(role, "common_ground") for name, role in ROLES.items()}
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "POSTGRES_PROGRAMS") if name in os.environ}
    return {
        **environ,
        **addresses,
        "COMMON_GROUND_VAR": str(var),
        "SECRET_KEY": "for-trying-upgrades-" * 4,
        "DEMONSTRATION": "1",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "MEDIA_ROOT": str(var / "media"),
        "JOURNAL_ROOT": str(var / "journal"),
    }


def prepared(commit: str) -> Code:
    """Return a commit with its packages and its front end."""
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
        uv_options = ["--quiet", "--require-hashes", "--no-deps", "--python", str(venv / "bin" / "python")]
        subprocess.run([uv, "pip", "install", *uv_options, "-r", str(tree / "requirements.txt")], check=True)
        node, npm = find_node()
        subprocess.run([*npm, "ci", "--ignore-scripts", "--silent"], cwd=tree, check=True)
        subprocess.run([node, "static/build.mjs"], cwd=tree, stdout=subprocess.DEVNULL, check=True)
        (folder / "installed").touch()
    return Code(venv / "bin" / "python", tree)


def run(code: Code, *words: str, environ: dict[str, str]) -> None:
    """Run Python until it ends, and print the end of its output. Raises if it fails."""
    # Today's manage.py chooses the database role itself. In old code, only migrate needs a different role.
    result = subprocess.run(
        [str(code.python), *words],
        cwd=code.tree,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line for line in result.stdout.splitlines() if line.strip()]
    for line in lines[-40 if result.returncode else -1 :]:
        say(f"    {' '.join(words[:2])}: {line}")
    result.check_returncode()


def visit() -> int:
    """Open pages as each person with an account and as a visitor, and return how many had a server error."""
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


if __name__ == "__main__":
    if sys.argv[1:] == ["visit"]:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
        sys.exit(min(visit(), 100))
    sys.exit(main(sys.argv[1:]))
