"""Spreadsheets of asks and offers of a party, in which each row creates a draft or changes an ask or offer."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet, Sum

from partnerships.commitments.models import Unit
from partnerships.exchange.models import Audience, Direction, Entry, Theme
from partnerships.exchange.services import create_entry, edit_entry
from partnerships.exchange.services.recording import UnableToChangeEntry
from partnerships.people.models import User
from partnerships.spreadsheets.reading.cells import choice_reader, long_text, quantity
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, ImportedRows, SheetKind, Target
from partnerships.spreadsheets.services.kinds.partnership_rows import may_import, partnership_of, remembered_for
from partnerships.spreadsheets.services.kinds.plan_items import Reader
from partnerships.spreadsheets.services.kinds.records import (
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
from partnerships.transfer.reading.values import full_date, text

_DIRECTIONS = dict(Direction.choices)
#: Limit of characters of long texts, as in the form.
_MAX_TEXT = 5000
#: Limit of characters of other texts.
_MAX_TITLE = 200
_LONG_TEXT_COLUMNS = ("statement", "rationale", "conditions", "private_note")
_DATE_COLUMNS = ("available_from", "available_until", "closes_on")


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """Return the columns. Status and ID are filled in only in downloads."""
    day = "Enter the day, month and year."
    return (
        column(
            "own",
            "Your reference",
            "reference",
            "ref",
            example="A1",
            hint="If you have used this reference before, the row changes the ask or offer that has it.",
        ),
        column("direction", "Ask or offer", "type", "direction", required=True, choices=_DIRECTIONS, example="Ask"),
        column("title", "Title", required=True, example="Land for 60 modular homes"),
        column("theme", "Theme", required=True, choices=_themes(), example=next(iter(_themes().values()), "")),
        column("statement", "Details", "description", "statement"),
        column("rationale", "Why it matters", "why", "rationale"),
        column("quantity", "Quantity", "number", "amount", example=60),
        column("unit", "Unit", choices=_units(), example="homes"),
        column("site", "Site or address", "site", "address"),
        column("available_from", "From", "start", "available from", "needed from", hint=day),
        column("available_until", "Until", "end", "available until", "needed until", hint=day),
        column("closes_on", "Closing date", "closes", hint=day),
        column("conditions", "Conditions"),
        column("private_note", "Private note", hint="Only your organisation can read this."),
        column("status", "Status", hint="Only downloads have this column. We ignore it in an import."),
        column("pk", "ID", hint="Enter the ID from a download. Leave this blank for a new ask or offer."),
    )


def _themes() -> dict[str, str]:
    return {code: theme.label for code, theme in Theme.by_code().items() if theme.active}


def _units() -> dict[str, str]:
    return {code: unit.label for code, unit in Unit.by_code().items() if unit.active}


def _readable_entries(target: Target, person: User) -> QuerySet[Entry]:
    """Return the organisation's entries to the partnership that the person may read."""
    return Entry.objects.visible_to(person).filter(
        organisation=target.organisation, partnership=partnership_of(target), audience=Audience.PARTNERSHIP
    )


def _apply(run: ImportedRows) -> None:
    """Create a draft or change an existing ask or offer for each row."""
    revisions = Revisions(_all_entries(run.target), run.previewed_revision)
    repeated_rows = RepeatedRows(run, "ask or offer")
    for line in run.lines():
        values = _values(run, line)
        if values is None:
            continue
        entries = _readable_entries(run.target, run.author)
        id_text = line.text("pk")
        existing = entries.filter(pk=int(id_text)).first() if _is_pk(id_text) else None
        if id_text and existing is None:
            remedy = "Enter an ID from a download, or leave the ID blank."
            run.refuse(line, "pk", "your organisation has no ask or offer with this ID here.", remedy)
            continue
        key = record_key("entry", run.target, line.text("own") or f"{values['direction']} {values['title']}")
        existing = existing or entries.filter(key=key).first()
        if repeated_rows.refuse_if_repeated(line, existing.pk if existing else key):
            continue
        with set_aside_if_refused(run, line, UnableToChangeEntry):
            if existing is None:
                _create(run, values, key)
            else:
                _change(run, line, existing, values, revisions)


def _is_pk(text: str) -> bool:
    """Return whether the text is a number that PostgreSQL can compare with primary keys."""
    return text.isdecimal() and len(text) < 19


def _values(run: ImportedRows, line: Line) -> dict[str, Any] | None:
    """Return the values of the row by column, without blank cells, or None if the row is refused."""
    readers: dict[str, Reader] = {
        "direction": choice_reader(_DIRECTIONS),
        "theme": choice_reader({code: theme.label for code, theme in Theme.by_code().items()}),
        "unit": choice_reader({code: unit.label for code, unit in Unit.by_code().items()}),
        "quantity": quantity,
        **dict.fromkeys(_LONG_TEXT_COLUMNS, long_text),
        **dict.fromkeys(_DATE_COLUMNS, full_date),
    }
    values: dict[str, Any] = {}
    for sheet_column in _columns(run.target):
        code = sheet_column.code
        if code in ("own", "pk", "status"):
            continue
        value = run.read(line, code, readers.get(code, text))
        if value not in (None, ""):
            values[code] = value
        elif sheet_column.required and not line.text(code):
            refuse_blank(run, line, code)
        if isinstance(value, str):
            refuse_if_long(run, line, code, value, limit=_MAX_TEXT if code in _LONG_TEXT_COLUMNS else _MAX_TITLE)
    return None if run.is_refused(line) else values


def _create(run: ImportedRows, values: dict[str, Any], key: uuid.UUID) -> None:
    """Create a draft of an ask or offer, for the party that the author acts for."""
    assert run.target.organisation is not None  # people who may import act for an organisation
    create_entry(
        organisation=run.target.organisation,
        audience=Audience.PARTNERSHIP,
        partnership=partnership_of(run.target),
        author=run.author,
        now=run.now,
        key=key,
        **values,
    )
    run.report.count("created", f"{_DIRECTIONS[values['direction']]}: {values['title']}")


def _change(run: ImportedRows, line: Line, existing: Entry, values: dict[str, Any], revisions: Revisions) -> None:
    """Change the fields of the entry that differ in the row. A blank cell does not change a field."""
    new_values = {
        name: value
        for name, value in values.items()
        if name != "direction" and _as_in_file(name, getattr(existing, name)) != value
    }
    if values["direction"] != existing.direction:
        remedy = "Leave the ID and your reference blank to add a new one."
        run.refuse(line, "direction", f"{existing.title} is an {existing.direction}.", remedy)
    elif not new_values:
        run.report.count("left_alone")
    elif revisions.is_stale(existing.pk, existing.revision):
        refuse_changed_since_preview(run, line, "an ask or offer")
    else:
        edit_entry(entry=existing, revision=existing.revision, author=run.author, now=run.now, **new_values)
        changed_fields = ", ".join(sorted(name.replace("_", " ") for name in new_values))
        run.report.count("changed", f"{existing.title}: {changed_fields}")


def _as_in_file(name: str, value: Any) -> Any:
    """Return a stored value in the form of the file, to compare the two. Texts from web forms have other line ends."""
    if not isinstance(value, str):
        return value
    return long_text(value) if name in _LONG_TEXT_COLUMNS else text(value)


def _revision(target: Target) -> int:
    """Return the sum of all revisions, which grows with every change of the party's asks and offers."""
    return _all_entries(target).aggregate(total=Sum("revision"))["total"] or 0


def _all_entries(target: Target) -> QuerySet[Entry]:
    return Entry.objects.filter(organisation=target.organisation, partnership=partnership_of(target))


def _rows(target: Target, person: User) -> list[Exported]:
    """Return asks and offers of the person's own party. The board exports those of all parties."""
    if target.organisation is None:
        return []
    return [_row_of_export(entry) for entry in _readable_entries(target, person).order_by("pk")]


def _row_of_export(entry: Entry) -> Exported:
    """Return an ask or offer as a row of the export, with labels instead of codes."""
    return {
        "direction": entry.get_direction_display(),
        "theme": Theme.label_of(entry.theme),
        "unit": Unit.label_of(entry.unit) if entry.unit else "",
        "quantity": quantity_cell(entry.quantity),
        "status": entry.get_status_display(),
        "pk": str(entry.pk),
        **{name: getattr(entry, name) for name in ("title", "site", *_LONG_TEXT_COLUMNS, *_DATE_COLUMNS)},
    }


ENTRIES = SheetKind(
    code="entries",
    many="asks and offers",
    columns=_columns,
    rows=_rows,
    apply=_apply,
    may_import=may_import,
    remembered_for=remembered_for,
    revision=_revision,
    at_once=FEW,
    lead=(
        "Use one row for each ask or offer of your organisation to this partnership. New asks and offers are drafts "
        "until you share them."
    ),
)
