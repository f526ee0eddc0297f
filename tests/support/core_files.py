"""CORE lettings exports for tests, with the real headings of each year and invented lettings.

The generator first decides what the code under test should do with a row, then writes such a row. `expected` counts
these decisions, so it does not depend on the code under test.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_EXTRACTS = Path(__file__).resolve().parent.parent / "nominations" / "extracts"
#: The text of every cell whose column must not be stored, before the column's code.
CANARY = "canary8417"
#: The unusual outcomes, and how often each is invented.
ODD = {
    "no_date": 1,
    "other_quarter": 8,
    "no_authority": 1,
    "other_authority": 10,
    "other_landlord": 2,
    "renewal": 3,
    "supported": 5,
    "temporary": 1,
    "transfer": 4,
    "no_kind": 1,
    "no_bedrooms": 1,
    "no_source": 1,
    "duplicate": 1,
}
_RELETS = ("5", "6", "8", "10", "11", "12", "18", "19", "20")
_OTHER_SOURCES = ("1", "2", "7", "8", "10", "16")


def headings(year: int) -> list[tuple[str, str]]:
    """Return code and label of every column of a year's export, in order.

    2025/26 is assumed to be like 2024/25. In 2026/27, two columns replace the one for the source of referral.
    """
    name = "2023-24" if year == 2023 else "2024-25"
    lines = (_EXTRACTS / f"core_lettings_columns_{name}.csv").read_text(encoding="utf-8").splitlines()
    # Labels are not quoted, and have commas.
    choices = [(code, label) for code, _, label in (line.partition(",") for line in lines if line)]
    if year < 2026:
        return choices
    new_choices = [("referral_register", "referral_register"), ("referral_noms", "referral_noms")]
    position = [code for code, _ in choices].index("referral")
    return choices[:position] + new_choices + choices[position + 1 :]


@dataclass(frozen=True)
class Place:
    """The council (code and name), the landlord and the quarter whose lettings are invented."""

    code: str
    name: str
    landlord: str
    starts_on: dt.date
    days: int = 89


@dataclass
class InventedLetting:
    """An invented letting, and the outcome that its row should have."""

    outcome: str
    size: str
    is_first_let: bool
    is_nominated: bool
    void_days: int
    cells: dict[str, str] = field(default_factory=dict)


def invent(place: Place, number: int, *, year: int, seed: int = 1, odd: bool = True) -> list[InventedLetting]:
    """Return this many lettings, a third of them with an unusual outcome."""
    chance = random.Random(seed)
    lettings: list[InventedLetting] = []
    for index in range(number):
        outcome = "used"
        if odd and index and chance.random() < 0.33:
            outcome = chance.choices(list(ODD), list(ODD.values()))[0]
        lettings.append(_letting(place, index, outcome, year, chance, lettings))
    return lettings


def _letting(
    place: Place, index: int, outcome: str, year: int, chance: random.Random, earlier: Sequence[InventedLetting]
) -> InventedLetting:
    """Return a letting with this outcome, and with cells that have it."""
    size = chance.choices(("studio", "1", "2", "3", "4"), (1, 6, 8, 4, 1))[0]
    is_first_let = chance.random() < 0.2
    letting = InventedLetting(outcome, size, is_first_let, chance.random() < 0.7, chance.randrange(0, 120))
    started = place.starts_on + dt.timedelta(days=chance.randrange(place.days))
    void = started - dt.timedelta(days=letting.void_days)
    letting.cells = {
        "owning_organisation_name": place.landlord,
        "managing_organisation_name": place.landlord,
        "needstype": "1",
        "startdate": started.isoformat(),
        "propcode": f"P{index}",
        "uprn": str(10_000_000 + index),
        "la": place.code,
        "la_label": place.name,
        "first_time_property_let_as_social_housing": "1" if is_first_let else "0",
        "rsnvac": chance.choice(("15", "16", "17") if is_first_let else _RELETS),
        "newprop": "1" if is_first_let else "2",
        "offered": str(chance.randrange(4)),
        "unittype_gn": "2" if size == "studio" else "1",
        "beds": {"studio": "1", "4": chance.choice("4567")}.get(size, size),
        "voiddate": void.isoformat(),
        "vacdays": chance.choice((str(letting.void_days), "")),
        "mrcdate": chance.choice(("", void.isoformat())),
        **_source(letting.is_nominated, year, chance),
    }
    letting.cells |= _oddity(outcome, place, year, chance)
    if outcome == "duplicate":
        first = chance.choice([letting for letting in earlier if letting.outcome == "used"])
        letting.cells |= {name: first.cells[name] for name in ("startdate", "propcode", "uprn")}
    return letting


def _source(is_nominated: bool, year: int, chance: random.Random) -> dict[str, str]:
    """Return the cells with the source of referral."""
    if year < 2026:
        return {"referral": "3" if is_nominated else chance.choice(_OTHER_SOURCES)}
    if is_nominated:
        return {"referral_register": "6", "referral_noms": "1"}
    register = chance.choice("567")
    return {"referral_register": register, "referral_noms": chance.choice("234") if register == "6" else ""}


def _oddity(outcome: str, place: Place, year: int, chance: random.Random) -> dict[str, str]:
    """Return the cells that give a letting its unusual outcome."""
    outside = place.starts_on + dt.timedelta(days=chance.choice((-1, -40, place.days + 10)))
    source = "referral" if year < 2026 else "referral_register"
    return {
        "no_date": {"startdate": chance.choice(("", "soon", "2024-13-40"))},
        "other_quarter": {"startdate": outside.isoformat()},
        "no_authority": {"la": "", "la_label": ""},
        "other_authority": {"la": "E07000999", "la_label": "Elsewhere"},
        "other_landlord": {"owning_organisation_name": "Others", "managing_organisation_name": "Others"},
        "renewal": {"rsnvac": "14", "first_time_property_let_as_social_housing": "0"},
        "supported": {"needstype": "2", "unittype_gn": ""},
        "temporary": {"rsnvac": "9", "first_time_property_let_as_social_housing": "0"},
        "transfer": {"rsnvac": "13", "first_time_property_let_as_social_housing": "0"},
        "no_kind": {"rsnvac": "", "first_time_property_let_as_social_housing": "", "newprop": ""},
        "no_bedrooms": {"beds": chance.choice(("", "two")), "unittype_gn": "1"},
        "no_source": {source: ""},
    }.get(outcome, {})


def core_file(lettings: Sequence[InventedLetting], *, year: int, labels: bool = False) -> bytes:
    """Return the export. Every column that a return does not need contains the canary."""
    return b"".join(core_chunks(lettings, year=year, labels=labels))


def core_chunks(
    lettings: Sequence[InventedLetting], *, year: int, labels: bool = False, other: str = ""
) -> Iterator[bytes]:
    """Yield the export in pieces of a thousand rows.

    Columns that are not stored contain `other` or, without it, the canary.
    """
    columns = headings(year)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([label if labels else code for code, label in columns])
    for number, letting in enumerate(lettings, start=1):
        writer.writerow([letting.cells.get(code, other or _other(code)) for code, _ in columns])
        if number % 1000 == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _other(code: str) -> str:
    """Return the cell of a column that is not stored. One such cell has everything that makes CSV difficult."""
    return f'{CANARY} "{code}", and\nmore' if code == "address_line1" else f"{CANARY}-{code}"


@dataclass
class Expected:
    """The figures that a return should have for one size, for first lets or relets."""

    lettings: int = 0
    nominated: int = 0
    void_days: list[int] = field(default_factory=list)

    @property
    def median_days(self) -> float:
        """Return the median of the void days."""
        days = sorted(self.void_days)
        middle = len(days) // 2
        return days[middle] if len(days) % 2 else (days[middle - 1] + days[middle]) / 2


def expected(lettings: Sequence[InventedLetting]) -> tuple[dict[tuple[str, bool], Expected], Counter[str]]:
    """Return the lines by size and whether they are first lets, and the number of rows with each outcome."""
    lines: dict[tuple[str, bool], Expected] = defaultdict(Expected)
    for letting in lettings:
        if letting.outcome == "used":
            line = lines[letting.size, letting.is_first_let]
            line.lettings += 1
            line.nominated += letting.is_nominated
            line.void_days.append(letting.void_days)
    return dict(lines), Counter(letting.outcome for letting in lettings)
