"""Rows of a list that an administrator must review, because no organisation matches the row with certainty.

The model of a saved row is `Doubt`. Later imports use the administrator's answer for rows with the same key.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from partnerships.organisations.models import Organisation
from partnerships.transfer.models import Doubt
from partnerships.transfer.services.directory import RunningImport


@dataclass(frozen=True, slots=True)
class RowToReview:
    """A row to review that is not saved yet."""

    key: str
    name: str
    #: The fields of the row as JSON values.
    row: dict[str, Any]
    why: str
    candidates: tuple[Organisation, ...]


@dataclass
class RowsToReview:
    """The rows to review of one register, from earlier imports and from the import that is running."""

    #: Rows of earlier imports by their keys, both open and answered.
    rows_by_key: dict[str, Doubt]
    new_rows: list[RowToReview] = field(default_factory=list)

    @classmethod
    def load(cls, register: str) -> RowsToReview:
        """Return the rows to review that earlier imports of this register saved. Uses one query."""
        saved_rows = Doubt.objects.filter(register=register).select_related("organisation")
        return cls({row.key: row for row in saved_rows})

    @property
    def candidate_ids(self) -> set[int]:
        """The ids of the organisations that could be meant by the new rows."""
        return {candidate.pk for row in self.new_rows for candidate in row.candidates}

    def answered_row(self, key: str) -> Doubt | None:
        """Return the answered row with this key, or None if no row has the key, or the row is open."""
        row = self.rows_by_key.get(key)
        return row if row is not None and not row.is_open else None

    def add(self, run: RunningImport, row: RowToReview) -> None:
        """Add a row to the report and to `new_rows`. The caller saves `new_rows` at the end of the import."""
        self.new_rows.append(row)
        candidates = ", ".join(candidate.name for candidate in row.candidates)
        hint = f" It could be {candidates}." if candidates else ""
        run.report.count("undecided", f"{row.name} ({row.key}): {row.why}{hint}")


def without_duplicates(organisations: Iterable[Organisation]) -> tuple[Organisation, ...]:
    """Return the organisations without duplicates, in the same order."""
    return tuple({organisation.pk: organisation for organisation in organisations}.values())
