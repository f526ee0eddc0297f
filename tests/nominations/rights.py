"""Who may call the services of nominations agreements."""

from __future__ import annotations

from tests.support.rights import Row

ROWS: tuple[Row, ...] = ()
WITHOUT_A_PERSON = {"nominations.record_event": "records what another service did"}
