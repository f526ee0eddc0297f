"""Listening sockets that the supervisor opens for its child processes.

So two copies do not compete for a port, and a process that is restarted has the same port as before.
"""

from __future__ import annotations

import errno
import socket


def listen(host: str, wanted: int, *, tries: int = 200) -> socket.socket:
    """Return a listening TCP socket on port `wanted`, or on the next free port."""
    for port in range(wanted, min(wanted + tries, 65_536)):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Without this, the port of a copy that was just stopped would be taken for a minute.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            continue
        listener.set_inheritable(True)
        return listener
    raise OSError(errno.EADDRINUSE, f"No free port from {wanted} on.")


def port_of(listener: socket.socket) -> int:
    """Return the port of a listening socket."""
    port: int = listener.getsockname()[1]
    return port
