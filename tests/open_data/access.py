"""Who may open each page of open data."""

from __future__ import annotations

from typing import Any

from partnerships.open_data.services import begin_publishing, enter_agreement
from tests.support.access import Row, expect, public
from tests.world import World


def prepare(world: World) -> None:
    """Westmarch, whose lead is Ben, publishes its plans."""
    begin_publishing(
        organisation=world.westmarch, standard="plan", reason="The law asks for it.", author=world.ben, now=world.now
    )


def westmarch(world: World) -> dict[str, Any]:
    return {"pk": world.westmarch.pk}


def agreement(world: World) -> dict[str, Any]:
    entered = enter_agreement(
        organisation=world.westmarch, reference="W/1", kind="section-106", author=world.ben, now=world.now
    )
    return {"pk": entered.pk}


ROWS = (
    Row("open_data:index", get=public()),
    Row("open_data:of-organisation", on=westmarch, get=public()),
    Row("open_data:file", on=lambda world: {**westmarch(world), "dataset": "plan"}, get=public()),
    Row(
        "open_data:publishing",
        on=lambda world: {**westmarch(world), "standard": "developer-contributions"},
        get=expect(inside=403, outside=403, partner=200, administrator=200),
        post=expect(inside=403, outside=403, partner=422, administrator=422),
    ),
    Row(
        "open_data:enter-agreement",
        on=westmarch,
        get=expect(inside=403, outside=403, partner=200, administrator=200),
        post=expect(inside=403, outside=403, partner=422, administrator=422),
    ),
    Row(
        "open_data:enter-contribution",
        on=agreement,
        get=expect(inside=403, outside=403, partner=200, administrator=200),
        post=expect(inside=403, outside=403, partner=422, administrator=422),
    ),
)
