"""Asks and offers of a party to its partnership, one a row.

They are drafts.
"""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet, Sum

from partnerships.commitments.models import Unit
from partnerships.exchange.models import Audience, Direction, Entry, Theme
from partnerships.exchange.services import create_entry, edit_entry
from partnerships.exchange.services.recording import UnableToChangeEntry
from partnerships.people.models import User
from partnerships.spreadsheets.reading.cells import long_text, one_of, quantity
from partnerships.spreadsheets.reading.columns import SheetColumn, column
from partnerships.spreadsheets.services.kinds.base import FEW, Exported, Run, SheetKind, Target
from partnerships.spreadsheets.services.kinds.partnership_rows import may_import, partnership_of, remembered_for
from partnerships.spreadsheets.services.kinds.plan_items import Reader
from partnerships.spreadsheets.services.kinds.records import Revisions, number_of, one_row, own_key
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.values import full_date, text

_DIRECTIONS = dict(Direction.choices)
#: Characters of a long text, as in the form.
_MAX_TEXT = 5000
#: Characters of a title, as in the form.
_MAX_TITLE = 200
#: Columns that become fields of an entry, with what reads them.
_LONG = ("statement", "rationale", "conditions", "private_note")
_DAYS = ("available_from", "available_until", "closes_on")


def _columns(_target: Target) -> tuple[SheetColumn, ...]:
    """The columns of template and download.

    The last two are only in downloads.
    """
    day = "Day, month and year."
    return (
        column(
            "own",
            "Your reference",
            "reference",
            "ref",
            example="A1",
            hint="A row with a reference that we know changes that record.",
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
        column("status", "Status", hint="Filled in only in downloads."),
        column("pk", "ID", hint="From a download. Leave it blank for a new ask or offer."),
    )


def _themes() -> dict[str, str]:
    return {code: theme.label for code, theme in Theme.by_code().items() if theme.active}


def _units() -> dict[str, str]:
    return {code: unit.label for code, unit in Unit.by_code().items() if unit.active}


def _mine(target: Target, person: User) -> Any:
    return Entry.objects.visible_to(person).filter(
        organisation=target.organisation, partnership=partnership_of(target), audience=Audience.PARTNERSHIP
    )


def _apply(run: Run) -> None:
    """Create an ask or offer as a draft, or change a known one, for each sound row."""
    revisions = Revisions(_all(run.target), run.seen)
    seen: dict[Any, Line] = {}
    for line in run.lines():
        values = _values(run, line)
        if values is None:
            continue
        said = line.text("pk")
        key = own_key("entry", run.target, line.text("own") or f"{values['direction']} {values['title']}")
        mine = _mine(run.target, run.author)
        known = mine.filter(pk=int(said)).first() if said.isdecimal() and len(said) < 19 else None
        if said and known is None:
            run.refuse(line, "pk", "your organisation has no such ask or offer here.", "Leave the ID blank.")
            continue
        known = known or mine.filter(key=key).first()
        same = seen.setdefault(known.pk if known else key, line)
        if same is not line:
            run.refuse(line, "", f"it is the same as row {same.number}.", "Keep one of the two rows.")
            continue
        with one_row(run, line, UnableToChangeEntry):
            if known is None:
                _create(run, values, key)
            else:
                _change(run, line, known, values, revisions)


def _values(run: Run, line: Line) -> dict[str, Any] | None:
    """What the row says, without blank cells; None with problems."""
    readers: dict[str, Reader] = {
        "direction": one_of(_DIRECTIONS),
        "theme": one_of({code: theme.label for code, theme in Theme.by_code().items()}),
        "unit": one_of({code: unit.label for code, unit in Unit.by_code().items()}),
        "quantity": quantity,
        **dict.fromkeys(_LONG, long_text),
        **dict.fromkeys(_DAYS, full_date),
    }
    before = len(run.rows.problems)
    values: dict[str, Any] = {}
    for entry_column in _columns(run.target):
        if entry_column.code in ("own", "pk", "status"):
            continue
        value = run.rows.read(line, entry_column.code, readers.get(entry_column.code, text))
        if value not in (None, ""):
            values[entry_column.code] = value
        elif entry_column.required and not line.text(entry_column.code):
            run.refuse(line, entry_column.code, "the cell is blank.", "Fill it in.")
        limit = _MAX_TEXT if entry_column.code in _LONG else _MAX_TITLE
        if isinstance(value, str) and len(value) > limit:
            run.refuse(line, entry_column.code, f"it is {len(value):,} characters long.", f"Shorten it to {limit:,}.")
    return values if len(run.rows.problems) == before else None


def _create(run: Run, values: dict[str, Any], key: Any) -> None:
    assert run.target.organisation is not None  # who may import acts for one
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


def _change(run: Run, line: Line, known: Entry, values: dict[str, Any], revisions: Revisions) -> None:
    direction = values.pop("direction")
    changed = {name: value for name, value in values.items() if _read(name, getattr(known, name)) != value}
    if direction != known.direction:
        run.refuse(line, "direction", f"{known.title} is an {known.direction}.", "Write a new one.")
    elif not changed:
        run.report.count("left_alone")
    elif revisions.is_stale(known.pk, known.revision):
        run.refuse(line, "", "an ask or offer was changed since the preview.", "Upload this row again to see both.")
    else:
        edit_entry(entry=known, revision=known.revision, author=run.author, now=run.now, **changed)
        run.report.count("changed", f"{known.title}: {', '.join(sorted(name.replace('_', ' ') for name in changed))}")


def _read(name: str, value: Any) -> Any:
    """A stored value as it comes back from a file.

    Texts typed in a form may have other ends of lines.
    """
    if not isinstance(value, str):
        return value
    return long_text(value) if name in _LONG else text(value)


def _revision(target: Target) -> int:
    """Grows with every change of the party's asks and offers to the partnership."""
    return _all(target).aggregate(total=Sum("revision"))["total"] or 0


def _all(target: Target) -> QuerySet[Entry]:
    return Entry.objects.filter(organisation=target.organisation, partnership=partnership_of(target))


def _rows(target: Target, person: User) -> list[Exported]:
    """Asks and offers of the person's own party.

    Others are on the board, with an export of its own.
    """
    if target.organisation is None:
        return []
    return [_exported(entry) for entry in _mine(target, person).order_by("pk")]


def _exported(entry: Entry) -> Exported:
    return {
        "direction": entry.get_direction_display(),
        "theme": Theme.label_of(entry.theme),
        "unit": Unit.label_of(entry.unit) if entry.unit else "",
        "quantity": number_of(entry.quantity),
        "status": entry.get_status_display(),
        "pk": str(entry.pk),
        **{name: getattr(entry, name) for name in ("title", "site", *_LONG, *_DAYS)},
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
        "One row for each ask or offer of your organisation to this partnership. New ones are drafts until you share "
        "them."
    ),
)
