"""Ports for servers that tests start."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """Reserve a port of 127.0.0.1 within the block, for a server that starts there.

    A socket that does not listen is bound to it. A server with SO_REUSEADDR, which servers set, may listen on the same
    port.
    """
    with socket.socket() as bound_socket:
        bound_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound_socket.bind(("127.0.0.1", 0))
        yield int(bound_socket.getsockname()[1])
