"""Who may open each page of surveys.

Larkhaven ("lead") and Westmarch ("partner") take part. The closed survey is anonymous, and the draft is of the same
partnership.
"""

from __future__ import annotations

from typing import Any

from tests.support.access import Expected, Row, expect
from tests.surveys.asking import closed_round, prepared_round
from tests.world import World


def prepare(world: World) -> None:
    """Make a closed round and the next draft."""
    world.things["survey"] = closed_round(world)
    world.things["survey_draft"] = prepared_round(world)


def of_partnership(world: World) -> dict[str, Any]:
    """Return the arguments of the URLs of the partnership."""
    return {"pk": world.partnership.pk}


def of_closed(world: World) -> dict[str, Any]:
    """Return the arguments of the URLs of the closed round."""
    return {**of_partnership(world), "number": world.things["survey"].number}


def of_draft(world: World) -> dict[str, Any]:
    """Return the arguments of the URLs of the draft."""
    return {**of_partnership(world), "number": world.things["survey_draft"].number}


def leads(status: int) -> Expected:
    """Return the status for leads of the parties."""
    return expect(inside=403, outside=404, lead=status, partner=status)


def editors(status: int) -> Expected:
    """Return the status for editors and leads of the parties."""
    return expect(inside=status, outside=404, viewer=403)


READ = expect(inside=200, outside=404)
ANYBODY = expect(inside=410, outside=410, signed_out=410, stakeholder=410)
THANKS = expect(inside=200, outside=200, signed_out=200, stakeholder=200)
ROWS = (
    Row("surveys:answer", on=lambda world: {"token": "0" * 64}, get=ANYBODY, post=ANYBODY),
    Row("surveys:answer-by-name", on=lambda world: {"token": "no-token"}, get=ANYBODY, post=ANYBODY),
    Row("surveys:thanks", get=THANKS),
    Row(
        "surveys:moderate",
        on=lambda world: {"pk": world.things["survey"].pk},
        get=expect(inside=404, outside=404),
        post=expect(inside=404, outside=404),
    ),
    Row(
        "surveys:agree",
        on=lambda world: {"pk": world.things["survey_draft"].pk},
        get=expect(inside=404, outside=404),
        post=expect(inside=404, outside=404),
    ),
    Row("surveys:overview", on=of_partnership, get=READ),
    Row("surveys:join", on=of_partnership, post=leads(404)),
    Row("surveys:name", on=of_draft, get=leads(200), post=leads(422)),
    Row("surveys:ask-reader", on=of_draft, post=leads(302)),
    Row("surveys:by-name", on=of_draft, post=leads(302)),
    Row("surveys:ask-partnership", on=of_draft, get=leads(200), post=leads(422)),
    Row("surveys:take-back", on=of_draft, post=leads(404)),
    Row("surveys:prepare", on=of_partnership, get=leads(200), post=leads(422)),
    Row("surveys:detail", on=of_closed, get=READ),
    Row("surveys:invite", on=of_draft, get=leads(200), post=leads(422)),
    Row("surveys:withdraw", on=of_draft, post=leads(302)),
    Row("surveys:open", on=of_draft, post=leads(302)),
    Row("surveys:remind", on=of_draft, post=leads(302)),
    Row("surveys:end", on=of_draft, get=leads(200), post=leads(422)),
    Row("surveys:link", on=of_closed, get=editors(200), post=editors(422)),
    Row("surveys:unlink", on=lambda world: {**of_closed(world), "action": 0}, post=editors(302)),
    Row("surveys:pdf", on=of_closed, get=READ),
)
