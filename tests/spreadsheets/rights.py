"""The people who may call each service of spreadsheets."""

from __future__ import annotations

from django.utils import timezone

from partnerships.people.models import User
from partnerships.plans.models import Plan
from partnerships.spreadsheets import services
from partnerships.spreadsheets.models import Upload
from partnerships.spreadsheets.services.kinds import Target
from tests.plans.drafts import begin
from tests.support.rights import EDITORS, LEAD, Row
from tests.world import World

SITES = b"Reference,Name\nSQ1,South Quay\n"


def _upload(plan: Plan, author: User) -> Upload:
    return services.upload_spreadsheet(
        kind="sites",
        target=Target(plan=plan),
        data=SITES,
        file_name="sites.csv",
        author=author,
        now=timezone.now(),
    )


def _preview_of_amina(world: World) -> Upload:
    """Return a preview of Amina, which only she may import."""
    return _upload(begin(world, title="Quays programme"), world.amina)


ROWS = (
    Row("spreadsheets.upload_spreadsheet", lambda world, author, plan: _upload(plan, author), EDITORS, prepare=begin),
    Row(
        "spreadsheets.ask_to_import",
        lambda world, author, upload: services.ask_to_import(upload=upload, author=author, now=timezone.now()),
        LEAD,
        prepare=_preview_of_amina,
    ),
    Row(
        "spreadsheets.import_upload",
        lambda world, author, upload: services.import_upload(upload=upload, author=author, now=timezone.now()),
        EDITORS,
        prepare=_preview_of_amina,
    ),
    Row(
        "spreadsheets.confirm_headings",
        lambda world, author, upload: services.confirm_headings(
            upload=upload, headings={"name": "Name"}, author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_preview_of_amina,
    ),
    Row(
        "spreadsheets.discard_upload",
        lambda world, author, upload: services.discard_upload(upload=upload, author=author, now=timezone.now()),
        LEAD,
        prepare=_preview_of_amina,
    ),
)

WITHOUT_A_PERSON = {
    "spreadsheets.preview_upload": "part of an upload; it asks for the rights of its author and changes nothing",
    "spreadsheets.heading_proposals": "reads only",
    "spreadsheets.kinds_of": "reads only",
    "spreadsheets.may_import": "says what a person may; the services that import ask it",
    "spreadsheets.remembered_for": "reads only",
    "spreadsheets.content_to_export": "reads only, as far as the person may read",
    "spreadsheets.upload_table": "reads the file of an upload, whose services asked for the rights of its author",
    "spreadsheets.process_waiting_uploads": "a worker's; each upload asks for the rights of who uploaded it",
}
