"""Who may use the pages of conversations."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.conversations import services
from tests.conversations.talks import circulated, draft, planned
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Planned, draft and circulated conversations, one with a correction."""
    world.things["talk_draft"] = draft(world)
    world.things["talk_planned"] = planned(world)
    world.things["talk"] = circulated(world)
    world.things["obstacle"] = world.things["talk"].points.get(kind="obstacle")
    world.things["correction"] = services.suggest_correction(
        conversation=world.things["talk"],
        organisation=world.westmarch,
        text="It was June, not May.",
        author=world.ben,
        now=timezone.now(),
    )


def _on(name: str) -> Any:
    return lambda world: {"pk": world.things[name].pk}


#: Editors and leads of the side that keeps the record.
_KEEPERS = {
    "get": expect(inside=403, outside=404, editor=200, lead=200),
    "post": expect(inside=403, outside=404, editor=422, lead=422),
}

ROWS = (
    Row("conversations:list", get=everyone()),
    Row(
        "conversations:new",
        get=expect(inside=200, outside=403, viewer=403, stranger=200, shared=200, share_ended=200),
        post=expect(inside=404, outside=403, viewer=403, stranger=404, shared=404, share_ended=404),
    ),
    Row("conversations:detail", on=_on("talk"), get=expect(inside=200, outside=404)),
    Row("conversations:edit", on=_on("talk"), **_KEEPERS),
    Row(
        "conversations:circulate",
        on=_on("talk_draft"),
        get=expect(inside=403, outside=404, editor=200, lead=200, partner=404),
        post=expect(inside=403, outside=404, editor=302, lead=302, partner=404),
    ),
    Row("conversations:cancel", on=_on("talk_planned"), **_KEEPERS),
    Row(
        "conversations:correct",
        on=_on("talk"),
        get=expect(inside=403, outside=404, partner=200),
        post=expect(inside=403, outside=404, partner=422),
    ),
    Row(
        "conversations:agree",
        on=_on("talk"),
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row(
        "conversations:note",
        on=_on("talk"),
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row("conversations:answer", on=_on("correction"), **_KEEPERS),
    Row("conversations:close", on=_on("obstacle"), **_KEEPERS),
    Row("conversations:become", on=_on("obstacle"), **_KEEPERS),
)
