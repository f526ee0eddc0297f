"""`make try-recovery`: drop a table by accident, and recover to the moment before, from archived write-ahead log.

The script uses a separate PostgreSQL server in a temporary folder, and the commands of docs/backups.md.
"""

from __future__ import annotations

import os
import pwd
import sys
import time

from benchmarks.own_server import PORT, own_server

ROWS = 1_000


def main() -> int:
    """Make a base backup, write, lose rows, and recover to the moment before. Returns 1 if a row is missing."""
    with own_server() as server:
        data, base, wal = (server.folder / name for name in ("data", "base", "wal"))
        wal.mkdir()
        os.chown(wal, server.user, pwd.getpwuid(server.user).pw_gid)
        server.create(data)
        server.start(data, archive_mode="on", archive_command=f"test ! -f {wal}/%f && cp %p {wal}/%f")
        server.ask("CREATE TABLE commitment (id bigint PRIMARY KEY, words text)")
        server.run(
            *("pg_basebackup", "--host", str(server.sockets), "--port", PORT, "--username", "postgres"),
            *("--pgdata", str(base), "--checkpoint", "fast"),
        )
        server.ask(f"INSERT INTO commitment SELECT n, 'homes ' || n FROM generate_series(1, {ROWS}) n")
        moment = server.ask("SELECT pg_sleep(0.2)", "SELECT clock_timestamp()::text")
        server.ask("SELECT pg_sleep(0.2)", "DROP TABLE commitment", "SELECT pg_switch_wal()")
        server.stop(data)
        began = time.monotonic()
        with (base / "postgresql.auto.conf").open("a") as file:
            file.write(f"restore_command = 'cp {wal}/%f %p'\n")
            file.write(f"recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n")
        (base / "recovery.signal").touch()
        server.start(base)
        row_count = server.ask("SELECT count(*) FROM commitment")
        server.stop(base)
    sys.stdout.write(f"{row_count} of {ROWS} rows are back as of {moment}, in {time.monotonic() - began:.1f} s.\n")
    return int(row_count != ROWS)


if __name__ == "__main__":
    sys.exit(main())
