"""Two web processes, and people who read and save on them while `make try-upgrade` upgrades."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from benchmarks.upgrades_people import WRITE
from tests.support.crawling import forms_of

#: Seconds between two requests of one person, so that two cores are not saturated.
PAUSE = 0.15
#: A page may wait at the socket while its process is replaced.
PATIENCE = 60
MAINTENANCE = "503 maintenance"
BROKEN = "no answer"
#: The fields of the form of an ask that are filled in. The others may be empty.
FIELDS = frozenset({"csrfmiddlewaretoken", "key", "revision", "organisation", "direction", "theme"})
TITLE = "Written under load"


class Code(NamedTuple):
    """The tree of a version, and the Python of an environment with its packages."""

    python: Path
    tree: Path


class Web:
    """A gunicorn with a socket that remains open when it stops, as with systemd (docs/deploy/systemd)."""

    def __init__(self, log: Path) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self.socket.getsockname()[1]
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, code: Code, environ: dict[str, str]) -> None:
        """Start this code without the address of the tables' owner, and wait until it answers."""
        command = [str(code.python), "-m", "gunicorn", "housing.wsgi", "--bind", f"fd://{self.socket.fileno()}"]
        if (code.tree / "housing" / "gunicorn_settings.py").exists():
            command += ["--config", "python:housing.gunicorn_settings"]
        command += ["--workers", "2", "--threads", "4", "--timeout", "60", "--graceful-timeout", "30"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "--no-control-socket"],
                cwd=code.tree,
                env={name: value for name, value in environ.items() if name != "DATABASE_OWNER_URL"},
                stdout=log,
                stderr=log,
                pass_fds=[self.socket.fileno()],
            )
        end = time.monotonic() + 120
        while self.ask("GET", "/health/live/")[0] != 200:
            if time.monotonic() > end or self._process.poll() is not None:
                raise subprocess.CalledProcessError(1, command)
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop the process as systemd does. It answers the requests that it has before it ends."""
        if self._process:
            self._process.terminate()
            self._process.wait(60)
            self._process = None

    def replace(self, code: Code, environ: dict[str, str]) -> None:
        """Stop the process and start different code. Meanwhile, requests wait at the socket."""
        self.stop()
        self.start(code, environ)

    def ask(
        self, method: str, path: str, *, cookie: str = "", data: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return the status, headers and body of an answer. The status is 0 if there is none."""
        headers = {"Host": "localhost", "Cookie": cookie, "Connection": "close"}
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException):
            return 0, http.client.HTTPMessage(), b""
        finally:
            connection.close()


class Load:
    """People who read and save until `stop`.

    Every answer is counted by the phase of the upgrade, which `go_on` begins.
    """

    def __init__(self, webs: list[Web], people: list[dict[str, Any]]) -> None:
        self.phase = "before"
        self.counted: dict[str, Counter[str]] = defaultdict(Counter)
        self.saves: dict[str, Counter[str]] = defaultdict(Counter)
        self.longest: dict[str, float] = defaultdict(float)
        self.faults: list[str] = []
        #: Cookies of sessions that an upgrade ends.
        self.ended: set[str] = set()
        self.saved: list[str] = []
        self._webs = webs
        self._people = people
        self._turn = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        work: list[Callable[[], None]] = [self._reader(one) for one in people]
        work += [self._saver(number, one) for number, one in enumerate(people) if one["writes"]]
        self._threads = [threading.Thread(target=one) for one in work]

    def start(self) -> None:
        """Start all people."""
        for one in self._threads:
            one.start()

    def go_on(self, phase: str, seconds: float = 0) -> None:
        """Begin a phase of the upgrade, to which later answers belong, and wait for some seconds."""
        with self._lock:
            self.phase = phase
        time.sleep(seconds)

    def expect_end_of_sessions(self) -> None:
        """Expect that the upgrade signs everybody out."""
        self.ended = {one["cookie"] for one in self._people}

    def sign_in_again(self, people: list[dict[str, Any]]) -> None:
        """Give the same people new sessions."""
        for one, again in zip(self._people, people, strict=True):
            one["cookie"] = again["cookie"]

    def stop(self) -> None:
        """Stop all people after their current request."""
        self._stopped.set()
        for one in self._threads:
            one.join()

    def _ask(
        self, method: str, path: str, cookie: str, data: dict[str, str] | None = None
    ) -> tuple[str, http.client.HTTPMessage, bytes]:
        with self._lock:
            phase, self._turn = self.phase, self._turn + 1
            web = self._webs[self._turn % len(self._webs)]
        began = time.monotonic()
        status, headers, body = web.ask(method, path, cookie=cookie, data=data)
        seconds = time.monotonic() - began
        kind = str(status) if status else BROKEN
        if status == 503 and b"Common Ground is being updated" in body:
            kind = MAINTENANCE
        with self._lock:
            self.counted[phase][kind] += 1
            self.longest[phase] = max(self.longest[phase], seconds)
            if is_fault(kind):
                self.faults.append(f"{kind} {method} {path} ({phase})")
        return kind, headers, body

    def _reader(self, person: dict[str, Any]) -> Callable[[], None]:
        def read() -> None:
            turn = 0
            while not self._stopped.wait(PAUSE):
                self._ask("GET", person["pages"][turn % len(person["pages"])], person["cookie"])
                turn += 1

        return read

    def _saver(self, number: int, person: dict[str, Any]) -> Callable[[], None]:
        def save() -> None:
            turn = 0
            while not self._stopped.wait(PAUSE):
                turn += 1
                title = f"{TITLE} {number}-{turn}"
                said = self._save(title, person["cookie"])
                with self._lock:
                    self.saves[self.phase][said] += 1
                    if said == "failed":
                        self.faults.append(f"Not saved: {title} ({self.phase})")

        return save

    def _save(self, title: str, cookie: str) -> str:
        """Save an ask and read it again. Returns a word for the outcome."""
        kind, headers, body = self._ask("GET", WRITE, cookie)
        if kind == "302" and cookie in self.ended:
            return "signed out"
        if kind != "200":
            return "maintenance" if kind == MAINTENANCE else "failed"
        form = next((one for one in forms_of(body) if "title" in one.fields), None)
        if form is None:
            return "failed"
        data = {name: value for name, value in form.fields.items() if name in FIELDS} | {"title": title}
        data["audience"] = "network"
        new_cookies = [one.partition(";")[0] for one in headers.get_all("Set-Cookie", [])]
        all_cookies = "; ".join([cookie, *new_cookies])
        kind, headers, _ = self._ask("POST", WRITE, all_cookies, data)
        if kind != "302":
            return "maintenance" if kind == MAINTENANCE else "failed"
        self.saved.append(title)
        kind, _, body = self._ask("GET", headers["Location"], cookie)
        if kind == MAINTENANCE:
            return "saved"
        return "saved" if kind == "200" and title.encode() in body else "failed"

    def report(self) -> list[str]:
        """Return a line for each phase."""
        return [
            f"{phase}: {dict(sorted(counted.items()))}, saves {dict(self.saves[phase])}, "
            f"the longest took {self.longest[phase]:.1f} s"
            for phase, counted in self.counted.items()
        ]


def is_fault(kind: str) -> bool:
    """Return whether an answer is an error that nobody should see."""
    return kind == BROKEN or (kind.startswith("5") and kind != MAINTENANCE)


@contextmanager
def two_webs(folder: Path) -> Iterator[list[Web]]:
    """Yield two web processes, which are not started yet and are stopped at the end."""
    webs = [Web(folder / f"web-{number}.log") for number in (1, 2)]
    try:
        yield webs
    finally:
        for one in webs:
            one.stop()
            one.socket.close()


def people_of(code: Code, environ: dict[str, str]) -> list[dict[str, Any]]:
    """Return people of the demonstration, each with a session and the pages that the old code lets them read."""
    script = Path(__file__).with_name("upgrades_people.py").read_text(encoding="utf-8")
    result = subprocess.run(
        [str(code.python), "-"], cwd=code.tree, env=environ | {"LOG_LEVEL": "ERROR"}, input=script,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True,
    )  # fmt: skip
    people: list[dict[str, Any]] = json.loads(result.stdout.splitlines()[-1])
    return people
