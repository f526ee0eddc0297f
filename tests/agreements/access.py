"""Who may open each page of a partnership.

Functions named after a page or record return the keyword arguments of its address.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from partnerships.agreements.emails import contact_token
from partnerships.agreements.links import terms_token
from partnerships.agreements.models import Notice
from partnerships.agreements.services import (
    ContactDetails,
    add_document,
    add_objective,
    create_post,
    fill_post,
    invite_organisation,
    propose_amendment,
)
from tests.support.access import Row, everyone, expect, public
from tests.support.terms import agree_terms, draft, put_up
from tests.world import World


def prepare(world: World) -> None:
    """Add terms and other records of the partnership, and invite Larkhaven to another partnership."""
    _prepare_terms(world)
    _prepare_document_and_contact(world)
    _prepare_objective_and_notice(world)
    world.things["invited_party"] = invite_organisation(
        partnership=world.other_partnership,
        organisation=world.larkhaven,
        role="member",
        reason="We need them.",
        author=world.chidi,
        now=world.now,
    )


def _prepare_document_and_contact(world: World) -> None:
    """Add a document of Larkhaven, and the person who holds its post."""
    world.things["agreement_document"] = add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=world.now,
    )
    post = create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role="nominations",
        author=world.amina,
        now=world.now,
    )
    world.things["contact"] = fill_post(
        post=post,
        contact=ContactDetails(name="Sam Shore", phone="01329 555 010"),
        reason="New.",
        author=world.amina,
        now=world.now,
    )


def _prepare_objective_and_notice(world: World) -> None:
    """Add an objective, and Larkhaven's notice that it leaves in ninety days."""
    world.things["objective"] = add_objective(
        partnership=world.partnership,
        text="More homes",
        measure="Homes started",
        baseline=Decimal(0),
        baseline_on=timezone.localdate(world.now),
        target=Decimal(10),
        target_on=timezone.localdate(world.now) + dt.timedelta(days=300),
        organisation=world.larkhaven,
        author=world.amina,
        now=world.now,
    )
    world.things["notice"] = Notice.objects.create(
        partnership=world.partnership,
        organisation=world.larkhaven,
        reason="No staff.",
        last_day=timezone.localdate() + dt.timedelta(days=90),
        ends_partnership=False,
        given_by=world.amina,
        given_at=world.now,
    )


def _prepare_terms(world: World) -> None:
    """Sign the first terms, send one amendment for signature, and begin another."""
    agree_terms(world.partnership, world.amina, now=world.now)
    for text in ("We meet twice.", None):
        proposal = propose_amendment(
            partnership=world.partnership,
            organisation=world.larkhaven,
            reason="A new board.",
            author=world.amina,
            now=world.now,
        )
        if text:
            world.things["terms_version"] = put_up(
                draft(proposal, world.amina, now=world.now, text=text), world.amina, now=world.now
            )


def terms_version(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "number": world.things["terms_version"].number}


def westmarchs_paper(world: World) -> dict[str, Any]:
    return {**terms_version(world), "organisation": world.westmarch.pk}


def sent_proposal(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "number": 2}


def drafted_proposal(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "number": 3}


def clauses(world: World) -> dict[str, Any]:
    return {**drafted_proposal(world), "code": "clauses"}


def clause(world: World) -> dict[str, Any]:
    return {**clauses(world), "key": "terms"}


def bens_link(world: World) -> dict[str, Any]:
    signatory = world.things["terms_version"].signatories.get(organisation=world.westmarch)
    return {"token": terms_token(signatory, world.ben)}


def estuary(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk}


def westmarchs_part(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "party": world.party(world.westmarch).pk}


def larkhavens_part(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "party": world.party(world.larkhaven).pk}


def invitation(world: World) -> dict[str, Any]:
    return {"pk": world.other_partnership.pk, "party": world.things["invited_party"].pk}


def document(world: World) -> dict[str, Any]:
    agreement_document = world.things["agreement_document"]
    # Each test has its own storage, so the file of an earlier test is missing.
    if not agreement_document.file.storage.exists(agreement_document.file.name):
        agreement_document.file.storage.save(agreement_document.file.name, ContentFile(b"What we agreed."))
    return {"pk": world.partnership.pk, "document": agreement_document.pk}


def larkhaven_in_estuary(world: World) -> dict[str, Any]:
    return {"partnership_id": world.partnership.pk, "organisation_id": world.larkhaven.pk}


def larkhaven(world: World) -> dict[str, Any]:
    return {"organisation_id": world.larkhaven.pk}


def post(world: World) -> dict[str, Any]:
    return {"pk": world.things["contact"].post_id}


def holder(world: World) -> dict[str, Any]:
    return {"pk": world.things["contact"].pk}


def larkhavens_notice(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "notice": world.things["notice"].pk}


def objective(world: World) -> dict[str, Any]:
    return {"pk": world.partnership.pk, "objective": world.things["objective"].pk}


def commitment_link(world: World) -> dict[str, Any]:
    return objective(world) | {"provider": "commitment"}


def link(world: World) -> dict[str, Any]:
    return objective(world) | {"link": 0}


INSIDE = expect(inside=200, outside=404)
#: Only leads of the chair.
CHAIR = expect(inside=403, outside=404, lead=200)
CHAIR_POST = expect(inside=403, outside=404, lead=422)

#: Leads of both parties.
LEADS = expect(inside=403, outside=404, lead=200, partner=200)
LEADS_POST = expect(inside=403, outside=404, lead=422, partner=422)
#: People who may draft terms. Viewers do not even see the draft.
DRAFT = expect(inside=200, outside=404, viewer=404)
DRAFT_POST = expect(inside=422, outside=404, viewer=404)
DRAFT_DONE = expect(inside=302, outside=404, viewer=404)
#: Leads of the party that proposed the draft.
PROPOSER = expect(inside=403, outside=404, lead=200, viewer=404)
PROPOSER_POST = expect(inside=403, outside=404, lead=422, viewer=404)

TERMS_ROWS = (
    Row("agreements:terms", on=estuary, get=INSIDE),
    Row("agreements:terms", on=estuary, query="?on=2020-01-01", get=INSIDE),
    Row("agreements:terms-compare", on=estuary, get=INSIDE),
    Row("agreements:propose", on=estuary, get=LEADS, post=LEADS_POST),
    Row("agreements:terms-version", on=terms_version, get=INSIDE),
    Row("agreements:terms-print", on=terms_version, get=INSIDE),
    Row("agreements:terms-pdf", on=terms_version, get=INSIDE),
    Row("agreements:terms-word", on=terms_version, get=INSIDE),
    Row(
        "agreements:terms-sign",
        on=terms_version,
        get=expect(inside=302, outside=404, lead=200, partner=200),
        post=expect(inside=302, outside=404, lead=422, partner=422),
    ),
    Row("agreements:terms-paper", on=westmarchs_paper, get=LEADS, post=LEADS_POST),
    Row("agreements:proposal", on=drafted_proposal, get=DRAFT),
    Row("agreements:send-for-signature", on=drafted_proposal, get=PROPOSER, post=PROPOSER_POST),
    Row("agreements:take-back", on=sent_proposal, get=CHAIR, post=CHAIR_POST),
    Row("agreements:withdraw", on=drafted_proposal, get=PROPOSER, post=PROPOSER_POST),
    Row("agreements:terms-update", on=drafted_proposal, post=DRAFT_DONE),
    Row("agreements:terms-about", on=drafted_proposal, get=DRAFT, post=DRAFT_POST),
    Row("agreements:terms-add", on=clauses, data=lambda _: {"key": "exit"}, get=DRAFT, post=DRAFT_POST),
    Row("agreements:terms-item", on=clause, get=DRAFT, post=DRAFT_POST),
    Row("agreements:terms-remove", on=clause, get=DRAFT, post=DRAFT_DONE),
    Row("agreements:terms-move", on=clause, post=DRAFT_DONE),
    Row("agreements:sign-by-link", on=bens_link, get=public(), post=public(422)),
)
#: Editors and leads of present parties.
KEEPERS = expect(inside=200, outside=404, viewer=403)
KEEPERS_POST = expect(inside=422, outside=404, viewer=403)


def contact_link(world: World) -> dict[str, Any]:
    return {"token": contact_token(world.things["contact"])}


#: Editors and leads of Larkhaven, where a stranger sees nothing.
EDITORS = expect(inside=403, outside=404, editor=200, lead=200)
EDITORS_POST = expect(inside=403, outside=404, editor=422, lead=422)
#: Editors and leads of Larkhaven, where everybody sees the organisation.
OWN_EDITORS = expect(inside=403, outside=403, editor=200, lead=200)
OWN_EDITORS_POST = expect(inside=403, outside=403, editor=422, lead=422)

ROWS = (
    *TERMS_ROWS,
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
    Row("agreements:document-list", get=everyone()),
    Row("agreements:contacts", get=everyone()),
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
    Row("agreements:dates", on=estuary, get=INSIDE),
    Row("agreements:notice", on=larkhavens_part, get=CHAIR, post=CHAIR_POST),
    Row("agreements:date-reminders", on=larkhavens_part, get=CHAIR, post=expect(inside=403, outside=404, lead=302)),
    Row("agreements:notice-withdraw", on=larkhavens_notice, get=CHAIR, post=CHAIR_POST),
    Row("agreements:objectives", on=estuary, get=INSIDE),
    Row("agreements:objective", on=objective, get=INSIDE),
    Row("agreements:objective-add", on=estuary, get=KEEPERS, post=KEEPERS_POST),
    Row("agreements:objective-edit", on=objective, get=KEEPERS, post=KEEPERS_POST),
    Row("agreements:objective-progress", on=objective, get=KEEPERS, post=KEEPERS_POST),
    Row("agreements:objective-status", on=objective, get=KEEPERS, post=KEEPERS_POST),
    Row("agreements:objective-move", on=objective, post=expect(inside=302, outside=404, viewer=403)),
    Row("agreements:objective-link", on=commitment_link, get=KEEPERS, post=KEEPERS_POST),
    Row("agreements:objective-unlink", on=link, post=expect(inside=404, outside=404, viewer=403)),
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
    Row("agreements:people", on=estuary, get=INSIDE),
    Row("agreements:partnership-post-create", on=larkhaven_in_estuary, get=EDITORS, post=EDITORS_POST),
    Row("agreements:post-create", on=larkhaven, get=OWN_EDITORS, post=OWN_EDITORS_POST),
    Row("agreements:post", on=post, get=INSIDE),
    Row("agreements:post-fill", on=post, get=EDITORS, post=EDITORS_POST),
    Row("agreements:post-end", on=post, get=EDITORS, post=EDITORS_POST),
    Row("agreements:holder-contact", on=holder, get=EDITORS, post=EDITORS_POST),
    Row("agreements:holder-vacate", on=holder, get=EDITORS, post=EDITORS_POST),
    Row(
        "agreements:contact-data",
        on=contact_link,
        get=public(),
        post=public(),
    ),
)
