"""Celery's settings for the broker: a server, or the primary that sentinels name."""

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
    # A worker notices after 11 to 21 s that its broker has fallen silent without closing the connection: kombu checks
    # this often whether a reply is this late. Replies usually come each second.
    "health_check_interval": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
#: Seconds until the next sentinel is asked.
SENTINEL_SECONDS = 1


def broker_settings(url: str, sentinels: Sequence[str], password: str) -> tuple[str, dict[str, Any]]:
    """Celery's broker URL and its transport options.

    Without sentinels, `url` is that of the broker. With sentinels, the host in `url` is the name by which they know the
    primary, and the password and database in it are the primary's; `password` is the sentinels' own, or "".
    """
    if not sentinels:
        return url, TRANSPORT_OPTIONS
    parsed_url = urlsplit(url)
    credentials, at_sign, host_and_port = parsed_url.netloc.rpartition("@")
    sentinel_options: dict[str, Any] = {
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        # No retries: the next sentinel is asked instead.
        "retry": Retry(NoBackoff(), 0),
    }
    if password:
        sentinel_options["password"] = password
    # Not `parsed_url.hostname`, which is in lower case.
    primary_name = host_and_port.partition(":")[0]
    sentinel_urls = [f"sentinel://{credentials}{at_sign}{sentinel}{parsed_url.path}" for sentinel in sentinels]
    options = {**TRANSPORT_OPTIONS, "master_name": primary_name, "sentinel_kwargs": sentinel_options}
    return ";".join(sentinel_urls), options
