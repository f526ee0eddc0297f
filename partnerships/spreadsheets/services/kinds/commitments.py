"""Spreadsheets of commitments, in which each row proposes a commitment or changes a proposal."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from partnerships.commitments.models import Commitment, Kind, Unit
from partnerships.commitments.queries import possible_owners, sorted_by_due_date
from partnerships.commitments.services import (
    UnableToEdit,
    UnableToPropose,
    edit_proposal,
    email_leads_about_proposals,
    propose_commitment,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.spreadsheets.reading.cells import choice_reader, long_text, quantity
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.partnership_rows import (
    may_import,
    parties_of,
    partnership_of,
    remembered_for,
)
from partnerships.spreadsheets.services.kinds.records import (
    OrganisationFinder,
    Revisions,
    quantity_cell,
    record_key,
    set_aside_if_refused,
)
from partnerships.spreadsheets.services.kinds.refusals import (
    RepeatedRows,
    refuse_blank,
    refuse_changed_since_preview,
    refuse_if_long,
)
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.values import full_date

_PROPOSE_NEW = "To propose a new commitment, leave the ID and your reference blank."
_LEAVE_BLANK = "Enter the ID of one of its commitments, or leave the ID blank."
#: A text has at most this many characters, as in the form.
_MAX_TEXT = 4000


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns. Status and ID are filled in only in downloads."""
    units = {code: unit.label for code, unit in Unit.by_code().items() if unit.active}
    return (
        column(
            "own",
            "Your reference",
            "reference",
            "ref",
            example="2027-01",
            hint="If you have used this reference before, the row changes the commitment that has it.",
        ),
        column("giver", "Gives", "organisation that gives", "from", required=True, example="Larkhaven Homes"),
        column(
            "receiver",
            "Receives",
            "organisation that receives",
            "to",
            required=True,
            example="Westmarch Borough Council",
        ),
        column("text", "What is promised", "commitment", "promise", "description", required=True, example="60 homes"),
        column("quantity", "Quantity", "number", "amount", example=60),
        column("unit", "Unit", choices=units, example="homes"),
        column(
            "due_on",
            "Due date",
            "due",
            "deadline",
            required=True,
            example="31/03/2028",
            hint="Enter the day, month and year.",
        ),
        column(
            "owner",
            "Owner",
            "responsible",
            hint="Enter the name of a person at the organisation that makes the promise. "
            "If that is your own organisation, you can enter their email address instead.",
        ),
        column("status", "Status", hint="Only downloads have this column. We ignore it in an import."),
        column(
            "reference",
            "ID",
            hint="Enter the ID from a download, for example C-1042. Leave this blank for a new commitment.",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """The terms in a row. A blank cell is None or ""."""

    giver: Organisation | None
    receiver: Organisation | None
    text: str
    quantity: Decimal | None
    unit: str
    due_on: dt.date | None
    owner: User | None


def _apply(run: ImportedRows) -> None:
    """Propose or change a commitment for each row, and send each lead one email about all of them."""
    organisations = OrganisationFinder(parties_of(run.target))
    revisions = Revisions(_all_commitments(run.target), run.previewed_revision)
    repeated_rows = RepeatedRows(run, "commitment")
    saved_commitments: list[Commitment] = []
    for line in run.lines():
        existing = _commitment_with_id(run, line)
        if existing is None and line.text("reference"):
            run.refuse(line, "reference", "there is no such commitment in this partnership.", _LEAVE_BLANK)
            continue
        terms = _terms(run, line, organisations, existing)
        if terms is None:
            continue
        key = _key(run, line, terms)
        existing = existing or _readable_commitments(run).filter(key=key).first()
        if repeated_rows.refuse_if_repeated(line, existing.pk if existing else key):
            continue
        with set_aside_if_refused(run, line, UnableToPropose, UnableToEdit):
            commitment = _change(run, line, existing, terms, revisions) if existing else _propose(run, terms, key)
            if commitment is not None:
                saved_commitments.append(commitment)
    email_leads_about_proposals(commitments=saved_commitments, author=run.author, now=run.now)


def _terms(
    run: ImportedRows, line: Line, organisations: OrganisationFinder, existing: Commitment | None
) -> _Terms | None:
    """Return the terms in the row, or None if the row is refused.

    A commitment that the row names by its ID keeps organisations and an owner who have left the partnership since.
    """
    giver = _party(run, line, "giver", organisations, existing.giver if existing else None)
    receiver = _party(run, line, "receiver", organisations, existing.receiver if existing else None)
    text = run.read(line, "text", long_text) or ""
    if not text:
        refuse_blank(run, line, "text", "Enter what is promised.")
    refuse_if_long(run, line, "text", text, limit=_MAX_TEXT)
    units = {code: unit.label for code, unit in Unit.by_code().items()}
    terms = _Terms(
        giver=giver,
        receiver=receiver,
        text=text,
        quantity=run.read(line, "quantity", quantity),
        unit=run.read(line, "unit", choice_reader(units)) or "",
        due_on=run.read(line, "due_on", full_date),
        owner=_owner(run, line, giver, existing.owner if existing else None) if giver is not None else None,
    )
    return None if run.is_refused(line) else terms


def _party(
    run: ImportedRows, line: Line, column: str, organisations: OrganisationFinder, existing_party: Organisation | None
) -> Organisation | None:
    """Return the organisation that gives or receives, or None if the row is refused."""
    name = line.text(column)
    if existing_party is not None and name == existing_party.display_name:
        return existing_party
    organisation = organisations.named(name) if name else None
    if organisation is None:
        problem = f"“{name}” does not take part in this partnership." if name else "the cell is blank."
        run.refuse(line, column, problem, "Enter the name of an organisation that takes part in this partnership.")
    return organisation


def _owner(run: ImportedRows, line: Line, giver: Organisation, existing_owner: User | None) -> User | None:
    """Return the person named as owner, or None if the cell is blank or the row is refused."""
    name = line.text("owner").casefold()
    if not name:
        return None
    if existing_owner is not None and name == existing_owner.display_name.casefold():
        return existing_owner
    # Email addresses at other organisations are not looked up, because the result would show who has an account.
    is_own = roles_of(run.author, run.now).acts_for(giver.pk)
    people = [
        person
        for person in possible_owners(giver)
        if name == person.display_name.casefold() or (is_own and name == person.email.casefold())
    ]
    if len(people) == 1:
        return people[0]
    problem = f"“{line.text('owner')}” matches nobody at {giver.display_name}, or several people."
    remedy = "Enter the full name of one of its people, or leave the cell blank."
    if is_own:
        remedy = "Enter the email address or full name of one of its people, or leave the cell blank."
    run.refuse(line, "owner", problem, remedy)
    return None


def _readable_commitments(run: ImportedRows) -> QuerySet[Commitment]:
    """Return the commitments of the partnership that the author may read."""
    commitments = Commitment.objects.visible_to(run.author)
    commitments = commitments.filter(partnership=partnership_of(run.target), kind=Kind.COMMITMENT)
    return commitments.select_related("giver", "receiver", "owner")


def _commitment_with_id(run: ImportedRows, line: Line) -> Commitment | None:
    """Return the commitment with the row's ID, or None if the cell is blank or there is no such commitment."""
    reference = line.text("reference")
    return _readable_commitments(run).filter(reference__iexact=reference).first() if reference else None


def _key(run: ImportedRows, line: Line, terms: _Terms) -> uuid.UUID:
    """Return the key of a new commitment.

    It is made from the author's own reference or, if that is blank, from the organisations and the text. So a row that
    is imported again changes the commitment that it created.
    """
    giver_pk, receiver_pk = (party.pk if party else None for party in (terms.giver, terms.receiver))
    return record_key("commitment", run.target, line.text("own") or f"{giver_pk} {receiver_pk} {terms.text}")


def _propose(run: ImportedRows, terms: _Terms, key: uuid.UUID) -> Commitment:
    """Propose a commitment. Its leads get one email about all commitments of the file, not one for each."""
    assert terms.giver is not None  # the row would have been refused
    assert terms.receiver is not None  # the row would have been refused
    if terms.due_on is None:
        raise UnableToPropose("Enter a due date, for example 31/03/2028.")
    commitment = propose_commitment(
        giver=terms.giver,
        receiver=terms.receiver,
        text=terms.text,
        quantity=terms.quantity,
        unit=terms.unit,
        owner=terms.owner,
        due_on=terms.due_on,
        partnership=partnership_of(run.target),
        author=run.author,
        now=run.now,
        key=key,
        tells=False,
    )
    run.report.count("created", f"{commitment.organisation_words}: {terms.text[:80]}")
    return commitment


def _change(
    run: ImportedRows, line: Line, existing: Commitment, terms: _Terms, revisions: Revisions
) -> Commitment | None:
    """Return the commitment with the terms of the row, or None if nothing changed or the row is refused.

    A blank cell does not change a term.
    """
    if (existing.giver, existing.receiver) != (terms.giver, terms.receiver):
        run.refuse(line, "giver", f"{existing.reference} is between other organisations.", _PROPOSE_NEW)
        return None
    new_quantity = terms.quantity if terms.quantity is not None else existing.quantity
    new_terms: dict[str, Any] = {
        "text": existing.text if long_text(existing.text) == terms.text else terms.text,
        "quantity": new_quantity,
        "unit": "" if new_quantity is None else terms.unit or existing.unit,
        "due_on": terms.due_on or existing.due_on,
        "owner": terms.owner or existing.owner,
    }
    if all(getattr(existing, name) == value for name, value in new_terms.items()):
        run.report.count("left_alone")
        return None
    if revisions.is_stale(existing.pk, existing.revision):
        refuse_changed_since_preview(run, line, "a commitment")
        return None
    commitment = edit_proposal(
        commitment=existing, revision=existing.revision, author=run.author, now=run.now, tells=False, **new_terms
    )
    run.report.count("changed", f"{commitment.reference}: {terms.text[:80]}")
    return commitment


def _revision(target: Target) -> int:
    """Return the sum of all revisions, which grows with every change of terms in the partnership."""
    return _all_commitments(target).aggregate(total=Sum("revision"))["total"] or 0


def _all_commitments(target: Target) -> QuerySet[Commitment]:
    """Return all commitments of the partnership, including those that the author may not read."""
    return Commitment.objects.filter(partnership=partnership_of(target))


def _rows(target: Target, person: User) -> list[Exported]:
    """Return the commitments that the person may read, except those of a giver that is not in the directory."""
    commitments = Commitment.objects.visible_to(person)
    commitments = commitments.filter(partnership=partnership_of(target), kind=Kind.COMMITMENT).exclude(giver=None)
    return [
        {
            "giver": commitment.giver_words,
            "receiver": commitment.receiver_words,
            "text": commitment.text,
            "quantity": quantity_cell(commitment.quantity),
            "unit": Unit.label_of(commitment.unit) if commitment.unit else "",
            "due_on": commitment.due_on,
            "owner": commitment.owner.display_name if commitment.owner else "",
            "status": commitment.get_status_display(),
            "reference": commitment.reference,
        }
        for commitment in sorted_by_due_date(commitments).select_related("giver", "receiver", "owner")
    ]


COMMITMENTS = SheetKind(
    code="commitments",
    many="commitments",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=may_import,
    remembered_for=remembered_for,
    revision=_revision,
    at_once=FEW,
    lead=(
        "Use one row for each commitment. We propose the commitments, and both organisations confirm each one. Leads "
        "get one email about all of them."
    ),
)
