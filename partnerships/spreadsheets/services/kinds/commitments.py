"""Commitments between the parties of a partnership, one a row.

They are proposed.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from partnerships.commitments.models import Commitment, Kind, Unit
from partnerships.commitments.queries import in_order, people_who_may_own
from partnerships.commitments.services import (
    UnableToEdit,
    UnableToPropose,
    edit_proposal,
    propose_commitment,
    tell_of_proposals,
)
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User
from partnerships.spreadsheets.reading.cells import long_text, one_of, quantity
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.partnership_rows import (
    may_import,
    parties_of,
    partnership_of,
    remembered_for,
)
from partnerships.spreadsheets.services.kinds.records import Bodies, Revisions, number_of, one_row, own_key
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.values import full_date

#: Characters of what is promised, as in the form.
_MAX_TEXT = 4000


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """The columns of template and download.

    The last two are only in downloads.
    """
    units = {code: unit.label for code, unit in Unit.by_code().items() if unit.active}
    return (
        column(
            "own",
            "Your reference",
            "reference",
            "ref",
            example="2027-01",
            hint="A row with a reference that we know changes that record.",
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
            "due_on", "Due date", "due", "deadline", required=True, example="31/03/2028", hint="Day, month and year."
        ),
        column(
            "owner",
            "Owner",
            "responsible",
            hint="The name of somebody at the organisation that gives. If that is your own organisation, you can "
            "also write their email address.",
        ),
        column("status", "Status", hint="Filled in only in downloads."),
        column("reference", "ID", hint="From a download, such as C-1042. Leave it blank for a new commitment."),
    )


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a row says; None where it is blank."""

    giver: Organisation | None
    receiver: Organisation | None
    text: str
    quantity: Decimal | None
    unit: str
    due_on: dt.date | None
    owner: User | None


def _apply(run: Run) -> None:
    """Propose or edit a commitment for each sound row, and tell each partner once."""
    bodies = Bodies(parties_of(run.target))
    revisions = Revisions(_all(run.target), run.seen)
    told: list[Commitment] = []
    seen: dict[Any, Line] = {}
    for line in run.lines():
        known = _with_id(run, line)
        if known is None and line.text("reference"):
            run.refuse(line, "reference", "there is no such commitment in this partnership.", "Leave the ID blank.")
            continue
        terms = _terms(run, line, bodies, known)
        if terms is None:
            continue
        key = _key(run, line, terms)
        known = known or _here(run).filter(key=key).first()
        same = seen.setdefault(known.pk if known else key, line)
        if same is not line:
            run.refuse(line, "", f"it is the same commitment as row {same.number}.", "Keep one of the two rows.")
            continue
        with one_row(run, line, UnableToPropose, UnableToEdit):
            changed = _changed(run, line, known, terms, revisions) if known else _proposed(run, terms, key)
            if changed is not None:
                told.append(changed)
    tell_of_proposals(commitments=told, author=run.author, now=run.now)


def _terms(run: Run, line: Line, bodies: Bodies, known: Commitment | None) -> _Terms | None:
    """What the row says; None with problems.

    A commitment `known` by its ID keeps organisations and an owner who have left since.
    """
    before = len(run.rows.problems)
    sides = [_side(run, line, code, bodies, known) for code in ("giver", "receiver")]
    said = run.rows.read(line, "text", long_text) or ""
    if not said:
        run.refuse(line, "text", "the cell is blank.", "Say what is promised.")
    if len(said) > _MAX_TEXT:
        run.refuse(line, "text", f"it is {len(said):,} characters long.", f"Shorten it to {_MAX_TEXT:,}.")
    units = {code: unit.label for code, unit in Unit.by_code().items()}
    number = run.rows.read(line, "quantity", quantity)
    unit = run.rows.read(line, "unit", one_of(units)) or ""
    due_on = run.rows.read(line, "due_on", full_date)
    owner = _owner(run, line, sides[0], known) if sides[0] is not None else None
    if len(run.rows.problems) > before:
        return None
    return _Terms(giver=sides[0], receiver=sides[1], text=said, quantity=number, unit=unit, due_on=due_on, owner=owner)


def _side(run: Run, line: Line, code: str, bodies: Bodies, known: Commitment | None) -> Organisation | None:
    said = line.text(code)
    if known is not None:
        side = known.giver if code == "giver" else known.receiver
        if side is not None and said == side.display_name:
            return side
    found = bodies.named(said) if said else None
    if found is None:
        what = f"“{said}” does not take part in this partnership." if said else "the cell is blank."
        run.refuse(line, code, what, "Write the name of an organisation that takes part in it.")
    return found


def _owner(run: Run, line: Line, giver: Organisation, known: Commitment | None) -> User | None:
    """The person named as owner.

    None with a problem if that is nobody, or several people.
    """
    said = line.text("owner").casefold()
    if not said:
        return None
    if known is not None and known.owner is not None and said == known.owner.display_name.casefold():
        return known.owner
    # Addresses of others' people are not looked up: the answer would tell whether somebody has an account.
    is_own = roles_of(run.author, run.now).act_for(giver.pk)
    people = [
        person
        for person in people_who_may_own(giver)
        if said == person.display_name.casefold() or (is_own and said == person.email.casefold())
    ]
    if len(people) != 1:
        what = f"“{line.text('owner')}” matches nobody at {giver.display_name}, or several people."
        remedy = "Write the name of one of its people, or leave it blank."
        if is_own:
            remedy = "Write the email address or name of one of its people, or leave it blank."
        run.refuse(line, "owner", what, remedy)
        return None
    return people[0]


def _here(run: Run) -> QuerySet[Commitment]:
    """The commitments of the partnership that the author may read."""
    mine = Commitment.objects.visible_to(run.author)
    here = mine.filter(partnership=partnership_of(run.target), kind=Kind.COMMITMENT)
    return here.select_related("giver", "receiver", "owner")


def _with_id(run: Run, line: Line) -> Commitment | None:
    said = line.text("reference")
    return _here(run).filter(reference__iexact=said).first() if said else None


def _key(run: Run, line: Line, terms: _Terms) -> uuid.UUID:
    """The key of a new commitment: by the row's own reference, else by what the row says."""
    said = f"{terms.giver and terms.giver.pk} {terms.receiver and terms.receiver.pk} {terms.text}"
    return own_key("commitment", run.target, line.text("own") or said)


def _proposed(run: Run, terms: _Terms, key: uuid.UUID) -> Commitment:
    """Propose it without an email: one for all rows follows at the end."""
    assert terms.giver is not None  # read
    assert terms.receiver is not None  # read
    if terms.due_on is None:
        raise UnableToPropose("Write a due date.")
    made = propose_commitment(
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
    run.report.count("created", f"{made.giver_words} to {made.receiver_words}: {terms.text[:80]}")
    return made


def _changed(run: Run, line: Line, known: Commitment, terms: _Terms, revisions: Revisions) -> Commitment | None:
    """The commitment with new terms. None if nothing changed or the row is set aside."""
    number = terms.quantity if terms.quantity is not None else known.quantity
    new: dict[str, Any] = {
        "text": known.text if long_text(known.text) == terms.text else terms.text,
        "quantity": number,
        "unit": "" if number is None else terms.unit or known.unit,
        "due_on": terms.due_on or known.due_on,
        "owner": terms.owner or known.owner,
    }
    if (known.giver, known.receiver) != (terms.giver, terms.receiver):
        run.refuse(line, "giver", f"{known.reference} is between other organisations.", "Propose a new one.")
        return None
    if all(getattr(known, name) == value for name, value in new.items()):
        run.report.count("left_alone")
        return None
    if revisions.is_stale(known.pk, known.revision):
        run.refuse(line, "", "a commitment was changed since the preview.", "Upload this row again to see both.")
        return None
    done = edit_proposal(commitment=known, revision=known.revision, author=run.author, now=run.now, tells=False, **new)
    run.report.count("changed", f"{done.reference}: {terms.text[:80]}")
    return done


def _revision(target: Target) -> int:
    """Grows with every change of terms in the partnership."""
    return _all(target).aggregate(total=Sum("revision"))["total"] or 0


def _all(target: Target) -> QuerySet[Commitment]:
    return Commitment.objects.filter(partnership=partnership_of(target))


def _rows(target: Target, person: User) -> list[Exported]:
    """The partnership's commitments between organisations of the directory."""
    here = Commitment.objects.visible_to(person).filter(partnership=partnership_of(target), kind=Kind.COMMITMENT)
    rows = in_order(here.exclude(giver=None)).select_related("giver", "receiver", "owner")
    return [
        {
            "giver": row.giver_words,
            "receiver": row.receiver_words,
            "text": row.text,
            "quantity": number_of(row.quantity),
            "unit": Unit.label_of(row.unit) if row.unit else "",
            "due_on": row.due_on,
            "owner": row.owner.display_name if row.owner else "",
            "status": row.get_status_display(),
            "reference": row.reference,
        }
        for row in rows
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
        "One row for each commitment. The commitments are proposed, and both sides confirm each one. Leads get one "
        "email about all of them."
    ),
)
