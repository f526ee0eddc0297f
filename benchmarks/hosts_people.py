"""The people of `make try-hosts`.

They sign in, read pages and propose commitments, and record what was confirmed to them.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import requests

#: The name by which people reach the site.
SITE = "ground.example"
WEB_PORT = 8000
#: Seconds after which a person and the load balancer's probe give up.
PATIENCE, PROBE_PATIENCE = 10, 3
PAGES = ("/", "/commitments/", "/partnerships/", "/plans/", "/my-work/")
_TAG = re.compile(r"<[^>]*>")
_FIELD = re.compile(r'name="(csrfmiddlewaretoken|key)"[^>]*value="([^"]+)"')


def is_ready(address: str) -> bool:
    """Return whether a web host says that it can serve."""
    with contextlib.suppress(requests.RequestException):
        return requests.get(f"http://{address}:{WEB_PORT}/health/ready/", timeout=PROBE_PATIENCE).ok
    return False


class Balancer:
    """Sends each request to the next web host that was ready when it was last asked."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.ready = set(addresses)
        self.turns = itertools.count()
        self.stopping = threading.Event()
        for address in addresses:
            threading.Thread(target=self._watch, args=[address], daemon=True).start()

    def _watch(self, address: str) -> None:
        while not self.stopping.wait(1):
            (self.ready.add if is_ready(address) else self.ready.discard)(address)

    def next_host(self) -> str:
        """Return the address of a web host, also if none is ready."""
        ready = sorted(self.ready) or self.addresses
        return ready[next(self.turns) % len(ready)]


@dataclass
class Seen:
    """The results of the requests of all people."""

    answered: int = 0
    #: The start, the end and the error of each failed request.
    failed: list[tuple[float, float, str]] = field(default_factory=list)
    #: Statuses that must never occur, even during a fault, with their paths.
    wrong: Counter[str] = field(default_factory=Counter)
    #: The text of sign-in forms that were shown again.
    forms_shown_again: Counter[str] = field(default_factory=Counter)
    #: The texts of all proposed commitments, and of those that were confirmed to the person.
    tried: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)
    sent_again: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def last_failure(self, since: float) -> tuple[float, str]:
        """Return when and how the last failed request ended, among those that ended at `since` or later.

        Returns `since` and "" if there is none.
        """
        with self.lock:
            return max(((end, how) for _, end, how in self.failed if end >= since), default=(since, ""))


class Person(threading.Thread):
    """A person who reads a few pages, then proposes a commitment, and submits the form until it is confirmed."""

    def __init__(self, balancer: Balancer, seen: Seen, sides: dict[str, str], email: str, password: str) -> None:
        super().__init__(daemon=True)
        self.balancer, self.seen, self.sides = balancer, seen, sides
        self.email, self.password = email, password
        self.cookies: dict[str, str] = {}
        self.stopping = threading.Event()

    def ask(self, path: str, data: dict[str, str] | None = None) -> requests.Response | None:
        """Return the answer to one request. None if it failed, or the server answered 502, 503 or another error."""
        began, how = time.time(), ""
        try:
            response = requests.request(
                "GET" if data is None else "POST",
                f"http://{self.balancer.next_host()}:{WEB_PORT}{path}",
                data=data,
                cookies=self.cookies,
                headers={"Host": SITE},
                timeout=PATIENCE,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            how = type(error).__name__
        else:
            self.cookies |= response.cookies.get_dict()
            if response.status_code in (502, 503):
                how = str(response.status_code)
            elif response.status_code >= 400 or (response.headers.get("Location", "").startswith("/accounts/login")):
                self.seen.wrong[f"{response.status_code} {path}"] += 1
                how = str(response.status_code)
        with self.seen.lock:
            if how:
                self.seen.failed.append((began, time.time(), how))
            else:
                self.seen.answered += 1
        if how:
            self.stopping.wait(0.5)
            return None
        return response

    def insist(self, path: str, data: dict[str, str] | None = None) -> requests.Response | None:
        """Repeat a request until there is an answer, and return it. None if the test ends before."""
        while not self.stopping.is_set():
            if (answer := self.ask(path, data)) is not None:
                return answer
            if data is not None:
                self.seen.sent_again += 1
        return None

    def fields_of(self, path: str) -> dict[str, str]:
        """Return the hidden fields of a page's form."""
        page = self.insist(path)
        return dict(_FIELD.findall(page.text)) if page is not None else {}

    def sign_in(self) -> None:
        """Sign in with a password.

        If the form is shown again, its text is recorded, and the person tries again.
        """
        path = "/accounts/login/"
        while not self.stopping.is_set():
            response = self.insist(path, self.fields_of(path) | {"login": self.email, "password": self.password})
            if response is not None and response.status_code == 302:
                return
            if response is not None:
                page_text = " ".join(_TAG.sub(" ", response.text.partition("<main")[2].partition("</form")[0]).split())
                self.seen.forms_shown_again[page_text[:300]] += 1

    def propose(self, text: str) -> None:
        """Propose a commitment with the form. It is confirmed when the server redirects to its page."""
        path = "/commitments/new/"
        fields = {"text": text, "due_on": "2031-12-01", **self.sides}
        given = self.fields_of(path)
        if not given:
            return
        self.seen.tried.add(text)
        response = self.insist(path, given | fields)
        if response is not None and response.status_code == 302:
            self.seen.confirmed.add(text)
        elif response is not None:
            self.seen.wrong[f"{response.status_code} without a redirect"] += 1

    def run(self) -> None:
        """Read pages and propose commitments until the test ends."""
        self.sign_in()
        for number in itertools.count():
            for page in PAGES:
                if self.stopping.wait(0.3):
                    return
                self.ask(page)
            self.propose(f"Trial of hosts, {self.email}, number {number}.")
