"""Rows to review: new rows of an import, and people's answers to rows of earlier imports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from partnerships.organisations.models import Organisation
from partnerships.transfer.models import Doubt
from partnerships.transfer.services.directory import RunningImport


@dataclass(frozen=True, slots=True)
class NewDoubt:
    """A row to review that is not saved yet."""

    key: str
    name: str
    #: The fields of the row as JSON values.
    row: dict[str, Any]
    why: str
    candidates: tuple[Organisation, ...]


@dataclass
class Doubts:
    """The rows to review of one register: those of earlier imports by key, and new ones."""

    #: Rows of earlier imports by their keys, both open and answered.
    answers: dict[str, Doubt]
    new_doubts: list[NewDoubt] = field(default_factory=list)

    @classmethod
    def of(cls, register: str) -> Doubts:
        """Load the rows to review of a register."""
        doubts = Doubt.objects.filter(register=register).select_related("organisation")
        return cls({doubt.key: doubt for doubt in doubts})

    @property
    def candidate_ids(self) -> set[int]:
        """The ids of the organisations that the new rows may mean."""
        return {candidate.pk for doubt in self.new_doubts for candidate in doubt.candidates}

    def answer(self, key: str) -> Doubt | None:
        """Return the answered row with this key; None if no row has the key, or the row is open."""
        doubt = self.answers.get(key)
        return doubt if doubt is not None and not doubt.is_open else None

    def ask(self, run: RunningImport, doubt: NewDoubt) -> None:
        """Add a row to the rows to review, and count it in the report."""
        self.new_doubts.append(doubt)
        candidates = ", ".join(candidate.name for candidate in doubt.candidates)
        hint = f" It could be {candidates}." if candidates else ""
        run.report.count("undecided", f"{doubt.name} ({doubt.key}): {doubt.why}{hint}")


def without_duplicates(organisations: Iterable[Organisation]) -> tuple[Organisation, ...]:
    """Return the organisations without duplicates, in the same order."""
    return tuple({organisation.pk: organisation for organisation in organisations}.values())
