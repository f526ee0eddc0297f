"""Begin the first terms or an amendment, and save its draft piece by piece."""

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
    TermsVersion,
)
from partnerships.agreements.queries.terms import (
    base_content_of,
    content_of_proposal,
    declarations_of,
    fit_to_schema,
    schema_of,
    unbound_organisation_ids,
    version_in_force,
    version_to_amend,
    widened_declarations,
)
from partnerships.agreements.rights import rights_over
from partnerships.agreements.services.recording import lock_partnership, record_event
from partnerships.agreements.services.terms.recording import email_leads, lock_proposal, record_draft_event
from partnerships.agreements.terms.collisions import Draft, collisions, parts_in_words
from partnerships.agreements.terms.projection import content_from_columns
from partnerships.agreements.terms.schema import build_schema
from partnerships.documents import InvalidContent
from partnerships.documents.services import (
    SAVED_FIELDS,
    OpenDraft,
    UnableToSavePiece,
    order_after_move,
    save_piece,
    write_content,
)
from partnerships.kit.rights import require
from partnerships.organisations.models import Organisation
from partnerships.people.models import User

#: Statuses of a partnership in which its terms can be amended.
AMENDABLE_STATUSES = (Status.ACTIVE, Status.UNDER_REVIEW, Status.SUSPENDED)


class UnableToPropose(Exception):
    """No terms are in force that could be amended, or the reason or the day is invalid."""


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
    """Create the proposal with the first terms of a partnership.

    `declarations` has the fields of its kind, and `raw` the content, which is checked here. The partnership must be new
    or locked. Raises `InvalidContent`.
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
    """Return the raw content of the first draft, from the values with which the partnership was opened."""
    content = content_from_columns(values)
    fields_of_kind = build_schema(declarations_of(kind)).about_by_code
    content["about"] = {code: value for code, value in content["about"].items() if code in fields_of_kind}
    return content


def redraft(proposal: TermsProposal, *, declarations: dict[str, Any], now: dt.datetime) -> None:
    """Give a locked draft the fields of another kind. It keeps the values of fields that both kinds have."""
    content = content_of_proposal(proposal)
    proposal.declarations = declarations
    schema = build_schema(declarations)
    write_content(schema, proposal, fit_to_schema(schema, content))
    proposal.revision += 1
    proposal.updated_at = now
    proposal.save(update_fields=[*SAVED_FIELDS, "declarations"])


def _next_number(partnership: Partnership) -> int:
    """Return the number of the next proposal of the partnership."""
    newest_number = partnership.terms_proposals.order_by("-number").values_list("number", flat=True).first()
    return (newest_number or 0) + 1


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
    """Begin an amendment of the terms in force, and email the leads of the parties.

    `from_day` is the day from which the amendment should apply. None means the day on which the last party signs.
    Raises `UnableToPropose`.
    """
    locked_partnership = lock_partnership(partnership.pk)
    require(rights_over(locked_partnership, author, now).may_propose_for(organisation))
    today = timezone.localdate(now)
    base_version = _base_of_amendment(locked_partnership, organisation, today, from_day)
    if not reason.strip():
        raise UnableToPropose("Enter why the terms should change.")
    if from_day is not None and from_day < today:
        raise UnableToPropose("The change can apply from today or a later day.")

    proposal = TermsProposal.objects.create(
        partnership=locked_partnership,
        number=_next_number(locked_partnership),
        amendment_number=locked_partnership.terms_proposals.filter(based_on__isnull=False).count() + 1,
        proposed_by=organisation,
        author=author,
        reason=reason.strip(),
        from_day=from_day,
        based_on=base_version,
        declarations=widened_declarations(declarations_of(locked_partnership.kind), base_version),
        created_at=now,
        updated_by=author,
        updated_at=now,
    )

    record_event(
        locked_partnership,
        EventKind.AMENDMENT_PROPOSED,
        author=author,
        now=now,
        organisation=organisation,
        data={"proposal": proposal.number, "reason": proposal.reason},
    )
    email_leads(
        locked_partnership,
        "agreements.terms_proposed",
        {"proposal": proposal.pk},
        author=author,
        now=now,
        sender=organisation,
    )
    return proposal


def _base_of_amendment(
    partnership: Partnership, organisation: Organisation, today: dt.date, from_day: dt.date | None
) -> TermsVersion:
    """Return the version in force on the first day of an amendment.

    Raises `UnableToPropose` if no terms are in force, or the organisation has not signed the terms in force.
    """
    if partnership.status not in AMENDABLE_STATUSES or partnership.is_over_on(today):
        raise UnableToPropose("You can amend terms only while the partnership is in force.")
    version = version_in_force(partnership, max(today, from_day or today))
    if version is None:
        raise UnableToPropose("The partnership has no terms in force yet. Change the first draft instead.")
    if organisation.pk in unbound_organisation_ids(partnership, today):
        raise UnableToPropose(f"{organisation.name} has not signed the terms in force yet. Sign them first.")
    return version


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
    """Save one piece of the draft of a proposal, and return whether anything changed.

    The value None removes an item. `based_on` is the revision of the piece that the author saw. If it is None, any
    newer text is overwritten. Raises `UnableToSavePiece`, and `PieceConflict` if the piece has changed since.
    """
    partnership, locked_proposal = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_draft)
    _check_drafting(partnership, locked_proposal)

    open_draft = OpenDraft(
        schema=schema_of(locked_proposal),
        draft=locked_proposal,
        content=content_of_proposal(locked_proposal),
        base=locked_proposal.based_on,
    )
    if not save_piece(open_draft, piece, value, based_on=based_on, author=author, now=now):
        return False
    record_draft_event(
        locked_proposal,
        EventKind.TERMS_DRAFTED,
        author=author,
        organisation=organisation,
        now=now,
        data={"piece": piece, "revision": locked_proposal.revision},
    )
    _copy_to_caller(proposal, locked_proposal)
    return True


def _check_drafting(partnership: Partnership, proposal: TermsProposal) -> None:
    """Raise `UnableToSavePiece` if the proposal can no longer be changed."""
    if partnership.is_over:
        raise UnableToSavePiece("This partnership has ended, so you can read its terms but not change them.")
    if proposal.is_awaiting_signatures:
        raise UnableToSavePiece("These terms are waiting for signatures. Return them to draft before you change them.")
    if not proposal.is_drafting:
        status = proposal.get_status_display().lower()
        raise UnableToSavePiece(f"This proposal is {status}, so you can no longer change it.")


def _copy_to_caller(proposal: TermsProposal, locked_proposal: TermsProposal) -> None:
    """Copy the saved columns of the locked row to the caller's object."""
    other_fields = ("based_on", "declarations", "status", "from_day", "sign_by", "reason", "outcome", "decided_at")
    for name in (*SAVED_FIELDS, *other_fields):
        setattr(proposal, name, getattr(locked_proposal, name))


@transaction.atomic
def move_terms_piece(*, proposal: TermsProposal, piece: str, up: bool, author: User, now: dt.datetime) -> bool:
    """Move an item of the draft one place up or down, and return whether it moved.

    Raises `UnableToSavePiece`.
    """
    partnership, locked_proposal = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_draft)
    new_order = order_after_move(schema_of(locked_proposal), content_of_proposal(locked_proposal), piece, up=up)
    if new_order is None:
        return False
    order_piece, keys = new_order
    return save_terms_piece(proposal=proposal, piece=order_piece, value=keys, based_on=None, author=author, now=now)


@transaction.atomic
def update_terms_draft(
    *, proposal: TermsProposal, author: User | None, now: dt.datetime, organisation: Organisation | None = None
) -> tuple[str, ...]:
    """Update a draft with other terms that have been signed since the draft was begun.

    For example, the draft of version 3 was begun from version 1. Once version 2 is in force, the draft gets the changes
    of version 2. Where both have changed the same part, the draft keeps its own text. Returns the names of these parts.
    Raises `UnableToSavePiece`.
    """
    partnership, locked_proposal = lock_proposal(proposal)
    require(rights_over(partnership, author, now).may_draft)
    _check_drafting(partnership, locked_proposal)
    new_version = version_to_amend(locked_proposal, now)
    if new_version is None or new_version.pk == locked_proposal.based_on_id:
        return ()

    try:
        part_names = _rebase(locked_proposal, new_version)
    except InvalidContent as error:
        raise UnableToSavePiece(str(error), error.problems) from error
    locked_proposal.revision += 1
    locked_proposal.updated_by = author
    locked_proposal.updated_at = now
    locked_proposal.save(update_fields=[*SAVED_FIELDS, "based_on", "declarations"])

    record_draft_event(
        locked_proposal,
        EventKind.TERMS_DRAFT_UPDATED,
        author=author,
        organisation=organisation,
        now=now,
        data={"reason": parts_in_words(part_names), "number": new_version.number},
    )
    _copy_to_caller(proposal, locked_proposal)
    return part_names


def _rebase(proposal: TermsProposal, new_version: TermsVersion) -> tuple[str, ...]:
    """Base the draft of a proposal on another version, without saving.

    Returns the names of the parts that both the draft and the new version have changed. Raises `InvalidContent`.
    """
    proposal.declarations = widened_declarations(proposal.declarations, new_version)
    schema = schema_of(proposal)
    draft_content = fit_to_schema(schema, content_of_proposal(proposal))
    old_base = base_content_of(proposal)
    # From here on, the base of the proposal is the new version.
    proposal.based_on = new_version
    new_base = base_content_of(proposal)
    merged_content = documents.normalise(schema, documents.rebase(schema, draft_content, old_base, new_base))

    # A draft without changes of its own has no content.
    own_content = merged_content if merged_content != new_base else None
    write_content(schema, proposal, own_content, new_version)
    return collisions(schema, Draft(old_base, draft_content), Draft(old_base, new_base))
