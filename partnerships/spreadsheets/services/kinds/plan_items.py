"""Helpers for spreadsheets of sites, homes and milestones, which change the draft of a plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from partnerships.documents import KEY, InvalidContent, normalise_item
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import PLAN, Collection, Content, Item
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import (
    content_for_reader,
    draft_content,
    newest_version_for,
    owner_acted_for,
    reading_class,
)
from partnerships.plans.rights import edits_for_owner
from partnerships.plans.services import UnableToSavePiece, lock_open_draft, save_items
from partnerships.spreadsheets.reading.columns import SheetColumn
from partnerships.spreadsheets.services.kinds.base import ImportedRows, Target
from partnerships.spreadsheets.services.kinds.refusals import (
    RepeatedRows,
    refuse_blank,
    refuse_changed_since_preview,
)
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import text

#: A function that reads a cell. None or "" means that the cell is blank.
Reader = Callable[[Cell], Any]


def plan_of(target: Target) -> Plan:
    """Return the plan of the target."""
    assert target.plan is not None  # only plans have these kinds
    return target.plan


def may_import(target: Target, person: User, now: dt.datetime) -> bool:
    """Return whether the person may change the plan's draft. Editors and leads of an owner may."""
    plan = plan_of(target)
    return edits_for_owner(plan, person, now) and not plan.is_over


def remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    """Return the owner that the person acts for, whose confirmed headings are remembered."""
    return owner_acted_for(person, plan_of(target))


def revision_of(target: Target) -> int:
    """Return the revision of the draft."""
    return Draft.objects.filter(plan=plan_of(target)).values_list("revision", flat=True).first() or 0


def content_to_export(target: Target, person: User) -> Content | None:
    """Return the draft if the person can edit it, or else the newest version as the person may read it."""
    plan = plan_of(target)
    if Plan.objects.editable_by(person).filter(pk=plan.pk).exists():
        return draft_content(plan)
    version = newest_version_for(person, plan)
    return None if version is None else content_for_reader(version.content, reading_class(person, plan))


class DraftEditor:
    """Changes the items of one collection in a plan's draft as the rows say, and saves them together.

    Several rows can change the same item. For example, each row of homes changes its site.
    """

    def __init__(self, run: ImportedRows, collection: Collection, *, reference: str = "") -> None:
        self._run = run
        self._collection = collection
        try:
            self._plan, self._draft = lock_open_draft(plan=plan_of(run.target), author=run.author, now=run.now)
        except UnableToSavePiece as error:
            raise refuse_file(str(error), "") from error
        self.content = draft_content(self._plan)
        self._draft_items: dict[str, Item] = {item["key"]: item for item in self.content[collection.code]}
        self._changed_items: dict[str, Item] = {}
        #: The items of the draft, and items that earlier rows added.
        self.items = ItemFinder(self._draft_items.values(), reference=reference)
        #: The keys of the items in `items`.
        self.keys = set(self._draft_items)
        self._repeated_rows = RepeatedRows(run, collection.singular)

    def item(self, key: str) -> Item:
        """Return the item with the changes of earlier rows."""
        return self._changed_items.get(key) or self._draft_items[key]

    def _is_stale(self, key: str) -> bool:
        """Return whether the item was saved or removed after the preview was made."""
        previewed_revision = self._run.previewed_revision
        piece = f"{self._collection.code}/{key}"
        return previewed_revision is not None and self._draft.revision_of(piece) > previewed_revision

    def put(self, line: Line, key: str, item: Mapping[str, Any]) -> None:
        """Change or add an item. If its content is invalid, the row is set aside."""
        if self._is_stale(key):
            refuse_changed_since_preview(self._run, line, f"this {self._collection.singular}")
            return
        try:
            self._changed_items[key] = normalise_item(PLAN, self._collection, item, key)
        except InvalidContent as error:
            for problem in error.problems:
                problem_text, _, remedy = problem.message.partition(". ")
                field = problem.path.rpartition("/")[2]
                column = field if self._run.table.has(field) else ""
                self._run.refuse(line, column, problem_text, remedy or "Correct the cell.")

    def put_once(self, line: Line, key: str, values: Item) -> None:
        """Change or add an item that has only one row in the file. Later rows with the same key are set aside."""
        if self._repeated_rows.refuse_if_repeated(line, key):
            return
        self.put(line, key, {**self._draft_items.get(key, {}), **values})
        if key in self._changed_items and key not in self.keys:
            self.keys.add(key)
            self.items.add(self._changed_items[key])

    def save(self, name_of: Callable[[Item], str]) -> None:
        """Save the changed items in the draft, and add them to the report with the name from `name_of`."""
        for key, item in self._changed_items.items():
            previous = self._draft_items.get(key)
            if previous is None:
                self._run.report.count("created", name_of(item))
            elif previous != item:
                difference = _difference(self._collection, previous, item)
                self._run.report.count("changed", f"{name_of(item)}: {difference}")
            else:
                self._run.report.count("left_alone")
        try:
            save_items(
                plan=self._plan,
                code=self._collection.code,
                items=self._changed_items,
                author=self._run.author,
                now=self._run.now,
            )
        except UnableToSavePiece as error:
            raise refuse_file(str(error), "Import fewer rows.") from error


def _difference(collection: Collection, previous: Item, item: Item) -> str:
    """Return the changes as text, such as “landowner, 20 homes before, 24 now”."""
    changes = [field.label.lower() for field in collection.fields if previous[field.code] != item[field.code]]
    counts = collection.counts
    if counts and previous[counts.code] != item[counts.code]:
        changes.append(f"{counts.total(previous):,} homes before, {counts.total(item):,} now")
    return ", ".join(changes)


class ItemFinder:
    """Finds an item of a collection by its key, its reference or its name. Case and spaces make no difference.

    `reference` is the field with the reference, or "" if items have none.
    """

    def __init__(self, items: Iterable[Item], *, reference: str = "") -> None:
        self._reference = reference
        self._items_by_value: dict[str, dict[str, list[Item]]] = {
            field: {} for field in (reference, "key", "name") if field
        }
        for item in items:
            self.add(item)

    def add(self, item: Item) -> None:
        """Add an item, so that later rows find it."""
        for field, items_by_value in self._items_by_value.items():
            if item[field]:
                items_by_value.setdefault(_folded(item[field]), []).append(item)

    def by(self, field: str, value: str) -> list[Item]:
        """Return the items with this value in a field."""
        return self._items_by_value[field].get(_folded(value), [])

    def named(self, text: str) -> list[Item]:
        """Return the items with this reference or, if there are none, with this key, or else with this name."""
        for field in self._items_by_value:
            if items := self.by(field, text):
                return items
        return []

    def id_of(self, item: Item) -> str:
        """Return the reference of the item, or its key if another item has the same reference."""
        reference = str(item[self._reference]) if self._reference else ""
        return reference if reference and self.named(reference) == [item] else str(item["key"])


def _folded(value: Any) -> str:
    """Return a value as text without differences of case and spaces, for comparisons."""
    return " ".join(str(value).split()).casefold()


def row_values(
    run: ImportedRows, line: Line, collection: Collection, columns: Iterable[SheetColumn], readers: Mapping[str, Reader]
) -> Item | None:
    """Return the values of the row by column, without blank cells, or None if the row is refused."""
    values: Item = {}
    for column in columns:
        if column.code == "key" or not text(line[column.code]):
            continue
        value = run.read(line, column.code, readers.get(column.code, text))
        if value not in (None, ""):
            values[column.code] = value
    if not line.text("name"):
        refuse_blank(run, line, "name", f"Every {collection.singular} needs a name.")
    return None if run.is_refused(line) else values


def site_key_in_row(run: ImportedRows, line: Line, sites: ItemFinder) -> str | None:
    """Return the key of the site that a row names, or None if the row is refused."""
    site_text = line.text("site")
    matches = sites.named(site_text)
    if len(matches) == 1:
        return str(matches[0]["key"])
    if matches:
        run.refuse(line, "site", f"several sites are called “{site_text}”.", "Enter the reference or ID of one site.")
    else:
        problem = f"“{site_text}” is not a site of this plan."
        run.refuse(line, "site", problem, "Correct the site, or import the site first.")
    return None


def key_in_row(run: ImportedRows, line: Line, item_name: str) -> str | None:
    """Return the key in a row with an ID, or None if the row is refused.

    The message uses `item_name`, such as “milestone”.
    """
    key = line.text("key")
    if KEY.fullmatch(key) is None:
        run.refuse(
            line,
            "key",
            f"“{key}” is not an ID.",
            f"Enter an ID from a download, or leave the ID blank for a new {item_name}.",
        )
        return None
    return key
