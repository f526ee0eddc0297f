"""The broker's address for Celery: a server, or the primary that sentinels name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

#: How Celery speaks with a broker. A request must not wait for a missing one.
#: No `retry_on_timeout`: redis-py would then connect again by itself, and Celery's loop would not know.
TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    # A worker whose broker falls silent without closing the connection notices after 11 to 21 s: kombu looks this often
    # whether an answer is this late. They come each second.
    "health_check_interval": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
#: Seconds until the next sentinel is asked.
SENTINEL_SECONDS = 1


def broker_settings(url: str, sentinels: Sequence[str], password: str) -> tuple[str, dict[str, Any]]:
    """Celery's address of the broker, and its transport options.

    Without sentinels, `url` is the broker's address. With them, its host is the name by which they know the primary,
    and its password and database are those of the primary; `password` is that of the sentinels, if they have one.
    """
    if not sentinels:
        return url, TRANSPORT_OPTIONS
    parts = urlsplit(url)
    credentials, at, place = parts.netloc.rpartition("@")
    options: dict[str, Any] = {
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        # The next sentinel is asked instead.
        "retry": Retry(NoBackoff(), 0),
    }
    if password:
        options["password"] = password
    # The name, not `hostname`, which would be in small letters.
    name = place.partition(":")[0]
    addresses = ";".join(f"sentinel://{credentials}{at}{one}{parts.path}" for one in sentinels)
    return addresses, {**TRANSPORT_OPTIONS, "master_name": name, "sentinel_kwargs": options}
