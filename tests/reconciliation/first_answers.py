"""Names of published lists, asked without their numbers: how often the first answer has the list's own number.

The test asks the extracts in the repository; `make bench-reconciliation` asks whole published files.
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
from partnerships.reconciliation.matching import Body, DatedName, Verdict, place_in
from partnerships.reconciliation.queries import bodies_of, find
from partnerships.reconciliation.questions import Period, Question
from partnerships.transfer.reading.tables import Cell, read_sheets

#: Whole files may be larger than imports may be.
_LARGEST = 60_000_000


@dataclass(frozen=True)
class Column:
    """Which columns of a file have a name and its number, and the day of the list."""

    file: str
    name: str
    number: str
    scheme: Scheme
    day: dt.date | None
    #: The column with the day, or the year, on which a body ended.
    ended: str = ""


@dataclass
class Score:
    """How the names of one column were answered."""

    asked: int = 0
    first: int = 0
    certain: int = 0
    certainly_wrong: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    unknown: int = 0

    @property
    def share(self) -> float:
        """Right first answers among the names asked."""
        return self.first / self.asked if self.asked else 1.0


def rows_of(data: bytes, column: Column) -> Iterator[tuple[str, str, dt.date | None]]:
    """Name, number and day of each row; every table of every sheet that has the two columns."""
    seen = set()
    for sheet in read_sheets(data, column.file, max_bytes=_LARGEST):
        places: dict[str, int] = {}
        for row in sheet.rows:
            texts = [_text(cell) for cell in row.cells]
            if column.name in texts and column.number in texts:
                places = {text: place for place, text in enumerate(texts)}
                continue
            if not places or len(texts) <= max(places[column.name], places[column.number]):
                continue
            name, number = texts[places[column.name]], texts[places[column.number]]
            end = texts[places[column.ended]] if column.ended and column.ended in places else ""
            if name and number and (name, number) not in seen:
                seen.add((name, number))
                last = PartialDate.parse(end[:10]).earliest - dt.timedelta(days=1) if end else column.day
                yield name, number, last


def _text(cell: Cell) -> str:
    return "" if cell is None else " ".join(str(cell).replace("\ufeff", "").split())


def score(rows: Iterable[tuple[str, str, dt.date | None]], scheme: Scheme) -> Score:
    """Ask each name at its day, without its number, in batches."""
    result, asked = Score(), []
    holders = dict(Identifier.objects.filter(scheme=scheme).values_list("value", "organisation"))
    namesakes = _namesakes()
    bodies = bodies_of({*holders.values()}.union(*namesakes.values()))
    places = _places(bodies.values())

    def called(name: str, day: dt.date | None) -> int:
        """How many bodies that existed on the day have this name, or are called after it if it is a bare place."""
        folded = fold_name(name)
        after = places.get(folded, []) if place_in(folded) == folded else []
        alike = namesakes.get(folded, set()).union(
            pk for pk, named in after if day is None or Period(day, day).meets(named.begins, named.ends)
        )
        found = [bodies[pk] for pk in alike if pk in bodies]
        return sum(day is None or Period(day, day).meets(one.begins, one.ends) for one in found)

    for name, number, day in rows:
        plain = number.rpartition(":")[2]
        if holders.get(plain) not in bodies:
            result.unknown += 1
        elif called(name, day) > 1:
            result.ambiguous.append(f"{name} ({number})")
        else:
            asked.append((name, number, day, holders[plain]))
    for start in range(0, len(asked), settings.RECONCILIATION_SIZES["BATCH"]):
        part = asked[start : start + settings.RECONCILIATION_SIZES["BATCH"]]
        questions = [Question(text=name, period=Period(day, day) if day else None) for name, _, day, _ in part]
        for (name, number, _, wanted), found in zip(part, find(questions), strict=True):
            _count(result, f"{name} ({number})", wanted, found)
    return result


def _count(result: Score, said: str, wanted: int, found: list[Verdict]) -> None:
    result.asked += 1
    is_right = bool(found) and found[0].body.pk == wanted
    result.first += is_right
    result.certain += bool(found) and found[0].is_match
    if not is_right:
        answered = f"{said} → {found[0].body.name}, {found[0].points}" if found else f"{said} → nothing"
        result.wrong.append(answered)
        if found and found[0].is_match:
            result.certainly_wrong.append(answered)


def _places(bodies: Iterable[Body]) -> dict[str, list[tuple[int, DatedName]]]:
    """The councils and other public bodies by the places in their names: “Dorset” was a county and a LEP."""
    found: dict[str, list[tuple[int, DatedName]]] = defaultdict(list)
    for body in bodies:
        for named in body.names if body.is_public else ():
            found[place_in(named.folded)].append((body.pk, named))
    return found


def _namesakes() -> dict[str, set[int]]:
    """Every public body by each of its folded names."""
    found = defaultdict(set)
    for folded, organisation in OrganisationName.objects.values_list("folded", "organisation"):
        found[folded].add(organisation)
    return found


def files_below(folder: Path, columns: Iterable[Column]) -> Iterator[tuple[Column, Score]]:
    """The score of each column whose file is there."""
    for column in columns:
        path = folder / column.file
        if path.exists():
            yield column, score(rows_of(path.read_bytes(), column), column.scheme)
