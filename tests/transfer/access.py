"""Who may open the pages on which an authority's staff import its own files."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.transfer.services.files import File
from partnerships.transfer.services.registers import receive_list
from tests.support.access import Row, expect
from tests.world import World

#: A good row, which belongs to the authority of the upload, and a row with a bad location.
SITES = b"SiteReference,SiteNameAddress,GeoX,GeoY\nB/1,Old Mill,-1.18,50.85\nB/2,Gas Works,far,away\n"


def prepare(world: World) -> None:
    """Upload brownfield land of Westmarch as Ben, one of its leads."""
    world.things["own_files"] = receive_list(
        register="brownfield-land",
        files=[File("sites.csv", SITES)],
        author=world.ben,
        now=timezone.now(),
        organisation=world.westmarch,
    )


def _arguments_of_westmarch(**more: Any) -> Any:
    return lambda world: {"pk": world.westmarch.pk, **more}


def _arguments_of_run(world: World) -> dict[str, Any]:
    return {"pk": world.things["own_files"].pk}


_STAFF = expect(inside=403, outside=403, partner=200)
_OWN_RUN = expect(inside=404, outside=404, partner=200)
_REDIRECTED = expect(inside=404, outside=404, partner=302)

ROWS = (
    Row("transfer:own", on=_arguments_of_westmarch(), get=_STAFF),
    *(
        Row(
            "transfer:own-upload",
            on=_arguments_of_westmarch(register=register),
            query=f"?{register}",
            get=_STAFF,
            post=expect(inside=403, outside=403, partner=422),
        )
        for register in ("local-plans", "developer-agreements", "brownfield-land")
    ),
    Row("transfer:own-run", on=_arguments_of_run, get=_OWN_RUN),
    Row("transfer:own-headings", on=_arguments_of_run, get=_OWN_RUN, post=expect(inside=404, outside=404, partner=422)),
    Row("transfer:own-set-aside", on=_arguments_of_run, get=_OWN_RUN),
    Row("transfer:own-apply", on=_arguments_of_run, post=_REDIRECTED),
    Row("transfer:own-discard", on=_arguments_of_run, post=_REDIRECTED),
)
