"""Who may open each page of spreadsheets."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.spreadsheets.services import upload_spreadsheet
from partnerships.spreadsheets.services.kinds import Target
from tests.support.access import Row, expect
from tests.world import World

#: Prepare this world after the others, because the plan is made by the access table of plans.
AFTER_OTHERS = True

ROWS_OF_SITES = b"Reference,Site name,Planning status\nSQ1,South Quay,Allocated\nSQ2,Mill Lane,Sold\n"


def prepare(world: World) -> None:
    """Upload sites as Amina. One of the rows is set aside."""
    world.things["upload"] = upload_spreadsheet(
        kind="sites",
        target=Target(plan=world.things["plan"]),
        data=ROWS_OF_SITES,
        file_name="sites.csv",
        author=world.amina,
        now=timezone.now(),
    )


def _plan_arguments(**more: Any) -> Any:
    return lambda world: {"record": "plan", "pk": world.things["plan"].pk, **more}


def _partnership_arguments(**more: Any) -> Any:
    return lambda world: {"record": "partnership", "pk": world.partnership.pk, **more}


def _larkhaven_arguments(**more: Any) -> Any:
    return lambda world: {"record": "organisation", "pk": world.larkhaven.pk, **more}


def _upload_arguments(world: World) -> dict[str, Any]:
    return {"pk": world.things["upload"].pk}


#: The statuses for readers of the published plan. Nadia may read only the draft, which is shared with her.
_READ = expect(inside=200, outside=404)
#: The statuses for editors and leads of the owner.
_EDIT = expect(inside=403, outside=404, editor=200, lead=200)
#: The statuses for people of Larkhaven.
_OWN_PEOPLE = expect(inside=200, outside=404, partner=404)
#: The statuses for the person who uploaded the spreadsheet.
_OWN = expect(inside=404, outside=404, lead=200)
_MOVED = expect(inside=404, outside=404, lead=302)

ROWS = (
    Row("spreadsheets:record", on=_plan_arguments(), get=_READ),
    *(
        Row(
            "spreadsheets:new",
            on=_plan_arguments(kind=kind),
            get=_EDIT,
            post=expect(inside=403, outside=404, editor=422, lead=422),
        )
        for kind in ("sites", "homes", "milestones")
    ),
    Row(
        "spreadsheets:new",
        on=_plan_arguments(kind="homes"),
        query="?site=north-quay",
        get=_EDIT,
        post=_EDIT | {"editor": 422, "lead": 422},
    ),
    *(
        Row(
            "spreadsheets:new",
            on=_partnership_arguments(kind=kind),
            query=f"?{kind}",
            get=expect(inside=200, outside=404, viewer=403),
            post=expect(inside=422, outside=404, viewer=403),
        )
        for kind in ("commitments", "entries", "contacts", "stakeholders")
    ),
    Row("spreadsheets:record", on=_partnership_arguments(), query="?partnership", get=expect(inside=200, outside=404)),
    Row("spreadsheets:record", on=_larkhaven_arguments(), query="?organisation", get=_OWN_PEOPLE),
    Row(
        "spreadsheets:export", on=_larkhaven_arguments(kind="contacts", form="csv"), query="?contacts", get=_OWN_PEOPLE
    ),
    Row("spreadsheets:template", on=_plan_arguments(kind="sites", form="xlsx"), get=_EDIT),
    Row("spreadsheets:export", on=_plan_arguments(kind="sites", form="csv"), get=_READ),
    Row("spreadsheets:export", on=_plan_arguments(kind="milestones", form="xlsx"), get=_READ),
    Row("spreadsheets:upload", on=_upload_arguments, get=_OWN),
    Row("spreadsheets:headings", on=_upload_arguments, get=_OWN, post=expect(inside=404, outside=404, lead=422)),
    Row("spreadsheets:set-aside", on=_upload_arguments, get=_OWN),
    Row("spreadsheets:import", on=_upload_arguments, post=_MOVED),
    Row("spreadsheets:discard", on=_upload_arguments, post=_MOVED),
)
