"""Read the schedule of nominations in a version of the terms of an agreement.

The codes of the fields and tables are those of the migration `agreements.0027_terms_of_nominations`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from partnerships.kit.text import listed

#: The code of the kind of partnership.
KIND = "nominations"


class Bedrooms(StrEnum):
    """The sizes of homes for which shares of relets are agreed."""

    STUDIO = "studio"
    ONE = "1"
    TWO = "2"
    THREE = "3"
    FOUR = "4"

    @property
    def label(self) -> str:
        """Return the size as text, such as "2 bedrooms"."""
        return _LABELS[self]

    @classmethod
    def of(cls, count: int, *, studio: bool = False) -> Bedrooms:
        """Return the size of a home with this number of bedrooms. Four means four or more, zero means a studio."""
        return cls.STUDIO if studio or count < 1 else cls(str(min(count, 4)))


def size_and_let_in_words(size: Bedrooms, *, first_let: bool) -> str:
    """Return a size and kind of let as text, such as "Relets, 2 bedrooms"."""
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
    """A scheme that the agreement names. It has the homes whose property reference begins with one of the codes."""

    name: str
    codes: tuple[str, ...]

    def has(self, property_code: str) -> bool:
        """Return whether a home with this property reference belongs to the scheme."""
        return bool(self.codes) and property_code.strip().casefold().startswith(self.codes)


@dataclass(frozen=True, slots=True)
class NominationTerms:
    """The homes, shares, times and grounds for refusal in the terms of an agreement."""

    #: The names of the council and the provider in the terms.
    council: str
    provider: str
    #: None if the agreement covers all homes of the provider in the council's area.
    schemes: tuple[Scheme, ...] | None
    #: Shares of lettings to nominees, in per cent.
    first_lets: Decimal
    relets: Mapping[Bedrooms, Decimal]
    #: Whether internal transfers, temporary accommodation and supported housing count as true voids.
    counts_transfers: bool
    counts_temporary: bool
    counts_supported: bool
    nominees: int
    #: Times to nominate, in working days.
    days_first_lets: int
    days_relets: int
    refusal_grounds: tuple[str, ...]
    dispute_days: int | None
    #: A description of a part of the council's area. Lettings do not say whether they are in this part.
    area: str = ""

    @property
    def not_counted(self) -> list[str]:
        """Sentences about the parts of the terms that are written in words only, so that returns cannot count them."""
        sentences = []
        if self.area:
            sentences.append(
                f"The terms cover only the area “{self.area}”, but returns include lettings in the whole council area."
            )
        names_without_codes = [scheme.name for scheme in self.schemes or () if not scheme.codes]
        if names_without_codes:
            sentences.append(
                f"Returns do not include homes of {listed(names_without_codes)}, because the terms do not give their "
                "property references."
            )
        return sentences

    def share(self, bedrooms: Bedrooms, *, first_let: bool) -> Decimal:
        """Return the share of true voids that should go to nominees, in per cent."""
        return self.first_lets if first_let else self.relets[bedrooms]

    def days(self, *, first_let: bool) -> int:
        """Return the number of working days in which the council must name its nominees."""
        return self.days_first_lets if first_let else self.days_relets


def nomination_terms_in(content: Mapping[str, Any]) -> NominationTerms | None:
    """Return the schedule of nominations in the content of terms.

    None if a figure is missing, as in terms from before these fields existed.
    """
    about = content["about"]
    first_lets = _share(about, "first_lets")
    share_by_size = {size: _share(about, f"relets_{size}") for size in Bedrooms}
    relets = {size: share for size, share in share_by_size.items() if share is not None}
    nominees = about.get("nominees")
    days_first_lets, days_relets = about.get("days_first_lets"), about.get("days_relets")
    if first_lets is None or len(relets) < len(Bedrooms):
        return None
    if None in (nominees, days_first_lets, days_relets):
        return None

    covers_schemes_only = about.get("covers") == "schemes"
    return NominationTerms(
        council=about.get("council") or "",
        provider=about.get("provider") or "",
        schemes=_schemes(content) if covers_schemes_only else None,
        first_lets=first_lets,
        relets=MappingProxyType(relets),
        counts_transfers=bool(about.get("counts_transfers")),
        counts_temporary=bool(about.get("counts_temporary")),
        counts_supported=bool(about.get("counts_supported")),
        nominees=nominees,
        days_first_lets=days_first_lets,
        days_relets=days_relets,
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
    """Return the lines of a Markdown list, without their dashes."""
    return tuple(line.strip().lstrip("-*").strip() for line in text.splitlines() if line.strip(" -*"))
