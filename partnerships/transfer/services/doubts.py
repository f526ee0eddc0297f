"""Rows to review, whose answers later lists use again."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from partnerships.organisations.models import Organisation
from partnerships.transfer.models import Answer, Doubt
from partnerships.transfer.services.directory import Import


@dataclass(frozen=True, slots=True)
class NewDoubt:
    """A row to review, before its run is saved."""

    key: str
    name: str
    row: dict[str, Any]
    why: str
    candidates: tuple[Organisation, ...]


@dataclass
class Doubts:
    """The answers known for one register, and the new rows to review."""

    answers: dict[str, Doubt]
    asked: list[NewDoubt] = field(default_factory=list)

    @classmethod
    def of(cls, register: str) -> Doubts:
        """With every answer known for the register."""
        rows = Doubt.objects.filter(register=register).select_related("organisation")
        return cls({doubt.key: doubt for doubt in rows})

    def answer(self, key: str) -> Doubt | None:
        """The answer to a row; None if there is none."""
        doubt = self.answers.get(key)
        return doubt if doubt is not None and doubt.answer else None

    def ask(self, run: Import, doubt: NewDoubt) -> None:
        """Leave the row for review."""
        self.asked.append(doubt)
        could = ", ".join(candidate.name for candidate in doubt.candidates)
        run.report.count(
            "undecided", f"{doubt.name} ({doubt.key}): {doubt.why}{f' It could be {could}.' if could else ''}"
        )


def settled(
    doubts: Doubts,
    key: str,
    *,
    join: Callable[[Organisation], None],
    create: Callable[[], None],
    leave: Callable[[], None],
) -> bool:
    """Apply the answer to this row; False if there is none."""
    answer = doubts.answer(key)
    if answer is None:
        return False
    if answer.answer == Answer.LEAVE_OUT:
        leave()
    elif answer.organisation is not None:
        join(answer.organisation)
    else:
        create()
    return True


def distinct(organisations: Iterable[Organisation]) -> tuple[Organisation, ...]:
    """The organisations without duplicates, in order."""
    return tuple({organisation.pk: organisation for organisation in organisations}.values())
