"""Who may open each page of lists."""

from __future__ import annotations

from typing import Any

from django.http import QueryDict
from django.utils import timezone

from partnerships.kit.lists import find_list
from partnerships.lists import services
from partnerships.lists.reading import read
from tests.support.access import Row, everyone, expect
from tests.world import World

#: Other rooms prepare their records first. The file can be downloaded only while Amina's rights do not change.
AFTER_OTHERS = True


def prepare(world: World) -> None:
    """Save a view of Amina's, share it with Larkhaven, and make a file for her."""
    view = services.save_view(
        person=world.amina, kind="commitments", name="Late", state={"filters": {"standing": ["overdue"]}}, now=world.now
    )
    definition = find_list("commitments")
    assert definition is not None
    listing = read(definition, world.amina, QueryDict(""))
    now = timezone.now()  # a file is kept for a day
    world.things["list_file"] = services.request_file(listing=listing, file_format="csv", person=world.amina, now=now)
    services.make_files(now=now)
    world.things["view"] = services.share_view(view=view, person=world.amina, shared_with=world.larkhaven, now=now)


def _csv(world: World) -> dict[str, Any]:
    return {"kind": "commitments", "form": "csv"}


def _file(world: World) -> dict[str, Any]:
    return {"pk": world.things["list_file"].pk}


def _view(world: World) -> dict[str, Any]:
    return {"pk": world.things["view"].pk}


_READERS = expect(inside=302, outside=404, partner=404)
#: Colleagues of the owner may open the view, but not change it.
_OWNER = expect(inside=403, outside=404, partner=404, lead=200)

ROWS = (
    Row("lists:views", get=everyone()),
    Row("lists:make-file", on=_csv, get=everyone(), post=everyone(302)),
    Row("lists:file", on=_file, get=expect(inside=404, outside=404, lead=200)),
    Row("lists:file-download", on=_file, get=expect(inside=404, outside=404, lead=200)),
    Row("lists:file-remove", on=_file, post=expect(inside=404, outside=404, lead=302)),
    Row(
        "lists:bulk",
        on=lambda world: {"kind": "commitments"},
        query="?action=follow&rows=999999999",
        get=everyone(),
        post=everyone(422),
    ),
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
