"""Listening sockets that the supervisor holds itself: no race for a port, and none lost while a part restarts."""

from __future__ import annotations

import errno
import socket


def listen(host: str, wanted: int, *, tries: int = 200) -> socket.socket:
    """A listening TCP socket on `wanted`, or on the next port that is free."""
    for port in range(wanted, min(wanted + tries, 65_536)):
        holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Without this a port just left by a stopped copy would count as taken for a minute.
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            holder.bind((host, port))
            holder.listen(128)
        except OSError as error:
            holder.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            continue
        holder.set_inheritable(True)
        return holder
    raise OSError(errno.EADDRINUSE, f"No port from {wanted} on is free.")


def port_of(holder: socket.socket) -> int:
    """The port that a listening socket got."""
    port: int = holder.getsockname()[1]
    return port
