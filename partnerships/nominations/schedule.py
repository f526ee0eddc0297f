"""What one version of the terms of a nominations agreement says about nominations.

The terms hold it as fields and tables of their kind; the codes are those of the migration
`agreements.0027_terms_of_nominations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

#: The code of the kind of partnership.
KIND = "nominations"


class Bedrooms(StrEnum):
    """Sizes for which a share of relets is agreed."""

    STUDIO = "studio"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"

    @property
    def label(self) -> str:
        """In words: "2 bedrooms"."""
        return _LABELS[self]

    @classmethod
    def of(cls, number: int, *, studio: bool = False) -> Bedrooms:
        """The size of a home with this many bedrooms.

        Four stands for four and more, none for a studio.
        """
        return cls.STUDIO if studio or number < 1 else cls(str(min(number, 4)))


def words_of(size: Bedrooms, *, first_let: bool) -> str:
    """First lets or relets of homes of one size, in words: "Relets, 2 bedrooms"."""
    return f"{'First lets' if first_let else 'Relets'}, {size.label.lower()}"


_LABELS = {
    Bedrooms.STUDIO: "Studio",
    Bedrooms.ONE: "1 bedroom",
    Bedrooms.TWO: "2 bedrooms",
    Bedrooms.THREE: "3 bedrooms",
    Bedrooms.FOUR: "4 or more bedrooms",
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """Homes that the agreement names.

    All whose property reference begins with one of the `codes`.
    """

    name: str
    codes: tuple[str, ...]

    def has(self, property_code: str) -> bool:
        """Whether a home with this property reference belongs to it."""
        return bool(self.codes) and property_code.strip().casefold().startswith(self.codes)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a council and a provider agreed.

    Shares are in per cent, times in working days. `council` and `provider` are names as the terms say them. `schemes`
    None: it covers all homes of the provider in the council's area. `area` is a part of that in words, which no return
    can tell from lettings. The flags say whether such vacancies are true voids.
    """

    council: str
    provider: str
    schemes: tuple[Scheme, ...] | None
    first_lets: Decimal
    relets: Mapping[Bedrooms, Decimal]
    counts_transfers: bool
    counts_temporary: bool
    counts_supported: bool
    nominees: int
    days_first_lets: int
    days_relets: int
    refusal_grounds: tuple[str, ...]
    dispute_days: int | None
    area: str = ""

    @property
    def not_counted(self) -> list[str]:
        """Sentences about what the terms say only in words, which a return cannot count."""
        words = []
        if self.area:
            words.append(f"The terms name an area, “{self.area}”. Returns count lettings of the whole council area.")
        if nameless := [scheme.name for scheme in self.schemes or () if not scheme.codes]:
            words.append(f"Returns leave out homes of {', '.join(nameless)}: the terms give no property references.")
        return words

    def share(self, bedrooms: Bedrooms, *, first_let: bool) -> Decimal:
        """The share of true voids that nominees get, in per cent."""
        return self.first_lets if first_let else self.relets[bedrooms]

    def days(self, *, first_let: bool) -> int:
        """The working days in which the council names its nominees."""
        return self.days_first_lets if first_let else self.days_relets


def agreed_in(content: Mapping[str, Any]) -> Agreed | None:
    """What the content of terms says. None if a figure is missing, as in terms older than these fields."""
    about = content["about"]
    shares = {size: _share(about, f"relets_{size}") for size in Bedrooms}
    first_lets = _share(about, "first_lets")
    numbers = [about.get(code) for code in ("nominees", "days_first_lets", "days_relets")]
    relets = {size: share for size, share in shares.items() if share is not None}
    if first_lets is None or len(relets) < len(shares) or None in numbers:
        return None
    only_schemes = about.get("covers") == "schemes"
    return Agreed(
        council=about.get("council") or "",
        provider=about.get("provider") or "",
        schemes=_schemes(content) if only_schemes else None,
        first_lets=first_lets,
        relets=MappingProxyType(relets),
        counts_transfers=bool(about.get("counts_transfers")),
        counts_temporary=bool(about.get("counts_temporary")),
        counts_supported=bool(about.get("counts_supported")),
        nominees=numbers[0],
        days_first_lets=numbers[1],
        days_relets=numbers[2],
        refusal_grounds=_lines(about.get("refusal_grounds") or ""),
        dispute_days=about.get("dispute_days"),
        area=about.get("area") or "",
    )


def _share(about: Mapping[str, Any], code: str) -> Decimal | None:
    value = about.get(code)
    return None if value in (None, "") else Decimal(str(value))


def _schemes(content: Mapping[str, Any]) -> tuple[Scheme, ...]:
    rows = content.get("schemes", ())
    return tuple(Scheme(row["name"], _codes(row.get("property_codes") or "")) for row in rows)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code.strip().casefold() for code in text.split(",") if code.strip())


def _lines(text: str) -> tuple[str, ...]:
    """The lines of a list, without its dashes."""
    return tuple(line.strip().lstrip("-*").strip() for line in text.splitlines() if line.strip(" -*"))
