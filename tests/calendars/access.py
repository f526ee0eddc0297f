"""Who may open each page of calendars, and each calendar by its secret address."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.calendars.services import make_address
from partnerships.kit.calendars import CalendarKind
from partnerships.lists.services import save_view
from tests.support.access import Row, everyone, expect, public
from tests.world import World


def prepare(world: World) -> None:
    """Create Amina's calendar of the Estuary Partnership, and a view of hers."""
    world.things["calendar_view"] = save_view(
        person=world.amina, kind="meetings", name="Dated", state={"filters": {}}, now=timezone.now()
    )
    world.things["calendar_secret"] = make_address(
        person=world.amina,
        partnership=world.partnership,
        kinds=CalendarKind.values,
        author=world.amina,
        now=timezone.now(),
    ).secret


def _partnership(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk}


ROWS = (
    Row("calendars:index", get=everyone()),
    Row("calendars:own", get=everyone(), post=everyone(422)),
    Row(
        "calendars:partnership",
        on=_partnership,
        get=expect(inside=200, outside=404),
        post=expect(inside=422, outside=404),
    ),
    Row(
        "calendars:view",
        on=lambda world: {"pk": world.things["calendar_view"].pk},
        get=expect(inside=404, outside=404, lead=200),
        post=expect(inside=404, outside=404, lead=200),
    ),
    # Anyone who has an address can read it: it is a secret of its owner.
    Row("calendars:feed", on=lambda world: {"token": world.things["calendar_secret"]}, get=public()),
    Row("calendars:feed", on=lambda world: {"token": "unknown"}, query="?unknown", get=public(404)),
)
