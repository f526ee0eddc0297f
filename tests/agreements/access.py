"""Access table of partnership pages."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile

from partnerships.agreements.services import add_document, invite_organisation
from tests.support.access import Row, everyone, expect
from tests.world import World


def prepare(world: World) -> None:
    """Add a document of Larkhaven and an invitation to Riverside Design.

    Nadia leads Riverside Design.
    """
    world.things["agreement_document"] = add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=world.now,
    )
    world.things["invited_party"] = invite_organisation(
        partnership=world.other_partnership,
        organisation=world.larkhaven,
        role="member",
        author=world.chidi,
        now=world.now,
    )


def estuary(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk}


def westmarchs_part(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "party": world.party(world.westmarch).pk}


def larkhavens_part(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "party": world.party(world.larkhaven).pk}


def invitation(world: World) -> dict[str, Any]:
    return {"pk": world.other_partnership.pk, "party": world.things["invited_party"].pk}


def document(world: World) -> dict[str, Any]:
    kept = world.things["agreement_document"]
    if not kept.file.storage.exists(kept.file.name):  # each test stores its files in a place of its own
        kept.file.storage.save(kept.file.name, ContentFile(b"What we agreed."))
    return {"pk": world.partnership.pk, "document": kept.pk}


INSIDE = expect(inside=200, outside=404)
#: The chair's lead only.
CHAIR = expect(inside=403, outside=404, lead=200)
CHAIR_POST = expect(inside=403, outside=404, lead=422)

ROWS = (
    Row("agreements:list", get=everyone()),
    Row("agreements:list", query="?mine=on&q=estuary", get=everyone()),
    Row(
        "agreements:create",
        get=expect(inside=403, outside=403, lead=200, partner=200, stranger=200, shared=200),
        post=expect(inside=403, outside=403, lead=422, partner=422, stranger=422, shared=422),
    ),
    Row("agreements:detail", on=estuary, get=INSIDE),
    Row("agreements:members", on=estuary, get=INSIDE),
    Row("agreements:documents", on=estuary, get=INSIDE),
    Row("agreements:history", on=estuary, get=INSIDE),
    Row("agreements:edit", on=estuary, get=CHAIR, post=CHAIR_POST),
    Row("agreements:status", on=estuary, get=CHAIR, post=CHAIR_POST),
    Row("agreements:invite", on=estuary, query="?q=tide", get=CHAIR, post=CHAIR_POST),
    Row("agreements:party-role", on=westmarchs_part, get=CHAIR, post=CHAIR_POST),
    Row("agreements:party-remove", on=westmarchs_part, get=CHAIR, post=CHAIR_POST),
    Row("agreements:leave", on=larkhavens_part, get=CHAIR, post=CHAIR_POST),
    Row(
        "agreements:answer",
        on=invitation,
        get=expect(inside=403, outside=404, lead=200, partner=404, stranger=403),
        post=expect(inside=403, outside=404, lead=422, partner=404, stranger=403),
    ),
    Row(
        "agreements:document-add",
        on=estuary,
        get=expect(inside=200, outside=404, viewer=403),
        post=expect(inside=422, outside=404, viewer=403),
    ),
    Row("agreements:document-download", on=document, get=INSIDE),
    Row(
        "agreements:document-remove",
        on=document,
        get=expect(inside=403, outside=404, editor=200, lead=200),
        post=expect(inside=403, outside=404, editor=302, lead=302),
    ),
)
