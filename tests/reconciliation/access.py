"""Who may call the reconciliation service. Everybody may, and so may scripts of other sites."""

from __future__ import annotations

import json
from typing import Any

from partnerships.organisations.services import create_organisation
from tests.support.access import Row, public
from tests.world import World

#: The request with which a browser first checks that another site may call the address.
PREFLIGHT = {"options": public(204)}


def prepare(world: World) -> None:
    """Create a provider with a registration number, which makes it public."""
    world.things["public_body"] = create_organisation(
        name="Saltmarsh Homes",
        kind="registered_provider",
        identifiers=[("rsh", "L9901")],
        author=None,
        now=world.now,
    )


def saltmarsh(world: World) -> dict[str, Any]:
    return {"body": f"o{world.things['public_body'].pk}"}


def asked(world: World) -> dict[str, Any]:
    return {"queries": json.dumps({"q0": {"query": "Saltmarsh Homes"}})}


ROWS = (
    Row("reconciliation:about", get=public()),
    Row("reconciliation:body", on=saltmarsh, get=public()),
    Row("reconciliation:root-old", get=public(), post=public(), data=asked, also=PREFLIGHT),
    Row("reconciliation:root", get=public(), also=PREFLIGHT),
    Row("reconciliation:match", post=public(400), also=PREFLIGHT),
    Row("reconciliation:extend", post=public(400), also=PREFLIGHT),
    Row("reconciliation:propose", on=lambda _: {"version": "0.2"}, get=public(), also=PREFLIGHT),
    Row(
        "reconciliation:suggest",
        on=lambda _: {"version": "0.2", "what": "entity"},
        query="?prefix=saltm",
        get=public(),
        also=PREFLIGHT,
    ),
    Row("reconciliation:flyout", on=lambda _: {"what": "type"}, query="?id=council", get=public(), also=PREFLIGHT),
    Row("reconciliation:preview", on=lambda _: {"version": "0.2"}, query="?id=o1", get=public(404), also=PREFLIGHT),
)
