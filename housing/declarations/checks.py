"""Checks of settings. Each returns "", or a fault as the end of a sentence that begins with the setting's name."""

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
_HOST_AND_OPTIONAL_PORT = re.compile(r"(\[[^]]*\]|[^:]*)(:\d*)?")
_CONTACT = re.compile(r"mailto:[!-~]+@[!-~]+|https://[!-~]+")
_UNREADABLE_ADDRESS = (
    "cannot be read. In the user name and the password, replace / by %2F, ? by %3F, # by %23, [ by %5B and % by %25."
)


def key_fault(key: str) -> str:
    """Return what is wrong with a secret key, without the key itself, or "" if nothing is wrong."""
    if key.startswith("#"):
        return "starts with #, so it looks like a comment."
    if any(character.isspace() for character in key):
        return "contains spaces, so it may contain a comment."
    if len(key) < MIN_KEY_LENGTH:
        return f"is shorter than {MIN_KEY_LENGTH} characters."
    return ""


def keys_fault(keys: Iterable[str]) -> str:
    """Return what is wrong with the first weak key, or "" if no key is weak."""
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
    """Refuse a weak key that is used instead of SECRET_KEY, except with DEBUG."""
    return strong_keys([value] if value != values["SECRET_KEY"] else [], values)


def scheme(*allowed: str, undocumented: tuple[str, ...] = ()) -> Callable[[Any, Values], str]:
    """Return a check that an address has one of these schemes, and that its hosts can be read.

    The schemes in `undocumented` are for tests and trials. They are also allowed, but the message does not name them.
    It does not repeat the address either, because the address may contain a password.
    """

    def check(value: str, values: Values) -> str:
        if value and value.split("://")[0] not in {*allowed, *undocumented}:
            return f"must begin with {' or '.join(f'{name}://' for name in allowed)}."
        return "" if _has_readable_hosts(value) else _UNREADABLE_ADDRESS

    return check


def _has_readable_hosts(address: str) -> bool:
    """Return whether every host in the address can be read, with its port if it has one.

    For example, it is not possible if the password contains a slash, as in `redis://:pass/word@broker.example`.
    """
    if address.startswith("postgres"):  # libraries for PostgreSQL read # as part of a password
        address = address.replace("#", "%23")
    try:
        url = urlsplit(address)
    except ValueError:
        return False
    # In the example above, `urlsplit` ends the host at the slash, so the rest of the password is in the path.
    is_password_cut_off = "@" in url.path + url.query + url.fragment
    hosts = url.netloc.rpartition("@")[2].split(",")
    return not is_password_cut_off and all(_HOST_AND_OPTIONAL_PORT.fullmatch(host) for host in hosts)


def sentinels(value: list[str], values: Values) -> str:
    """Refuse sentinels without a port, and a REDIS_URL that does not name the primary."""
    invalid_sentinel = next((sentinel for sentinel in value if not _HOST_AND_PORT.fullmatch(sentinel)), None)
    if invalid_sentinel is not None:
        return f"must be hosts with ports, for example broker-1.example:26379, not {invalid_sentinel!r}."
    if value and not values["REDIS_URL"].startswith("redis://"):
        return "needs REDIS_URL=redis://:PASSWORD@NAME/0, where NAME is what the sentinels call the primary."
    return ""


def only_with(name: str) -> Callable[[Any, Values], str]:
    """Return a check that a setting is set only if another setting is."""
    fault = f"is set, but {name} is not. Set both or neither."
    return lambda value, values: fault if value and not values[name] else ""


def mailbox(value: str, values: Values) -> str:
    """Refuse anything but an email address in ASCII."""
    if value.isascii() and "@" in parseaddr(value)[1]:
        return ""
    return f"must be an email address, for example digests@ground.example, not {value!r}."


def contacts(value: list[str], values: Values) -> str:
    """Refuse contacts that security.txt may not have, such as bare email addresses and http pages.

    Source: RFC 9116, 2.5.3.
    """
    invalid_contact = next((contact for contact in value if not _CONTACT.fullmatch(contact)), None)
    if invalid_contact is None:
        return ""
    return (
        "must be mailto: followed by an email address, or an address that begins with https://. "
        f"It is {invalid_contact!r}."
    )


def dsn(value: str, values: Values) -> str:
    """Refuse anything but the address of a project in Sentry or GlitchTip.

    The address contains a key, so the message does not repeat it.
    """
    if not value or _DSN.fullmatch(value):
        return ""
    return "must be as Sentry or GlitchTip shows it: https://KEY@HOST/NUMBER."


def one_of(*allowed: str) -> Callable[[Any, Values], str]:
    """Return a check that the value is one of these."""
    fault = f"must be {', '.join(allowed[:-1])} or {allowed[-1]}."
    return lambda value, _: "" if value in allowed else fault


def at_most(highest: int) -> Callable[[Any, Values], str]:
    """Return a check that a number is not too high."""
    return lambda value, _: "" if value <= highest else f"must be at most {highest}, not {value}."


def at_least(lowest: int) -> Callable[[Any, Values], str]:
    """Return a check that a number is not too low."""
    return lambda value, _: "" if value >= lowest else f"must be at least {lowest}, not {value}."


def lease(value: int, values: Values) -> str:
    """Refuse a lease that could end before a slow mail server has answered.

    Another worker would then send the email again. Connecting, greeting, TLS, signing in and a message's commands may
    each take EMAIL_TIMEOUT before the lease is renewed.
    """
    shortest = 5 * values["EMAIL_TIMEOUT"] + 10
    if value >= shortest:
        return ""
    return (
        f"is {value}, but with EMAIL_TIMEOUT={values['EMAIL_TIMEOUT']} it must be at least {shortest} (5 x "
        "EMAIL_TIMEOUT + 10 s). Otherwise a slow mail server would get emails twice."
    )


def at_least_setting(name: str, reason: str = "") -> Callable[[float, Values], str]:
    """Return a check that a number of seconds is not lower than that of another setting.

    The message ends with the `reason`, if there is one.
    """

    def check(value: float, values: Values) -> str:
        if value >= values[name]:
            return ""
        fault = f"is {value:g}, but it must be at least {name} ({values[name]:g} s)."
        return f"{fault} {reason}" if reason else fault

    return check
