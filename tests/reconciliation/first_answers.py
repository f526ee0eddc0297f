"""Ask for names of published lists without their numbers, and count how often the first answer has the right number.

The test uses the extracts in the repository; `make bench-reconciliation` uses whole published files.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from partnerships.kit.dates import PartialDate
from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, OrganisationName, Scheme
from partnerships.reconciliation.matching import Body, DatedName, Verdict, place_in_name
from partnerships.reconciliation.queries import bodies_by_id, find_candidates
from partnerships.reconciliation.questions import Period, Question
from partnerships.transfer.reading.tables import Cell, read_sheets

#: The largest file in bytes. Whole published files may be larger than imports may be.
_LARGEST = 60_000_000


@dataclass(frozen=True)
class Column:
    """The columns of a file that contain a name and its number, and the day of the list."""

    file: str
    name: str
    number: str
    scheme: Scheme
    day: dt.date | None
    #: The column with the day or the year on which a body ended; "" if there is none.
    ended: str = ""


@dataclass
class Score:
    """The numbers of right and wrong answers to the names of one column."""

    asked: int = 0
    first: int = 0
    certain: int = 0
    certainly_wrong: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    unknown: int = 0

    @property
    def share(self) -> float:
        """Return the share of right first answers among the names that were asked for."""
        return self.first / self.asked if self.asked else 1.0


def rows_of(data: bytes, column: Column) -> Iterator[tuple[str, str, dt.date | None]]:
    """Yield name, number and day of each row, from every table of every sheet that has the two columns."""
    seen = set()
    for sheet in read_sheets(data, column.file, max_bytes=_LARGEST):
        column_indexes: dict[str, int] = {}
        for row in sheet.rows:
            texts = [_text(cell) for cell in row.cells]
            if column.name in texts and column.number in texts:
                column_indexes = {text: place for place, text in enumerate(texts)}
                continue
            if not column_indexes or len(texts) <= max(column_indexes[column.name], column_indexes[column.number]):
                continue
            name, number = texts[column_indexes[column.name]], texts[column_indexes[column.number]]
            end = texts[column_indexes[column.ended]] if column.ended and column.ended in column_indexes else ""
            if name and number and (name, number) not in seen:
                seen.add((name, number))
                last = PartialDate.parse(end[:10]).earliest - dt.timedelta(days=1) if end else column.day
                yield name, number, last


def _text(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).replace("\ufeff", "").split())


def score(rows: Iterable[tuple[str, str, dt.date | None]], scheme: Scheme) -> Score:
    """Ask for each name at its day, without its number, in batches."""
    result = Score()
    asked = []
    holders = dict(Identifier.objects.filter(scheme=scheme).values_list("value", "organisation"))
    namesakes = _namesakes()
    bodies = bodies_by_id({*holders.values()}.union(*namesakes.values()))
    places = _places(bodies.values())

    def called(name: str, day: dt.date | None) -> int:
        """Return the number of bodies that existed on the day and have this name, or whose name contains this place."""
        folded = fold_name(name)
        after = places.get(folded, []) if place_in_name(folded) == folded else []
        alike = namesakes.get(folded, set()).union(
            pk for pk, named in after if day is None or Period(day, day).meets(named.begins, named.ends)
        )
        verdicts = [bodies[pk] for pk in alike if pk in bodies]
        return sum(day is None or Period(day, day).meets(verdict.begins, verdict.ends) for verdict in verdicts)

    for name, number, day in rows:
        plain_value = number.rpartition(":")[2]
        if holders.get(plain_value) not in bodies:
            result.unknown += 1
        elif called(name, day) > 1:
            result.ambiguous.append(f"{name} ({number})")
        else:
            asked.append((name, number, day, holders[plain_value]))
    for start in range(0, len(asked), settings.RECONCILIATION_SIZES["BATCH"]):
        batch = asked[start : start + settings.RECONCILIATION_SIZES["BATCH"]]
        questions = [Question(text=name, period=Period(day, day) if day else None) for name, _, day, _ in batch]
        for (name, number, _, holder_id), verdicts in zip(batch, find_candidates(questions), strict=True):
            _count(result, f"{name} ({number})", holder_id, verdicts)
    return result


def _count(result: Score, description: str, expected_pk: int, verdicts: list[Verdict]) -> None:
    """Add the answer to one name to the score."""
    result.asked += 1
    is_right = bool(verdicts) and verdicts[0].body.pk == expected_pk
    result.first += is_right
    result.certain += bool(verdicts) and verdicts[0].is_match
    if not is_right:
        answer = (
            f"{description} → {verdicts[0].body.name}, {verdicts[0].points}" if verdicts else f"{description} → nothing"
        )
        result.wrong.append(answer)
        if verdicts and verdicts[0].is_match:
            result.certainly_wrong.append(answer)


def _places(bodies: Iterable[Body]) -> dict[str, list[tuple[int, DatedName]]]:
    """Return the councils and other public bodies by the place in their names: “Dorset” was a county and a LEP."""
    bodies_by_place: dict[str, list[tuple[int, DatedName]]] = defaultdict(list)
    for body in bodies:
        for named in body.names if body.is_public else ():
            bodies_by_place[place_in_name(named.folded)].append((body.pk, named))
    return bodies_by_place


def _namesakes() -> dict[str, set[int]]:
    """Return the ids of all organisations by each of their folded names."""
    ids_by_name = defaultdict(set)
    for folded, organisation in OrganisationName.objects.values_list("folded", "organisation"):
        ids_by_name[folded].add(organisation)
    return ids_by_name


def files_below(folder: Path, columns: Iterable[Column]) -> Iterator[tuple[Column, Score]]:
    """Yield the score of each column whose file exists."""
    for column in columns:
        path = folder / column.file
        if path.exists():
            yield column, score(rows_of(path.read_bytes(), column), column.scheme)
