"""Crawl links and forms as one persona, and report errors and words that this persona may not read.

The crawler requests pages with a `Fetch`. So the same crawl runs in the suite with Django's test client, and on a
running site (tests/crawl.py).
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from itertools import zip_longest
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from django.urls import Resolver404, resolve

#: Addresses that would end the persona's session or that are not our pages.
_LEAVE_ALONE = re.compile(r"^/(static|accounts/(logout|password|sessions|inactive)|admin/(logout|password|jsi18n))")
#: Forms that are not sent, because the rest of the crawl would then be less useful.
_NOT_SUBMITTED = re.compile(
    r"logout|password|leave|administrator|/end|erase|remove|delete|sessions|reauthenticate|2fa|revoke|stop|unsubscribe"
)
URI_TOO_LONG = 414
#: Values for the fields of a form the third time it is sent, in turn. None has the type of its field.
ODD = ("-1", "9" * 25, "0000-00-00", "x" * 5_000, "\x00", "NaN", "[]", "2027-02-30T25:61", "\ufffd", "")
#: The value for all free fields of a form the second time it is sent.
HOSTILE = "\"><script>alert(1)</script> =1+1 {{ 7*7 }} \u202e ' OR 1=1 -- \\ %00 ../../etc/passwd"


@dataclass(frozen=True, slots=True)
class Answer:
    """A response."""

    status: int
    content_type: str
    body: bytes
    location: str = ""
    headers: str = ""
    policy: str = ""

    @property
    def text(self) -> str:
        """Return the body as text, with entities, ZIP members and PDF streams decoded."""
        if self.body[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(self.body)) as archive:
                return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
        if self.body[:4] == b"%PDF":
            return "\n".join(_inflated(self.body))
        text = self.body.decode("utf-8", "replace")
        return unescape(text) if "html" in self.content_type else text


def _inflated(body: bytes) -> Iterable[str]:
    """Yield the decompressed streams of a PDF."""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", body, re.DOTALL):
        try:
            yield zlib.decompress(stream).decode("latin-1")
        except zlib.error:
            continue


def words_shown(words: Iterable[str], text: str) -> list[str]:
    """Return the words that are in the text.

    A page has 60,000 characters. So words with the same first characters are searched together, where these occur.
    """
    by_beginning: dict[str, list[str]] = defaultdict(list)
    for word in words:
        by_beginning[word[:6]].append(word)
    words_found: list[str] = []
    for beginning, similar_words in by_beginning.items():
        longest = max(map(len, similar_words))
        places = (match.start() for match in re.finditer(re.escape(beginning), text))
        text_near = "\n".join(text[place : place + longest] for place in places)
        words_found += [word for word in similar_words if word in text_near]
    return words_found


class Fetch(Protocol):
    """A function that requests an address as a signed-in persona, and does not follow redirects."""

    def __call__(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Answer: ...


@dataclass
class Form:
    """A form on a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)


#: The tags of links and forms. Python's parser takes ten times as long for a whole page.
_LEADING = re.compile(
    r"""</?(?:a|iframe|form|select|option|textarea|input)\b(?:[^>"']|"[^"]*"|'[^']*')*>""", re.IGNORECASE
)


class _Page(HTMLParser):
    """A parser that collects the links and forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._select = ""

    def read(self, body: bytes) -> None:
        """Read a page's HTML."""
        self.feed("".join(_LEADING.findall(body.decode("utf-8", "replace"))))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if tag in {"a", "iframe"} and (address := values.get("href") or values.get("src")):
            self.links.append(address)
        elif tag == "form":
            self._form = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is not None:
            self._control(tag, values)

    def _control(self, tag: str, values: dict[str, str]) -> None:
        """Add a field to the present form, with a value that it may have."""
        assert self._form is not None
        name = values.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and self._select and values.get("value"):
            if self._select not in self._form.fields or "selected" in values:
                self._form.fields[self._select] = values["value"]
        elif tag == "textarea" and name:
            self._form.fields[name] = "Words of the crawl"
            self._form.free.append(name)
        elif tag == "input" and name:
            kind = "date" if '"box"' in values.get("hx-vals", "") else values.get("type", "text")
            if kind in {"radio", "checkbox"}:
                if "checked" in values or name not in self._form.fields:
                    self._form.fields[name] = values.get("value", "on")
            elif kind == "hidden":
                self._form.fields[name] = values.get("value", "")
            elif kind != "file":
                self._form.fields[name] = values.get("value") or _value_for(kind)
                if kind in {"text", "search", "date"}:
                    self._form.free.append(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""


def forms_of(body: bytes) -> list[Form]:
    """Return the forms of a page, each with values that its fields have or may have."""
    page = _Page()
    page.read(body)
    return page.forms


def _value_for(kind: str) -> str:
    """Return a value for a field of this type."""
    if kind == "email":
        return "crawl@visitor.example"
    if kind == "number":
        return "1"
    if kind == "url":
        return "https://visitor.example/"
    if kind == "password":
        return "not-anybodys-password"
    return "1 June 2027" if kind == "date" else "Crawl"


@dataclass
class Report:
    """The counts and findings of a crawl."""

    urls: set[str] = field(default_factory=set)
    forms: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Add another persona's report."""
        self.urls |= other.urls
        self.forms += other.forms
        self.answers += other.answers
        self.leaks += other.leaks
        self.errors += other.errors


#: The parts that differ between any two responses, which are nonces and tokens of forms.
CHANGES = re.compile(r'nonce="[^"]*"|csrf[^<>]*', re.IGNORECASE)


def _lines_without(answer: Answer, word: str) -> list[str]:
    """Return the response's lines without the word, in text and in links, and without parts that always differ."""
    return CHANGES.sub("", answer.text.replace(word, "the word").replace(quote(word), "the word")).splitlines()


#: Faults of a page, which are plurals such as "1 live partnerships", and parts that a strict policy would block. These
#: are scripts and styles within the page, handlers in attributes and external resources.
_LOOSE = {
    "has a script of its own": re.compile(r"<script(?![^>]*(?:src=|nonce=|type=\"application/json\"))", re.IGNORECASE),
    "has a style of its own": re.compile(r"<style(?![^>]*nonce=)|<[a-z][^>]*\sstyle=", re.IGNORECASE),
    "has a handler in an attribute": re.compile(r"<[a-z][^>]*\son[a-z]+=", re.IGNORECASE),
    "counts one thing in the plural": re.compile(
        r"(?<![\d.,£–/-])\b1(?:</?(?:span|strong|b)\b[^>]*>|\s)+(?:[a-z]+ )?(?:partnerships|organisations|homes|plans"
        r"|sites|versions|commitments|conversations|asks|offers|people|codes|days|weeks|months)\b"
    ),
    "fetches from elsewhere": re.compile(
        r"<(?:script|img|iframe|link)[^>]*\s(?:src|href)=\"(?:https?:)?//(?!localhost|127\.0\.0\.1|testserver)",
        re.IGNORECASE,
    ),
}


def _loose_ends(answer: Answer) -> list[str]:
    """Return the faults of a page, and of its content security policy."""
    if "html" not in answer.content_type:
        return []
    body = answer.body.decode("utf-8", "replace")
    faults = [words for words, pattern in _LOOSE.items() if pattern.search(body)]
    strict = "default-src 'none'" in answer.policy and "unsafe" not in answer.policy
    return faults if strict else [*faults, f"has the policy “{answer.policy}”"]


def _route(path: str) -> str:
    """Return the route of a path, or "nowhere"."""
    try:
        return resolve(urlsplit(path).path).route
    except Resolver404:
        return "nowhere"


@dataclass
class Crawler:
    """A crawler as one persona. `foreign` are words that the persona must never see."""

    persona: str
    fetch: Fetch
    foreign: Sequence[str]
    per_route: int = 8
    #: Whether each form is sent with every kind of odd value, or only with one kind in turn.
    every_value: bool = True
    report: Report = field(default_factory=Report)
    _visits: Counter[str] = field(default_factory=Counter)
    _asked: set[str] = field(default_factory=set)
    _tried: set[tuple[str, ...]] = field(default_factory=set)
    _forms: list[tuple[str, Form]] = field(default_factory=list)

    def crawl(self, start: Iterable[str]) -> Report:
        """Crawl from these addresses. The forms that are found are stored for `send_forms`."""
        queue = deque(dict.fromkeys(start))
        while queue:
            path = queue.popleft()
            if not self._wanted(path):
                continue
            response = self._ask("get", path)
            if response.location:
                queue.append(self._local(path, response.location))
            if "html" in response.content_type:
                page = _Page()
                page.read(response.body)
                queue.extend(self._local(path, link) for link in page.links)
                self._forms.extend((path, form) for form in page.forms)
        return self.report

    def send_forms(self, *methods: str) -> Report:
        """Send each form with valid, with hostile and with odd values.

        With `methods`, send only the forms with one of these methods.
        """
        for path, form in self._forms:
            if not methods or form.method in methods:
                self._submit(path, form)
        return self.report

    def look_for(self, words: Iterable[str], finders: Iterable[str]) -> Report:
        """Search for foreign words, and report pages that answer differently than to nonsense.

        The answers must be the same byte for byte. Only the words themselves, which pages repeat, and parts that differ
        at every visit may be different.
        """
        for finder in finders:
            for word in words:
                nonsense = "".join("x" if character.isalpha() else character for character in word)
                found, nothing = (self._counted("get", finder.format(one)) for one in (word, nonsense))
                differs = next(
                    (
                        f"“{one.strip()}” instead of “{other.strip()}”"
                        for one, other in zip_longest(
                            _lines_without(found, word), _lines_without(nothing, nonsense), fillvalue=""
                        )
                        if one != other
                    ),
                    "",
                )
                if found.status != nothing.status or differs:
                    self.report.leaks.append(f"{self.persona}: {finder.format(word)} differs from nonsense: {differs}")
        return self.report

    def _local(self, base: str, link: str) -> str:
        """Return the path and query of a link on our site, or "" for other links."""
        parts = urlsplit(urljoin(f"http://here{base}", link))
        if parts.scheme not in {"http", "https"} or parts.hostname not in {
            "here",
            "localhost",
            "127.0.0.1",
            "testserver",
        }:
            return ""
        query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
        return parts.path + (f"?{query}" if query else "")

    def _wanted(self, path: str) -> bool:
        """Return whether to open a path of ours, which was not opened before, and count the visit of its route."""
        if not path or path in self._asked or _LEAVE_ALONE.match(path):
            return False
        route = _route(path)
        if self._visits[route] >= self.per_route:
            return False
        self._visits[route] += 1
        return True

    def _ask(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Answer:
        """Request a page, and check it for errors and foreign words."""
        response = self._counted(method, path, data)
        leaked_words = words_shown(self.foreign, f"{response.text}\n{response.location}\n{response.headers}")
        self.report.leaks += [f"{self.persona}: {method.upper()} {path} shows {word}" for word in leaked_words]
        return response

    def _counted(self, method: str, path: str, data: Mapping[str, str] | None = None) -> Answer:
        """Request a page, count it, and check it for errors. Callers check it for words."""
        self._asked.add(path)
        response = self.fetch(method, path, data)
        self.report.urls.add(urlsplit(path).path)
        self.report.answers[response.status] += 1
        if response.status >= 500:
            self.report.errors.append(f"{self.persona}: {method.upper()} {path} answered {response.status}")
        # The server itself refuses an address that is too long, before our code runs.
        faults = _loose_ends(response) if response.status != URI_TOO_LONG else []
        self.report.errors += [f"{self.persona}: {method.upper()} {path} {fault}" for fault in faults]
        return response

    def _submit(self, path: str, form: Form) -> None:
        """Send a form unchanged, then with wrong values, unless the same form was already sent."""
        action = self._local(path, form.action or path)
        key = (_route(action) if action else "", form.method, *sorted(form.fields))
        if not action or key in self._tried or _NOT_SUBMITTED.search(action) or _LEAVE_ALONE.match(action):
            return
        self._tried.add(key)
        field_names = sorted(set(form.fields) - {"csrfmiddlewaretoken"})
        odd = {name: ODD[(number + len(field_names)) % len(ODD)] for number, name in enumerate(field_names)}
        # A search without words would be the page itself, which was opened before.
        unchanged = [{}] if form.method == "post" else []
        wrong = [dict.fromkeys(form.free, HOSTILE), odd]
        if not self.every_value:
            wrong = [wrong[len(self._tried) % len(wrong)]]
        for changed in (*unchanged, *wrong):
            data = form.fields | changed
            self.report.forms += 1
            if form.method == "post":
                self._ask("post", action, data)
            else:
                self._ask("get", f"{urlsplit(action).path}?{urlencode(data)}")
