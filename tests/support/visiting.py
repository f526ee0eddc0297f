"""Crawl a running site over HTTP as every persona, in a separate world.

This is only for demonstrations, because it adds people and records and sends every form.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import http.client
import json
import re
import secrets
import sys
import time
from collections.abc import Mapping
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db import transaction

from tests.support.crawling import Answer, Crawler, Fetch, Report
from tests.support.guessable_addresses import (
    FINDERS,
    administration,
    finders_of_administration,
    guessable_addresses,
)
from tests.support.planted import Planted
from tests.support.planting import plant
from tests.world import PASSWORD

PERSONAS = (
    "signed_out",
    "stakeholder",
    "viewer",
    "editor",
    "lead",
    "partner",
    "stranger",
    "left",
    "shared",
    "share_ended",
    "administrator",
)


class Visitor:
    """A browser that stores cookies, does not follow redirects, and sends one request at a time."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.connection = kind(parts.hostname or "localhost", parts.port, timeout=120)
        self.cookies: SimpleCookie = SimpleCookie()

    def __call__(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={cookie.value}" for name, cookie in self.cookies.items())}
        body = None
        if data is not None:
            body = urlencode(data)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            response, content = self._sent(method, path, body, headers)
        except (http.client.HTTPException, OSError):
            # The server closes idle connections.
            self.connection.close()
            response, content = self._sent(method, path, body, headers)
        for value in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(value)
        return Answer(
            response.status,
            response.headers.get("Content-Type", ""),
            content,
            response.headers.get("Location", ""),
            response.headers.get("Content-Disposition", ""),
            response.headers.get("Content-Security-Policy", ""),
        )

    def _sent(
        self, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a request, and return the response with its content."""
        self.connection.request(method.upper(), path, body, headers)
        response = self.connection.getresponse()
        return response, response.read()

    def sign_in(self, address: str) -> None:
        """Sign in on the sign-in page."""
        page = self("get", "/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        response = self(
            "post",
            "/accounts/login/",
            {"csrfmiddlewaretoken": token[1] if token else "", "login": address, "password": PASSWORD},
        )
        if response.status != 302:
            raise SystemExit(f"{address} could not sign in: {response.status}")


def visitor(planted: Planted, persona: str, origin: str) -> Fetch:
    """Return a visitor, signed in as the persona if it can sign in."""
    visitor = Visitor(origin)
    person = planted.people.get(persona)
    if person is not None and not person.is_stakeholder:
        visitor.sign_in(person.email)
    return visitor


def emails(planted: Planted, since: float) -> list[str]:
    """Return a line for each foreign word in emails that the mail catcher has received since then."""
    emails_found = []
    for path in (settings.VAR_DIR / "mail").glob("*.eml"):
        if path.stat().st_mtime < since:
            continue
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        to = str(message["X-Envelope-To"] or message["To"])
        persona = next((name for name, person in planted.people.items() if person.email == to), "nobody")
        text = "\n".join(str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text")
        emails_found += [
            f"email to {to} ({persona}) tells {word}"
            for word, readers in planted.readers.items()
            if word in text and persona not in readers and word not in planted.in_emails.get(to, ())
        ]
    return emails_found


def logs(planted: Planted) -> list[str]:
    """Return a line for each word of a record in the site's own logs, which must not have any."""
    leaks = []
    for path in (settings.VAR_DIR / "log").glob("*.log"):
        text = path.read_text(encoding="utf-8", errors="replace") if path.name != "postgres.log" else ""
        leaks += [f"{path.name} holds {word}" for word in planted.readers if word in text]
    return leaks


def say(words: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def main() -> int:
    """Crawl, and print the findings. Return 1 if there are any."""
    parser = argparse.ArgumentParser(description="Crawl a started demonstration.")
    parser.add_argument("--pages", type=int, default=4)
    parser.add_argument("--words", type=int, default=2)
    parser.add_argument("--origin", default=settings.SITE_ORIGIN)
    arguments = parser.parse_args()
    if not settings.DEMONSTRATION:
        raise SystemExit("This instance is no demonstration: the crawl adds records and sends forms.")

    started_at = time.time()
    with transaction.atomic():
        planted = plant(f"c{secrets.token_hex(3)}")
    crawlers = []
    for number, persona in enumerate(PERSONAS):
        crawler = Crawler(
            persona, visitor(planted, persona, arguments.origin), planted.foreign(persona), per_route=arguments.pages
        )
        crawl_and_search(crawler, planted, first_word=number * 7, number_of_words=arguments.words)
        crawlers.append(crawler)
        say(f"{persona}: {len(crawler.report.urls)} addresses")

    report = send_all_forms(crawlers, planted, started_at)
    report.leaks += logs(planted)
    return print_report(report)


def crawl_and_search(crawler: Crawler, planted: Planted, *, first_word: int, number_of_words: int) -> None:
    """Open every page that the persona can find or guess, and search for words that this persona may not read."""
    addresses = ["/", *planted.addresses.get(crawler.persona, ()), *guessable_addresses(planted)]
    finders = list(FINDERS)
    if crawler.persona == "administrator":
        addresses += administration()
        finders += finders_of_administration()
    crawler.crawl(addresses)

    positions = [(first_word + step * 11) % len(crawler.foreign) for step in range(number_of_words)]
    crawler.look_for([crawler.foreign[position] for position in positions], finders)


def send_all_forms(crawlers: list[Crawler], planted: Planted, started_at: float) -> Report:
    """Send the forms of all personas, and return the findings of all crawlers, with leaks in emails.

    Forms that only read are sent first, because sharing a record would show its words to other personas.
    """
    report = Report()
    for crawler in crawlers:
        crawler.send_forms("get")
    leaks_in_emails = emails(planted, started_at)
    for crawler in crawlers:
        crawler.send_forms("post")
        report.add(crawler.report)
    # People who are not personas may have received words in an email from a form.
    later_leaks = [line for line in emails(planted, started_at) if "(nobody)" not in line]
    report.leaks += leaks_in_emails + [line for line in later_leaks if line not in leaks_in_emails]
    return report


def print_report(report: Report) -> int:
    """Print the findings and a summary. Return 1 if there are any findings."""
    for line in (*report.leaks, *report.errors):
        say(line)
    summary = {
        "personas": len(PERSONAS),
        "urls": len(report.urls),
        "forms": report.forms,
        "answers": dict(sorted(report.answers.items())),
        "leaks": len(report.leaks),
        "errors": len(report.errors),
    }
    say(json.dumps(summary))
    return 1 if report.leaks or report.errors else 0
