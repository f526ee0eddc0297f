"""Mask addresses, tokens and database values in logs and alerts."""

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

#: Parts of an error as psycopg2 formats it. Each part begins on a new line, and its value may have several lines.
_DATABASE_PARTS = r"(?:DETAIL|CONTEXT|QUERY|STATEMENT|WHERE|HINT|LINE \d+):"
_DETAIL = re.compile(rf"\n\s*{_DATABASE_PARTS}.*?(?=\n\n(?:The above exception|During handling)|\Z)", re.DOTALL)
#: The same in a repr(), on one line.
_DETAIL_IN_REPR = re.compile(rf"\\n\s*{_DATABASE_PARTS}[^\n]*")
_VALUE = re.compile(r"(invalid input (?:syntax|value) for [^:\n]+: )[^\n]+")

# --- Addresses

_ADDRESS = re.compile(r"[^\s@<>\"'(),;:=/?&\[\]\\{}]+(?:@|%40)[^\W_](?:[\w-]*\.)+[\w-]*\w")

# --- Links with a token, which is any part of a URL that is neither an id nor a slug

_SLASH = "(?:/|%2[Ff])"
_PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>")
_HARMLESS = (IntConverter, SlugConverter)
#: Parameters with these names are secret, whatever their converter.
_SECRET_NAMES = frozenset({"token", "signature", "secret"})
#: URLs of Django admin contain ids and names of models, with converters that other apps use for secrets.
_WITHOUT_SECRETS = frozenset({"admin"})
_QUERY = re.compile(r"(/[^\s\"'<>?]*)\?[^\s\"'<>]+")
_REST = r"[^\s\"'<>]+"

_links: re.Pattern[str] | None = None


def mask(text: str) -> str:
    """Return the text without email addresses, tokens in links, query strings and values of the database."""
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
    """Return whether a path contains a secret, such as the token of a link in an email."""
    links = _bearer_links()
    return links is not None and links.match(path) is not None


def bearer_prefixes() -> list[str]:
    """Return regular expressions for all paths with a secret, up to the secret and without the first slash."""
    return sorted(set(_prefixes(get_resolver(settings.ROOT_URLCONF).url_patterns, "")))


def _prefixes(patterns: list[Any], parent_prefix: str) -> Iterator[str]:
    """Yield the regular expressions, up to the secret, of these URL patterns and of the patterns below them."""
    for pattern in patterns:
        prefix, has_secret = _until_secret(pattern)
        if has_secret:
            yield parent_prefix + prefix
        elif isinstance(pattern, URLResolver) and pattern.app_name not in _WITHOUT_SECRETS:
            yield from _prefixes(pattern.url_patterns, parent_prefix + prefix)


def _until_secret(url: URLPattern | URLResolver) -> tuple[str, bool]:
    """Return a regular expression for a URL pattern up to its first secret, and whether it has a secret."""
    pattern = url.pattern
    if not isinstance(pattern, RoutePattern):  # a `re_path`, in which any group may be a secret
        expression = str(pattern).removeprefix("^").removesuffix("$")
        return expression.partition("(")[0], "(" in expression
    route, prefix, position = str(pattern), "", 0
    for parameter in _PARAMETER.finditer(route):
        name = parameter["name"]
        prefix += re.escape(route[position : parameter.start()])
        if name in _SECRET_NAMES or not isinstance(pattern.converters[name], _HARMLESS):
            return prefix, True
        prefix += r"[-\w]+"
        position = parameter.end()
    return prefix + re.escape(route[position:]), False


def _bearer_links() -> re.Pattern[str] | None:
    """Return a regular expression for links with a secret, or None if this process has not loaded the URLs."""
    global _links  # noqa: PLW0603 - compiled once, when the URLs are loaded
    if _links is None and settings.configured and hasattr(sys.modules.get(settings.ROOT_URLCONF), "urlpatterns"):
        prefixes = "|".join(prefix.replace("/", _SLASH) for prefix in bearer_prefixes())
        _links = re.compile(f"({_SLASH}(?:{prefixes})){_REST}")
    return _links


# --- Where masking is applied


def mask_values(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask all values of a line, tracebacks too. This structlog processor must be the last before the renderer."""
    for name, value in event.items():
        event[name] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    """Return the value with all its texts masked, including keys and items of collections."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, dict):
        return {_masked(key): _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item) for item in value]
    return mask(repr(value))


class MaskingFormatter(logging.Formatter):
    """A formatter that masks the lines of Python's own logging, tracebacks too."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the formatted line, masked."""
        return mask(super().format(record))


def mask_tracebacks() -> None:
    """Mask the traceback that Python prints when an error ends this process or one of its threads."""
    sys.excepthook = _print_masked
    threading.excepthook = lambda args: _print_masked(args.exc_type, args.exc_value, args.exc_traceback)


def _print_masked(error_type: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    """Print the traceback of an error to stderr, masked."""
    if issubclass(error_type, SystemExit):  # a normal end of a thread
        return
    if issubclass(error_type, KeyboardInterrupt):
        sys.__excepthook__(error_type, error or error_type(), trace)
        return
    sys.stderr.write(mask("".join(traceback.format_exception(error_type, error, trace))))
