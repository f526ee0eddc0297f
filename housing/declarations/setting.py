"""A setting with its kind, default, meaning and check, and the function that reads all settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

#: Values of settings by name. Settings are read in order, so each may use the values of settings declared before it.
Values = Mapping[str, Any]

#: Processes that need a setting.
ALL = "all"
WEB = "web"
WORKER = "worker"
#: All processes that send emails, which are workers and the account sender.
SENDERS = "worker, account sender"
MIGRATE = "`migrate`"
OPERATOR = "`manage.py`"


@dataclass(frozen=True)
class Kind:
    """A kind of value. Messages call it `words`. `read` returns the value of a text, or raises `ValueError`."""

    words: str
    read: Callable[[str], Any]


def _flag(text: str) -> bool:
    flags = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in flags:
        raise ValueError(text)
    return flags[text.lower()]


def _whole_number(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError(text)
    return value


def _decimal(text: str) -> float:
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError(text)
    return value


def _list(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _keys(text: str) -> list[str]:
    # Spaces are not stripped, because the check of keys must refuse them.
    return [key for key in text.split(",") if key]


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)
    return value


def _origin(text: str) -> str:
    url = urlsplit(text.rstrip("/"))
    if url.scheme not in {"http", "https"} or not url.hostname or url.path:
        raise ValueError(text)
    return url.geturl()


TEXT = Kind("text", str)
FLAG = Kind("1 or 0", _flag)
NUMBER = Kind("a whole number", _whole_number)
DECIMAL = Kind("a number", _decimal)
LIST = Kind("values separated by commas", _list)
KEYS = Kind("keys separated by commas", _keys)
OBJECT = Kind("a JSON object", _object)
ORIGIN = Kind("an origin such as https://ground.example", _origin)
FOLDER = Kind("a folder", lambda text: str(Path(text).absolute()))
FILE = Kind("a file", FOLDER.read)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting.

    `default` is a value, or a function of the settings before it, which `default_words` then describes. `check` is one
    of `housing.declarations.checks`. Production needs every `required` setting. `example` is the value in .env.example.
    A `secret` may also be in the file that NAME_FILE names, and is never printed. With `empty_counts`, an empty value
    is not the same as no value. Other code than housing/settings.py reads a setting `elsewhere`.
    """

    name: str
    meaning: str
    kind: Kind = TEXT
    default: Any = ""
    default_words: str = ""
    needed_by: str = ALL
    secret: bool = False
    required: bool = False
    example: str = ""
    empty_counts: bool = False
    elsewhere: bool = False
    check: Callable[[Any, Values], str] | None = None

    def value(self, environ: Mapping[str, str], values: Values) -> Any:
        """Return the value in the environment, or the default. Raises `ValueError` if the text cannot be read."""
        text = environ.get(self.name, "")
        if text or (self.empty_counts and self.name in environ):
            return self.kind.read(text)
        return self.default(values) if callable(self.default) else self.default

    @property
    def default_text(self) -> str:
        """Return the default as a person would write it into .env, or in words, or "" if there is none."""
        if self.default_words or callable(self.default):
            return self.default_words
        if isinstance(self.default, bool):
            return str(int(self.default))
        if isinstance(self.default, dict | list):
            return json.dumps(self.default) if self.default else ""
        return str(self.default)


@dataclass(frozen=True)
class Section:
    """Settings that belong together, under a heading."""

    heading: str
    settings: tuple[Setting, ...]


def read_settings(settings: Iterable[Setting], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of all settings. Raises `ImproperlyConfigured` with a sentence for each fault.

    If a setting cannot be read, the other settings are checked with its default.
    """
    values: dict[str, Any] = {}
    faults = []
    settings_to_read = [setting for setting in settings if not setting.elsewhere]
    for setting in settings_to_read:
        try:
            values[setting.name] = setting.value(environ, values)
        except ValueError:
            actual_value = "" if setting.secret else f", not {environ[setting.name]!r}"
            example = (
                f" For example: {setting.name}={setting.example or setting.default_text}." if not setting.secret else ""
            )
            faults.append(f"{setting.name} must be {setting.kind.words}{actual_value}.{example}")
            values[setting.name] = setting.value({}, values)
    faults += [
        f"{setting.name} {fault}"
        for setting in settings_to_read
        if setting.check is not None and (fault := setting.check(values[setting.name], values))
    ]
    if faults:
        raise ImproperlyConfigured("\n".join([*faults, "All settings: .env.example and docs/reference/settings.md."]))
    return values
