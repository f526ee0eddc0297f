"""Checks of settings: each returns what is wrong and what to do, after the name; "" if nothing is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from housing.declarations.setting import Values

#: Django's own minimum for a secret key.
MIN_KEY_LENGTH = 50
_DSN = re.compile(r"https?://[\w-]+(:[\w-]*)?@[\w.-]+(:\d{1,5})?(/[\w.-]+)*/\d+")
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d{1,5}|\[[\da-fA-F:]+\]:\d{1,5}")
_PLACE = re.compile(r"(\[[^]]*\]|[^:]*)(:\d*)?")
_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+")


def key_fault(key: str) -> str:
    """What is wrong with a secret key, without the key itself."""
    if key.startswith("#"):
        return "starts with #: it looks like a comment."
    if any(character.isspace() for character in key):
        return "contains blanks: it may contain a comment."
    if len(key) < MIN_KEY_LENGTH:
        return f"is shorter than {MIN_KEY_LENGTH} characters."
    return ""


def keys_fault(keys: Iterable[str]) -> str:
    """What is wrong with the first weak key."""
    return next(filter(None, map(key_fault, keys)), "")


def strong_key(value: str, values: Values) -> str:
    """Refuse a missing or weak key, except with DEBUG."""
    if not value:
        return "is not set. Start with `make run`, which makes one for this copy, or set it (see .env.example)."
    return "" if values["DEBUG"] else key_fault(value)


def strong_keys(value: list[str], values: Values) -> str:
    """Refuse a weak key in a list, except with DEBUG."""
    return "" if values["DEBUG"] else keys_fault(value)


def strong_beside(value: str, values: Values) -> str:
    """Refuse a weak key that stands in the place of SECRET_KEY, except with DEBUG."""
    return strong_keys([value] if value != values["SECRET_KEY"] else [], values)


def scheme(*allowed: str, also: tuple[str, ...] = ()) -> Callable[[Any, Values], str]:
    """A check that an address has one of these schemes and a host where one belongs.

    It may hold a password, so it is not repeated.

    `also`: schemes for tests and trials, which the sentence does not offer.
    """

    def check(value: str, values: Values) -> str:
        if value and value.split("://")[0] not in {*allowed, *also}:
            return f"must begin with {' or '.join(f'{one}://' for one in allowed)}."
        if _has_places(value):
            return ""
        return "cannot be read. In user and password, write / as %2F, ? as %3F, # as %23, [ as %5B and % as %25."

    return check


def _has_places(address: str) -> bool:
    """Whether hosts and ports are where they belong: a password with a slash would be cut in two there."""
    if address.startswith("postgres"):  # libraries for it take this character as it is
        address = address.replace("#", "%23")
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    places = parts.netloc.rpartition("@")[2].split(",")
    return "@" not in parts.path + parts.query + parts.fragment and all(map(_PLACE.fullmatch, places))


def sentinels(value: list[str], values: Values) -> str:
    """Refuse addresses without a port, and an address of the broker that names no primary."""
    wrong = next((one for one in value if not _HOST_AND_PORT.fullmatch(one)), None)
    if wrong is not None:
        return f"must be hosts with ports, such as broker-1.example:26379, not {wrong!r}."
    if value and not values["REDIS_URL"].startswith("redis://"):
        return "needs REDIS_URL=redis://:PASSWORD@NAME/0, where NAME is what the sentinels call the primary."
    return ""


def only_with(name: str) -> Callable[[Any, Values], str]:
    """A check that this is set only where another setting is."""
    words = f"is set, but {name} is not: set both or neither."
    return lambda value, values: words if value and not values[name] else ""


def mailbox(value: str, values: Values) -> str:
    """Refuse what is not an ASCII address."""
    if value.isascii() and "@" in parseaddr(value)[1]:
        return ""
    return f"must be an address such as digests@ground.example, not {value!r}."


def contacts(value: list[str], values: Values) -> str:
    """Refuse what is no URI as RFC 9116 (2.5.3) wants it in security.txt.

    It refuses a bare email address, for example, and a page without TLS.
    """
    wrong = next((one for one in value if not _CONTACT.fullmatch(one)), None)
    return "" if wrong is None else f"must be mailto: and an address, or begin with https://, not {wrong!r}."


def dsn(value: str, values: Values) -> str:
    """Refuse what is no address of a project in Sentry or GlitchTip.

    It holds a key, so it is not repeated.
    """
    return (
        ""
        if not value or _DSN.fullmatch(value)
        else "must be as Sentry or GlitchTip shows it: https://KEY@HOST/NUMBER."
    )


def one_of(*allowed: str) -> Callable[[Any, Values], str]:
    """A check that the value is one of these."""
    words = f"must be {', '.join(allowed[:-1])} or {allowed[-1]}."
    return lambda value, _: "" if value in allowed else words


def at_most(highest: int) -> Callable[[Any, Values], str]:
    """A check of a number's upper end."""
    return lambda value, _: "" if value <= highest else f"must be at most {highest}, not {value}."


def at_least(lowest: int) -> Callable[[Any, Values], str]:
    """A check of a number's lower end."""
    return lambda value, _: "" if value >= lowest else f"must be at least {lowest}, not {value}."


def lease(value: int, values: Values) -> str:
    """Refuse a lease that ends while a slow mail server is still being asked.

    Otherwise people would get emails twice.

    Connecting, greeting, TLS, signing in and a message's commands may each take EMAIL_TIMEOUT before the lease is
    renewed.
    """
    least = 5 * values["EMAIL_TIMEOUT"] + 10
    if value >= least:
        return ""
    return (
        f"is {value}; with EMAIL_TIMEOUT={values['EMAIL_TIMEOUT']} it must be at least {least} (5 x EMAIL_TIMEOUT + "
        f"10 s), "
        "or a slow mail server would get emails twice."
    )


def data_timeout(value: float, values: Values) -> str:
    """Refuse to wait less for the answer to an email than for that to a command."""
    if value >= values["EMAIL_TIMEOUT"]:
        return ""
    return (
        f"is {value:g}; it must be at least EMAIL_TIMEOUT ({values['EMAIL_TIMEOUT']} s). "
        "RFC 5321 (4.5.3.2.6) asks clients to wait 600 s for the answer to the end of DATA."
    )


def stall_timeout(value: float, values: Values) -> str:
    """Refuse to give up an email sooner than a command."""
    return _at_least_that_of(value, "EMAIL_TIMEOUT", values)


def body_timeout(value: float, values: Values) -> str:
    """Refuse to give less time to a whole email than to a part that does not move."""
    return _at_least_that_of(value, "EMAIL_STALL_TIMEOUT", values)


def _at_least_that_of(value: float, name: str, values: Values) -> str:
    """A refusal of a number of seconds below another setting's; "" if it is not."""
    return "" if value >= values[name] else f"is {value:g}; it must be at least {name} ({values[name]:g} s)."
