"""A TCP relay in front of PostgreSQL, with which a test can cut off the database."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from typing import Any

from django.db import connection


class Relay:
    """Listens on a port of 127.0.0.1 and forwards everything to the test database."""

    def __init__(self) -> None:
        self.port = 0
        self._listener: socket.socket | None = None
        self._joined: set[socket.socket] = set()

    def url(self) -> str:
        """Return the test database's URL through the relay."""
        database = connection.settings_dict
        return f"postgres://{database['USER']}:{database['PASSWORD']}@127.0.0.1:{self.port}/{database['NAME']}"

    def join(self) -> None:
        """Start listening, on the same port as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self) -> None:
        """Refuse new connections and break the open ones."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for open_socket in list(self._joined):
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        server = _to_database()
        self._joined |= {client, server}
        peers = {client: server, server: client}
        with selectors.DefaultSelector() as ready, client, server, contextlib.suppress(OSError):
            for open_socket in peers:
                ready.register(open_socket, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    source: Any = key.fileobj
                    data = source.recv(65_536)
                    if not data:
                        return
                    peers[source].sendall(data)
        self._joined -= {client, server}


def _to_database() -> socket.socket:
    host, port = connection.settings_dict["HOST"] or "/var/run/postgresql", connection.settings_dict["PORT"] or 5432
    if host.startswith("/"):
        unix_socket = socket.socket(socket.AF_UNIX)
        unix_socket.connect(f"{host}/.s.PGSQL.{port}")
        return unix_socket
    return socket.create_connection((host, int(port)))
