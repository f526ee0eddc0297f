"""Who gets what at each URL of lists."""

from __future__ import annotations

from typing import Any

from partnerships.lists import services
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """A view of Amina's, which Larkhaven shares."""
    view = services.save_view(
        person=world.amina, kind="commitments", name="Late", state={"filters": {"standing": ["overdue"]}}, now=world.now
    )
    world.things["view"] = services.share_view(view=view, person=world.amina, shared_with=world.larkhaven)


def _view(world: World) -> dict[str, Any]:
    return {"pk": world.things["view"].pk}


_READERS = expect(inside=302, outside=404, partner=404)
#: Colleagues may open it and not change it.
_OWNER = expect(inside=403, outside=404, partner=404, lead=200)

ROWS = (
    Row("lists:views", get=everyone()),
    Row("lists:save", on=lambda world: {"kind": "commitments"}, get=everyone(), post=everyone(422)),
    Row("lists:export", on=lambda world: {"kind": "commitments", "form": "xlsx"}, get=everyone()),
    Row("lists:no-default", on=lambda world: {"kind": "commitments"}, post=everyone(302)),
    Row("lists:default", on=_view, post=_READERS),
    Row("lists:follow", on=_view, post=_READERS),
    Row("lists:unfollow", on=_view, post=_READERS),
    Row("lists:view", on=_view, get=_OWNER, post=expect(inside=403, outside=404, partner=404, lead=422)),
    Row("lists:share", on=_view, get=_OWNER, post=expect(inside=403, outside=404, partner=404, lead=302)),
    Row("lists:remove", on=_view, get=_OWNER, post=expect(inside=403, outside=404, partner=404, lead=302)),
)
