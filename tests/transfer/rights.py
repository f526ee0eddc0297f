"""Who may call the services of imports: administrators of the directory and, for own files, the authority's staff."""

from __future__ import annotations

import json

from django.utils import timezone

from partnerships.organisations.models import Area, Organisation
from partnerships.organisations.services import create_organisation
from partnerships.people.models import User
from partnerships.transfer.models import Answer, Doubt, ImportRun
from partnerships.transfer.services.brownfield_land.importing import import_brownfield_land
from partnerships.transfer.services.developer_agreements.importing import import_developer_agreements
from partnerships.transfer.services.directory_files import load_directory
from partnerships.transfer.services.files import File
from partnerships.transfer.services.housing_figures.shipped import FIGURES, load_figures
from partnerships.transfer.services.local_plans import import_local_plans
from partnerships.transfer.services.network import load_network
from partnerships.transfer.services.pending import load_pending
from partnerships.transfer.services.registers import (
    answer_doubt,
    apply_preview,
    check_list,
    confirm_headings,
    discard_preview,
    import_register,
    preview_register,
    queue_import,
    receive_list,
)
from tests.support.rights import ADMINISTRATOR, NO_WRITES, PARTNER, PARTNER_EDITORS, Row
from tests.transfer.access import SITES
from tests.transfer.lists import COUNCILS, import_list
from tests.transfer.test_brownfield_land import REGISTER
from tests.transfer.test_developer_agreements import AGREEMENTS, CONTRIBUTIONS, TRANSACTIONS
from tests.transfer.test_directory_files import DIRECTORY
from tests.transfer.test_local_plans import PLANS, TIMETABLE
from tests.transfer.test_network_files import SMALL
from tests.world import World


def _councils(world: World) -> ImportRun:
    return import_list("councils", COUNCILS)


def _create_county(world: World) -> Organisation:
    """Create the county that divides; its districts are not in the directory."""
    return create_organisation(
        name="Surrey County Council",
        kind="council",
        identifiers=[("gss", "E10000030")],
        author=None,
        now=timezone.now(),
    )


def _create_areas_of_figures(world: World) -> None:
    """Create the areas of the figures that come with the project."""
    codes = {line[:9] for line in (FIGURES / "net-additions_2025-11-20.csv").read_text().splitlines()[1:]}
    Area.objects.bulk_create([Area(code=code, name=code, kind="district") for code in codes], ignore_conflicts=True)


def _preview(world: World) -> ImportRun:
    return preview_register(
        register="councils", file=File("list.csv", COUNCILS.encode()), author=world.dee, now=timezone.now()
    )


def _upload_unchecked_list(world: World) -> ImportRun:
    """Upload a list that a worker has not checked yet."""
    run = _preview(world)
    ImportRun.objects.filter(pk=run.pk).update(status="checking")
    return run


def _doubt(world: World) -> Doubt:
    """Return a row that names one council under the code of another."""
    _councils(world)
    import_list("councils", "LAD25CD,LAD25NM\nE07900001,Mere\n", accept_missing=True)
    return Doubt.objects.get(register="councils")


#: The small network without memberships, for which a named author needs a reason, and without anything that needs them.
NETWORK = {
    name: value for name, value in SMALL.items() if not isinstance(value, list) or name in ("organisations", "people")
}


def _upload_own_files(world: World, author: User | None = None) -> ImportRun:
    """Upload brownfield land of Westmarch, which Ben leads, without importing it."""
    return receive_list(
        register="brownfield-land",
        files=[File("sites.csv", SITES)],
        author=author,
        now=timezone.now(),
        organisation=world.westmarch,
    )


def _upload_unchecked_own_files(world: World) -> ImportRun:
    run = _upload_own_files(world)
    ImportRun.objects.filter(pk=run.pk).update(status="checking")
    return run


#: Services for own files, which editors and leads may upload, and only leads may import.
OWN = (
    Row(
        "transfer.receive_list",
        lambda world, author, _: _upload_own_files(world, author),
        PARTNER_EDITORS,
        situation="own files",
    ),
    Row(
        "transfer.check_list",
        lambda world, author, run: check_list(run=run, author=author, now=timezone.now()),
        PARTNER_EDITORS,
        prepare=_upload_unchecked_own_files,
        situation="own files",
    ),
    Row(
        "transfer.queue_import",
        lambda world, author, run: queue_import(run=run, author=author, now=timezone.now()),
        PARTNER,
        prepare=_upload_own_files,
        situation="own files",
    ),
    Row(
        "transfer.apply_preview",
        lambda world, author, run: apply_preview(run=run, author=author, now=timezone.now()),
        PARTNER,
        prepare=_upload_own_files,
        situation="own files",
    ),
    Row(
        "transfer.discard_preview",
        lambda world, author, run: discard_preview(run=run, author=author, now=timezone.now()),
        PARTNER_EDITORS,
        prepare=_upload_own_files,
        situation="own files",
    ),
    Row(
        "transfer.confirm_headings",
        lambda world, author, run: confirm_headings(
            run=run,
            publisher="",
            headings={"reference": "SiteReference", "name": "SiteNameAddress", "x": "GeoX", "y": "GeoY"},
            author=author,
            now=timezone.now(),
        ),
        PARTNER_EDITORS,
        prepare=_upload_own_files,
        situation="own files",
    ),
)

ROWS = (
    *OWN,
    Row(
        "transfer.import_register",
        lambda world, author, _: import_register(
            register="councils", file=File("list.csv", COUNCILS.encode()), author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "transfer.preview_register",
        lambda world, author, _: preview_register(
            register="councils", file=File("list.csv", COUNCILS.encode()), author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "transfer.apply_preview",
        lambda world, author, run: apply_preview(run=run, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_preview,
    ),
    Row(
        "transfer.receive_list",
        lambda world, author, _: receive_list(
            register="councils", files=[File("list.csv", COUNCILS.encode())], author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "transfer.check_list",
        lambda world, author, run: check_list(run=run, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_upload_unchecked_list,
    ),
    Row(
        "transfer.queue_import",
        lambda world, author, run: queue_import(run=run, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_preview,
    ),
    Row(
        "transfer.discard_preview",
        lambda world, author, run: discard_preview(run=run, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_preview,
    ),
    Row(
        "transfer.confirm_headings",
        lambda world, author, run: confirm_headings(
            run=run,
            publisher="Forum",
            headings={"official": "official-name", "gss": "gss-code", "key": "local-authority-code"},
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_preview,
    ),
    Row(
        "transfer.answer_doubt",
        lambda world, author, doubt: answer_doubt(
            doubt=doubt, answer=Answer.LEAVE_OUT, reason="A slip in the list.", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_doubt,
    ),
    Row(
        "transfer.import_local_plans",
        lambda world, author, _: import_local_plans(
            plans=File("local-plan.csv", PLANS.encode()),
            timetable=File("local-plan-timetable.csv", TIMETABLE.encode()),
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_councils,
    ),
    Row(
        "transfer.import_developer_agreements",
        lambda world, author, _: import_developer_agreements(
            agreements=File("a.csv", AGREEMENTS.encode()),
            contributions=File("c.csv", CONTRIBUTIONS.encode()),
            transactions=File("t.csv", TRANSACTIONS.encode()),
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
        prepare=_councils,
    ),
    Row(
        "transfer.import_brownfield_land",
        lambda world, author, _: import_brownfield_land(
            file=File("brownfield-land.csv", REGISTER), author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
        prepare=_councils,
    ),
    Row(
        "transfer.load_network",
        lambda world, author, _: load_network(
            data=json.dumps(NETWORK).encode(),
            file_name="small.json",
            author=author,
            now=timezone.now(),
        ),
        ADMINISTRATOR,
    ),
    Row(
        "transfer.load_directory",
        lambda world, author, _: load_directory(
            data=json.dumps(DIRECTORY).encode(), file_name="small.json", author=author, now=timezone.now()
        ),
        ADMINISTRATOR,
    ),
    Row(
        "transfer.load_figures",
        lambda world, author, _: load_figures(author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_create_areas_of_figures,
    ),
    Row(
        "transfer.load_pending",
        lambda world, author, _: load_pending(author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_create_county,
    ),
    Row(
        "transfer.load_pending",
        lambda world, author, _: load_pending(author=author, now=timezone.now()),
        ADMINISTRATOR,
        situation="of councils that the directory lacks",
        result=NO_WRITES,
    ),
)

_INSIDE = "part of an import, inside its transaction"
WITHOUT_A_PERSON = {
    "transfer.apply_council_answer": _INSIDE,
    "transfer.apply_councils": _INSIDE,
    "transfer.apply_housing_figures": _INSIDE,
    "transfer.apply_waiting": "a worker's; each import asks for the rights of who wanted it",
    "transfer.check_again": _INSIDE,
    "transfer.column_key": "reads only",
    "transfer.directory_text": "reads only",
    "transfer.update_area_of_code": _INSIDE,
    "transfer.last_line": "reads only",
    "transfer.new_run": _INSIDE,
    "transfer.proposals_for": "reads only",
    "transfer.publishers_of": "reads only",
    "transfer.refuse_unusable": "reads only",
    "transfer.record_import": _INSIDE,
}
