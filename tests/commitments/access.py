"""Who may open each page of commitments."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from partnerships.commitments import services
from tests.commitments.promises import agree, done_commitment, propose
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Make a proposed, an agreed and a done commitment, and a file of evidence."""
    world.things["proposed"] = propose(world)
    world.things["agreed"] = agree(world)
    world.things["done"] = done_commitment(world)
    world.things["evidence"] = services.attach_evidence(
        commitment=world.things["agreed"],
        file=SimpleUploadedFile("handover.txt", b"Block B handed over."),
        author=world.eddie,
        now=timezone.now(),
    )


def _commitment_arguments(name: str, **more: str) -> Any:
    return lambda world: {"pk": world.things[name].pk, **more}


def _evidence_arguments(world: World) -> dict[str, Any]:
    """Return the arguments of the URL of the evidence, after saving its file if it is missing."""
    file = world.things["evidence"].file
    if not file.storage.exists(file.name):
        file.storage.save(file.name, ContentFile(b"Block B handed over."))
    return {"pk": world.things["evidence"].pk}


_READ = expect(inside=200, outside=404)
#: Pages for leads of the giver.
_GIVER_LEADS = {"get": expect(inside=403, outside=404, lead=200), "post": expect(inside=403, outside=404, lead=422)}
#: Pages for leads of the receiver.
_RECEIVER_LEADS = {
    "get": expect(inside=403, outside=404, partner=200),
    "post": expect(inside=403, outside=404, partner=422),
}
#: Pages for editors and leads of the giver.
_GIVER_EDITORS = {
    "get": expect(inside=403, outside=404, editor=200, lead=200),
    "post": expect(inside=403, outside=404, editor=422, lead=422),
}
#: The button for leads of the parties.
_PARTIES_LEADS = expect(inside=403, outside=404, lead=302, partner=302)
#: Pages for editors and leads of giver and receiver.
_EDITORS_OF_BOTH = {
    "get": expect(inside=200, outside=404, viewer=403),
    "post": expect(inside=422, outside=404, viewer=403),
}

ROWS = (
    Row("commitments:list", get=everyone()),
    Row("commitments:reminders", get=everyone(302)),
    Row(
        "commitments:new",
        get=expect(inside=200, outside=403, viewer=403, stranger=200, shared=200, share_ended=200),
        post=expect(inside=422, outside=403, viewer=403, stranger=422, shared=422, share_ended=422),
    ),
    Row(
        "commitments:new",
        query="?from=nothing-1",
        get=expect(inside=404, outside=403, viewer=403, stranger=404, shared=404, share_ended=404),
        post=expect(inside=404, outside=403, viewer=403, stranger=404, shared=404, share_ended=404),
    ),
    Row("commitments:detail", on=_commitment_arguments("proposed"), get=_READ),
    Row("commitments:edit", on=_commitment_arguments("proposed"), **_EDITORS_OF_BOTH),
    Row("commitments:confirm", on=_commitment_arguments("proposed", side="giving"), **_GIVER_LEADS),
    Row("commitments:confirm", on=_commitment_arguments("proposed", side="receiving"), **_RECEIVER_LEADS),
    Row("commitments:progress", on=_commitment_arguments("agreed"), **_GIVER_EDITORS),
    Row("commitments:due-date", on=_commitment_arguments("agreed"), **_GIVER_EDITORS),
    Row("commitments:owner", on=_commitment_arguments("agreed"), **_GIVER_EDITORS),
    Row("commitments:escalate", on=_commitment_arguments("agreed"), **_EDITORS_OF_BOTH),
    Row("commitments:verify", on=_commitment_arguments("done"), **_RECEIVER_LEADS),
    Row(
        "commitments:end",
        on=_commitment_arguments("agreed"),
        get=expect(inside=403, outside=404, lead=200, partner=200),
        post=expect(inside=403, outside=404, lead=422, partner=422),
    ),
    Row("commitments:stakeholders", on=_commitment_arguments("agreed"), post=_PARTIES_LEADS),
    Row("commitments:attach", on=_commitment_arguments("agreed"), **_GIVER_EDITORS),
    Row("commitments:evidence", on=_evidence_arguments, get=_READ),
    Row(
        "commitments:remove",
        on=_commitment_arguments("evidence"),
        get=expect(inside=403, outside=404, editor=200, lead=200),
        post=expect(inside=403, outside=404, editor=302, lead=302),
    ),
)
