"""Celery's settings for the broker, which is one server or the primary that sentinels name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from redis.backoff import NoBackoff
from redis.retry import Retry

#: Celery's options for the connection to a broker. A request must not wait for a broker that does not answer.
#: There is no `retry_on_timeout`, because redis-py would then reconnect without informing Celery's loop.
TRANSPORT_OPTIONS: dict[str, Any] = {
    "visibility_timeout": 600,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    # A worker notices after 11 to 21 s that its broker does not answer but has not closed the connection. Every 10 s,
    # kombu checks whether a reply is more than 10 s late. Replies usually arrive every second.
    "health_check_interval": 10,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
}
#: Seconds to wait for a sentinel before trying the next one.
SENTINEL_SECONDS = 1


def broker_settings(url: str, sentinels: Sequence[str], password: str) -> tuple[str, dict[str, Any]]:
    """Return Celery's broker URL and its transport options.

    Without sentinels, `url` is that of the broker. With sentinels, the host in `url` is the name that the sentinels'
    settings give to the primary. The password and the database in `url` are then those of the primary. `password` is
    the password of the sentinels, or "".
    """
    if not sentinels:
        return url, TRANSPORT_OPTIONS
    parsed_url = urlsplit(url)
    credentials, at_sign, host_and_port = parsed_url.netloc.rpartition("@")
    sentinel_options: dict[str, Any] = {
        "socket_connect_timeout": SENTINEL_SECONDS,
        "socket_timeout": SENTINEL_SECONDS,
        # There are no retries, because kombu tries the next sentinel instead.
        "retry": Retry(NoBackoff(), 0),
    }
    if password:
        sentinel_options["password"] = password
    # `parsed_url.hostname` would be in lower case.
    primary_name = host_and_port.partition(":")[0]
    sentinel_urls = [f"sentinel://{credentials}{at_sign}{sentinel}{parsed_url.path}" for sentinel in sentinels]
    options = {**TRANSPORT_OPTIONS, "master_name": primary_name, "sentinel_kwargs": sentinel_options}
    return ";".join(sentinel_urls), options
