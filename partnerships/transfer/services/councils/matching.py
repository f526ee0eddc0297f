"""Match rows of a list to councils in the directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from partnerships.kit.names import fold_name
from partnerships.organisations.models import (
    Kind,
    Organisation,
    Scheme,
)
from partnerships.transfer.models import Answer
from partnerships.transfer.reading.councils import Council, CouncilList
from partnerships.transfer.reading.names import combined_place, council_place
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts, NewDoubt, distinct

GOVERNING = (Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY)


#: Maximum organisations offered for a row to review.
_MAX_OFFERED = 12


DATES = ("starts_on", "ends_on")


TUPLES = ("successors", "alternatives", "former_codes")


def find_council(council: Council, directory: Directory) -> Organisation | None:
    """The organisation of a row, by key or else by code, old or new."""
    return directory.holder(Scheme.LOCAL_AUTHORITY, council.key) or directory.holder(Scheme.GSS, council.gss)


class Matching:
    """Matches rows to organisations, by key or code, or else by name.

    A name must be unambiguous; otherwise the row is left for review.
    """

    def __init__(self, listed: CouncilList, directory: Directory, doubts: Doubts, run: Import) -> None:
        self._listed = listed
        self._directory = directory
        self._doubts = doubts
        self._run = run
        self._codes = {council.gss for council in listed.councils}
        #: Rows that were matched by name alone.
        self.joined: set[str] = set()
        self._of_place: dict[tuple[str, str], list[Organisation]] = defaultdict(list)
        self._places: dict[int, set[str]] = {}
        for body in directory.organisations.values():
            if body.kind in GOVERNING:
                names = {body.name, body.short_name, *directory.names[body.pk]} - {""}
                self._places[body.pk] = {_place(name, combined=body.kind != Kind.COUNCIL) for name in names}
                for place in self._places[body.pk]:
                    self._of_place[body.kind, place].append(body)

    def matched(self, councils: Sequence[Council]) -> dict[str, Organisation | None]:
        """The organisation of each row by the row's key; None for a new one.

        Rows left for review are missing.
        """
        organisations: dict[str, Organisation | None] = {}
        taken: dict[int, Council] = {}
        waiting = []
        for council in councils:
            body = find_council(council, self._directory)
            if body is None:
                waiting.append(council)
            elif others := self._contradicting(council, body):
                if self._doubts.answer(council.key) is None:
                    self._ask(council, (body, *others), f"the code belongs to {body.name}, but the name does not.")
                else:
                    waiting.append(council)
            else:
                organisations[council.key] = body
                taken[body.pk] = council
        for council in waiting:
            answer = self._doubts.answer(council.key)
            if answer is None:
                self._by_name(council, organisations, taken)
            elif answer.answer == Answer.LEAVE_OUT:
                self._run.report.count("left_alone")
            else:
                body = self._directory.organisations[answer.organisation.pk] if answer.organisation else None
                organisations[council.key] = body
                if body is not None:
                    taken[body.pk] = council
        return organisations

    def _contradicting(self, council: Council, body: Organisation) -> list[Organisation]:
        """Other organisations with the row's name.

        Only for lists of codes and names, and only if the name differs from the matched organisation's.
        """
        place = _place(council.name, combined=council.is_combined)
        if self._listed.is_whole or body.kind not in GOVERNING or place in self._places[body.pk]:
            return []
        return [
            organisation
            for organisation in self._alike(council)
            if organisation.pk != body.pk and not organisation.is_ended
        ]

    def _alike(self, council: Council) -> list[Organisation]:
        kind = Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL
        names = (council.name, council.short_name) if council.short_name else (council.name,)
        return list(
            distinct(
                organisation
                for name in names
                for organisation in self._of_place[kind, _place(name, combined=council.is_combined)]
            )
        )

    def _by_name(
        self, council: Council, organisations: dict[str, Organisation | None], taken: dict[int, Council]
    ) -> None:
        """Match by name if only one council can be meant.

        Otherwise queue it for review, or leave it as new.
        """
        # Keys tell two councils of the same name apart; codes and names do not.
        alike = [
            organisation
            for organisation in self._alike(council)
            if organisation.pk not in taken or not self._listed.is_whole
        ]
        living = [organisation for organisation in alike if not organisation.is_ended]
        one_is_left = len(living) == 1 and living[0].pk not in taken
        if one_is_left and council.is_current and self._is_sure(living[0], council):
            organisations[council.key] = living[0]
            taken[living[0].pk] = council
            self.joined.add(council.key)
        elif living or (alike and council.is_current):
            words = "its key and code are new, but the name is already in the directory."
            self._ask(council, tuple(alike), f"{words} It may have a new code, or be a successor.")
        elif gone := self._gone(council, taken):
            self._ask(
                council, tuple(gone), "its code and name are new, and others of its kind are no longer in the list."
            )
        else:
            organisations[council.key] = None

    def _is_sure(self, body: Organisation, council: Council) -> bool:
        """Whether the one active organisation with the row's name is the row's.

        It must have the row's tier, and no key or code that another row has. Never sure for a combined authority with a
        code: it may be a successor.
        """
        codes = self._directory.values(body, Scheme.GSS)
        if self._listed.is_whole and self._directory.values(body, Scheme.LOCAL_AUTHORITY) - {council.key}:
            return False
        if not codes:
            return body.council_type in ("", council.type) and fold_name(body.name) == fold_name(council.name)
        return not council.is_combined and self._is_of_tier(body, council) and not codes & self._codes

    def _is_of_tier(self, body: Organisation, council: Council) -> bool:
        codes = self._directory.values(body, Scheme.GSS)
        return any(code[:3] == council.gss[:3] for code in codes)

    def _gone(self, council: Council, taken: dict[int, Council]) -> list[Organisation]:
        """Active organisations of the row's tier that the list lacks.

        Only for lists of codes and names: one of them may have changed both.
        """
        if self._listed.is_whole or self._run.listed.is_part:
            return []
        return [
            organisation
            for organisation in self._directory.organisations.values()
            if organisation.kind in GOVERNING
            and not organisation.is_ended
            and organisation.pk not in taken
            and self._is_of_tier(organisation, council)
            and not self._directory.values(organisation, Scheme.GSS) & self._codes
            and not self._run.is_mentioned(self._directory.values(organisation, Scheme.GSS))
        ][:_MAX_OFFERED]

    def _ask(self, council: Council, candidates: Sequence[Organisation], why: str) -> None:
        self._doubts.ask(
            self._run,
            NewDoubt(
                key=council.key,
                name=council.name,
                row=_as_row(council, self._listed),
                why=why,
                candidates=distinct(candidates),
            ),
        )


def _place(name: str, *, combined: bool) -> str:
    return combined_place(name) if combined else council_place(name)


def _as_row(council: Council, listed: CouncilList) -> dict[str, Any]:
    row = asdict(council) | {"official": listed.is_whole}
    row |= {name: row[name].isoformat() if row[name] else None for name in DATES}
    return row | {name: list(row[name]) for name in TUPLES}
