"""Masks addresses, tokens and database values in logs and alerts."""

from __future__ import annotations

import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterator, MutableMapping
from types import TracebackType
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter, SlugConverter
from django.urls.resolvers import RoutePattern

MASK = "[masked]"

# --- Errors of PostgreSQL, with the row's values and the statement's literals

#: As psycopg2 formats it: each part on its own line; its value may have several.
_DATABASE_PARTS = r"(?:DETAIL|CONTEXT|QUERY|STATEMENT|WHERE|HINT|LINE \d+):"
_DETAIL = re.compile(rf"\n\s*{_DATABASE_PARTS}.*?(?=\n\n(?:The above exception|During handling)|\Z)", re.DOTALL)
#: The same in a repr(), on one line.
_DETAIL_IN_REPR = re.compile(rf"\\n\s*{_DATABASE_PARTS}[^\n]*")
_VALUE = re.compile(r"(invalid input (?:syntax|value) for [^:\n]+: )[^\n]+")

# --- Addresses

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:=/?&\[\]\\{}]+(?:@|%40)[^\W_](?:[\w-]*\.)+[\w-]*\w")

# --- Links with a token: any part of an address that is neither a number nor a slug

_SLASH = "(?:/|%2[Ff])"
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")
_HARMLESS = (IntConverter, SlugConverter)
#: Parameters with these names are secret in any converter.
_SECRET_NAMES = frozenset({"token", "signature", "secret"})
#: Addresses of Django admin hold numbers and names of models, in converters that others use for secrets.
_WITHOUT_SECRETS = frozenset({"admin"})
_QUERY = re.compile(r"(/[^\s\"'<>?]*)\?[^\s\"'<>]+")
_REST = r"[^\s\"'<>]+"

_links: re.Pattern[str] | None = None


def mask(text: str) -> str:
    """The text without addresses, tokens in links, queries and values."""
    if "DETAIL:" in text or "LINE " in text or "CONTEXT:" in text:
        text = _DETAIL_IN_REPR.sub(rf"\\nDETAIL: {MASK}", _DETAIL.sub(f"\nDETAIL: {MASK}", text))
    if "invalid input" in text:
        text = _VALUE.sub(rf"\1{MASK}", text)
    links = _bearer_links()
    if links is not None:
        text = links.sub(rf"\1{MASK}", text)
    if "?" in text:
        text = _QUERY.sub(rf"\1?{MASK}", text)
    return _ADDRESS.sub("[address]", text) if "@" in text or "%40" in text else text


def has_secret(path: str) -> bool:
    """Whether a path is that of a page behind a link with a secret."""
    links = _bearer_links()
    return links is not None and links.match(path) is not None


def bearer_prefixes() -> list[str]:
    """Regular expressions for the addresses with a secret, up to the secret.

    Without the first /.
    """
    return sorted(set(_prefixes(get_resolver(settings.ROOT_URLCONF).url_patterns, "")))


def _prefixes(patterns: list[Any], before: str) -> Iterator[str]:
    for pattern in patterns:
        prefix, has_secret = _until_secret(pattern)
        if has_secret:
            yield before + prefix
        elif isinstance(pattern, URLResolver) and pattern.app_name not in _WITHOUT_SECRETS:
            yield from _prefixes(pattern.url_patterns, before + prefix)


def _until_secret(one: URLPattern | URLResolver) -> tuple[str, bool]:
    """A pattern up to its first secret as a regex, and whether it has one."""
    pattern = one.pattern
    if not isinstance(pattern, RoutePattern):
        whole = str(pattern).removeprefix("^").removesuffix("$")
        return whole.partition("(")[0], "(" in whole
    route, done, position = str(pattern), "", 0
    for parameter in _PARAMETER.finditer(route):
        name = parameter["name"]
        done += re.escape(route[position : parameter.start()])
        if name in _SECRET_NAMES or not isinstance(pattern.converters[name], _HARMLESS):
            return done, True
        done, position = done + r"[-\w]+", parameter.end()
    return done + re.escape(route[position:]), False


def _bearer_links() -> re.Pattern[str] | None:
    """The links with a token; None in a process without URLs loaded."""
    global _links  # noqa: PLW0603 - made once, when the addresses are there
    if _links is None and settings.configured and hasattr(sys.modules.get(settings.ROOT_URLCONF), "urlpatterns"):
        prefixes = "|".join(prefix.replace("/", _SLASH) for prefix in bearer_prefixes())
        _links = re.compile(f"({_SLASH}(?:{prefixes})){_REST}")
    return _links


# --- Where masking is applied


def mask_values(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor that masks the whole line, tracebacks too.

    It must be the last one before the renderer.
    """
    for name, value in event.items():
        event[name] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {_masked(key): _masked(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    return mask(repr(value))


class MaskingFormatter(logging.Formatter):
    """Masks the lines of other loggers, tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        """The formatted line, masked."""
        return mask(super().format(record))


def mask_tracebacks() -> None:
    """Mask what Python prints when this process, or a thread of it, ends by an error."""
    sys.excepthook = _print_masked
    threading.excepthook = lambda ended: _print_masked(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _print_masked(kind: type[BaseException], error: BaseException | None, where: TracebackType | None) -> None:
    if issubclass(kind, SystemExit):  # how a thread may end
        return
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error or kind(), where)
        return
    sys.stderr.write(mask("".join(traceback.format_exception(kind, error, where))))
