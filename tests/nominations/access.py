"""Who may use the pages of nominations agreements: people of all its parties; Riverside, led by Nadia, observes."""

from __future__ import annotations

from typing import Any

from tests.nominations.signed import sign_nominations
from tests.support.access import Row, expect
from tests.world import World


def prepare(world: World) -> None:
    """A signed agreement, with data sharing in force."""
    world.things["nominations"] = sign_nominations(world)


def of_agreement(world: World) -> dict[str, Any]:
    return {"pk": world.things["nominations"].partnership_id}


ROWS = (Row("nominations:detail", on=of_agreement, get=expect(inside=200, outside=404, shared=200, share_ended=200)),)
