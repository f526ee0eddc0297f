"""A setting: its name, kind, default, meaning and check; and how all are read from the environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

#: The values of settings by name, as far as they are read: each may use those that are declared before it.
Values = Mapping[str, Any]

#: Processes that need a setting.
ALL = "all"
WEB = "web"
WORKER = "worker"
#: All that send emails: workers and the account sender.
SENDERS = "worker, account sender"
MIGRATE = "`migrate`"
OPERATOR = "`manage.py`"


@dataclass(frozen=True)
class Kind:
    """What a value looks like, in words, and how it is read.

    `read` raises `ValueError`.
    """

    words: str
    read: Callable[[str], Any]


def _flag(text: str) -> bool:
    flags = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in flags:
        raise ValueError(text)
    return flags[text.lower()]


def _whole(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def _seconds(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise ValueError(text)
    return number


def _names(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _keys(text: str) -> list[str]:
    # Blanks are kept, because the check of keys refuses them.
    return [key for key in text.split(",") if key]


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)
    return found


def _origin(text: str) -> str:
    parts = urlsplit(text.rstrip("/"))
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
        raise ValueError(text)
    return parts.geturl()


TEXT = Kind("text", str)
FLAG = Kind("1 or 0", _flag)
NUMBER = Kind("a whole number", _whole)
DECIMAL = Kind("a number", _seconds)
LIST = Kind("values separated by commas", _names)
KEYS = Kind("keys separated by commas", _keys)
OBJECT = Kind("a JSON object", _object)
ORIGIN = Kind("an origin such as https://ground.example", _origin)
FOLDER = Kind("a folder", lambda text: str(Path(text).absolute()))
FILE = Kind("a file", FOLDER.read)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting.

    `default` is a value, or a function of the settings before it; then `default_words` says it in words. `check`
    returns a sentence without the name that says what is wrong and what to do, or "". Production cannot do without
    what is `required`. `example` stands in .env.example. A `secret` may also be given in the file that NAME_FILE
    names, and is never printed. `empty_counts`: an empty value is not the same as none. `elsewhere`:
    housing/settings.py does not read it.
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
        """The value given, or the default.

        Raises `ValueError` if it cannot be read.
        """
        text = environ.get(self.name, "")
        if text or (self.empty_counts and self.name in environ):
            return self.kind.read(text)
        return self.default(values) if callable(self.default) else self.default

    @property
    def default_text(self) -> str:
        """The default as somebody would set it, or in words; "" for none."""
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
    """The values of all settings.

    Raises `ImproperlyConfigured` with a sentence for each fault.

    A setting that cannot be read has its default for the checks of the others.
    """
    values: dict[str, Any] = {}
    faults = []
    wanted = [setting for setting in settings if not setting.elsewhere]
    for setting in wanted:
        try:
            values[setting.name] = setting.value(environ, values)
        except ValueError:
            given = "" if setting.secret else f", not {environ[setting.name]!r}"
            like = (
                f" For example: {setting.name}={setting.example or setting.default_text}." if not setting.secret else ""
            )
            faults.append(f"{setting.name} must be {setting.kind.words}{given}.{like}")
            values[setting.name] = setting.value({}, values)
    faults += [
        f"{setting.name} {fault}"
        for setting in wanted
        if setting.check is not None and (fault := setting.check(values[setting.name], values))
    ]
    if faults:
        raise ImproperlyConfigured("\n".join([*faults, "All settings: .env.example and docs/reference/settings.md."]))
    return values
