"""What a source offers to the index: rows of words, postcodes and references."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from partnerships.kit.postcodes import AREAS, DISTRICT, FULL

#: Characters kept of one part; longer texts are divided into several.
MAX_TEXT = 30_000
#: Characters kept of a title.
_MAX_TITLE = 300
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry of the index as a source gives it; see `SearchEntry`.

    `references` are numbers and codes that find it as a whole, such as "26/01234/FUL". `postcode` is its own, in full
    or the district alone; full ones in its words count too. `opens_at` is in UTC.
    """

    object_id: int
    kind: str
    title: str
    path: str
    readers: frozenset[int]
    text: str = ""
    part: str = ""
    references: tuple[str, ...] = ()
    postcode: str = ""
    partnership_id: int | None = None
    organisation_id: int | None = None
    day: dt.date | None = None
    number: int = 0
    hidden: bool = False
    opens_at: dt.datetime | None = None

    def stored(self) -> dict[str, Any]:
        """Its columns, with the postcodes that its words hold."""
        title, text = _clean(self.title)[:_MAX_TITLE] or "Untitled", _clean(self.text)[:MAX_TEXT]
        values = asdict(self)
        del values["references"], values["postcode"]
        return values | {
            "title": title,
            "text": text,
            "day": self.day.isoformat() if self.day else None,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "readers": sorted(self.readers),
            "codes": sorted(self._codes(f"{title} {text}")),
        }

    def _codes(self, words: str) -> set[str]:
        district = DISTRICT.fullmatch(self.postcode)
        alone = {f"pc:{one}".lower() for one in (district[0], district[1])} if district else set()
        return postcodes(f"{words} {self.postcode}") | alone | {reference(one) for one in self.references if one}


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()


#: Begins what is found and not shown in an excerpt. The line break keeps it apart from the first word.
UNSEEN = "\u2028\n"


def joined(*parts: str | None) -> str:
    """The parts that say something, one a line."""
    return "\n".join(part for part in parts if part)


def reference(value: str) -> str:
    """The code under which a reference is found as a whole: without spaces, in lower case."""
    return f"ref:{''.join(value.lower().split())[:120]}"


def postcodes(text: str) -> set[str]:
    """Codes of the postcodes in a text: each in full, its district and its area."""
    found = set()
    for area, district, unit in FULL.findall(text):
        if area.upper() in AREAS:
            found |= {f"pc:{one}".lower() for one in (area, area + district, area + district + unit)}
    return found


def asked_postcodes(text: str) -> tuple[str, tuple[str, ...]]:
    """What a question asks besides postcodes, and the codes of the postcodes it names.

    A full postcode or a district counts wherever it stands; an area, which may be a word, only alone.
    """
    codes = [f"pc:{''.join(one)}".lower() for one in FULL.findall(text) if one[0].upper() in AREAS]
    rest = []
    for word in FULL.sub(" ", text).split():
        district = DISTRICT.fullmatch(word)
        if district and district[1].upper() in AREAS:
            codes.append(f"pc:{word}".lower())
        else:
            rest.append(word)
    if len(rest) == 1 and not codes and rest[0].upper() in AREAS:
        return "", (f"pc:{rest[0]}".lower(),)
    return " ".join(rest), tuple(codes)


def divided(text: str) -> Iterable[str]:
    """A long text in parts that each fit an entry."""
    text = text.strip()
    while len(text) > MAX_TEXT:
        cut = text.rfind(" ", MAX_TEXT // 2, MAX_TEXT)
        cut = cut if cut > 0 else MAX_TEXT
        yield text[:cut]
        text = text[cut:].lstrip()
    if text:
        yield text
