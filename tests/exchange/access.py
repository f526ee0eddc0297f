"""Who may open each page of asks and offers."""

from __future__ import annotations

from typing import Any

from partnerships.exchange import services
from partnerships.exchange.models import Audience, Direction
from tests.exchange.conftest import draft, shared_entry
from tests.support.access import Expected, Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Store the records that the pages below are about in `world.things`: asks, an offer, answers and a question."""
    now = world.now
    partnership = {"audience": Audience.PARTNERSHIP, "partnership": world.partnership}
    ask = shared_entry(world.larkhaven, world.amina, now, **partnership)
    world.things["ask"] = ask
    world.things["entry_facilitator"] = services.name_entry_facilitator(
        entry=ask, organisation=world.westmarch, person=world.ben, author=world.amina, now=now
    )
    world.things["draft ask"] = draft(world.larkhaven, world.amina, now)
    world.things["offer"] = shared_entry(world.westmarch, world.ben, now, direction=Direction.OFFER, **partnership)
    world.things["response"] = services.respond(
        entry=ask, organisation=world.westmarch, text="Twenty.", quantity=20, author=world.ben, now=now
    )
    school_ask = shared_entry(world.larkhaven, world.amina, now, title="Land for a school", **partnership)
    school_answer = services.respond(
        entry=school_ask, organisation=world.westmarch, text="Yes.", author=world.ben, now=now
    )
    world.things["accepted response"] = services.decide_response(
        response=school_answer, accept=True, reason="", author=world.amina, now=now
    )
    world.things["question"] = services.ask_question(
        entry=ask, organisation=world.westmarch, text="By when?", author=world.ben, now=now
    )


def _on(name: str) -> Any:
    """Return a function that finds the id of this thing for the URL."""
    return lambda world: {"pk": world.things[name].pk}


def _own(*, viewer: int, partner: int, own: int) -> Expected:
    """Return what people get from a page of the entry's own organisation, which the partner can only read."""
    return expect(inside=own, outside=404, viewer=viewer, partner=partner)


def _asked(partner: int) -> Expected:
    """Return what people get from a page of an asked organisation, which the asking side can only read."""
    return expect(inside=403, outside=404, partner=partner)


_DRAFT = expect(inside=200, outside=404, partner=404)

ROWS = (
    Row("exchange:board", get=everyone()),
    Row("exchange:list", get=everyone()),
    Row("exchange:ours", get=everyone()),
    Row("exchange:export", get=everyone()),
    Row("exchange:matches", get=everyone()),
    Row("exchange:saved", get=everyone(302)),
    Row(
        "exchange:new",
        get=expect(inside=200, outside=200, viewer=403, left=403, administrator=403),
        post=expect(inside=422, outside=422, viewer=403, left=403, administrator=403),
    ),
    Row("exchange:detail", on=_on("ask"), get=expect(inside=200, outside=404)),
    Row("exchange:detail", on=_on("draft ask"), get=_DRAFT, query="?draft"),
    Row(
        "exchange:stakeholders",
        on=_on("ask"),
        post=expect(inside=403, outside=404, lead=302, partner=302),
    ),
    Row("exchange:entry-matches", on=_on("ask"), get=expect(inside=200, outside=404)),
    Row(
        "exchange:edit",
        on=_on("ask"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row("exchange:share", on=_on("draft ask"), post=_own(viewer=403, partner=404, own=302)),
    Row(
        "exchange:agreed",
        on=_on("ask"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row(
        "exchange:withdraw",
        on=_on("ask"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row(
        "exchange:name-facilitator",
        on=_on("ask"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row(
        "exchange:end-facilitator",
        on=_on("entry_facilitator"),
        get=_own(viewer=403, partner=200, own=200),
        post=_own(viewer=403, partner=422, own=422),
    ),
    Row(
        "exchange:meet",
        on=_on("ask"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row("exchange:acknowledge", on=_on("ask"), post=_asked(302)),
    Row("exchange:respond", on=_on("ask"), get=_asked(200), post=_asked(422)),
    Row("exchange:decline", on=_on("ask"), get=_asked(200), post=_asked(422)),
    Row("exchange:refer", on=_on("ask"), get=_asked(200), post=_asked(422)),
    Row("exchange:ask-question", on=_on("ask"), get=_asked(200), post=_asked(422)),
    Row(
        "exchange:answer-question",
        on=_on("question"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row(
        "exchange:decide",
        on=_on("response"),
        get=_own(viewer=403, partner=403, own=200),
        post=_own(viewer=403, partner=403, own=422),
    ),
    Row(
        "exchange:start-group",
        on=_on("accepted response"),
        get=expect(inside=403, outside=404, lead=200, partner=200),
        post=expect(inside=403, outside=404, lead=422, partner=422),
    ),
    Row(
        "exchange:withdraw-response",
        on=_on("response"),
        get=expect(inside=403, outside=404, partner=200),
        post=expect(inside=403, outside=404, partner=422),
    ),
    Row(
        "exchange:introduce",
        on=lambda world: {"pk": world.things["ask"].pk, "other": world.things["offer"].pk},
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "exchange:dismiss-match",
        on=lambda world: {"pk": world.things["ask"].pk, "other": world.things["offer"].pk},
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
)
