"""Who may open each page of nominations agreements and returns.

Larkhaven is the provider, and Westmarch, which Ben ("partner") leads, is the council. Riverside, which Nadia leads,
observes. The return is confirmed, so that Riverside may read it masked.
"""

from __future__ import annotations

from typing import Any

from tests.nominations.quarters import confirmed_return
from tests.nominations.signed import sign_nominations
from tests.support.access import Expected, Row, expect
from tests.world import World


def prepare(world: World) -> None:
    """Make a signed agreement with data sharing in force, and a settled return."""
    world.things["nominations"] = agreement = sign_nominations(world)
    world.things["return"] = confirmed_return(world, agreement)


def of_agreement(world: World) -> dict[str, Any]:
    """Return the arguments of the URLs of the agreement."""
    return {"pk": world.things["nominations"].partnership_id}


def of_return(world: World) -> dict[str, Any]:
    """Return the arguments of the URLs of the return."""
    return {**of_agreement(world), "number": world.things["return"].pk}


def _line_with_shortfall(world: World) -> dict[str, Any]:
    line_ids = [line.pk for line in world.things["return"].lines.all() if line.result.shortfall]
    return {**of_return(world), "line": line_ids[0]}


def provider(status: int, others: int = 404) -> Expected:
    """Return the status for editors and leads of Larkhaven. `others` is the status for Riverside."""
    return expect(inside=status, outside=404, viewer=403, partner=403, shared=others, share_ended=others)


def council(status: int) -> Expected:
    """Return the status for the lead of Westmarch."""
    return expect(inside=403, outside=404, partner=status)


def either(status: int) -> Expected:
    """Return the status for editors and leads of both sides."""
    return expect(inside=status, outside=404, viewer=403, partner=status)


MASKED = expect(inside=200, outside=404, shared=200, share_ended=200)
SIDES = expect(inside=200, outside=404)
ROWS = (
    Row("nominations:detail", on=of_agreement, get=MASKED),
    Row("nominations:start", on=of_agreement, get=provider(200, 403), post=provider(422, 403)),
    Row("nominations:return", on=of_return, get=MASKED),
    Row("nominations:csv", on=of_return, get=MASKED),
    Row("nominations:rows", on=of_return, get=SIDES),
    Row("nominations:record", on=lambda world: {**of_return(world), "record": 1, "shape": "xlsx"}, get=SIDES),
    Row("nominations:reopen", on=of_return, get=either(200), post=either(422)),
    Row("nominations:progress", on=of_return, get=expect(inside=302, outside=404)),
    Row("nominations:upload", on=of_return, get=provider(200), post=provider(422)),
    Row("nominations:complete", on=of_return, get=provider(200), post=provider(422)),
    Row("nominations:send", on=of_return, get=provider(200), post=provider(422)),
    Row("nominations:decide", on=of_return, get=council(200), post=council(422)),
    Row("nominations:ask", on=_line_with_shortfall, post=council(302)),
)
