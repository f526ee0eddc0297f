"""Begin the terms or an amendment, and save their draft piece by piece."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from partnerships import documents
from partnerships.agreements.event_kinds import EventKind
from partnerships.agreements.models import (
    Partnership,
    PartnershipKind,
    Status,
    TermsProposal,
)
from partnerships.agreements.queries.terms import (
    as_schema,
    base_for,
    content_of_proposal,
    declarations_of,
    not_bound,
    schema_of,
    version_in_force,
    was_of,
    widened,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.terms.recording import email_leads, lock_proposal, record_draft_event
from partnerships.agreements.terms.collisions import in_words, touched
from partnerships.agreements.terms.projection import content_from_columns
from partnerships.agreements.terms.schema import build_schema
from partnerships.documents import InvalidContent
from partnerships.documents.services import SAVED_FIELDS, OpenDraft, UnableToSavePiece, moved, save_piece, write_content
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: Statuses in which the terms in force can be amended.
AMENDED_IN = (Status.ACTIVE, Status.UNDER_REVIEW, Status.SUSPENDED)


class UnableToPropose(Exception):
    """There are no terms to amend, or the reason or the day is invalid."""


def open_first_proposal(
    partnership: Partnership,
    *,
    organisation: Organisation,
    declarations: dict[str, Any],
    raw: dict[str, Any],
    reason: str,
    author: User | None,
    now: dt.datetime,
) -> TermsProposal:
    """The proposal with the first terms of a new partnership.

    Raises `InvalidContent`. Call with the partnership created or locked.
    """
    schema = build_schema(declarations)
    proposal = TermsProposal(
        partnership=partnership,
        number=_next_number(partnership),
        proposed_by=organisation,
        author=author,
        reason=reason,
        declarations=declarations,
        created_at=now,
        updated_by=author,
        updated_at=now,
    )
    write_content(schema, proposal, documents.normalise(schema, raw))
    proposal.save(force_insert=True)
    return proposal


def first_content(kind: PartnershipKind, values: Mapping[str, Any]) -> dict[str, Any]:
    """The first draft: what the columns say."""
    raw = content_from_columns(values)
    fields_by_code = build_schema(declarations_of(kind)).about_by_code
    raw["about"] = {code: value for code, value in raw["about"].items() if code in fields_by_code}
    return raw


def redraft(proposal: TermsProposal, *, declarations: dict[str, Any], now: dt.datetime) -> None:
    """Give a locked draft another kind's fields; it keeps what both have."""
    content = content_of_proposal(proposal)
    proposal.declarations = declarations
    schema = build_schema(declarations)
    write_content(schema, proposal, as_schema(schema, content))
    proposal.revision += 1
    proposal.updated_at = now
    proposal.save(update_fields=[*SAVED_FIELDS, "declarations"])


def _next_number(partnership: Partnership) -> int:
    newest = partnership.terms_proposals.order_by("-number").values_list("number", flat=True).first()
    return (newest or 0) + 1


@transaction.atomic
def propose_amendment(
    *,
    partnership: Partnership,
    organisation: Organisation,
    reason: str,
    author: User | None,
    now: dt.datetime,
    from_day: dt.date | None = None,
) -> TermsProposal:
    """Begin an amendment of the terms in force, and email the parties' leads. Raises `UnableToPropose`."""
    locked = lock_partnership(partnership.pk)
    require(rights_over(locked, author, now).may_propose_for(organisation))
    today = timezone.localdate(now)
    if locked.status not in AMENDED_IN or locked.is_over_on(today):
        raise UnableToPropose("Only the terms of a partnership that is in force can be amended.")
    base = version_in_force(locked, max(today, from_day or today))
    if base is None:
        raise UnableToPropose("The partnership has no terms in force yet: change the first draft instead.")
    if organisation.pk in not_bound(locked, today):
        raise UnableToPropose(f"{organisation.name} has not signed the terms in force yet: sign them first.")
    if not reason.strip():
        raise UnableToPropose("Enter why the terms should change.")
    if from_day is not None and from_day < today:
        raise UnableToPropose("The amendment can apply from today or a later day.")
    proposal = TermsProposal.objects.create(
        partnership=locked,
        number=_next_number(locked),
        amendment_number=locked.terms_proposals.filter(based_on__isnull=False).count() + 1,
        proposed_by=organisation,
        author=author,
        reason=reason.strip(),
        from_day=from_day,
        based_on=base,
        declarations=widened(declarations_of(locked.kind), base),
        created_at=now,
        updated_by=author,
        updated_at=now,
    )
    record_event(
        locked,
        EventKind.AMENDMENT_PROPOSED,
        author=author,
        now=now,
        organisation=organisation,
        data={"proposal": proposal.number, "reason": proposal.reason},
    )
    email_leads(
        locked, "agreements.terms_proposed", {"proposal": proposal.pk}, author=author, now=now, sender=organisation
    )
    return proposal


@transaction.atomic
def save_terms_piece(
    *,
    proposal: TermsProposal,
    piece: str,
    value: Any,
    based_on: int | None,
    author: User | None,
    now: dt.datetime,
    organisation: Organisation | None = None,
) -> bool:
    """Save one piece of a proposal's draft; whether anything changed.

    None removes an item. `based_on` is the revision of the piece that the author saw, None to overwrite. Raises
    `PieceConflict` if somebody saved something else since, and `UnableToSavePiece`.
    """
    partnership, locked = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_draft)
    _check_drafting(partnership, locked)
    opened = OpenDraft(schema_of(locked), locked, content_of_proposal(locked), locked.based_on)
    if not save_piece(opened, piece, value, based_on=based_on, author=author, now=now):
        return False
    record_draft_event(
        locked,
        EventKind.TERMS_DRAFTED,
        author=author,
        organisation=organisation,
        now=now,
        data={"piece": piece, "revision": locked.revision},
    )
    _refresh(proposal, locked)
    return True


def _check_drafting(partnership: Partnership, proposal: TermsProposal) -> None:
    if partnership.is_over:
        raise UnableToSavePiece("This partnership has ended: you can read its terms, but not change them.")
    if proposal.is_awaiting:
        raise UnableToSavePiece("These terms are waiting for signatures. Take them back before you change them.")
    if not proposal.is_drafting:
        raise UnableToSavePiece(f"This proposal is closed: {proposal.get_status_display().lower()}.")


def _refresh(proposal: TermsProposal, locked: TermsProposal) -> None:
    changed = ("based_on", "declarations", "status", "from_day", "sign_by", "reason", "outcome", "decided_at")
    for name in (*SAVED_FIELDS, *changed):
        setattr(proposal, name, getattr(locked, name))


@transaction.atomic
def move_terms_piece(*, proposal: TermsProposal, piece: str, up: bool, author: User, now: dt.datetime) -> bool:
    """Move an item one place up or down; whether it moved. Raises `UnableToSavePiece`."""
    partnership, locked = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_draft)
    moved_piece = moved(schema_of(locked), content_of_proposal(locked), piece, up=up)
    if moved_piece is None:
        return False
    order, keys = moved_piece
    return save_terms_piece(proposal=proposal, piece=order, value=keys, based_on=None, author=author, now=now)


@transaction.atomic
def bring_up_to_date(
    *, proposal: TermsProposal, author: User | None, now: dt.datetime, organisation: Organisation | None = None
) -> tuple[str, ...]:
    """Base a draft on the version in force on its day.

    Returns what both changed, in words. What the draft says stays where both changed the same. Raises
    `UnableToSavePiece`.
    """
    partnership, locked = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_draft)
    _check_drafting(partnership, locked)
    newest = base_for(locked, now)
    if newest is None or newest.pk == locked.based_on_id:
        return ()
    locked.declarations = widened(locked.declarations, newest)
    schema = schema_of(locked)
    try:
        draft, was = as_schema(schema, content_of_proposal(locked)), was_of(locked)
        locked.based_on = newest
        is_now = was_of(locked)
        merged = documents.normalise(schema, documents.rebase(schema, draft, was, is_now))
    except InvalidContent as error:
        raise UnableToSavePiece(str(error), error.problems) from error
    changed_since = touched(schema, was, is_now)
    both = tuple(words for part, words in touched(schema, was, draft).items() if part in changed_since)
    write_content(schema, locked, merged if merged != is_now else None, newest)
    locked.revision += 1
    locked.updated_by, locked.updated_at = author, now
    locked.save(update_fields=[*SAVED_FIELDS, "based_on", "declarations"])
    record_draft_event(
        locked,
        EventKind.TERMS_DRAFT_UPDATED,
        author=author,
        organisation=organisation,
        now=now,
        data={"reason": in_words(both), "number": newest.number},
    )
    _refresh(proposal, locked)
    return both
