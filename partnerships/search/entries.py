"""Rows that sources add to the index, with the words, the postcodes and the references of a record."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from partnerships.kit.postcodes import AREAS, DISTRICT, FULL

#: Limit of characters of one part. Longer texts are divided into several parts.
MAX_TEXT = 30_000
#: Limit of characters of a title.
_MAX_TITLE = 300
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """The values of a `SearchEntry`, which a source returns for a record or a part of a record.

    `references` are numbers and codes that people search for as a whole, such as "26/01234/FUL". `postcode` is a full
    postcode such as "PO16 7AZ", or only its district. Full postcodes in the words are found as well. `opens_at` is in
    UTC.
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

    def as_columns(self) -> dict[str, Any]:
        """Return the columns of the entry, with the codes of the postcodes in its words."""
        title = _clean(self.title)[:_MAX_TITLE] or "Untitled"
        text = _clean(self.text)[:MAX_TEXT]
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
        """Return the codes of the entry's references, and of the postcodes in its words."""
        codes = postcode_codes(f"{words} {self.postcode}")
        codes |= {reference_code(value) for value in self.references if value}
        if district := DISTRICT.fullmatch(self.postcode):
            codes |= {f"pc:{district[0]}".lower(), f"pc:{district[1]}".lower()}
        return codes


def _clean(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text).strip()


#: Separates the text that excerpts show from words that are only found, such as former names. The line break separates
#: this mark from the first word.
UNSEEN = "\u2028\n"


def joined_lines(*parts: str | None) -> str:
    """Return the parts that are not empty, each on a separate line."""
    return "\n".join(part for part in parts if part)


def reference_code(value: str) -> str:
    """Return the code by which a reference is found as a whole, such as `ref:26/01234/ful` for "26/01234/FUL"."""
    return f"ref:{''.join(value.lower().split())[:120]}"


def postcode_codes(text: str) -> set[str]:
    """Return the codes of the postcodes in a text. Each postcode has a code in full, for its district and for its area.

    For example, "PO16 7AZ" has the codes `pc:po167az`, `pc:po16` and `pc:po`.
    """
    codes = set()
    for area, district, unit in FULL.findall(text):
        if area.upper() in AREAS:
            codes |= {f"pc:{part}".lower() for part in (area, area + district, area + district + unit)}
    return codes


def postcodes_in_query(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the other words of a search, and the codes of its postcodes.

    A full postcode or a district is found anywhere in the text. An area, such as "SO", may also be a word. So it is
    only an area if it is the whole text.
    """
    codes = [f"pc:{''.join(parts)}".lower() for parts in FULL.findall(text) if parts[0].upper() in AREAS]
    other_words = []
    for word in FULL.sub(" ", text).split():
        district = DISTRICT.fullmatch(word)
        if district and district[1].upper() in AREAS:
            codes.append(f"pc:{word}".lower())
        else:
            other_words.append(word)
    if len(other_words) == 1 and not codes and other_words[0].upper() in AREAS:
        return "", (f"pc:{other_words[0]}".lower(),)
    return " ".join(other_words), tuple(codes)


def parts_of_text(text: str) -> Iterable[str]:
    """Yield a long text in parts that each fit an entry."""
    text = text.strip()
    while len(text) > MAX_TEXT:
        end = text.rfind(" ", MAX_TEXT // 2, MAX_TEXT)
        end = end if end > 0 else MAX_TEXT
        yield text[:end]
        text = text[end:].lstrip()
    if text:
        yield text
