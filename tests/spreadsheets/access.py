"""Who may use the pages of spreadsheets."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.spreadsheets.services import upload_spreadsheet
from partnerships.spreadsheets.services.kinds import Target
from tests.support.access import Row, expect
from tests.world import World

#: The plan is one of the records of plans.
AFTER_OTHERS = True

ROWS_OF_SITES = b"Reference,Site name,Planning status\nSQ1,South Quay,Allocated\nSQ2,Mill Lane,Sold\n"


def prepare(world: World) -> None:
    """Make Amina's upload of sites; one row is set aside."""
    world.things["upload"] = upload_spreadsheet(
        kind="sites",
        target=Target(plan=world.things["plan"]),
        data=ROWS_OF_SITES,
        file_name="sites.csv",
        author=world.amina,
        now=timezone.now(),
    )


def _plan(**more: Any) -> Any:
    return lambda world: {"record": "plan", "pk": world.things["plan"].pk, **more}


def _partnership(**more: Any) -> Any:
    return lambda world: {"record": "partnership", "pk": world.partnership.pk, **more}


def _larkhaven(**more: Any) -> Any:
    return lambda world: {"record": "organisation", "pk": world.larkhaven.pk, **more}


def _upload(world: World) -> dict[str, Any]:
    return {"pk": world.things["upload"].pk}


#: Readers of the published plan. Nadia has a share of the draft only.
_READ = expect(inside=200, outside=404)
#: Editors and leads of the owner.
_EDIT = expect(inside=403, outside=404, editor=200, lead=200)
#: Larkhaven's people.
_OWN_PEOPLE = expect(inside=200, outside=404, partner=404)
#: Only the person who uploaded it.
_OWN = expect(inside=404, outside=404, lead=200)
_MOVED = expect(inside=404, outside=404, lead=302)

ROWS = (
    Row("spreadsheets:record", on=_plan(), get=_READ),
    *(
        Row(
            "spreadsheets:new",
            on=_plan(kind=kind),
            get=_EDIT,
            post=expect(inside=403, outside=404, editor=422, lead=422),
        )
        for kind in ("sites", "homes", "milestones")
    ),
    Row(
        "spreadsheets:new",
        on=_plan(kind="homes"),
        query="?site=north-quay",
        get=_EDIT,
        post=_EDIT | {"editor": 422, "lead": 422},
    ),
    *(
        Row(
            "spreadsheets:new",
            on=_partnership(kind=kind),
            query=f"?{kind}",
            get=expect(inside=200, outside=404, viewer=403),
            post=expect(inside=422, outside=404, viewer=403),
        )
        for kind in ("commitments", "entries", "contacts", "stakeholders")
    ),
    Row("spreadsheets:record", on=_partnership(), query="?partnership", get=expect(inside=200, outside=404)),
    Row("spreadsheets:record", on=_larkhaven(), query="?organisation", get=_OWN_PEOPLE),
    Row("spreadsheets:export", on=_larkhaven(kind="contacts", form="csv"), query="?contacts", get=_OWN_PEOPLE),
    Row("spreadsheets:template", on=_plan(kind="sites", form="xlsx"), get=_EDIT),
    Row("spreadsheets:export", on=_plan(kind="sites", form="csv"), get=_READ),
    Row("spreadsheets:export", on=_plan(kind="milestones", form="xlsx"), get=_READ),
    Row("spreadsheets:upload", on=_upload, get=_OWN),
    Row("spreadsheets:headings", on=_upload, get=_OWN, post=expect(inside=404, outside=404, lead=422)),
    Row("spreadsheets:set-aside", on=_upload, get=_OWN),
    Row("spreadsheets:import", on=_upload, post=_MOVED),
    Row("spreadsheets:discard", on=_upload, post=_MOVED),
)
