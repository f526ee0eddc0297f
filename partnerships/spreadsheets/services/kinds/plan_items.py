"""What sites, homes and milestones share: they go into the draft of a plan."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from partnerships.documents import KEY, InvalidContent, normalise_item
from partnerships.organisations.models import Organisation
from partnerships.people.models import User
from partnerships.plans.content import PLAN, Collection, Content, Item
from partnerships.plans.models import Draft, Plan
from partnerships.plans.queries import acting_for, content_for, draft_content, newest_for, reading_class
from partnerships.plans.rights import rights_over
from partnerships.plans.services import UnableToSavePiece, lock_open_draft, save_items
from partnerships.spreadsheets.reading.columns import SheetColumn
from partnerships.spreadsheets.services.kinds.base import Run, Target
from partnerships.transfer.reading.headings import Line
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reading.tables import Cell
from partnerships.transfer.reading.values import text

#: Reads a cell; None or "" means that it is blank.
Reader = Callable[[Cell], Any]


def plan_of(target: Target) -> Plan:
    """The plan of the target."""
    assert target.plan is not None  # the kinds of a plan
    return target.plan


def may_import(target: Target, person: User, now: dt.datetime) -> bool:
    """Whether they may import into the plan's draft: editors and leads of an owner."""
    plan = plan_of(target)
    return rights_over(plan, person, now).edits_for_owner and not plan.is_over


def remembered_for(target: Target, person: User, now: dt.datetime) -> Organisation | None:
    """The owner that the person acts for."""
    return acting_for(person, plan_of(target))


def revision_of(target: Target) -> int:
    """The revision of the draft."""
    return Draft.objects.filter(plan=plan_of(target)).values_list("revision", flat=True).first() or 0


def content_to_export(target: Target, person: User) -> Content | None:
    """The draft for those who edit it.

    For others the newest version as they read it.
    """
    plan = plan_of(target)
    if Plan.objects.editable_by(person).filter(pk=plan.pk).exists():
        return draft_content(plan)
    version = newest_for(person, plan)
    return None if version is None else content_for(version.content, reading_class(person, plan))


class Draftsman:
    """Collects the items of one list that the rows change, and saves them at once.

    Several rows may change one item, as lines of homes do.
    """

    def __init__(self, run: Run, collection: Collection, *, reference: str = "") -> None:
        self.run, self.collection = run, collection
        try:
            self.plan, self.draft = lock_open_draft(plan=plan_of(run.target), author=run.author, now=run.now)
        except UnableToSavePiece as error:
            raise unable(str(error), "") from error
        self.content = draft_content(self.plan)
        self.present: dict[str, Item] = {item["key"]: item for item in self.content[collection.code]}
        self.changed: dict[str, Item] = {}
        #: The items of the draft, and new ones of the rows so far.
        self.known = Known(self.present.values(), reference=reference)
        self.taken = set(self.present)
        self._rows: dict[str, Line] = {}

    def item(self, key: str) -> Item:
        """The item as the rows so far leave it."""
        return self.changed.get(key) or self.present[key]

    def is_stale(self, key: str) -> bool:
        """Whether somebody saved or removed the item after the preview was made."""
        piece = f"{self.collection.code}/{key}"
        return self.run.seen is not None and self.draft.revision_of(piece) > self.run.seen

    def put(self, line: Line, key: str, value: Mapping[str, Any]) -> None:
        """Change or add an item as a row says.

        An invalid value sets the row aside.
        """
        if self.is_stale(key):
            self.run.refuse(
                line, "", "it was changed in the draft since the preview.", "Upload this row again to see both."
            )
            return
        try:
            self.changed[key] = normalise_item(PLAN, self.collection, value, key)
        except InvalidContent as error:
            for problem in error.problems:
                found, _, remedy = problem.message.partition(". ")
                field = problem.path.rpartition("/")[2]
                column = field if self.run.table.has(field) else ""
                self.run.refuse(line, column, found, remedy or "Correct the cell.")

    def put_once(self, line: Line, key: str, given: Item) -> None:
        """Change or add the item that no other row of the file may change.

        A new one is known from then on.
        """
        if key in self._rows:
            same = f"it is the same {self.collection.one} as row {self._rows[key].number}."
            self.run.refuse(line, "", same, "Keep one of the two rows.")
            return
        self._rows[key] = line
        self.put(line, key, {**self.present.get(key, {}), **given})
        if key in self.changed and key not in self.taken:
            self.taken.add(key)
            self.known.add(self.changed[key])

    def save(self, name: Callable[[Item], str]) -> None:
        """Save what changed in the draft, and report it.

        `name` names an item for the report.
        """
        for key, item in self.changed.items():
            was = self.present.get(key)
            if was is None:
                self.run.report.count("created", name(item))
            elif was != item:
                self.run.report.count("changed", f"{name(item)}: {_difference(self.collection, was, item)}")
            else:
                self.run.report.count("left_alone")
        try:
            save_items(
                plan=self.plan, code=self.collection.code, items=self.changed, author=self.run.author, now=self.run.now
            )
        except UnableToSavePiece as error:
            raise unable(str(error), "Import fewer rows.") from error


def _difference(collection: Collection, was: Item, item: Item) -> str:
    """What changed in an item, in words: the fields, and the number of homes."""
    words = [field.label.lower() for field in collection.fields if was[field.code] != item[field.code]]
    counts = collection.counts
    if counts and was[counts.code] != item[counts.code]:
        words.append(f"{counts.total(was):,} homes before, {counts.total(item):,} now")
    return ", ".join(words)


class Known:
    """Finds an item of a list by its id, its reference or its name."""

    def __init__(self, items: Iterable[Item], *, reference: str = "", name: str = "name") -> None:
        self._by: dict[str, dict[str, list[Item]]] = {"key": {}, reference: {}, name: {}}
        self.reference, self.name = reference, name
        for item in items:
            self.add(item)

    def add(self, item: Item) -> None:
        """Know one more item."""
        for field, found in self._by.items():
            if field and item[field]:
                found.setdefault(_folded(item[field]), []).append(item)

    def by(self, field: str, value: str) -> list[Item]:
        """The items with this value, whatever its case and spaces."""
        return self._by[field].get(_folded(value), [])

    def named(self, said: str) -> list[Item]:
        """The items that this reference, id or name means.

        The first of these that fits decides.
        """
        for field in (self.reference, "key", self.name):
            if field and (found := self.by(field, said)):
                return found
        return []

    def id_of(self, item: Item) -> str:
        """What names the item in a file.

        Its reference, or its id if several have that reference.
        """
        said = str(item[self.reference]) if self.reference else ""
        return said if said and self.named(said) == [item] else str(item["key"])


def _folded(value: Any) -> str:
    return " ".join(str(value).split()).casefold()


def given_by(
    run: Run, line: Line, collection: Collection, columns: Iterable[SheetColumn], readers: Mapping[str, Reader]
) -> Item | None:
    """What a row says of an item, without blank cells; None with problems."""
    values: Item = {}
    before = len(run.rows.problems)
    for column in columns:
        if column.code == "key" or not text(line[column.code]):
            continue
        value = run.rows.read(line, column.code, readers.get(column.code, text))
        if value not in (None, ""):
            values[column.code] = value
    if not line.text("name"):
        run.refuse(line, "name", "the cell is blank.", f"Every {collection.one} needs a name.")
    return values if len(run.rows.problems) == before else None


def site_named(run: Run, line: Line, sites: Known) -> str | None:
    """The key of the site that a row names; None with a problem."""
    said = line.text("site")
    found = sites.named(said)
    if len(found) == 1:
        return str(found[0]["key"])
    problem = f"several sites are called “{said}”." if found else f"“{said}” is not a site of this plan."
    remedy = "Write its reference or ID." if found else "Correct it, or import the site first."
    run.refuse(line, "site", problem, remedy)
    return None


def given_key(run: Run, line: Line, one: str) -> str | None:
    """The id that a row gives, which is not blank.

    None with a problem. `one` is what an item is called.
    """
    said = line.text("key")
    if KEY.fullmatch(said) is None:
        run.refuse(line, "key", f"“{said}” is not an ID.", f"Leave it blank for a new {one}.")
        return None
    return said
